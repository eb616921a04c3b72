package main_test

import (
	"encoding/json"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/report"
)

// TestBIDS goes the way of a user with a BIDS data set: its summary, the proposed manifest,
// features, a study and its report.
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
	// Notes of parts of the set left out are in the report, the page and the results of a study
	// of it.
	must(t, dir, "run", "--data", "set", "--out", "study", "--model", "eegnet", "--clip", "0.5", "--folds", "3", "--epochs", "1", "--recover", "fine-tune")
	must(t, dir, "report", "study", "--out", "page.html")
	s := read(t, filepath.Join(dir, "study"))
	if len(s.Notes) == 0 {
		t.Error("the results have no notes")
	}
	for _, name := range []string{filepath.Join("study", report.TextFile), "page.html"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		text := html.UnescapeString(string(b))
		for _, n := range append(s.Notes, "have no events.tsv and are left out: sub-01/eeg/sub-01_task-rest_eeg.vhdr", "Channels are left out (EOG by channels.tsv): VEOG", "marks as bad are read: Fp2") {
			if !strings.Contains(text, n) {
				t.Errorf("%s does not say %q", name, n)
			}
		}
	}
	tested := map[string]bool{}
	for _, r := range s.Results {
		for _, subject := range r.Subjects {
			tested[subject.Subject] = true
		}
	}
	if len(tested) != 3 || !tested["01"] || !tested["02"] || !tested["03"] {
		t.Errorf("tested on the subjects %v", tested)
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
