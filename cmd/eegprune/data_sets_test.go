package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/result"
)

// The choice of the class goes from the flags to the results.
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
	must(t, dir, quick("run", "--label", "valence", "--tie", "drop", "--recover", "fine-tune", "--split", "KFoldByTrial", "--out", study)...)
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
	must(t, dir, "run", "--data", "recordings", "--split", "LeaveOneStimulusOut", "--epochs", "1", "--recover", "fine-tune", "--out", "study")
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

// A lab's half of a set, without a manifest: recognised and counted, and the missing half is
// named.
func TestHalfASetIsKnown(t *testing.T) {
	for format, want := range map[string]string{
		"seed-iv":    "subject 1 has 1 of 3",
		"dreamer":    "Of the 23 subjects of dreamer 21 are not here",
		"mahnob-hci": "subject 1 has 6 of 20",
		"gameemo":    "Of the 28 subjects of gameemo 26 are not here",
		"dasps":      "Of the 23 subjects of dasps 21 are not here",
		"faced-bdf":  "Of the 123 subjects of faced-bdf 121 are not here",
		"emoeeg-mc":  "Of the 54 subjects of emoeeg-mc 52 are not here",
	} {
		dir := t.TempDir()
		must(t, dir, "data", "simulate", "--out", "set", "--format", format, "--subjects", "2", "--seconds", "1")
		if err := os.Remove(filepath.Join(dir, "set", source.ManifestName)); err != nil {
			t.Fatal(err)
		}
		text := must(t, dir, "data", "info", "set").stdout
		sum := info(t, dir, "set")
		if sum.Manifest != format || len(sum.Subjects) != 2 || sum.Stimuli == 0 || !strings.Contains(text, want) || !strings.Contains(text, "data set  "+format) {
			t.Errorf("%s is taken for %s with %d subjects and %d stimuli:\n%s", format, sum.Manifest, len(sum.Subjects), sum.Stimuli, text)
		}
	}
}

// Films of four emotions, held out of all who saw them.
func TestStudyOfSEEDIV(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	must(t, dir, "data", "simulate", "--out", "set", "--format", "seed-iv", "--subjects", "2", "--seconds", "1")
	must(t, dir, "run", "--data", "set", "--split", "KFoldCrossStimulus", "--folds", "2", "--epochs", "1", "--recover", "fine-tune", "--out", "study")
	r, err := result.Read(filepath.Join(dir, "study"))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Labels) != 1 || len(r.Labels[0].Classes) != 4 || r.Labels[0].Rule != "emotion" || r.Labels[0].Operator != "" {
		t.Errorf("the labels are %+v", r.Labels)
	}
	for _, x := range r.Results {
		if x.Test.Clips != 2*24/2 {
			t.Errorf("fold %d tests on %d clips", x.Fold, x.Test.Clips)
		}
	}
}

// Features that a set's owners made are windows, which a network takes as they are; commands
// for signals refuse them in a sentence that gives the right way.
func TestStudyOfFeatures(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	must(t, dir, "data", "simulate", "--out", "set", "--format", "seed-v-features", "--subjects", "2", "--seconds", "4")
	if err := os.Remove(filepath.Join(dir, "set", source.ManifestName)); err != nil {
		t.Fatal(err)
	}
	text := must(t, dir, "data", "info", "set").stdout
	if sum := info(t, dir, "set"); sum.Manifest != "seed-v-features" || sum.Window != 4 || len(sum.Bands) != 5 || !strings.Contains(text, "features  of windows of 4 s: delta, theta, alpha, beta, gamma") {
		t.Errorf("the features are %+v:\n%s", sum, text)
	}
	how := "{seconds: 4, transforms: [{name: ToGrid}]}"
	if err := os.WriteFile(filepath.Join(dir, "windows.yaml"), []byte(how), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, dir, "run", "--data", "set", "--features", "windows.yaml", "--split", "KFoldCrossStimulus", "--folds", "3", "--epochs", "1", "--recover", "fine-tune", "--out", "study")
	r, err := result.Read(filepath.Join(dir, "study"))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range r.Results {
		if x.Test.Clips != 2*15/3 {
			t.Errorf("fold %d tests on %d clips", x.Fold, x.Test.Clips)
		}
	}
	for _, args := range [][]string{
		{"run", "--data", "set", "--out", "other"},
		{"data", "features", "set"},
		{"data", "features", "set", "--features", "windows.yaml", "--bandpass", "1-40"},
	} {
		oneSentence(t, eegprune(t, dir, args...), "hold features", how)
	}
	oneSentence(t, eegprune(t, dir, "data", "convert", "set", "--out", "converted"), "hold features", "data features")
}
