package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// program is the built program: tests run it as users do.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "eegprune-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	program = filepath.Join(dir, "eegprune")
	if out, err := exec.Command("go", append([]string{"build", "-buildvcs=false", "-o", program}, buildFlags...)...).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
		os.Exit(1)
	}
	// Not earlier: the go command would not find its own cache.
	os.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// outcome is the exit code and the output of a run of the program.
type outcome struct {
	code           int
	stdout, stderr string
}

// eegprune runs the program in a directory.
func eegprune(t *testing.T, dir string, args ...string) outcome {
	t.Helper()
	return finish(t, command(dir, args...))
}

func command(dir string, args ...string) *exec.Cmd {
	c := exec.Command(program, args...)
	c.Dir = dir
	return c
}

func finish(t *testing.T, c *exec.Cmd) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return outcome{c.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// must is eegprune for a run that has to go well.
func must(t *testing.T, dir string, args ...string) outcome {
	t.Helper()
	r := eegprune(t, dir, args...)
	if r.code != 0 {
		t.Fatalf("eegprune %s: exit code %d\n%s", strings.Join(args, " "), r.code, r.stderr)
	}
	return r
}

// recordings simulates a few short ones, once for each test that wants them.
func recordings(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	must(t, dir, "data", "simulate", "--out", "recordings", "--subjects", "4", "--trials", "2", "--seconds", "6")
	return dir
}

// quick is a command on a study that takes a second or two, with further flags.
func quick(command string, more ...string) []string {
	return append([]string{command, "--data", "recordings", "--folds", "2", "--epochs", "2", "--batch", "16"}, more...)
}

// oneSentence fails unless the error output is one line that says each of words.
func oneSentence(t *testing.T, r outcome, words ...string) {
	t.Helper()
	text := strings.TrimSuffix(r.stderr, "\n")
	if !strings.HasPrefix(text, "eegprune: ") || strings.Contains(text, "\n") || strings.Contains(text, "goroutine") {
		t.Errorf("the error is not one sentence:\n%s", r.stderr)
	}
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("the error does not say %q: %s", w, text)
		}
	}
}

// files lists the files below a directory.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		all = append(all, rel)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
