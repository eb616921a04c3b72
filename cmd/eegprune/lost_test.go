//go:build unix

package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFeaturesThatAreCutEndARun: somebody else cuts, or writes over, the file that a run
// trains on. That ends the run with a sentence, not with a signal; nothing that was computed
// of other values is kept, and the same command goes on.
func TestFeaturesThatAreCutEndARun(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"cut":          func(path string) error { return os.Truncate(path, 4096) },
		"written over": func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("x"), 1<<20), 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := recordings(t)
			run := append(quick("run", "--cache", "cache", "--out", "out", "--model", "eegnet", "--clip", "1", "--method", "lfp", "--quiet"), "--epochs", "100000")
			c := command(dir, run...)
			var stderr bytes.Buffer
			c.Stderr = &stderr
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			path := waitFor(t, c, filepath.Join(dir, "out", "running", "*"), filepath.Join(dir, "cache", "*.set"))
			if err := spoil(path); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				_ = c.Wait() // its exit code is looked at below
				close(ended)
			}()
			select {
			case <-ended:
			case <-time.After(time.Minute):
				_ = c.Process.Kill()
				t.Fatal("it goes on with features that are lost")
			}
			oneSentence(t, outcome{c.ProcessState.ExitCode(), "", stderr.String()}, "lost", filepath.Base(path), "anew")
			if code := c.ProcessState.ExitCode(); code != 1 {
				t.Errorf("exit code %d", code)
			}
			for _, f := range files(t, filepath.Join(dir, "out")) {
				if strings.HasPrefix(f, "failed") || strings.HasSuffix(f, ".safetensors") && strings.HasPrefix(f, "checkpoints") {
					t.Errorf("%s was kept", f)
				}
			}
			must(t, dir, append(run, "--epochs", "1")...)
		})
	}
}

// waitFor waits until there are files of all patterns, and returns the last one's.
func waitFor(t *testing.T, c *exec.Cmd, patterns ...string) (path string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		there := 0
		for _, p := range patterns {
			if found, _ := filepath.Glob(p); len(found) > 0 {
				path = found[0]
				there++
			}
		}
		if there == len(patterns) {
			return path
		}
	}
	_ = c.Process.Kill()
	t.Fatalf("not there in time: %v", patterns)
	return ""
}
