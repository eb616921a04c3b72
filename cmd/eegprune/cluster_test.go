//go:build slurm

package main_test

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/report"
	"github.com/eegprune/eegprune/result"
)

// Two networks and two folds, a quarter of a minute for each of two shares.
const clusterStudy = `name: cluster
seed: 5
split: {name: KFoldCrossSubject, folds: 2}
networks:
  - model: fbccnn
    train: &short {batch_size: 16, epochs: EPOCHS}
  - model: tsception
    features:
      seconds: 2
      transforms: [{name: To2d}]
    train: *short
prune:
  methods: [lfp]
  ratios: [0.4]
recover: [fine-tune]
`

// A cluster is a Slurm of two nodes on this machine.
type cluster struct {
	dir  string // where its files are
	work string // with recordings and study.yaml
}

func startCluster(t *testing.T) cluster {
	t.Helper()
	c := cluster{t.TempDir(), t.TempDir()}
	t.Setenv("SLURM_CONF", filepath.Join(c.dir, "slurm.conf"))
	t.Cleanup(func() { c.script(t, "stop", c.dir) })
	c.script(t, "start", c.dir)
	t.Log(c.slurm(t, "sinfo", "--version"))
	must(t, c.work, "data", "simulate", "--out", "recordings", "--subjects", "4", "--trials", "2", "--seconds", "10")
	return c
}

// wholeStudy is how long one program should take for all of the study, so that a share can be
// caught in the middle of a cell and yet ends soon.
const wholeStudy = 60 * time.Second

// study writes the study with so many epochs.
func (c cluster) study(t *testing.T, epochs int) {
	t.Helper()
	write(t, filepath.Join(c.work, "study.yaml"), []byte(strings.ReplaceAll(clusterStudy, "EPOCHS", strconv.Itoa(epochs))))
}

// run carries the study out without Slurm.
func (c cluster) run(t *testing.T, epochs int, out string) *result.Study {
	t.Helper()
	c.study(t, epochs)
	must(t, c.work, "study", "run", "study.yaml", "--data", "recordings", "--out", out)
	return read(t, filepath.Join(c.work, out))
}

// pace is how many epochs, at least 30, this machine does of the study in wholeStudy.
func (c cluster) pace(t *testing.T) int {
	t.Helper()
	const few = 30
	took := 0.0
	for _, r := range c.run(t, few, "pace").Results {
		took += r.Seconds
	}
	epochs := max(few, int(few*wholeStudy.Seconds()/took))
	t.Logf("%d epochs", epochs)
	return epochs
}

// script runs slurm_cluster.sh. The programs that it starts keep its output open, so that it
// goes into a file: a pipe would stay open.
func (c cluster) script(t *testing.T, args ...string) {
	t.Helper()
	out, err := os.Create(filepath.Join(c.dir, "script.out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command("../../scripts/slurm_cluster.sh", args...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		t.Fatalf("slurm_cluster.sh %s: %v\n%s", args[0], err, said)
	}
}

// slurm runs one of Slurm's commands.
func (c cluster) slurm(t *testing.T, command string, args ...string) string {
	t.Helper()
	out, err := exec.Command(command, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", command, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// A submitted study.
type submitted struct {
	c     cluster
	out   string
	Array string
	After string `json:"report"`
}

func (c cluster) submit(t *testing.T, out string, flags ...string) submitted {
	t.Helper()
	s := submitted{c: c, out: filepath.Join(c.work, out)}
	args := append([]string{"study", "submit", "study.yaml", "--slurm", "--data", "recordings", "--out", out, "--checkpoint-every", "1", "--json"}, flags...)
	if err := json.Unmarshal([]byte(must(t, c.work, args...).stdout), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// task is the name that Slurm has for a share.
func (s submitted) task(share string) string { return s.Array + "_" + share }

// job returns Slurm's fields of a job or a task.
func (s submitted) job(t *testing.T, id string) map[string]string {
	t.Helper()
	fields := map[string]string{}
	for _, f := range strings.Fields(s.c.slurm(t, "scontrol", "show", "job", "-o", id)) {
		if name, value, ok := strings.Cut(f, "="); ok {
			fields[name] = value
		}
	}
	return fields
}

func (s submitted) log(share string) string {
	b, _ := os.ReadFile(filepath.Join(s.out, "slurm", s.task(share)+".log"))
	return string(b)
}

func (s submitted) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			logs, _ := filepath.Glob(filepath.Join(s.out, "slurm", "*.log"))
			for _, path := range logs {
				b, _ := os.ReadFile(path)
				t.Logf("%s:\n%s", filepath.Base(path), b)
			}
			t.Fatalf("waited in vain until %s\n%s\n%s", what, s.c.slurm(t, "squeue", "-r"), s.c.slurm(t, "sinfo", "-N"))
		}
	}
}

func (s submitted) untilState(t *testing.T, id, state string) {
	t.Helper()
	s.until(t, id+" is "+state, func() bool { return s.job(t, id)["JobState"] == state })
}

// A cut is a cell that is ended in the middle.
type cut struct {
	experiment.Progress
	key  string
	kept []result.Epoch // when it was looked at
}

// inTheMiddle waits until a share has finished a cell and trains the next.
func (s submitted) inTheMiddle(t *testing.T, share string) (c cut) {
	t.Helper()
	s.until(t, "share "+share+" is in the middle", func() bool {
		if !strings.Contains(s.log(share), "accuracy") {
			return false
		}
		node := s.job(t, s.task(share))["BatchHost"]
		paths, _ := filepath.Glob(filepath.Join(s.out, "running", "*.json"))
		for _, path := range paths {
			c.key = strings.TrimSuffix(filepath.Base(path), ".json")
			b, err := os.ReadFile(path)
			if err != nil || json.Unmarshal(b, &c.Progress) != nil || c.Host != node {
				continue
			}
			c.kept = keptEpochs(filepath.Join(s.out, "training", c.key+".safetensors"))
			if n := len(c.kept); n >= 5 && n < c.Epochs/2 {
				return true
			}
		}
		return false
	})
	return c
}

// keptEpochs returns the epochs in the snapshot of a training.
func keptEpochs(path string) []result.Epoch {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var header struct {
		Metadata map[string]string `json:"__metadata__"`
	}
	var history struct{ Epochs []result.Epoch }
	if json.Unmarshal(b[8:8+binary.LittleEndian.Uint64(b)], &header) != nil || json.Unmarshal([]byte(header.Metadata["eegprune_training"]), &history) != nil {
		return nil
	}
	return history.Epochs
}

// wentOn checks that a cell was not begun anew: the times of its first epochs are those of
// the start that was ended.
func (s submitted) wentOn(t *testing.T, c cut) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.out, "cells", c.key+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var r result.Result
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	what := r.Model + " " + experiment.Describe(r.Cell)
	t.Logf("%s was ended after %d or more of %d epochs", what, len(c.kept), len(r.Epochs))
	if len(r.Epochs) <= len(c.kept) || !slices.Equal(r.Epochs[:len(c.kept)], c.kept) {
		t.Errorf("%s was begun anew", what)
	}
}

// same checks that nothing is missing and nothing another result than without Slurm.
func (s submitted) same(t *testing.T, want *result.Study) {
	t.Helper()
	got := read(t, s.out)
	if len(got.Results) != len(want.Results) {
		t.Fatalf("%d results, want %d", len(got.Results), len(want.Results))
	}
	for i := range want.Results {
		if d := cmp.Diff(want.Results[i].Finding(), got.Results[i].Finding()); d != "" {
			t.Errorf("another result than without Slurm (-without +with):\n%s", d)
		}
	}
}

// jobs logs Slurm's record of the study's jobs.
func (s submitted) jobs(t *testing.T) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(s.c.dir, "jobs.txt"))
	if err != nil {
		t.Fatal(err)
	}
	fields := regexp.MustCompile(` (UserId|GroupId|Partition|NodeCnt|ProcCnt|WorkDir|ReservationName|Tres|Account|QOS|WcKey|Cluster|SubmitTime|EligibleTime|DerivedExitCode)=\S*`)
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, "WorkDir="+s.out+" ") {
			t.Log(strings.TrimSpace(fields.ReplaceAllString(line, "")))
		}
	}
}

// ends waits for the report and checks that nothing is missing, other, or done twice.
func (s submitted) ends(t *testing.T, want *result.Study, shares ...string) {
	t.Helper()
	s.untilState(t, s.After, "COMPLETED")
	s.jobs(t)
	s.same(t, want)
	for _, name := range []string{report.TextFile, "report.html"} {
		if info, err := os.Stat(filepath.Join(s.out, name)); err != nil || info.Size() == 0 {
			t.Errorf("the last job made no %s", name)
		}
	}
	left, _ := filepath.Glob(filepath.Join(s.out, "lock*"))
	for _, dir := range []string{"training", "running", "failed"} {
		more, _ := filepath.Glob(filepath.Join(s.out, dir, "*"))
		left = append(left, more...)
	}
	if len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	made := regexp.MustCompile(`(?m)^(.*\S) +accuracy [0-9.]+ %, [0-9.]+ s$`)
	all := 0
	for _, share := range shares {
		log := s.log(share)
		t.Logf("log of share %s:\n%s", share, log)
		times := map[string]int{}
		for _, m := range made.FindAllStringSubmatch(log, -1) {
			times[m[1]]++
			all++
		}
		for cell, n := range times {
			if n > 1 {
				t.Errorf("share %s made %q %d times", share, cell, n)
			}
		}
	}
	if all != len(want.Results) {
		t.Errorf("%d cells were made, want each of %d once", all, len(want.Results))
	}
}

// parent is the process that started another.
func parent(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func kill(t *testing.T, signal syscall.Signal, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		if err := syscall.Kill(pid, signal); err != nil {
			t.Fatalf("%s to process %d: %v", signal, pid, err)
		}
	}
}

// slurmd is the process of a node.
func (c cluster) slurmd(t *testing.T, node string) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(c.dir, "slurmd."+node+".pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// revive brings a node back.
func (c cluster) revive(t *testing.T, s submitted, node string) {
	t.Helper()
	c.script(t, "node", c.dir, node)
	s.until(t, node+" is back", func() bool { return c.slurm(t, "sinfo", "-h", "-n", node, "-o", "%t") == "idle" })
}
