package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/eegprune/eegprune/report"
	"github.com/eegprune/eegprune/result"
)

func read(t *testing.T, dir string) *result.Study {
	t.Helper()
	s, err := result.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sameResults compares the results of two studies, without the fields of one run.
func sameResults(t *testing.T, what string, a, b *result.Study) {
	t.Helper()
	ignore := cmp.Options{
		cmpopts.IgnoreFields(result.Result{}, "Run"),
		cmpopts.IgnoreFields(result.Epoch{}, "WallClock"),
	}
	if d := cmp.Diff(a.Results, b.Results, ignore); d != "" {
		t.Errorf("%s (-first +second):\n%s", what, d)
	}
}

func TestRunLeavesWholeStudy(t *testing.T) {
	dir := recordings(t)
	before := time.Now()
	r := must(t, dir, quick("run", "--out", "study", "--tensorboard", "board")...)
	after := time.Now()
	for _, word := range []string{"unpruned", "pruned", "fine-tuned", "scratch", "trivial baseline", "MACs", "KFoldCrossSubject", "no trial is both",
		"by chance", "study/result.txt", "study/result.json", "study/checkpoints"} {
		if !strings.Contains(r.stdout, word) {
			t.Errorf("the output does not say %q:\n%s", word, r.stdout)
		}
	}
	s := read(t, filepath.Join(dir, "study"))
	scope := "thread"
	if s.Environment.Jobs == 1 {
		scope = "process"
	}
	if len(s.Results) != 10 {
		t.Fatalf("%d results, want 5 stages of 2 folds", len(s.Results))
	}
	for _, res := range s.Results {
		if res.Test.Clips == 0 || res.Size.Parameters == 0 || res.Size.FileBytes == 0 {
			t.Errorf("%s of fold %d lacks numbers: %+v", res.Stage, res.Fold, res)
		}
		if res.Version == "" || res.Libtorch == "" || res.Device != "cpu" || res.Processor == "" || res.Host == "" {
			t.Errorf("%s of fold %d does not say where it was made: %+v", res.Stage, res.Fold, res.Run)
		}
		if start := res.Started; start.Before(before.Add(-time.Millisecond)) || res.Seconds <= 0 || start.Add(time.Duration(res.Seconds*1e9)).After(after) {
			t.Errorf("%s of fold %d took from %v on %g s, the run from %v to %v", res.Stage, res.Fold, start, res.Seconds, before, after)
		}
		if runtime.GOOS == "linux" && !(res.CPUSeconds > 0 && res.CPUSeconds <= res.Seconds*1.1+0.01 && res.CPUScope == scope && res.PeakMemory > res.Size.Parameters*4) {
			t.Errorf("%s of fold %d with its time in %g s: %+v", res.Stage, res.Fold, res.Seconds, res.Run)
		}
		if res.GPUSeconds != 0 || res.GPUJoules != 0 {
			t.Errorf("%s of fold %d used a GPU: %+v", res.Stage, res.Fold, res.Run)
		}
		events, err := filepath.Glob(filepath.Join(dir, "board", strings.TrimSuffix(filepath.Base(res.Checkpoint), ".safetensors"), "events.out.tfevents.*"))
		if err != nil || len(events) != 1 {
			t.Errorf("%s of fold %d has event files %v, %v; want one", res.Stage, res.Fold, events, err)
		}
		// The saved network is the one that was tested.
		var said struct{ Test result.Score }
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
	again := must(t, dir, quick("run", "--out", "study", "--tensorboard", "board-again")...)
	if n := strings.Count(again.stderr, "was done before"); n != 10 {
		t.Errorf("%d cells were done before, want 10:\n%s", n, again.stderr)
	}
	if events := files(t, filepath.Join(dir, "board-again")); len(events) != 0 {
		t.Errorf("nothing was done, and yet there are %v", events)
	}
	sameResults(t, "a second run", s, read(t, filepath.Join(dir, "study")))
}

// The study is worth more than its curves: it ends well, and then reports that they are
// not whole.
func TestCurvesThatCanNotBeWrittenDoNotEndTheStudy(t *testing.T) {
	dir := recordings(t)
	blocked := filepath.Join("board", "fbccnn-fold01-unpruned")
	if err := os.Mkdir(filepath.Join(dir, "board"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, blocked), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	r := eegprune(t, dir, quick("train", "--out", "study", "--fold", "1", "--quiet", "--tensorboard", "board")...)
	if r.code != 1 {
		t.Errorf("exit code %d, want 1", r.code)
	}
	oneSentence(t, r, blocked)
	if s := read(t, filepath.Join(dir, "study")); len(s.Results) != 1 || len(s.Results[0].Epochs) != 2 {
		t.Errorf("the study has the results %+v, want one of 2 epochs", s.Results)
	}
	// Where there can be no curves at all, that is said before hours of work.
	r = eegprune(t, dir, quick("train", "--out", "other", "--fold", "1", "--quiet", "--tensorboard", blocked)...)
	if oneSentence(t, r, blocked); len(files(t, filepath.Join(dir, "other"))) != 0 {
		t.Error("a study was begun though its curves can't be written")
	}
}
