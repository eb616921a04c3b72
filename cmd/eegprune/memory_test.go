//go:build slow && linux

package main_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// anonymous returns the most memory, in MB, that a run of the program had at any time and
// that is not the contents of files.
func anonymous(t *testing.T, dir string, args ...string) int {
	t.Helper()
	c := command(dir, args...)
	c.Env = append(os.Environ(), "GOMAXPROCS=2")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	most := 0
	for {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("eegprune %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
			}
			return most
		case <-time.After(5 * time.Millisecond):
			b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Process.Pid)) // it may have ended
			_, rest, _ := strings.Cut(string(b), "RssAnon:")
			kib, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(strings.SplitN(rest, "\n", 2)[0]), " kB"))
			most = max(most, kib*1024/1e6)
		}
	}
}

// TestMemoryDoesNotGrowWithTheSet: no command holds a set of 370 MB, or a copy of it.
func TestMemoryDoesNotGrowWithTheSet(t *testing.T) {
	dir := t.TempDir()
	must(t, dir, "data", "simulate", "--out", "recordings", "--subjects", "4", "--trials", "8", "--seconds", "15")
	source := []string{"--quiet", "--cache", "cache", "--clip", "4", "--overlap", "3.9375", "--standardize", "subject"}
	with := func(args ...string) []string { return append(args, source...) }
	check := func(what string, bound int, args ...string) {
		t.Helper()
		if mb := anonymous(t, dir, args...); mb < 10 || mb > bound {
			t.Errorf("%s takes %d MB of anonymous memory, and at most %d are wanted", what, mb, bound)
		} else {
			t.Logf("%s: %d MB", what, mb)
		}
	}
	check("making features", 250, with("data", "features", "recordings", "--model", "eegnet")...)
	sets, err := filepath.Glob(filepath.Join(dir, "cache", "*.set"))
	if err != nil || len(sets) != 1 {
		t.Fatal(sets, err)
	}
	if info, err := os.Stat(sets[0]); err != nil || info.Size() < 350e6 {
		t.Fatalf("the set has %v bytes (%v): too few to see a copy of it", info.Size(), err)
	}
	check("writing them for Python", 150, with("data", "features", "recordings", "--model", "eegnet", "--out", "features.npz")...)
	check("training", 550, with("train", "--data", "recordings", "--model", "eegnet", "--split", "KFoldByTrial", "--folds", "2", "--fold", "1", "--epochs", "1", "--batch", "16", "--out", "trained")...)
	var networks []string
	for _, name := range files(t, dir) {
		if strings.HasSuffix(name, ".safetensors") {
			networks = append(networks, name)
		}
	}
	if len(networks) != 1 {
		t.Fatal(networks)
	}
	check("predicting what is in an archive", 400, "predict", networks[0], "--features", "features.npz", "--out", "a.csv", "--quiet")
	check("predicting recordings", 600, "predict", networks[0], "recordings", "--out", "b.csv", "--quiet")
	a, err := os.ReadFile(filepath.Join(dir, "a.csv"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "b.csv"))
	if err != nil || bytes.Count(a, []byte("\n")) != bytes.Count(b, []byte("\n")) {
		t.Errorf("%d lines and %d (%v)", bytes.Count(a, []byte("\n")), bytes.Count(b, []byte("\n")), err)
	}
}
