package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/data/npy"
)

// TestExportedNetwork goes the way of a user with a network of PyTorch: its layers, a smaller one,
// its logits, the time of a step, and the refusals.
func TestExportedNetwork(t *testing.T) {
	dir := t.TempDir()
	b, err := os.ReadFile("../../models/pt2/testdata/cnn.2.15.pt2")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "net.pt2"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	var about struct {
		Input   []int
		Groups  []struct{ Channels int }
		Removed []struct {
			Tensor string
			Size   int
			Kept   []int
			Role   string
		}
	}
	inspect := func(file string) {
		out := eegprune(t, dir, "inspect", file, "--json")
		if err := json.Unmarshal([]byte(out.stdout), &about); err != nil || out.code != 0 {
			t.Fatalf("%v: %+v", err, out)
		}
	}
	inspect("net.pt2")
	if len(about.Groups) == 0 || len(about.Removed) != 0 {
		t.Fatalf("%+v", about)
	}
	if out := eegprune(t, dir, "prune", "net.pt2", "--method", "lfp", "--ratio", "0.5", "--prune", "linear", "--out", "small.pt2", "-q"); out.code != 0 {
		t.Fatalf("%+v", out)
	}
	inspect("small.pt2")
	if len(about.Removed) == 0 {
		t.Fatal("nothing is said to be removed")
	}
	for _, r := range about.Removed {
		if len(r.Kept) >= r.Size || len(r.Kept) == 0 {
			t.Errorf("%+v", r)
		}
	}
	clips := append([]int{3}, about.Input[1:]...)
	size := 1
	for _, n := range clips {
		size *= n
	}
	writeArrays(t, filepath.Join(dir, "x.npy"), npy.Named{Name: "x", Shape: clips, Values: make([]float32, size)})
	if out := eegprune(t, dir, "predict", "small.pt2", "--features", "x.npy", "--out", "y.npz", "-q"); out.code != 0 {
		t.Errorf("%+v", out)
	}
	if out := eegprune(t, dir, "bench", "--network", "small.pt2", "--batch", "2", "--seconds", "0.01"); out.code != 0 || !strings.HasPrefix(out.stdout, "small, batch 2") {
		t.Errorf("%+v", out)
	}
	for says, args := range map[string][]string{
		"--model and --network": {"run", "--out", "y", "--data", "x", "--model", "ccnn", "--network", "net.pt2"},
		"none.pt2":              {"run", "--out", "y", "--data", "x", "--network", "none.pt2"},
		"--init says":           {"run", "--out", "y", "--data", "x", "--init", "file"},
	} {
		if out := eegprune(t, dir, args...); out.code == 0 || !strings.Contains(out.stderr, says) {
			t.Errorf("%v: %+v", args, out)
		}
	}
}
