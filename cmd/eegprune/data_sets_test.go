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
