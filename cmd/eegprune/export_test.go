package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExportGoesRound takes PyTorch's own file, and the exported network predicts the
// same. `make test-export` tests it in Python.
func TestExportGoesRound(t *testing.T) {
	checkpoint, p := tsception(t)
	checkpoint = strings.TrimSuffix(checkpoint, ".safetensors") + ".pt"
	dir := t.TempDir()
	writeArrays(t, filepath.Join(dir, "x.npy"), npyOf(p))
	want := must(t, dir, "predict", checkpoint, "--features", "x.npy", "--json").stdout
	r := must(t, dir, "prune", checkpoint, "--method", "uwmp", "--ratio", "0.3", "--out", "masked.safetensors")
	if !strings.Contains(r.stderr, "taken for the network tsception") {
		t.Errorf("it says %s", r.stderr)
	}
	masked := must(t, dir, "predict", "masked.safetensors", "--features", "x.npy", "--json").stdout

	for _, c := range []struct{ from, want string }{{checkpoint, want}, {"masked.safetensors", masked}} {
		for _, out := range []string{"e.pt", "e.safetensors"} {
			if r := must(t, dir, "export", c.from, "--python", "--out", out); !strings.Contains(r.stdout, out+": tsception") || !strings.Contains(r.stdout, "e.py: tsception") {
				t.Errorf("it says %s", r.stdout)
			}
			if got := must(t, dir, "predict", out, "--features", "x.npy", "--json").stdout; got != c.want {
				t.Errorf("%s predicts\n%s\nwant\n%s", out, got, c.want)
			}
		}
		must(t, dir, "export", c.from, "--out", "e.pt2")
		// PyTorch's graph runs through libtorch's own operations, which round otherwise.
		got := must(t, dir, "predict", "e.pt2", "--features", "x.npy", "--json").stdout
		near(t, "e.pt2", logitsOf(t, got), logitsOf(t, c.want))
		must(t, dir, "export", "e.pt2", "--out", "e.onnx")
		must(t, dir, "export", c.from, "--onnx", "--out", "e.onnx")
		must(t, dir, "export", c.from, "--int8", "--out", "small.onnx")
	}
	if r := must(t, dir, "inspect", "e.pt"); !strings.Contains(r.stdout, "mask        fusion_layer.1.weight: ") {
		t.Errorf("it says %s", r.stdout)
	}
	b, err := os.ReadFile(filepath.Join(dir, "e.py"))
	if err != nil || !strings.Contains(string(b), `fusion_layer.1.weight": `) {
		t.Errorf("the class does not name its masks (%v):\n%s", err, b)
	}
}

// logitsOf are those that predict --json printed, one clip's after another's.
func logitsOf(t *testing.T, text string) []float64 {
	t.Helper()
	var rows []struct{ Logits []float64 }
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		t.Fatal(err)
	}
	var all []float64
	for _, row := range rows {
		all = append(all, row.Logits...)
	}
	return all
}

func TestExportBadInput(t *testing.T) {
	checkpoint, _ := tsception(t)
	dir := t.TempDir()
	hostile, err := filepath.Abs("../../torch/ptfile/testdata/hostile.pt")
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := filepath.Abs("../../models/testdata/tsception_wrong.ckpt")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args  []string
		code  int
		words []string
	}{
		{[]string{checkpoint}, 2, []string{"out"}},
		{[]string{checkpoint, "--out", "x.h5"}, 2, []string{"--out", "x.h5", ".onnx"}},
		{[]string{checkpoint, "--out", "x.onnx", "--python"}, 2, []string{"--python", "x.onnx"}},
		{[]string{checkpoint, "--out", "x.pt2", "--python"}, 2, []string{"--python", "x.pt2"}},
		{[]string{checkpoint, "--out", "x.pt", "--int8"}, 2, []string{"--int8", "x.pt"}},
		{[]string{checkpoint, "--out", "x.pt", "--model", "resnet"}, 2, []string{"--model", "resnet"}},
		{[]string{checkpoint, "--onnx", "--out", "nowhere/x.onnx"}, 1, []string{"writing nowhere/x.onnx", "no such file"}},
		{[]string{checkpoint, "--onnx", "--out", "file/x.onnx"}, 1, []string{"writing file/x.onnx", "not a directory"}},
		{[]string{hostile, "--out", "x.pt"}, 1, []string{"hostile.pt", "posix.system", "refused", "state_dict"}},
		{[]string{wrong, "--out", "x.pt"}, 1, []string{"fc.3.bias is missing", "fc.0.weight has shape [32 16]"}},
		{[]string{"nowhere.pt", "--out", "x.pt"}, 1, []string{"nowhere.pt"}},
	} {
		r := eegprune(t, dir, append([]string{"export", "--quiet"}, c.args...)...)
		if r.code != c.code || r.stdout != "" {
			t.Errorf("export %s: exit code %d, want %d; output %s", strings.Join(c.args, " "), r.code, c.code, r.stdout)
		}
		oneSentence(t, r, c.words...)
	}
	if left := files(t, dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}
