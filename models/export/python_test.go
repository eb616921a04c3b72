//go:build python

package export_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/export"
	"github.com/eegprune/eegprune/torch"
)

// architectures are random ones, one around each operation, and every model.
func architectures(t *testing.T) []*models.Arch {
	var all []*models.Arch
	random := rapid.Custom(reftest.RandomArch)
	for i := range 30 {
		all = append(all, random.Example(i))
	}
	files, err := filepath.Glob("../testdata/ops/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no networks of operations (%v)", err)
	}
	for _, file := range files {
		var r struct{ Arch *models.Arch }
		reftest.ReadJSON(t, file, &r)
		all = append(all, r.Arch)
	}
	for _, name := range models.Names() {
		all = append(all, build(t, name).Arch)
	}
	return all
}

// TestExportsComputeTheSame runs networks in PyTorch and onnxruntime.
func TestExportsComputeTheSame(t *testing.T) {
	python := os.Getenv("EEGPRUNE_PYTHON")
	if python == "" || exec.Command(python, "-c", "import onnxruntime, torch").Run() != nil {
		t.Fatal("EEGPRUNE_PYTHON names no Python with torch and onnxruntime: make test-export makes one")
	}
	dir := t.TempDir()
	archs := architectures(t)
	networks := len(archs)
	const clips = 3
	for i, arch := range archs {
		n := reftest.Network(t, arch)
		reftest.Fill(t, n, uint64(i))
		in := n.Arch.Input
		shape := []int{clips, in[0], in[1], in[2]}
		x := reftest.Ramp(clips*in[0]*in[1]*in[2], 5, 2)
		s := torch.NewScope(torch.NoGrad)
		logits, err := torch.ToSlice[float32](n.Forward(s, reftest.Tensor(t, x, shape...), models.Pass{}))
		s.Close()
		if err != nil {
			t.Fatal(err)
		}
		at := func(kind string) string { return filepath.Join(dir, fmt.Sprintf("%d.%s", i, kind)) }
		var class, graph bytes.Buffer
		if err := export.Python(&class, n.Arch, nil); err != nil {
			t.Fatal(err)
		}
		if err := export.ONNX(&graph, n, export.ONNXOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := n.SavePT(at("pt"), nil); err != nil {
			t.Fatal(err)
		}
		values, err := json.Marshal(map[string]any{"shape": shape, "x": x, "logits": logits})
		if err != nil {
			t.Fatal(err)
		}
		for kind, content := range map[string][]byte{"py": class.Bytes(), "onnx": graph.Bytes(), "json": values} {
			if err := os.WriteFile(at(kind), content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	out, err := exec.Command(python, "-W", "error::UserWarning", "-c", compare, dir, fmt.Sprint(networks)).CombinedOutput()
	if err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
	t.Logf("%s", slices.Clone(out))
}

const compare = `
import json, sys
import numpy as np, onnxruntime, torch
worst = {"torch": 0.0, "onnx": 0.0}
for i in range(int(sys.argv[2])):
    at = f"{sys.argv[1]}/{i}."
    v = json.load(open(at + "json"))
    x = np.array(v["x"], np.float32).reshape(v["shape"])
    want = np.array(v["logits"], np.float32).reshape(len(x), -1)
    names = {}
    exec(open(at + "py").read(), names)
    n = names["Network"]()
    n.load_state_dict(torch.load(at + "pt", weights_only=True), strict=True)
    with torch.no_grad():
        got = {"torch": n.eval()(torch.from_numpy(x)).numpy()}
    got["onnx"] = onnxruntime.InferenceSession(at + "onnx").run(["logits"], {"input": x})[0]
    for k, g in got.items():
        d = abs(g - want).max() / abs(want).max()
        worst[k] = max(worst[k], float(d))
        assert d <= 1e-5, (i, k, g, want)
print(worst)
`
