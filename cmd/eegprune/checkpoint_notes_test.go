package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNotesOfACheckpoint: notes of tensors left out of another program's file are in the
// JSON of each command that uses it, and stay with the networks made of it.
func TestNotesOfACheckpoint(t *testing.T) {
	dir := recordings(t)
	features := "seconds: 1\ntransforms: [{name: PickElectrode, args: {electrodes: [Fp1, AF3, F3, F7]}}, {name: To2d}]\n"
	if err := os.WriteFile(filepath.Join(dir, "four.yaml"), []byte(features), 0o644); err != nil {
		t.Fatal(err)
	}
	input, err := filepath.Abs("testdata/inputs/b16-averaged-model")
	if err != nil {
		t.Fatal(err)
	}
	net, clips := filepath.Join(input, "net.pt"), filepath.Join(input, "clips.npz")
	on := func(args ...string) []string {
		return append(args, "--data", "recordings", "--features", "four.yaml")
	}
	for _, c := range []struct {
		key  string
		args []string
	}{
		{"origin_notes", []string{"prune", net, "--method", "lfp", "--ratio", "0.4", "--out", "pruned.safetensors"}},
		{"notes", []string{"predict", net, "--features", clips, "--out", "rows.csv"}},
		{"notes", []string{"export", net, "--out", "net.safetensors"}},
		{"provenance", []string{"inspect", "pruned.safetensors"}},
		{"provenance", []string{"inspect", "net.safetensors"}},
		{"origin_notes", on("evaluate", net, "--all")},
		{"origin_notes", on("evaluate", "pruned.safetensors", "--all")},
		{"origin_notes", on("recover", net, "--fold", "1", "--epochs", "1", "--out", "tuned.safetensors")},
		{"origin_notes", on("recover", "pruned.safetensors", "--fold", "1", "--epochs", "1", "--how", "scratch", "--out", "scratch.safetensors")},
		{"origin_notes", []string{"evaluate", "tuned.safetensors"}},
		{"provenance", []string{"inspect", "tuned.safetensors"}},
		{"provenance", []string{"inspect", "scratch.safetensors"}},
	} {
		r := eegprune(t, dir, append(c.args, "--json")...)
		if r.code != 0 {
			t.Fatalf("%v: exit code %d: %s", c.args, r.code, r.stderr)
		}
		var said map[string]json.RawMessage
		if err := json.Unmarshal([]byte(r.stdout), &said); err != nil {
			t.Fatalf("%v: %v", c.args, err)
		}
		if !strings.Contains(string(said[c.key]), "left out: n_averaged.") {
			t.Errorf("%v: %s is %s", c.args, c.key, said[c.key])
		}
	}
	if r := eegprune(t, dir, "inspect", "pruned.safetensors"); !strings.Contains(r.stdout, "note: net.pt: Tensors") {
		t.Errorf("inspect says %s", r.stdout)
	}
}
