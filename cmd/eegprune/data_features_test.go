package main_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFeaturesFile: a file replaces the flags, and has more settings, in all commands
// that make features.
func TestFeaturesFile(t *testing.T) {
	dir := simulated(t, "deap")
	write(t, filepath.Join(dir, "f.yaml"), []byte(`seconds: 1
overlap: 0.5
baseline_seconds: 1
transforms:
  - name: BandDifferentialEntropy
    args: {bands: {theta: [4, 8], alpha: [8, 14]}, apply_to_baseline: true}
  - name: ToGrid
    args: {apply_to_baseline: true}
  - name: BaselineRemoval
`))
	byFile := featuresOf(t, dir, "recordings", "--features", "f.yaml")
	byFlags := featuresOf(t, dir, "recordings", "--overlap", "0.5", "--bands", "theta=4-8,alpha=8-14", "--remove-baseline")
	if d := cmp.Diff(byFlags, byFile); d != "" {
		t.Errorf("features differ (-flags +file):\n%s", d)
	}
	if a := featuresOf(t, dir, "recordings", "--features", "f.yaml", "--overlap", "0", "--bands", "beta=14-31"); a.Shape[1] != 1 || a.Shape[0] >= byFile.Shape[0] {
		t.Errorf("shape %v, which is not what the flags say", a.Shape)
	}

	write(t, filepath.Join(dir, "label.yaml"), []byte("label:\n  - name: Select\n    args: {key: [valence, arousal]}\n  - name: Binary\n  - name: BinariesToCategory\n"))
	classes := map[int64]bool{}
	for _, y := range featuresOf(t, dir, "recordings", "--features", "label.yaml").Y {
		classes[y] = true
	}
	if len(classes) < 2 || slices.Max(featuresOf(t, dir, "recordings", "--features", "label.yaml").Y) < 2 {
		t.Errorf("classes %v, want some of four", classes)
	}
}

func TestFeaturesFileRefuses(t *testing.T) {
	dir := simulated(t, "edf")
	write(t, filepath.Join(dir, "typo.yaml"), []byte("seconds: 1\noverlp: 0.5\n"))
	write(t, filepath.Join(dir, "flat.yaml"), []byte("transforms: [{name: BandDifferentialEntropy}]\n"))
	write(t, filepath.Join(dir, "signal.yaml"), []byte("transforms: [{name: To2d}]\n"))
	for _, c := range []struct {
		args  []string
		words []string
	}{
		{[]string{"data", "features", "recordings", "--features", "typo.yaml"}, []string{"typo.yaml:2:1", "did you mean overlap?"}},
		{[]string{"run", "--data", "recordings", "--out", "study", "--features", "typo.yaml"}, []string{"typo.yaml:2:1"}},
		{[]string{"train", "--data", "recordings", "--out", "study", "--features", "none.yaml"}, []string{"none.yaml"}},
		{[]string{"train", "--data", "recordings", "--out", "study", "--features", "flat.yaml"}, []string{"[channels, height, width]"}},
		{[]string{"data", "features", "recordings", "--features", "signal.yaml", "--filter", "ba"}, []string{"--filter", "BandDifferentialEntropy"}},
	} {
		r := eegprune(t, dir, c.args...)
		if r.code == 0 {
			t.Errorf("%q: no error", c.args)
		}
		oneSentence(t, r, c.words...)
	}
}
