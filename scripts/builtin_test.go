//go:build python

package scripts_test

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eegprune/internal/reftest"
	"eegprune/models"
	"eegprune/prune"
	"eegprune/torch"
)

// TestBuiltInNetworksAreTheirExports: a network of its own and the same one exported by PyTorch, as
// torcheeg or braindecode define it, have the same groups, logits, losses and kept channels.
func TestBuiltInNetworksAreTheirExports(t *testing.T) {
	dir := t.TempDir()
	script, err := filepath.Abs("networks/builtin.py")
	if err != nil {
		t.Fatal(err)
	}
	if _, said, err := python(t, dir, script, dir); err != nil {
		t.Fatal(err, said)
	}
	for _, model := range models.All() {
		t.Run(model.Name, func(t *testing.T) {
			exported, _, err := models.OpenExported(filepath.Join(dir, model.Name+".pt2"), torch.CPU)
			if err != nil {
				t.Fatal(err)
			}
			defer exported.Free()
			arch, err := models.Build(model.Name, models.Config{Input: exported.Arch.Input, Classes: exported.Arch.Classes, Rate: 128})
			if err != nil {
				t.Fatal(err)
			}
			own, err := models.New(arch, torch.CPU, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer own.Free()
			if err := own.CopyFrom(exported); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(together(own.Arch), together(exported.Arch)); d != "" {
				t.Error("groups (- own, + exported):\n", d)
			}
			var want struct {
				Shape          []int
				Logits, Losses []float64
			}
			reftest.ReadJSON(t, filepath.Join(dir, model.Name+".json"), &want)
			x, y := batch(t, want.Shape)
			for what, n := range map[string]*models.Network{"own": own, "exported": exported} {
				alike(t, what+": logits", logits(t, n, x), want.Logits)
				alike(t, what+": losses", losses(t, n, x, y, len(want.Losses)), want.Losses)
			}
			sameTensors(t, pruned(t, own), pruned(t, exported))
		})
	}
}

// together is what goes with each channel that can go, in words, without the groups' names.
func together(a *models.Arch) []string {
	var all []string
	for _, g := range a.Groups {
		for c := range g.Channels {
			var parts []string
			for _, p := range g.Parts {
				parts = append(parts, fmt.Sprint(p.Tensor, " ", p.Dim, p.Index[c], p.Role))
			}
			slices.Sort(parts)
			all = append(all, strings.Join(parts, ", "))
		}
	}
	slices.Sort(all)
	return all
}

// batch is what builtin.py takes.
func batch(t *testing.T, shape []int) (x, y *torch.Tensor) {
	size := 1
	for _, n := range shape {
		size *= n
	}
	labels := make([]int64, shape[0])
	for i := range labels {
		labels[i] = int64(i % 2)
	}
	x, err := torch.FromSlice(reftest.Ramp(size, 9000, 2), shape...)
	if err == nil {
		t.Cleanup(x.Free)
		y, err = torch.FromSlice(labels, len(labels))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(y.Free)
	return x, y
}

func logits(t *testing.T, n *models.Network, x *torch.Tensor) []float32 {
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	got, err := torch.ToSlice[float32](s.Clone(n.Forward(s, x, models.Pass{})))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// losses are those of builtin.py's training of a copy.
func losses(t *testing.T, n *models.Network, x, y *torch.Tensor, steps int) []float32 {
	n, err := n.Clone()
	if err != nil {
		t.Fatal(err)
	}
	defer n.Free()
	g, err := torch.NewGenerator(torch.CPU, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Free()
	opt, err := torch.NewSGD(n.Parameters(), torch.SGDOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer opt.Free()
	all := make([]float32, steps)
	for i := range all {
		if err := opt.ZeroGrad(); err != nil {
			t.Fatal(err)
		}
		s := torch.NewScope(torch.Grad)
		n.Constrain(s)
		loss := s.CrossEntropy(n.Forward(s, x, models.Pass{Training: true, Generator: g}), y)
		s.Backward(loss)
		v, err := torch.ToSlice[float32](s.Detach(loss))
		if err = errors.Join(err, s.Err()); err == nil {
			err = opt.Step(0.01)
		}
		s.Close()
		if err != nil {
			t.Fatal(err)
		}
		all[i] = v[0]
	}
	return all
}

func alike(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
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

// pruned is a network without two fifths of its filters, as lfp chooses them.
func pruned(t *testing.T, n *models.Network) *models.Network {
	lfp, err := prune.ByName("lfp")
	if err != nil {
		t.Fatal(err)
	}
	d, err := prune.Choose(n, lfp, 0.4, prune.Options{}, prune.Evidence{})
	if err != nil {
		t.Fatal(err)
	}
	small, err := d.Apply(n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(small.Free)
	return small
}

// sameTensors holds what is left of one to what is left of the other.
func sameTensors(t *testing.T, own, exported *models.Network) {
	t.Helper()
	for _, w := range own.State() {
		a, err := torch.ToSlice[float32](w.Tensor)
		if err != nil { // a count of batches
			continue
		}
		b, err := torch.ToSlice[float32](exported.Tensor(w.Name))
		if err != nil || !slices.Equal(a, b) {
			t.Errorf("%s: what is left differs: %v", w.Name, err)
		}
	}
}
