package prune_test

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"eegprune/internal/reftest"
	"eegprune/models"
	"eegprune/prune"
	"eegprune/torch"
)

// exported are small networks that PyTorch exported, with what it computes of them (make.py beside
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
			s := torch.NewScope(torch.NoGrad)
			defer s.Close()
			got, err := torch.ToSlice[float32](s.Clone(n.Forward(s, input, models.Pass{})))
			if err != nil {
				t.Fatal(err)
			}
			near(t, "logits", got, want.Logits)
			near(t, "losses", losses(t, n, input, clips, len(want.Losses)), want.Losses)
		})
	}
}

// losses are those of make.py's training.
func losses(t *testing.T, n *models.Network, x *torch.Tensor, clips, steps int) []float32 {
	trained, err := n.Clone()
	if err != nil {
		t.Fatal(err)
	}
	defer trained.Free()
	g, err := torch.NewGenerator(torch.CPU, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Free()
	opt, err := torch.NewSGD(trained.Parameters(), torch.SGDOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer opt.Free()
	labels := make([]int64, clips)
	for i := range labels {
		labels[i] = int64(i % 2)
	}
	y, err := torch.FromSlice(labels, clips)
	if err != nil {
		t.Fatal(err)
	}
	defer y.Free()
	var all []float32
	for range steps {
		if err := opt.ZeroGrad(); err != nil {
			t.Fatal(err)
		}
		s := torch.NewScope(torch.Grad)
		loss := s.CrossEntropy(trained.Forward(s, x, models.Pass{Training: true, Generator: g}), y)
		s.Backward(loss)
		v, err := torch.ToSlice[float32](s.Detach(loss))
		if err == nil {
			err = s.Err()
		}
		if err == nil {
			err = opt.Step(0.05)
		}
		s.Close()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v[0])
	}
	return all
}

func near(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	scale := 0.0
	for _, v := range want {
		scale = max(scale, math.Abs(v))
	}
	for i := range want {
		if d := math.Abs(float64(got[i]) - want[i]); !(d <= 1e-5*scale) {
			t.Errorf("%s: %d is %g, want %g", what, i, got[i], want[i])
		}
	}
}

func numbers(v any) []float64 {
	var all []float64
	for _, x := range v.([]any) {
		all = append(all, x.(float64))
	}
	return all
}

// TestExportedSurgeryIsExact: a network that lost channels, once or twice, computes what the whole one
// does whose consumers have zeros there, also after it was written and read.
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
		w := c.Tensor(r.Tensor)
		v, err := torch.ToSlice[float32](w)
		if err != nil {
			t.Fatal(err)
		}
		shape, inner := w.Shape(), 1
		for _, size := range shape[r.Dim+1:] {
			inner *= size
		}
		for i := range v {
			if !slices.Contains(r.Kept, i/inner%shape[r.Dim]) {
				v[i] = 0
			}
		}
		zeroed, err := torch.FromSlice(v, shape...)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.CopyFrom(zeroed); err != nil {
			t.Fatal(err)
		}
		zeroed.Free()
	}
	return c
}
