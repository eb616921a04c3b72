package main_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/data/source"
)

// TestRecordingsWithoutManifest are looked at and converted; a command that needs labels
// names the settings that a manifest must have.
func TestRecordingsWithoutManifest(t *testing.T) {
	dir := simulated(t, "edf")
	if err := os.Remove(filepath.Join(dir, "recordings", source.ManifestName)); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{nil, {"--format", "edf"}} {
		s := info(t, dir, append(args, "recordings")...)
		if len(s.Subjects) != 2 || len(s.Classes)+len(s.Bad)+len(s.Faults) > 0 || !strings.Contains(strings.Join(s.Notes.Sentences(), "\n"), source.ManifestName) {
			t.Errorf("%v: %+v", args, s)
		}
	}
	if text := must(t, dir, "data", "info", "recordings").stdout; !strings.Contains(text, "unknown: no label") {
		t.Errorf("info does not say that there are no labels:\n%s", text)
	}
	must(t, dir, "data", "convert", "recordings", "--out", "converted")
	if s := info(t, dir, "converted"); len(s.Subjects) != 2 || len(s.Bad) > 0 {
		t.Errorf("converted: %+v", s)
	}
	for _, args := range [][]string{{"data", "features", "recordings"}, {"run", "--data", "recordings", "--out", "study"}, {"data", "features", "converted"}} {
		r := eegprune(t, dir, args...)
		if r.code != 1 {
			t.Errorf("%q: exit code %d, want 1", args, r.code)
		}
		oneSentence(t, r, source.ManifestName, "label: {", "classes: {")
	}
	r := eegprune(t, dir, "data", "info", "recordings", "--format", "bdf")
	oneSentence(t, r, ".bdf", "recordings")
}

// TestFeaturesAreRecordings: signals that were written for Python are read again, by the
// arrays in their file.
func TestFeaturesAreRecordings(t *testing.T) {
	dir := simulated(t, "deap")
	for _, sub := range []string{"signals", "grids"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	must(t, dir, "data", "features", "recordings", "--model", "tsception", "--clip", "1", "--out", "signals/x.npz")
	before, after := info(t, dir, "recordings"), info(t, dir, "signals")
	if !slices.Equal(before.Classes, after.Classes) || len(after.Subjects) != 2 || after.Subjects[0].Trials != before.Subjects[0].Trials ||
		!slices.Equal(before.Subjects[1].Classes, after.Subjects[1].Classes) {
		t.Errorf("%+v, was %+v", after, before)
	}
	must(t, dir, "data", "features", "recordings", "--out", "grids/x.npz")
	r := eegprune(t, dir, "data", "info", "grids")
	oneSentence(t, r, "x.npz", "that they were made of")
}
