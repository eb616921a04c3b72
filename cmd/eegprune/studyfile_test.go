package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/report"
	"github.com/eegprune/eegprune/result"
)

// small is a study of two networks that takes seconds.
const small = `name: small
seed: 1
split: {folds: 2}
networks:
  - model: eegnet
    features: {seconds: 1}
    train: {epochs: 2, batch_size: 16}
  - model: tsception
    features: {seconds: 1}
    train: {epochs: 2, batch_size: 16}
prune: {methods: [lfp], ratios: [0.5]}
recover: [fine-tune]
`

// studyOf writes a study file beside recordings.
func studyOf(t *testing.T, text string) (dir string) {
	t.Helper()
	dir = recordings(t)
	writeText(t, filepath.Join(dir, "study.yaml"), text)
	return dir
}

func writeText(t *testing.T, path, text string) {
	t.Helper()
	write(t, path, []byte(text))
}

// runStudy is the command that carries the study file out in a directory.
func runStudy(out string, more ...string) []string {
	return append([]string{"study", "run", "study.yaml", "--data", "recordings", "--out", out, "--jobs", "2"}, more...)
}

// sameFindings compares all that two studies found.
func sameFindings(t *testing.T, what string, a, b *result.Study) {
	t.Helper()
	if d := cmp.Diff(findings(a.Results), findings(b.Results)); d != "" {
		t.Errorf("%s (-first +second):\n%s", what, d)
	}
	if d := cmp.Diff([]any{string(a.Config), a.Notes, a.Leak}, []any{string(b.Config), b.Notes, b.Leak}); d != "" {
		t.Errorf("%s is told of otherwise (-first +second):\n%s", what, d)
	}
}

func findings(results []result.Result) []result.Result {
	var all []result.Result
	for _, r := range results {
		all = append(all, r.Finding())
	}
	return all
}

// noLeftovers fails if there are files in a directory that only a running program needs.
// Temporary files of programs that wrote reports are removed when they are old: those that
// there are get old first.
func noLeftovers(t *testing.T, dir, out string) {
	t.Helper()
	old := time.Now().Add(-time.Hour)
	for _, f := range files(t, filepath.Join(dir, out)) {
		if strings.HasPrefix(filepath.Base(f), ".") {
			if err := os.Chtimes(filepath.Join(dir, out, f), old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	must(t, dir, runStudy(out)...)
	for _, f := range files(t, filepath.Join(dir, out)) {
		first, _, _ := strings.Cut(f, "/")
		if strings.HasPrefix(filepath.Base(f), ".") && f != ".guard" || first == "training" || first == "running" || first == "failed" || strings.HasPrefix(f, "lock") {
			t.Errorf("%s was left behind", f)
		}
	}
}

func TestBadStudyFiles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("EEGPRUNE_SHIM", filepath.Join(dir, "no-shim.so")) // a bad file is found before anything is loaded
	swap := func(from, to string) string {
		text := strings.Replace(small, from, to, 1)
		if text == small {
			t.Fatalf("%q is not in the study", from)
		}
		return text
	}
	for name, c := range map[string]struct {
		text  string
		words []string
	}{
		"unknown key":            {swap("seed: 1", "sede: 1"), []string{"study.yaml:2:1", "sede", "did you mean seed?"}},
		"unknown key, nested":    {swap("batch_size", "batchsize"), []string{"study.yaml:7:24", "batchsize", "did you mean batch_size?"}},
		"unknown key, features":  {swap("seconds: 1", "second: 1"), []string{"study.yaml:6:16", "second", "did you mean seconds?"}},
		"wrong type":             {swap("epochs: 2", "epochs: many"), []string{"study.yaml:7:21", "a whole number", "many"}},
		"a fraction of an epoch": {swap("epochs: 2", "epochs: 2.5"), []string{"study.yaml:7:21", "a whole number", "2.5"}},
		"a list for a number":    {swap("seed: 1", "seed: [1, 2]"), []string{"study.yaml:2:", "a whole number"}},
		"unknown model":          {swap("tsception", "resnet"), []string{"study.yaml", "network 2", "resnet", "fbccnn", "tsception"}},
		"unknown method":         {swap("[lfp]", "[magic]"), []string{"study.yaml", "magic", "lfp"}},
		"unknown recovery":       {swap("[fine-tune]", "[pray]"), []string{"study.yaml", "pray", "fine-tune"}},
		"unknown split":          {swap("{folds: 2}", "{name: Random}"), []string{"study.yaml", "Random", "KFoldCrossSubject"}},
		"unknown target":         {swap("{methods", "{target: joules, methods"), []string{"study.yaml", "joules", "macs"}},
		"ratio 1":                {swap("[0.5]", "[0.5, 1.0]"), []string{"study.yaml", "ratio 1", "outside [0, 1)"}},
		"ratio not a number":     {swap("[0.5]", "[.nan]"), []string{"study.yaml", "outside [0, 1)"}},
		"no epochs":              {swap("epochs: 2", "epochs: 0"), []string{"study.yaml", "0 epochs"}},
		"no networks":            {"name: x\nnetworks: []\n", []string{"study.yaml", "no networks"}},
		"nothing":                {"", []string{"study.yaml", "no networks"}},
		"a network twice":        {swap("tsception", "eegnet"), []string{"study.yaml", "network 2", "eegnet", "twice"}},
		"not YAML":               {"networks: [\n", []string{"study.yaml:"}},
		"not text":               {"\x00\x01\x02\xff", []string{"study.yaml"}},
		"a list":                 {"- model: tsception\n", []string{"study.yaml:1:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			writeText(t, filepath.Join(dir, "study.yaml"), c.text)
			r := eegprune(t, dir, runStudy("out")...)
			if oneSentence(t, r, c.words...); r.code != 2 {
				t.Errorf("exit code %d, want 2: %s", r.code, r.stderr)
			}
		})
	}
	writeText(t, filepath.Join(dir, "study.yaml"), small)
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"study", "run", "nowhere.yaml", "--out", "out"}, []string{"nowhere.yaml", "no such file"}},
		{[]string{"study", "run", ".", "--out", "out"}, []string{"is a directory"}},
		{[]string{"study", "run", "study.yaml", "--out", "out"}, []string{"--data"}},
		{[]string{"study", "run", "study.yaml"}, []string{"out"}},
		{[]string{"study", "run"}, []string{"accepts 1 arg"}},
		{runStudy("out", "--share", "3/2"), []string{"--share", "3/2", "2/8"}},
		{runStudy("out", "--share", "two"), []string{"--share", "two", "2/8"}},
		{[]string{"study", "shard", "study.yaml", "--data", "recordings", "--of", "0"}, []string{"--of", "at least 1"}},
		{[]string{"study", "plan", "nowhere.yaml", "--data", "recordings"}, []string{"nowhere.yaml"}},
	} {
		r := eegprune(t, dir, c.args...)
		if oneSentence(t, r, c.want...); r.code != 2 {
			t.Errorf("%v: exit code %d, want 2", c.args, r.code)
		}
	}
	for _, args := range [][]string{{"study", "show", "nowhere"}, {"study", "watch", "nowhere"}, {"study", "results", "nowhere"}, {"study", "merge", "nowhere", "--out", "out"}} {
		r := eegprune(t, dir, args...)
		if oneSentence(t, r, "nowhere", "plan.json"); r.code != 1 {
			t.Errorf("%v: exit code %d, want 1", args, r.code)
		}
	}
	if r := eegprune(t, dir, runStudy("out")...); r.code != 1 || !strings.Contains(r.stderr, "no-shim.so") {
		t.Errorf("the study itself is good, and yet: exit code %d, %s", r.code, r.stderr)
	}
}

func TestPlansSayWhatIsToBeDone(t *testing.T) {
	t.Parallel()
	dir := studyOf(t, small)
	type plan struct {
		Cells []struct {
			Cell result.Cell
			Key  string
			MACs int64
		}
		Rate map[string]float64 `json:"seconds_per_teramac"`
	}
	for _, args := range [][]string{{"study", "plan", "study.yaml", "--data", "recordings", "--json"}, runStudy("out", "--dry-run", "--json")} {
		var p plan
		if err := json.Unmarshal([]byte(must(t, dir, args...).stdout), &p); err != nil {
			t.Fatal(err)
		}
		if len(p.Cells) != 16 || p.Rate["eegnet"] <= 0 || p.Rate["tsception"] <= 0 {
			t.Errorf("%v: %d cells, want 4 of 2 networks on 2 folds; rates %v", args, len(p.Cells), p.Rate)
		}
		for _, c := range p.Cells {
			if c.Key == "" || c.MACs <= 0 {
				t.Errorf("a cell lacks a key or a cost: %+v", c)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
		t.Error("planning made a directory")
	}
	if text := must(t, dir, "study", "plan", "study.yaml", "--data", "recordings").stdout; !strings.Contains(text, "About ") || !strings.Contains(text, "TMACs") {
		t.Errorf("the plan says\n%s", text)
	}
}

// One network of two diverges: the other's cells are done.
func TestFailedCells(t *testing.T) {
	t.Parallel()
	mad := strings.Replace(small, "train: {epochs: 2, batch_size: 16}\nprune", "train: {epochs: 2, batch_size: 16, lr: 1e9}\nprune", 1)
	dir := studyOf(t, mad)
	r := eegprune(t, dir, append(runStudy("out"), "--quiet")...)
	if oneSentence(t, r, "8 of 16 cells failed", "unpruned", "loss is ", "diverged", "lower the learning rate"); r.code != 1 {
		t.Errorf("exit code %d, want 1", r.code)
	}
	s := read(t, filepath.Join(dir, "out"))
	if len(s.Results) != 8 {
		t.Errorf("%d results, want the 8 of the network that learns", len(s.Results))
	}
	for _, res := range s.Results {
		if res.Model != "eegnet" {
			t.Errorf("%s has a result", res.Model)
		}
	}
	failed, err := filepath.Glob(filepath.Join(dir, "out", "failed", "*.json"))
	if err != nil || len(failed) != 8 {
		t.Fatalf("%d reasons in failed/, want 8 (%v)", len(failed), err)
	}
	for _, f := range failed {
		b, err := os.ReadFile(f)
		if err != nil || !bytes.Contains(b, []byte("diverged")) && !bytes.Contains(b, []byte("not tried, since")) {
			t.Errorf("%s says %s (%v)", f, b, err)
		}
	}
	text := must(t, dir, "study", "show", "out").stdout
	if !strings.Contains(text, "8 of 16 cells done") || !strings.Contains(text, "8 failed") || strings.Count(text, "failed   tsception fold") != 8 {
		t.Errorf("show says\n%s", text)
	}
	if text := must(t, dir, "study", "watch", "out").stdout; !strings.Contains(text, "8 failed") {
		t.Errorf("watch says\n%s", text)
	}
	var status struct {
		Cells, Done int
		Running     []any
		Failed      []struct{ Reason string }
	}
	if err := json.Unmarshal([]byte(must(t, dir, "study", "show", "out", "--json").stdout), &status); err != nil {
		t.Fatal(err)
	}
	if status.Cells != 16 || status.Done != 8 || status.Running == nil || len(status.Running) != 0 || len(status.Failed) != 8 || status.Failed[0].Reason == "" {
		t.Errorf("show --json says %+v", status)
	}

	writeText(t, filepath.Join(dir, "study.yaml"), small)
	r = must(t, dir, runStudy("out")...)
	if !strings.Contains(r.stderr, "the directory holds another study: of its cells 8 hold, 8 are new, 8 are no longer asked for") {
		t.Errorf("of the mended file it says\n%s", r.stderr)
	}
	if n := strings.Count(r.stderr, "was done before"); n != 8 {
		t.Errorf("%d cells were done before, want 8:\n%s", n, r.stderr)
	}
	if s := read(t, filepath.Join(dir, "out")); len(s.Results) != 16 {
		t.Errorf("%d results, want 16", len(s.Results))
	}
	if text := must(t, dir, "study", "show", "out").stdout; !strings.Contains(text, "16 of 16 cells done") || !strings.Contains(text, "0 failed") {
		t.Errorf("show says\n%s", text)
	}
	noLeftovers(t, dir, "out")
}

func TestChangedStudyFile(t *testing.T) {
	t.Parallel()
	one := strings.Replace(small, "  - model: tsception\n    features: {seconds: 1}\n    train: {epochs: 2, batch_size: 16}\n", "", 1)
	dir := studyOf(t, one)
	must(t, dir, runStudy("out")...)
	first := read(t, filepath.Join(dir, "out"))
	for _, c := range []struct {
		from, to         string
		holds, new, gone int
	}{
		{"ratios: [0.5]", "ratios: [0.5, 0.7]", 8, 4, 0},
		{"recover: [fine-tune]", "recover: [scratch]", 4, 2, 4},
		{"seed: 1", "seed: 2", 0, 8, 8},
	} {
		out := strings.Fields(c.to)[0]
		if err := os.CopyFS(filepath.Join(dir, out), os.DirFS(filepath.Join(dir, "out"))); err != nil {
			t.Fatal(err)
		}
		writeText(t, filepath.Join(dir, "study.yaml"), strings.Replace(one, c.from, c.to, 1))
		r := must(t, dir, runStudy(out)...)
		if want := fmt.Sprintf("of its cells %d hold, %d are new, %d are no longer asked for", c.holds, c.new, c.gone); !strings.Contains(r.stderr, want) {
			t.Errorf("%s: it does not say %q:\n%s", c.to, want, r.stderr)
		}
		if n := strings.Count(r.stderr, "was done before"); n != c.holds {
			t.Errorf("%s: %d cells were done before, want %d", c.to, n, c.holds)
		}
		if n := len(read(t, filepath.Join(dir, out)).Results); n != c.holds+c.new {
			t.Errorf("%s: %d results, want %d", c.to, n, c.holds+c.new)
		}
	}
	// The first file is done as before in its own directory.
	writeText(t, filepath.Join(dir, "study.yaml"), one)
	if r := must(t, dir, runStudy("out")...); strings.Contains(r.stderr, "another study") || strings.Count(r.stderr, "was done before") != 8 {
		t.Errorf("the same study again:\n%s", r.stderr)
	}
	sameFindings(t, "the same study again", first, read(t, filepath.Join(dir, "out")))
}

func TestSharesMergeToTheWhole(t *testing.T) {
	t.Parallel()
	dir := studyOf(t, small)
	must(t, dir, runStudy("whole")...)
	whole := read(t, filepath.Join(dir, "whole"))
	for i, out := range []string{"one", "two"} {
		r := must(t, dir, runStudy(out, "--share", fmt.Sprintf("%d/2", i+1))...)
		if !strings.Contains(r.stdout, "share "+fmt.Sprint(i+1)+"/2 is done: 8 cells") {
			t.Errorf("share %d says %s", i+1, r.stdout)
		}
	}
	var share result.Study
	if err := json.Unmarshal([]byte(must(t, dir, runStudy("one", "--share", "1/2", "--json")...).stdout), &share); err != nil || len(share.Results) != 8 {
		t.Errorf("a share as JSON has %d results, %v", len(share.Results), err)
	}
	if text := must(t, dir, "study", "show", "one").stdout; !strings.Contains(text, "8 of 16 cells done") {
		t.Errorf("show says of a share\n%s", text)
	}
	if r := must(t, dir, "study", "merge", "one", "two", "--out", "merged"); !strings.Contains(r.stdout, "16 cells copied into merged") {
		t.Errorf("merge says %s", r.stdout)
	}
	must(t, dir, "study", "results", "merged")
	sameFindings(t, "merged shares", whole, read(t, filepath.Join(dir, "merged")))
	if r := must(t, dir, "study", "merge", "one", "two", "whole", "--out", "merged"); !strings.Contains(r.stdout, "0 cells copied") {
		t.Errorf("merging again says %s", r.stdout)
	}
	for _, f := range []string{report.TextFile, report.CSVFile, result.File, "report.html"} {
		if _, err := os.Stat(filepath.Join(dir, "merged", f)); err != nil {
			t.Error(err)
		}
	}
	if r := must(t, dir, runStudy("merged")...); strings.Count(r.stderr, "was done before") != 16 {
		t.Errorf("a run in the merged directory does cells again:\n%s", r.stderr)
	}

	refused := func(what string, from string, words ...string) {
		t.Helper()
		before := files(t, filepath.Join(dir, "one"))
		r := eegprune(t, dir, "study", "merge", from, "--out", "one")
		if oneSentence(t, r, words...); r.code != 1 {
			t.Errorf("%s: exit code %d, want 1", what, r.code)
		}
		if d := cmp.Diff(before, files(t, filepath.Join(dir, "one"))); d != "" {
			t.Errorf("%s: a merge that was refused copied something:\n%s", what, d)
		}
	}
	// Another result of one cell.
	key := ""
	for _, r := range share.Results {
		key = r.Key
	}
	edit(t, filepath.Join(dir, "whole", "cells", key+".json"), func(b []byte) []byte {
		return bytes.Replace(b, []byte(`"loss": `), []byte(`"loss": 1`), 1)
	})
	refused("two results", "whole", "two results", key)
	// A result without its network.
	if err := os.Remove(filepath.Join(dir, "two", "checkpoints", filepath.Base(read(t, filepath.Join(dir, "merged")).Results[len(whole.Results)-1].Checkpoint))); err != nil {
		// It is of the other share.
		t.Log(err)
	} else {
		refused("no checkpoint", "two", "checkpoint", "copy the directory two whole")
	}
	// The same cells with other settings.
	writeText(t, filepath.Join(dir, "study.yaml"), strings.ReplaceAll(small, "epochs: 2", "epochs: 3"))
	must(t, dir, runStudy("other", "--share", "1/2")...)
	refused("another study", "other", "other is of another study")
	// An older study's files in a directory are not in the way.
	must(t, dir, runStudy("merged")...)
	if r := must(t, dir, "study", "merge", "merged", "--out", "fresh"); !strings.Contains(r.stdout, "16 cells copied") {
		t.Errorf("merging a directory with an older study's cells says %s", r.stdout)
	}
}

// hold starts a study of minutes in the directory out and returns when it has begun a cell.
func hold(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	c := command(dir, args...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	for range 600 {
		if r := eegprune(t, dir, "study", "show", "out"); strings.Contains(r.stdout, fmt.Sprintf("process %d on", c.Process.Pid)) {
			return c
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("the study does not begin: %s", stderr.String())
	return nil
}

func TestOneProgramOnADirectory(t *testing.T) {
	t.Parallel()
	dir := studyOf(t, strings.ReplaceAll(small, "epochs: 2", "epochs: 5000"))
	flags := []string{"study", "run", "study.yaml", "--data", "recordings", "--jobs", "1"}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	refused := func(holder *exec.Cmd, args ...string) {
		t.Helper()
		r := eegprune(t, dir, append(args, "--quiet", "--out", "out")...)
		if oneSentence(t, r, "another eegprune works on", fmt.Sprintf("process %d on %s", holder.Process.Pid, host), "out/lock"); r.code != 1 {
			t.Errorf("%v: exit code %d, want 1", args, r.code)
		}
	}
	first := hold(t, dir, append(flags, "--out", "out")...)
	report := `{"schema": 2, "note": "of an earlier run"}`
	writeText(t, filepath.Join(dir, "out", "result.json"), report)
	refused(first, flags...)
	refused(first, append(flags, "--share", "1/2")...)
	refused(first, "run", "--data", "recordings", "--folds", "2")
	if b, err := os.ReadFile(filepath.Join(dir, "out", "result.json")); err != nil || string(b) != report {
		t.Errorf("a program that was refused wrote a report: %s, %v", b, err)
	}
	if text := must(t, dir, "study", "show", "out").stdout; !strings.Contains(text, "1 running") || !strings.Contains(text, fmt.Sprintf("process %d on %s", first.Process.Pid, host)) {
		t.Errorf("show says\n%s", text)
	}
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	if text := must(t, dir, "study", "show", "out").stdout; !strings.Contains(text, "0 running") {
		t.Errorf("of a program that was killed show says\n%s", text)
	}
	start := time.Now()
	one := hold(t, dir, append(flags, "--share", "1/2", "--out", "out")...)
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("it took %v to take the lock of a dead program over", took)
	}
	// Another share beside it, which others may not do.
	two := hold(t, dir, append(flags, "--share", "2/2", "--out", "out")...)
	if text := must(t, dir, "study", "show", "out").stdout; !strings.Contains(text, "2 running") {
		t.Errorf("of two shares show says\n%s", text)
	}
	r := eegprune(t, dir, append(flags, "--quiet", "--share", "2/2", "--out", "out")...)
	if oneSentence(t, r, "share 2/2", fmt.Sprint(two.Process.Pid)); r.code != 1 {
		t.Errorf("a share twice: exit code %d, want 1", r.code)
	}
	r = eegprune(t, dir, append(flags, "--quiet", "--out", "out")...)
	if oneSentence(t, r, "another eegprune works on share"); r.code != 1 {
		t.Errorf("the whole beside shares: exit code %d, want 1", r.code)
	}
	// Signals end programs in order: nothing says that they are running.
	for _, end := range []struct {
		c *exec.Cmd
		s syscall.Signal
	}{{one, syscall.SIGINT}, {two, syscall.SIGTERM}} {
		if err := end.c.Process.Signal(end.s); err != nil {
			t.Fatal(err)
		}
		_ = end.c.Wait()
		if code := end.c.ProcessState.ExitCode(); code != 130 {
			t.Errorf("exit code %d after %v, want 130", code, end.s)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "out", "lock-*")); len(left) > 0 {
		t.Errorf("locks were left: %v", left)
	}
	if text := must(t, dir, "study", "show", "out").stdout; !strings.Contains(text, "0 running") {
		t.Errorf("when all have ended show says\n%s", text)
	}
}
