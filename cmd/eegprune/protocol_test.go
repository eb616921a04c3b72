package main_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/result"
)

// small networks, so that whole protocols take seconds.
func quickly(out string, more ...string) []string {
	return append([]string{"run", "--data", "recordings", "--out", out, "--model", "eegnet", "--clip", "1", "--epochs", "1", "--batch", "16",
		"--recover", "fine-tune", "--json"}, more...)
}

func ran(t *testing.T, dir string, args ...string) result.Study {
	t.Helper()
	var s result.Study
	if err := json.Unmarshal([]byte(must(t, dir, args...).stdout), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRepetitionsShareADirectory(t *testing.T) {
	dir := recordings(t)
	one := ran(t, dir, quickly("study", "--folds", "2", "--seed", "5")...)
	if !strings.Contains(one.Results[0].Checkpoint, "eegnet-fold01-unpruned") || one.Results[0].Cell.Seed != 0 {
		t.Errorf("of one seed: %+v", one.Results[0].Cell)
	}
	r := must(t, dir, quickly("study", "--folds", "2", "--seeds", "5,8")...)
	// Cells of the first seed are not done again, under whatever name their files are.
	if n := strings.Count(r.stderr, "was done before"); n != 8 {
		t.Errorf("%d cells were done before, want 8:\n%s", n, r.stderr)
	}
	s := read(t, filepath.Join(dir, "study"))
	drew := map[uint64][]uint64{}
	stages := map[string]int{}
	for _, r := range s.Results {
		drew[r.Cell.Seed] = append(drew[r.Cell.Seed], r.FoldSeed)
		stages[r.Stage]++
		if r.Clips.Fit == 0 || r.Clips.Validation == 0 || r.Clips.Test != r.Test.Clips {
			t.Errorf("%s of fold %d: clips %+v, tested on %d", r.Stage, r.Fold, r.Clips, r.Test.Clips)
		}
	}
	if len(drew) != 2 || !slices.Contains(drew[5], 6) || !slices.Contains(drew[8], 9) || slices.Contains(drew[8], 6) {
		t.Errorf("seeds drawn from: %v", drew)
	}
	for _, stage := range []string{result.Unpruned, result.TrainedOn, result.Pruned, result.FineTuned} {
		if stages[stage] != 4 {
			t.Errorf("%d results %s, want 4", stages[stage], stage)
		}
	}
	if text := must(t, dir, "study", "results", "study").stdout; !strings.Contains(text, "5, 8: repetitions") {
		t.Errorf("the report does not name the seeds:\n%s", text)
	}
	if r := eegprune(t, dir, quickly("study", "--seed", "1", "--seeds", "1,2")...); r.code != 2 {
		t.Errorf("--seed and --seeds: exit code %d, want 2", r.code)
	} else {
		oneSentence(t, r, "--seed and --seeds")
	}
}

func TestMetricAndWeightsAreSaid(t *testing.T) {
	dir := recordings(t)
	s := ran(t, dir, quickly("study", "--folds", "2", "--metric", "f1", "--class-weights", "--epochs", "4", "--lr", "0.05")...)
	if s.Metric != result.MetricF1 {
		t.Errorf("the metric is %q", s.Metric)
	}
	said := ""
	for _, l := range s.Settings {
		if l.Name == "metric" {
			said = l.Value
		}
	}
	for _, r := range s.Results {
		best := 0
		for i, e := range r.Epochs {
			if b := r.Epochs[best]; e.ValF1 > b.ValF1 || e.ValF1 == b.ValF1 && e.ValLoss < b.ValLoss {
				best = i
			}
		}
		if len(r.Epochs) > 0 && (r.Best != best+1 || r.Validation.MacroF1 != r.Epochs[best].ValF1) {
			t.Errorf("%s of fold %d keeps epoch %d, want %d, of the highest macro-F1: %+v", r.Stage, r.Fold, r.Best, best+1, r.Epochs)
		}
	}
	if !strings.Contains(said, "macro-F1") || !strings.Contains(said, "weigh in the loss") {
		t.Errorf("of the metric it says %q", said)
	}
	if s := ran(t, dir, quickly("plain", "--folds", "2")...); s.Metric != result.MetricAccuracy {
		t.Errorf("where classes are equal the metric is %q", s.Metric)
	}
	if r := eegprune(t, dir, quickly("study", "--metric", "auc")...); r.code != 2 {
		t.Errorf("--metric auc: exit code %d, want 2", r.code)
	} else {
		oneSentence(t, r, "auc", "balanced")
	}
}

func TestNestedStudy(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	must(t, dir, "data", "simulate", "--out", "recordings", "--subjects", "4", "--trials", "4", "--seconds", "4")
	s := ran(t, dir, quickly("study", "--split", "nested", "--leave-out", "1", "--inner-folds", "3", "--ratio", "0.3,0.5")...)
	// Of 4 folds with 3 inner folds: unpruned, trained on, and two ratios pruned and fine-tuned.
	if len(s.Results) != 4*3*6 {
		t.Fatalf("%d results, want %d", len(s.Results), 4*3*6)
	}
	last := s.Results[len(s.Results)-1]
	if last.Fold != 4 || last.Inner != 3 || s.Leak != "" {
		t.Errorf("the last result is of fold %d, inner fold %d; leak %q", last.Fold, last.Inner, s.Leak)
	}
	// A checkpoint is tested on the clips that its fold left out.
	var o struct {
		Test result.Score `json:"test"`
	}
	if err := json.Unmarshal([]byte(must(t, dir, "evaluate", filepath.Join("study", last.Checkpoint), "--json").stdout), &o); err != nil {
		t.Fatal(err)
	}
	if o.Test.Accuracy != last.Test.Accuracy || o.Test.Clips != last.Test.Clips {
		t.Errorf("evaluate says %+v, the study %+v", o.Test, last.Test)
	}
	if r := eegprune(t, dir, quickly("study", "--inner-folds", "3")...); r.code != 2 {
		t.Errorf("--inner-folds without nested: exit code %d, want 2", r.code)
	}
}
