package npy

import (
	"slices"
	"strings"
	"testing"
)

// TestLists reads what NumPy 2 wrote (text.npz).
func TestLists(t *testing.T) {
	b := read(t, "text.npz")
	z, err := OpenArchive(b)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		"unicode": {"ä", "abc", ""}, "big": {"ä", "abc", ""}, "bytes": {"a", "abc", ""}, "one": {"s01"}, "number": {"7.5"}, "integers": {"3", "-1"},
	} {
		if got, err := z.Text(name); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
	for name, want := range map[string][]float64{"number": {7.5}, "integers": {3, -1}} {
		if got, err := z.Numbers(name); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, want)
		}
	}
	if _, err := z.Numbers("unicode"); err == nil || !strings.Contains(err.Error(), `"unicode"`) {
		t.Errorf("text as numbers: %v", err)
	}
	for _, name := range []string{"objects", "none"} {
		if _, err := z.Text(name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
