//go:build python

package export_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/models/export"
)

// TestONNXOfEachKind has PyTorch export a small network for each kind of operation, and onnxruntime
// compute the logits that PyTorch does.
func TestONNXOfEachKind(t *testing.T) {
	python := os.Getenv("EEGPRUNE_PYTHON")
	if python == "" || exec.Command(python, "-c", "import onnxruntime, torch").Run() != nil {
		t.Fatal("EEGPRUNE_PYTHON names no Python with torch and onnxruntime: make test-export makes one")
	}
	dir := t.TempDir()
	if out, err := exec.Command(python, "testdata/kinds.py", "write", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.pt2"))
	if err != nil || len(files) < 100 {
		t.Fatalf("%d networks (%v)", len(files), err)
	}
	for _, file := range files {
		n := archive(t, file, nil)
		var b bytes.Buffer
		if err := export.ONNX(&b, n, export.ONNXOptions{}); err != nil {
			t.Error(err)
			continue
		}
		if err := os.WriteFile(strings.TrimSuffix(file, "pt2")+"onnx", b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command(python, "testdata/kinds.py", "compare", dir).CombinedOutput()
	if err != nil {
		t.Errorf("%v", err)
	}
	t.Logf("%s", out)
}
