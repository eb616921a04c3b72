package natural

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestCompare(t *testing.T) {
	in := []string{"s10", "s2", "s02", "10", "9", "b", "a10b", "a9z", "", "007", "7"}
	slices.SortFunc(in, Compare)
	if d := cmp.Diff([]string{"", "007", "7", "9", "10", "a9z", "a10b", "b", "s02", "s2", "s10"}, in); d != "" {
		t.Error(d)
	}
	rapid.Check(t, func(t *rapid.T) {
		g := rapid.StringMatching(`[ab0-2]{0,4}`)
		a, b, c := g.Draw(t, "a"), g.Draw(t, "b"), g.Draw(t, "c")
		if Compare(a, b) != -Compare(b, a) || (Compare(a, b) == 0) != (a == b) {
			t.Fatalf("%q and %q", a, b)
		}
		if Compare(a, b) < 0 && Compare(b, c) < 0 && Compare(a, c) >= 0 {
			t.Fatalf("not transitive: %q, %q, %q", a, b, c)
		}
	})
}
