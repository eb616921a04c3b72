package models_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
)

// declared are the groups of networks as their authors would declare them, by the network's name.
// Spans that depend on the clip are 0: they are the rest that the others leave.
func declared(t testing.TB) map[string][]reftest.Declared {
	files, err := filepath.Glob("testdata/groups/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no declared groups (%v)", err)
	}
	all := map[string][]reftest.Declared{}
	for _, file := range files {
		var groups []reftest.Declared
		reftest.ReadJSON(t, file, &groups)
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = groups
	}
	return all
}

// TestGroupsAreThoseThatWereDeclared, of networks for any data and pruned to any widths.
func TestGroupsAreThoseThatWereDeclared(t *testing.T) {
	all := declared(t)
	rapid.Check(t, func(t *rapid.T) {
		m := drawModel(t)
		want, ok := all[m.Name]
		if !ok {
			t.Skip("declared by nobody")
		}
		a := drawArch(t, m)
		keep := map[string][]int{}
		for _, g := range a.Groups {
			if rapid.Bool().Draw(t, "prune "+g.Name) {
				keep[g.Name] = slices.Sorted(slices.Values(rapid.Permutation(indices(g.Channels)).Draw(t, g.Name)[:rapid.IntRange(1, g.Channels).Draw(t, "kept")]))
			}
		}
		small, _, err := a.Cut(keep)
		if err == nil {
			err = small.Regroup()
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range []*models.Arch{a, small} {
			got := reftest.DeclaredOf(a)
			for i := range got {
				got[i].Channels = 0 // as many as there are
				for _, c := range got[i].Consumers {
					if elements(a.Tensor(c.Layer + ".weight").Shape[1:2]) != a.Group(got[i].Name).Channels*c.Span {
						t.Errorf("%s: %d columns for each of %d channels", c.Layer, c.Span, a.Group(got[i].Name).Channels)
					}
				}
			}
			want := slices.Clone(want)
			for i := range want {
				want[i].Channels = 0
				want[i].Consumers = slices.Clone(want[i].Consumers)
				for k := range want[i].Consumers {
					if i < len(got) && k < len(got[i].Consumers) && want[i].Consumers[k].Span == 0 {
						want[i].Consumers[k].Span = got[i].Consumers[k].Span
					}
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s: groups (-declared +derived):\n%s", m.Name, d)
			}
		}
		for name, kept := range keep {
			if g := small.Group(name); g == nil || g.Channels != len(kept) || !slices.Equal(g.Kept, kept) {
				t.Errorf("group %s is %+v after %v were kept", name, g, kept)
			}
		}
	})
}

// TestGroupsOfRandomNetworks has networks whose groups are known from how they are made.
func TestGroupsOfRandomNetworks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, want := reftest.DeclaredArch(t)
		if d := cmp.Diff(want, reftest.DeclaredOf(a)); d != "" {
			t.Errorf("groups (-declared +derived):\n%s", d)
		}
	})
}

func elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

func TestMain(m *testing.M) { os.Exit(reftest.Main(m)) }
