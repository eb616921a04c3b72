//go:build python

package pt2

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// python runs a script with a Python that has torch. These tests pass with PyTorch 2.9.1 and 2.15.0.
func python(t *testing.T, args ...string) string {
	t.Helper()
	python := os.Getenv("EEGPRUNE_PYTHON")
	if python == "" {
		t.Fatal("EEGPRUNE_PYTHON names no Python with torch 2.9 or later: make test-export makes one")
	}
	out, err := exec.Command(python, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("PyTorch says %s (%v)", out, err)
	}
	return string(out)
}

func TestPyTorchTrainsWhatIsWritten(t *testing.T) {
	args := []string{"testdata/same.py"}
	for _, file := range examples(t) {
		path := filepath.Join(t.TempDir(), filepath.Base(file))
		if err := Write(path, read(t, file)); err != nil {
			t.Fatal(err)
		}
		args = append(args, file, path)
	}
	if out := python(t, args...); !strings.HasSuffix(out, "same\n") {
		t.Error(out)
	}
}

func TestWhatPyTorchExportsAndIsRefused(t *testing.T) {
	dir := t.TempDir()
	python(t, "testdata/refused.py", dir)
	for name, want := range map[string]string{
		"fixed":      "takes batches of one size alone",
		"evaluation": "exported in evaluation mode",
		"two":        "takes 2 inputs",
		"keyword":    "takes its input by name",
		"nested":     "takes several inputs, or its input in a list",
		"outputs":    "gives 2 outputs",
		"dict":       "gives its logits in a tuple, list or dict",
		"condition":  "torch.cond",
		"no_grad":    "no_grad",
		"time":       "size other than the batch's",
		"data":       "depend",
		"half":       "are of float16",
		"complex":    "are of complex64",
		"plus":       "no multiple of the batch's",
		"over":       "batch's size is computed",
		"custom":     "none of PyTorch's own",
	} {
		_, err := Read(filepath.Join(dir, name+".pt2"))
		switch {
		case err == nil:
			t.Errorf("%s is read", name)
		case !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "torch.export.save("):
			t.Errorf("of %s it says %q", name, err)
		default:
			t.Logf("%s: %v", name, err)
		}
	}
}
