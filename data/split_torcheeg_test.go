package data

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSplitsAreTorcheegs holds the folds of every split that torcheeg 1.1.3 has against its
// own (scripts/splits_torcheeg.py), on sets where subjects share numbers of trials, have
// unequal numbers of trials, and several sessions.
func TestSplitsAreTorcheegs(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "torcheeg_splits.json"))
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		Sets  map[string][][3]int // subject, session, trial of each clip
		Cases []struct {
			Set, Split string
			Tests      [][]int
		}
	}
	if err := json.Unmarshal(b, &reference); err != nil {
		t.Fatal(err)
	}
	compared := map[string]int{}
	for _, c := range reference.Cases {
		t.Run(c.Split+", "+c.Set, func(t *testing.T) {
			set := &Set{Shape: []int{1}, Classes: []string{"a", "b"}}
			for i, clip := range reference.Sets[c.Set] {
				set.Clips = append(set.Clips, Clip{Subject: fmt.Sprint(clip[0]), Session: fmt.Sprint(clip[1]), Trial: clip[2]})
				set.X, set.Y = append(set.X, 0), append(set.Y, int64(i%2))
			}
			split, err := NewSplit(c.Split, 3, false, 0)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.Tests, testClips(t, split, set)); d != "" {
				t.Errorf("(-torcheeg +ours):\n%s", d)
			}
			compared[c.Split]++
		})
	}
	for _, name := range SplitNames() {
		if ours := name == "KFoldByTrial" || name == Nested || strings.HasSuffix(name, "Stimulus") || name == LeaveOneStimulusOut; ours == (compared[name] == 3) {
			t.Errorf("%s was compared on %d sets", name, compared[name])
		}
	}
}
