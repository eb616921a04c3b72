//go:build slow

package main_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/report"
	"github.com/eegprune/eegprune/result"
)

func TestResultsDoNotDependOnJobs(t *testing.T) {
	dir := recordings(t)
	must(t, dir, quick("run", "--out", "one", "--jobs", "1")...)
	must(t, dir, quick("run", "--out", "three", "--jobs", "3")...)
	sameResults(t, "1 job and 3 jobs", read(t, filepath.Join(dir, "one")), read(t, filepath.Join(dir, "three")))
}

func TestTrainThenRunSharesTheUnprunedNetworks(t *testing.T) {
	dir := recordings(t)
	must(t, dir, quick("train", "--out", "study", "--fold", "2")...)
	r := must(t, dir, quick("run", "--out", "study", "--ratio", "0.5")...)
	if n := strings.Count(r.stderr, "was done before"); n != 1 {
		t.Errorf("%d cells were done before, want the 1 that was trained:\n%s", n, r.stderr)
	}
}

// startRun starts a study and returns when it has finished a cell.
func startRun(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	c := command(dir, args...)
	stderr, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "accuracy") {
			go io.Copy(io.Discard, stderr)
			return c
		}
	}
	t.Fatal("the run ended before its first cell")
	return nil
}

func TestInterruptedRunsGoOnAndEndTheSame(t *testing.T) {
	dir := recordings(t)
	long := quick("run", "--epochs", "6", "--out")
	must(t, dir, append(long, "whole")...)
	want := read(t, filepath.Join(dir, "whole"))

	c := startRun(t, dir, append(long, "interrupted")...)
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	if code := c.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d after an interrupt, want 130", code)
	}
	if s := read(t, filepath.Join(dir, "interrupted")); len(s.Results) == 0 || len(s.Results) == len(want.Results) {
		t.Errorf("%d results after an interrupt, want some but not all %d", len(s.Results), len(want.Results))
	}

	c = startRun(t, dir, append(long, "killed")...)
	if err := c.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()

	for _, name := range []string{"interrupted", "killed"} {
		r := must(t, dir, append(long, name)...)
		if !strings.Contains(r.stderr, "was done before") {
			t.Errorf("%s: nothing was taken over:\n%s", name, r.stderr)
		}
		sameResults(t, name, want, read(t, filepath.Join(dir, name)))
	}
}

func TestVerboseTrainingPrintsWhatThePaperPrints(t *testing.T) {
	dir := recordings(t)
	r := must(t, dir, quick("train", "--out", "study", "--fold", "1", "-v")...)
	for _, pattern := range []string{"loss: 0.", "[    0/   ", "Test Error: Accuracy: ", "%, Avg loss: "} {
		if !strings.Contains(r.stderr, pattern) {
			t.Errorf("-v does not print %q:\n%s", pattern, r.stderr)
		}
	}
}

func TestQuietAndPipedOutputIsClean(t *testing.T) {
	dir := recordings(t)
	r := must(t, dir, quick("run", "--out", "study", "--json", "--quiet")...)
	if r.stderr != "" {
		t.Errorf("--quiet writes to standard error:\n%s", r.stderr)
	}
	var s result.Study
	if err := json.Unmarshal([]byte(r.stdout), &s); err != nil || len(s.Results) != 10 { // with the control that is trained on, in each fold
		t.Errorf("--json gave %d results, %v", len(s.Results), err)
	}
	if strings.ContainsRune(r.stdout, '\x1b') {
		t.Error("piped output has terminal codes")
	}
}

func TestSplitsThatLeakSaySoEverywhere(t *testing.T) {
	dir := recordings(t)
	r := must(t, dir, quick("run", "--out", "study", "--split", "KFold", "--epochs", "1", "--recover", "scratch")...)
	const leak = "clips of one trial are both trained on and tested on; KFoldByTrial keeps them apart"
	if !strings.Contains(r.stderr, leak) {
		t.Errorf("the run's header does not warn:\n%s", r.stderr)
	}
	if n := strings.Count(r.stdout, leak); n != 3 {
		t.Errorf("the warning stands %d times, want it with the settings and under both tables:\n%s", n, r.stdout)
	}
	if !strings.HasPrefix(r.stdout, "LEAK ") {
		t.Errorf("the report does not begin with the leak:\n%s", r.stdout)
	}
	if s := read(t, filepath.Join(dir, "study")); s.Leak != "LEAKS: "+leak || len(s.Leaks) != 1 {
		t.Errorf("result.json says %q of the leak", s.Leak)
	}
}

// All that savings tries is one study, which the commands that read studies see whole.
func TestSavingsLeaveAWholeStudy(t *testing.T) {
	dir := recordings(t)
	must(t, dir, quick("savings", "--out", "study", "--method", "lfp", "--method", "nsfp", "--step", "0.3")...)
	found := read(t, filepath.Join(dir, "study"))
	tried := map[string]bool{}
	for _, r := range found.Results {
		tried[r.Method] = true
	}
	if !tried["lfp"] || !tried["nsfp"] {
		t.Fatalf("only the methods %v were tried", tried)
	}
	var s experiment.Status
	if err := json.Unmarshal([]byte(must(t, dir, "study", "show", "study", "--json").stdout), &s); err != nil {
		t.Fatal(err)
	}
	if s.Cells != len(found.Results) || s.Done != s.Cells {
		t.Errorf("study show knows of %d cells, %d done; savings made %d", s.Cells, s.Done, len(found.Results))
	}
	must(t, dir, "study", "results", "study")
	sameResults(t, "savings and study results", found, read(t, filepath.Join(dir, "study")))
}

// At so small a ratio nothing is removed: the network scores as the unpruned one does in every
// fold, which no t test can judge. The search says so and ends in order.
func TestSavingsOfFoldsThatDifferAlike(t *testing.T) {
	dir := recordings(t)
	r := must(t, dir, quick("savings", "--out", "study", "--method", "lfp", "--recover", "fine-tune", "--step", "0.001", "--most", "0.001", "--verbose")...)
	if !strings.Contains(r.stderr, "fold 1, fine-tuned after lfp at 0.001\n") || !strings.Contains(r.stderr, "epoch 2 done") {
		t.Errorf("--verbose does not tell of the trainings:\n%s", r.stderr)
	}
	if text := strings.Join(strings.Fields(r.stdout), " "); !strings.Contains(text, "ratios without a p were not tested: "+report.ErrAlike.Error()) {
		t.Errorf("the report does not say why nothing was tested:\n%s", r.stdout)
	}
}
