package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"eegprune/data/source"
)

// TestBIDS goes the way of a user with a BIDS data set: what is in it, the manifest that is
// proposed, features.
func TestBIDS(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "set"), os.DirFS("../../data/source/testdata/bids/set")); err != nil {
		t.Fatal(err)
	}
	r := eegprune(t, dir, "data", "info", "set")
	if _, start, _ := strings.Cut(r.stdout, "An eegprune.yaml to begin with:"); r.code != 0 || !strings.Contains(start, "column: trial_type") {
		t.Fatalf("exit code %d: %s%s", r.code, r.stdout, r.stderr)
	}
	r = eegprune(t, dir, "data", "info", "set", "--json")
	var sum source.Summary
	if err := json.Unmarshal([]byte(r.stdout), &sum); err != nil {
		t.Fatal(err)
	}
	if len(sum.Subjects) != 3 || sum.Subjects[0].Participant["sex"] == "" || len(sum.Events) != 4 || sum.Events[0].Events[1] != (source.Event{Onset: 2.25, Duration: 1.5, Text: "sad"}) {
		t.Errorf("subjects %+v, events %+v", sum.Subjects, sum.Events)
	}
	r = eegprune(t, dir, "data", "features", "set", "--quiet")
	if r.code != 1 {
		t.Errorf("without labels: exit code %d", r.code)
	}
	oneSentence(t, r, "{format: bids, label: {column: trial_type")

	write(t, filepath.Join(dir, "set", source.ManifestName), []byte(sum.Start))
	set := featuresOf(t, dir, "set", "--bands", "alpha=8-14")
	if len(set.X) == 0 {
		t.Error("no features by the proposed manifest")
	}
	r = eegprune(t, dir, "data", "features", "set", "--quiet", "--strict", "--bands", "alpha=8-14")
	if r.code != 1 || !strings.Contains(r.stderr, "--strict") {
		t.Errorf("--strict: exit code %d: %s", r.code, r.stderr)
	}

	// An option of the wrong kind is named with its place.
	write(t, filepath.Join(dir, "set", source.ManifestName), []byte("format: bids\nlabel: {column: emotion}\n"))
	r = eegprune(t, dir, "data", "info", "set")
	if r.code != 1 {
		t.Errorf("no such column: exit code %d", r.code)
	}
	oneSentence(t, r, "emotion", "trial_type")
}
