package prune_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/torch"
)

// exported are small networks that PyTorch exported, with its logits (make.py beside
// them): a CNN, attention, weights that are computed from others, constants, batches in reshapes.
func exported(t testing.TB) map[string]*models.Network {
	files, err := filepath.Glob("../models/pt2/testdata/*.pt2")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	all := map[string]*models.Network{}
	for _, file := range files {
		n, _, err := models.OpenExported(file, torch.CPU)
		if strings.Contains(file, "decomposed") { // which PyTorch itself can't train
			if err == nil || !strings.Contains(err.Error(), "without run_decompositions") {
				t.Errorf("%s: error %v", file, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(n.Free)
		all[filepath.Base(file)] = n
	}
	return all
}

type exportedValues struct{ Logits, Losses []float64 }

func TestExportedNetworksComputeWhatPyTorchDoes(t *testing.T) {
	var x struct{ X []float32 }
	reftest.ReadJSON(t, "../models/pt2/testdata/values.json", &x)
	for file, n := range exported(t) {
		name, _, _ := strings.Cut(file, ".")
		var values map[string]any
		reftest.ReadJSON(t, "../models/pt2/testdata/values.json", &values)
		entry := values[name].(map[string]any)
		want := exportedValues{Logits: numbers(entry["logits"]), Losses: numbers(entry["losses"])}
		t.Run(name, func(t *testing.T) {
			in := n.Arch.Input
			clips := len(x.X) / (in[0] * in[1] * in[2])
			input, err := torch.FromSlice(x.X, clips, in[0], in[1], in[2])
			if err != nil {
				t.Fatal(err)
			}
			defer input.Free()
			reftest.Near(t, "logits", reftest.Logits(t, n, input), want.Logits)
			// Many clips are evaluated in another way than few.
			times := 17/clips + 1
			many, err := torch.FromSlice(slices.Repeat(x.X, times), times*clips, in[0], in[1], in[2])
			if err != nil {
				t.Fatal(err)
			}
			defer many.Free()
			reftest.Near(t, "logits of many clips", reftest.Logits(t, n, many), slices.Repeat(want.Logits, times))
			reftest.Near(t, "losses", reftest.Losses(t, n, input, len(want.Losses), 0.05), want.Losses)
		})
	}
}

func numbers(v any) []float64 {
	var all []float64
	for _, x := range v.([]any) {
		all = append(all, x.(float64))
	}
	return all
}

// TestExportedSurgeryIsExact: a network that lost channels, once or twice, has the logits of the whole
// one with zeros in its consumers, also after it was written and read.
func TestExportedSurgeryIsExact(t *testing.T) {
	for file, n := range exported(t) {
		t.Run(file, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				in := n.Arch.Input
				x := reftest.Ramp(3*in[0]*in[1]*in[2], uint64(rapid.IntRange(1, 1e6).Draw(rt, "input")), 2)
				small, err := prune.Remove(n, randomKeep(rt, n.Arch))
				if err != nil {
					rt.Fatal(err)
				}
				defer small.Free()
				smaller, err := prune.Remove(small, randomKeep(rt, small.Arch))
				if err != nil {
					rt.Fatal(err)
				}
				defer smaller.Free()
				want := withoutColumns(rt, n, smaller.Arch.Removed)
				defer want.Free()
				closeTo(rt, "surgery", logits(rt, smaller, x, nil), logits(rt, want, x, nil))
				path := filepath.Join(t.TempDir(), "small.pt2")
				if err := smaller.SaveExported(path, nil); err != nil {
					rt.Fatal(err)
				}
				back, _, err := models.OpenExported(path, torch.CPU)
				if err != nil {
					rt.Fatal(err)
				}
				defer back.Free()
				closeTo(rt, "written and read", logits(rt, back, x, nil), logits(rt, smaller, x, nil))
				if d := cmp.Diff(smaller.Arch.Removed, back.Arch.Removed); d != "" {
					rt.Fatal(d)
				}
			})
		})
	}
}

// withoutColumns is a network whose consumers have zeros where something was removed.
func withoutColumns(t *rapid.T, n *models.Network, removed []models.Removal) *models.Network {
	c, err := n.Clone()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range removed {
		if r.Role != models.Consumer {
			continue
		}
		reftest.Silence(t, c.Tensor(r.Tensor), r.Dim, r.Kept)
	}
	return c
}
