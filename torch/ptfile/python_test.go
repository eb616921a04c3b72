//go:build python

package ptfile_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/eegprune/eegprune/torch/ptfile"
)

func TestPyTorchReadsWhatIsWritten(t *testing.T) {
	python := os.Getenv("EEGPRUNE_PYTHON")
	if python == "" {
		t.Fatal("EEGPRUNE_PYTHON names no Python with torch: make test-export makes one")
	}
	path := filepath.Join(t.TempDir(), "x.pt")
	var b bytes.Buffer
	bits := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, math.Float32bits(0.5)), math.Float32bits(-3))
	if err := ptfile.Write(&b, []ptfile.Named{
		{Name: "a.weight", Array: ptfile.Array{Shape: []int{2, 1}, Data: bits}},
		{Name: "a.count", Array: ptfile.Array{Type: ptfile.Int64, Shape: []int{}, Data: []byte{7, 0, 0, 0, 0, 0, 0, 0}}},
		{Name: "flags", Array: ptfile.Array{Type: ptfile.Bool, Shape: []int{3}, Data: []byte{1, 0, 1}}},
	}, map[string]string{"note": "beside"}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, "-c", `import sys, torch
for mmap in (False, True):
    d = torch.load(sys.argv[1], weights_only=True, mmap=mmap)
    print({k: (v.tolist(), str(v.dtype)) for k, v in d.items()})`, path).CombinedOutput()
	line := "{'a.weight': ([[0.5], [-3.0]], 'torch.float32'), 'a.count': (7, 'torch.int64'), 'flags': ([True, False, True], 'torch.bool')}\n"
	if err != nil || string(out) != line+line {
		t.Errorf("PyTorch says %s (%v)", out, err)
	}
}
