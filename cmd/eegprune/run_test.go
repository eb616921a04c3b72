package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"eegprune/report"
)

func read(t *testing.T, dir string) *report.Study {
	t.Helper()
	s, err := report.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sameResults compares what a study found, without what belongs to one run of it.
func sameResults(t *testing.T, what string, a, b *report.Study) {
	t.Helper()
	ignore := cmp.Options{
		cmpopts.IgnoreFields(report.Result{}, "Started", "Seconds"),
		cmpopts.IgnoreFields(report.Epoch{}, "WallClock"),
	}
	if d := cmp.Diff(a.Results, b.Results, ignore); d != "" {
		t.Errorf("%s (-first +second):\n%s", what, d)
	}
}

func TestRunLeavesWholeStudy(t *testing.T) {
	dir := recordings(t)
	r := must(t, dir, quick("run", "--out", "study")...)
	for _, word := range []string{"unpruned", "pruned", "fine-tuned", "scratch", "majority", "MACs", "KFoldCrossSubject", "no trial is both",
		"by chance", "study/result.txt", "study/result.json", "study/checkpoints"} {
		if !strings.Contains(r.stdout, word) {
			t.Errorf("the output does not say %q:\n%s", word, r.stdout)
		}
	}
	s := read(t, filepath.Join(dir, "study"))
	if len(s.Results) != 8 {
		t.Fatalf("%d results, want 4 stages of 2 folds", len(s.Results))
	}
	for _, res := range s.Results {
		if res.Test.Clips == 0 || res.Size.Parameters == 0 || res.Size.FileBytes == 0 {
			t.Errorf("%s of fold %d lacks numbers: %+v", res.Stage, res.Fold, res)
		}
		// What is saved is what was tested.
		var said struct{ Test report.Score }
		out := must(t, dir, "evaluate", "--json", filepath.Join("study", res.Checkpoint)).stdout
		if err := json.Unmarshal([]byte(out), &said); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(res.Test, said.Test); d != "" {
			t.Errorf("%s tests otherwise than the study says (-study +evaluate):\n%s", res.Checkpoint, d)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "study", report.TextFile))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(r.stdout, string(text)) {
		t.Error("result.txt is not what was printed")
	}
	if inspected := must(t, dir, "inspect", "study").stdout; inspected != string(text) {
		t.Error("inspect does not show what is in result.txt")
	}

	// Doing it again does nothing again and finds the same.
	again := must(t, dir, quick("run", "--out", "study")...)
	if n := strings.Count(again.stderr, "was done before"); n != 8 {
		t.Errorf("%d cells were done before, want 8:\n%s", n, again.stderr)
	}
	sameResults(t, "a second run", s, read(t, filepath.Join(dir, "study")))
}
