//go:build slow

package main_test

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/torch"
)

// grid has a training of every kind: plain, with a penalty, pruned softly, masked,
// distilled, with dropout, momentum and Adam.
const grid = `name: grid
seed: 3
split: {folds: 2}
networks:
  - model: eegnet
    features: {seconds: 1}
    train: {epochs: 10, batch_size: 16, momentum: 0.9, weight_decay: 0.001}
  - model: tsception
    features: {seconds: 1}
    train: {epochs: 10, batch_size: 16}
prune:
  methods: [lfp, nsfp, sfp, uwmp]
  ratios: [0.5]
  min_channels: 5 # which pruning has to say something of
recover: [fine-tune, scratch, scratch-b]
distill: {weight: 0.5}
`

// runGrid carries the grid out, keeping every training after each epoch.
func runGrid(out string) []string { return runStudy(out, "--checkpoint-every", "1", "--quiet") }

// sameTensors compares all networks of two directories, bit by bit.
func sameTensors(t *testing.T, dir, a, b string) {
	t.Helper()
	names := files(t, filepath.Join(dir, a, "checkpoints"))
	if others := files(t, filepath.Join(dir, b, "checkpoints")); !slices.Equal(names, others) {
		t.Fatalf("%s has the networks %v, %s has %v", a, names, b, others)
	}
	for _, name := range names {
		x, y := tensors(t, filepath.Join(dir, a, "checkpoints", name)), tensors(t, filepath.Join(dir, b, "checkpoints", name))
		if !maps.Equal(x, y) {
			t.Errorf("%s differs between %s and %s", name, a, b)
		}
	}
}

// tensors returns the bytes of a checkpoint's tensors.
func tensors(t *testing.T, path string) map[string]string {
	t.Helper()
	all, _, err := torch.LoadSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	defer torch.FreeAll(all)
	bytes := map[string]string{}
	for name, x := range all {
		var v any
		var err error
		switch x.Info().DType {
		case torch.Int64:
			v, err = torch.ToSlice[int64](x)
		default:
			v, err = torch.ToSlice[float32](x)
		}
		if err != nil {
			t.Fatal(err)
		}
		bytes[name] = fmt.Sprintf("%v %x", x.Shape(), v)
	}
	return bytes
}

// undisturbed is how long the grid takes by itself, once one of the tests has asked.
var undisturbed time.Duration

// whole carries the grid out undisturbed, in the directory whole, once for all tests.
func whole(t *testing.T) (dir string, want *result.Study, took time.Duration) {
	t.Helper()
	dir = filepath.Join(filepath.Dir(program), "grid")
	if undisturbed == 0 {
		if err := os.CopyFS(dir, os.DirFS(studyOf(t, grid))); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		must(t, dir, runGrid("whole")...)
		undisturbed = time.Since(start)
	}
	want = read(t, filepath.Join(dir, "whole"))
	if len(want.Results) != 2*2*(2+4+3*4+1) {
		t.Fatalf("%d results", len(want.Results))
	}
	return dir, want, undisturbed
}

// endsTheSame carries the grid out to its end in a directory in which it was disturbed, and
// fails where that shows.
func endsTheSame(t *testing.T, dir, out string, want *result.Study) {
	t.Helper()
	must(t, dir, runGrid(out)...)
	sameFindings(t, out, want, read(t, filepath.Join(dir, out)))
	sameTensors(t, dir, "whole", out)
	noLeftovers(t, dir, out)
}

// A blow is the state in which a signal hit.
type blow struct {
	struck bool // the grid had not come to its end
	kept   bool // there was a training to go on with
	midway bool // which this very run had kept
	done   int  // cells
}

// strike starts the grid and ends it by a signal after a time.
func strike(t *testing.T, dir, out string, after time.Duration, s syscall.Signal) (b blow) {
	t.Helper()
	start := time.Now()
	c := command(dir, runGrid(out)...)
	var said strings.Builder
	c.Stderr = &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Fatalf("the run failed by itself: %v\n%s", err, said.String())
		}
		return b
	case <-time.After(after):
	}
	_ = c.Process.Signal(s)
	<-ended
	if code := c.ProcessState.ExitCode(); s != syscall.SIGKILL && code != 130 && code != 0 && code != -1 {
		t.Errorf("exit code %d after %v, want 130: %s", code, s, said.String())
	}
	b.struck = true
	snapshots, _ := filepath.Glob(filepath.Join(dir, out, "training", "*.safetensors"))
	for _, path := range snapshots {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		b.kept, b.midway = true, b.midway || info.ModTime().After(start)
	}
	cells, _ := filepath.Glob(filepath.Join(dir, out, "cells", "*.json"))
	b.done = len(cells)
	return b
}

func TestKilledAtRandomMoments(t *testing.T) {
	dir, want, took := whole(t)
	const seed, kills = 20250101, 50
	random := rand.New(rand.NewPCG(seed, seed))
	// A start takes its time, and nothing is trained before.
	start := time.Now()
	must(t, dir, "study", "shard", "study.yaml", "--data", "recordings", "--of", "2")
	begin := time.Since(start)
	t.Logf("seed %d; undisturbed the grid takes %v, of which a start takes %v", seed, took.Round(time.Millisecond), begin.Round(time.Millisecond))
	kept, midway, reporting, before, round := 0, 0, 0, 0, 1
	start = time.Now()
	for k := range kills {
		after := begin/2 + time.Duration(random.Float64()*float64(took)/8)
		out := fmt.Sprintf("killed%d", round)
		b := strike(t, dir, out, after, syscall.SIGKILL)
		t.Logf("kill %d after %v in %s: %+v", k+1, after.Round(time.Millisecond), out, b)
		switch {
		case !b.struck:
			before++
		case b.midway:
			midway++
		}
		if b.kept {
			kept++
		}
		if !b.struck || b.done == len(want.Results) {
			if b.struck {
				reporting++
			}
			endsTheSame(t, dir, out, want)
			round++
		}
	}
	endsTheSame(t, dir, fmt.Sprintf("killed%d", round), want)
	t.Logf("%d kills in %v, in %d directories: %d found a kept training, %d of them one that the same run had kept; %d hit the report, %d came after the end",
		kills, time.Since(start).Round(time.Second), round, kept, midway, reporting, before)
	if midway < kills/2 {
		t.Errorf("only %d of %d kills hit a training", midway, kills)
	}
}

func TestSignalsAtRandomMoments(t *testing.T) {
	dir, want, took := whole(t)
	random := rand.New(rand.NewPCG(5, 5))
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		out := strings.ReplaceAll(s.String(), " ", "-")
		for range 4 {
			after := took/20 + time.Duration(random.Float64()*float64(took)/5)
			t.Logf("%v after %v: %+v", s, after.Round(time.Millisecond), strike(t, dir, out, after, s))
		}
		endsTheSame(t, dir, out, want)
	}
}

// A disk that fills in the middle of a study, while trainings are kept.
func TestDiskFullInTheMiddleOfAStudy(t *testing.T) {
	dir, want, _ := whole(t)
	if err := os.Mkdir(filepath.Join(dir, "disk"), 0o755); err != nil {
		t.Fatal(err)
	}
	run := program + " " + strings.Join(runGrid("disk/out"), " ")
	c := exec.Command("unshare", "--map-root-user", "--mount", "sh", "-c",
		"mount -t tmpfs -o size=1m tmpfs disk && { "+run+"; code=$?; ls -RA disk >listing; "+
			"mount -o remount,size=100m disk && "+run+" >again || exit 99; cp -r disk/out out || exit 98; exit $code; }")
	c.Dir = dir
	r := finish(t, c)
	if r.code == 1 && strings.Contains(r.stderr, "unshare") {
		t.Log("nothing can be mounted here: a limit of the size of files stands for the full disk")
		limitedFiles(t, dir, want)
		return
	}
	if oneSentence(t, r, "disk/out", "no space left", "make room"); r.code != 1 {
		t.Errorf("exit code %d, want 1", r.code)
	}
	listing, err := os.ReadFile(filepath.Join(dir, "listing"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(listing), "-unpruned.safetensors"); n == 0 {
		t.Errorf("the disk was full before anything was done:\n%s", listing)
	}
	if strings.Contains(string(listing), "\n..") || strings.Contains(string(listing), ".json.") {
		t.Errorf("halves of files were left:\n%s", listing)
	}
	endsTheSame(t, dir, "out", want)
	limitedFiles(t, dir, want)
}

// limitedFiles has the larger network's files fail to be written.
func limitedFiles(t *testing.T, dir string, want *result.Study) {
	t.Helper()
	c := exec.Command("sh", "-c", "ulimit -f 100; exec "+program+" "+strings.Join(runGrid("limited"), " "))
	c.Dir = dir
	r := finish(t, c)
	if oneSentence(t, r, "limited/", "file too large", "ulimit -f"); r.code != 1 {
		t.Errorf("exit code %d, want 1", r.code)
	}
	endsTheSame(t, dir, "limited", want)
}

// Shares of one study at a time in one directory, killed and carried on.
func TestSharesSideBySide(t *testing.T) {
	dir, want, took := whole(t)
	random := rand.New(rand.NewPCG(7, 7))
	share := func(k int) *exec.Cmd {
		c := command(dir, append(runGrid("shared"), "--share", fmt.Sprintf("%d/2", k))...)
		c.Stdout, c.Stderr = io.Discard, os.Stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	for range 4 {
		one, two := share(1), share(2)
		time.Sleep(time.Duration(random.Float64() * float64(took) / 3))
		for _, c := range []*exec.Cmd{one, two} {
			_ = c.Process.Kill()
			_ = c.Wait()
		}
	}
	one, two := share(1), share(2)
	for _, c := range []*exec.Cmd{one, two} {
		if err := c.Wait(); err != nil {
			t.Error(err)
		}
	}
	must(t, dir, "study", "results", "shared")
	sameFindings(t, "shares", want, read(t, filepath.Join(dir, "shared")))
	sameTensors(t, dir, "whole", "shared")
	endsTheSame(t, dir, "shared", want)
}
