//go:build real

package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/result"
)

// The main job on real recordings: EEG_DATA names the directory that holds eegmat/ and
// eegmmidb/.
func TestRealRecordings(t *testing.T) {
	root := os.Getenv("EEG_DATA")
	if root == "" {
		t.Fatal("EEG_DATA does not name the directory of the recordings")
	}
	for _, c := range []struct {
		set      string
		split    string
		classes  []string
		leftOut  string
		subjects int
	}{
		{"eegmat", "KFoldCrossSubject", []string{"rest", "arithmetic"}, "ECG", 12},
		{"eegmmidb", "KFoldByTrial", []string{"eyes open", "eyes closed"}, "R03", 1},
	} {
		t.Run(c.set, func(t *testing.T) {
			dir := t.TempDir()
			r := must(t, dir, "run", "--data", filepath.Join(root, c.set), "--out", "study", "--folds", "3",
				"--standardize", "subject", "--optimizer", "adam", "--lr", "0.001", "--steps", "40")
			for _, want := range append(c.classes, c.split, c.leftOut, "not an emotion label") {
				if !strings.Contains(r.stdout, want) {
					t.Errorf("the output does not say %q:\n%s", want, r.stdout)
				}
			}
			s := read(t, filepath.Join(dir, "study"))
			stages := []string{result.Unpruned, result.TrainedOn, result.Pruned, result.FineTuned, result.Scratch}
			if len(s.Results) != 3*len(stages) {
				t.Fatalf("%d results, want those of %s in 3 folds", len(s.Results), strings.Join(stages, ", "))
			}
			// Each clip is tested once by each stage.
			clips := map[string]int{}
			for _, res := range s.Results {
				clips[res.Stage] += res.Test.Clips
				if res.Test.Accuracy < 0 || res.Test.Accuracy > 1 || res.Test.Loss != res.Test.Loss {
					t.Errorf("%s of fold %d: accuracy %g, loss %g", res.Stage, res.Fold, res.Test.Accuracy, res.Test.Loss)
				}
			}
			for _, stage := range stages {
				if clips[stage] != clips[result.Unpruned] || clips[stage] < 100 {
					t.Errorf("%s is tested on %d clips, the unpruned network on %d", stage, clips[stage], clips[result.Unpruned])
				}
			}
		})
	}
}
