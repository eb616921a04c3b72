package models_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// own is a network's file of tensors, which another program might have written, under
// names that change makes.
func own(t *testing.T, n *models.Network, change func(string) string, more ...torch.Named) string {
	t.Helper()
	var state []torch.Named
	for _, p := range n.State() {
		if name := change(p.Name); name != "" {
			state = append(state, torch.Named{Name: name, Tensor: p.Tensor})
		}
	}
	path := filepath.Join(t.TempDir(), "net.safetensors")
	if err := torch.SaveSafetensors(path, append(state, more...), nil); err != nil {
		t.Fatal(err)
	}
	return path
}

func ccnn(t *testing.T) *models.Network {
	t.Helper()
	a, err := models.Build("ccnn", models.Config{Input: [3]int{4, 9, 9}, Classes: 2})
	if err != nil {
		t.Fatal(err)
	}
	n := reftest.Network(t, a)
	reftest.Fill(t, n, 5)
	return n
}

func TestOpenTakesWhatWrappersAndMeasuresAdd(t *testing.T) {
	n := ccnn(t)
	want := logits(t, n, 2)
	one := func(name string) torch.Named {
		return torch.Named{Name: name, Tensor: reftest.Tensor(t, []float32{1}, 1)}
	}
	for what, c := range map[string]struct {
		change func(string) string
		more   []torch.Named
		says   string
	}{
		"thop":              {func(s string) string { return s }, []torch.Named{one("conv1.total_ops"), one("total_params")}, "conv1.total_ops, total_params"},
		"averaged":          {func(s string) string { return "module." + s }, []torch.Named{one("n_averaged")}, "n_averaged"},
		"compiled":          {func(s string) string { return "_orig_mod." + s }, nil, ""},
		"compiled, inside":  {func(s string) string { return "model._orig_mod.module." + s }, nil, ""},
		"loss of Lightning": {func(s string) string { return "model." + s }, []torch.Named{one("criterion.weight")}, "criterion.weight"},
		"loss":              {func(s string) string { return s }, []torch.Named{one("loss_fn.pos_weight")}, "loss_fn.pos_weight"},
		"inner module":      {func(s string) string { i := strings.IndexByte(s, '.'); return s[:i] + ".module" + s[i:] }, nil, ""},
	} {
		path := own(t, n, c.change, c.more...)
		back, meta, err := models.Open(path, models.OpenOptions{Model: "ccnn"})
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if got := logits(t, back, 2); !slices.Equal(got, want) {
			t.Errorf("%s: logits %v, want %v", what, got, want)
		}
		back.Free()
		said := strings.Join(meta.Notes.Sentences(), "\n")
		if !strings.Contains(said, c.says) || (meta.Notes.Strict() != nil) != (c.says != "") {
			t.Errorf("%s: it says %q, want %q", what, said, c.says)
		}
	}
	// A tensor that may be a layer's is no reason to guess.
	_, _, err := models.Open(own(t, n, func(s string) string { return s }, one("attention.weight")), models.OpenOptions{Model: "ccnn"})
	sentence(t, err, "attention.weight is not part")
}

func TestOpenAsksWhichOfTwoNetworks(t *testing.T) {
	n := ccnn(t)
	want := logits(t, n, 2)
	var second []torch.Named
	for _, p := range n.State() {
		x := reftest.Tensor(t, reftest.Ramp(p.Tensor.Len(), 9, 1), p.Tensor.Shape()...)
		second = append(second, torch.Named{Name: "teacher." + p.Name, Tensor: x})
	}
	path := own(t, n, func(s string) string { return "student." + s }, second...)
	_, _, err := models.Open(path, models.OpenOptions{Model: "ccnn"})
	sentence(t, err, path, "2 networks", "student, teacher", "--weights")
	_, _, err = models.Open(path, models.OpenOptions{Model: "ccnn", Weights: "nobody"})
	sentence(t, err, path, `"nobody"`, "student, teacher")
	back, meta, err := models.Open(path, models.OpenOptions{Model: "ccnn", Weights: "student"})
	if err != nil {
		t.Fatal(err)
	}
	defer back.Free()
	if got := logits(t, back, 2); !slices.Equal(got, want) || !strings.Contains(strings.Join(meta.Notes.Sentences(), ""), "teacher (12 tensors)") {
		t.Errorf("logits %v, want %v; %v", got, want, meta.Notes)
	}
}
