package main_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"eegprune/result"
)

// What a class is made of goes from the flags to the results.
func TestLabelsAreChosen(t *testing.T) {
	dir := simulated(t, "deap")
	sum := info(t, dir, "recordings", "--label", "arousal", "--threshold", "4", "--tie", ">")
	if sum.Rule != "arousal > 4" || len(sum.Labels) != 5 {
		t.Fatalf("the class is by %q, of %d choices", sum.Rule, len(sum.Labels))
	}
	for _, l := range sum.Labels {
		n := 0
		for _, k := range l.Trials {
			n += k
		}
		if l.Chosen != (l.Label == "arousal") || n == 0 || l.Label == "quadrants" && len(l.Classes) != 4 {
			t.Errorf("%+v", l)
		}
	}
	study := filepath.Join(t.TempDir(), "study")
	must(t, dir, quick("run", "--label", "valence", "--tie", "drop", "--split", "KFoldByTrial", "--out", study)...)
	r, err := result.Read(study)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Labels) != 1 {
		t.Fatalf("the labels are %+v", r.Labels)
	}
	l := r.Labels[0]
	if l.Operator != "drop" || l.Threshold == nil || *l.Threshold != 5 || len(l.Classes) != 2 || l.Classes[0].Share+l.Classes[1].Share != 1 {
		b, _ := json.Marshal(l)
		t.Errorf("the labels are %s", b)
	}
	for _, s := range r.Settings {
		if s.Name == "classes" && !strings.Contains(s.Value, "by valence > 5, ties dropped") {
			t.Errorf("the report's classes are %q", s.Value)
		}
	}
	oneSentence(t, eegprune(t, dir, "data", "info", "recordings", "--label", "joy"), "joy", "valence, arousal, dominance, liking")
	oneSentence(t, eegprune(t, dir, "data", "info", "recordings", "--tie", "="), "--tie")
	oneSentence(t, eegprune(t, simulated(t, "edf"), "data", "info", "recordings", "--label", "valence"), "one label")
}

// The films are held out of all who saw them, and stay known when recordings are converted.
func TestStimuliAreHeldOut(t *testing.T) {
	dir := simulated(t, "seed")
	must(t, dir, "data", "convert", "recordings", "--out", "converted")
	for _, name := range []string{"recordings", "converted"} {
		if n := info(t, dir, name).Stimuli; n != 6 {
			t.Errorf("%s has %d stimuli", name, n)
		}
	}
	must(t, dir, "run", "--data", "recordings", "--split", "LeaveOneStimulusOut", "--epochs", "1", "--out", "study")
	r, err := result.Read(filepath.Join(dir, "study"))
	if err != nil {
		t.Fatal(err)
	}
	folds := map[int]bool{}
	for _, x := range r.Results {
		folds[x.Fold] = true
		if x.Stage == result.Unpruned && (x.Clips.Test != 6 || len(x.Subjects) != 2) { // 3 clips of each of 2 subjects
			t.Errorf("fold %d tests on %d clips of %d subjects", x.Fold, x.Clips.Test, len(x.Subjects))
		}
	}
	if len(folds) != 6 {
		t.Errorf("there are %d folds", len(folds))
	}
	oneSentence(t, eegprune(t, simulated(t, "edf"), "run", "--data", "recordings", "--split", "LeaveOneStimulusOut", "--out", "study"), "which stimulus")
}
