package prune_test

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

func generator(t rapid.TB, seed uint64) *torch.Generator {
	g, err := torch.NewGenerator(torch.CPU, seed)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// span lists the rows from one to below another.
func span(from, to int) []int {
	var rows []int
	for i := from; i < to; i++ {
		rows = append(rows, i)
	}
	return rows
}

// clips are made up, with labels that say nothing. The caller frees them.
func clips(t rapid.TB, arch *models.Arch, n int, g *torch.Generator) *train.Data {
	in := arch.Input
	x, err := torch.Full(0, torch.Float32, torch.CPU, n, in[0], in[1], in[2])
	if err == nil {
		err = g.Normal(x, 0, 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	labels := make([]int64, n)
	for i := range labels {
		labels[i] = int64(i*7/3) % int64(arch.Classes)
	}
	y, err := torch.FromSlice(labels, n)
	if err != nil {
		t.Fatal(err)
	}
	return &train.Data{X: x, Y: y}
}

func TestMaskedWeightsStayZero(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		arch := reftest.RandomArch(rt)
		n := randomNetwork(rt, t, arch)
		defer n.Free()
		g := generator(rt, 3)
		defer g.Free()
		d := clips(rt, arch, 24, g)
		defer d.Free()
		method, err := prune.ByName(rapid.SampledFrom([]string{"uwmp", "lamp"}).Draw(rt, "method"))
		if err != nil {
			rt.Fatal(err)
		}
		decision, err := prune.Choose(n, method, rapid.Float64Range(0.1, 0.95).Draw(rt, "ratio"), prune.Options{Linear: true}, prune.Evidence{})
		if err != nil {
			rt.Fatal(err)
		}
		masked, err := decision.Apply(n)
		if err != nil {
			rt.Fatal(err)
		}
		defer masked.Free()
		o := train.Options{Optimizer: rapid.SampledFrom([]string{"sgd", "adam"}).Draw(rt, "optimizer"), LR: 0.01, BatchSize: 8, Epochs: 2,
			WeightDecay: rapid.SampledFrom([]float64{0, 1e-3}).Draw(rt, "weight decay")}
		if o.Optimizer == "sgd" {
			o.Momentum = rapid.SampledFrom([]float64{0, 0.9}).Draw(rt, "momentum")
		}
		if _, err := (train.Training{Network: masked, Data: d, Fit: span(0, 16), Val: span(16, 24), Options: o, Generator: g}).Run(t.Context()); errors.Is(err, train.ErrDiverged) {
			rt.Skip("a network that does not bear this rate")
		} else if err != nil {
			rt.Fatal(err)
		}
		moved := false
		for i, p := range masked.State() {
			mask := decision.Masks[p.Name]
			if mask == nil {
				continue
			}
			got, _ := torch.ToSlice[float32](p.Tensor)
			before, _ := torch.ToSlice[float32](n.State()[i].Tensor)
			for k := range got {
				if !mask.Stays(k) && got[k] != 0 {
					rt.Fatalf("%s[%d] is masked but %g", p.Name, k, got[k])
				}
				moved = moved || mask.Stays(k) && got[k] != before[k]
			}
		}
		if !moved {
			rt.Skip("a dead network: nothing that stays has a gradient")
		}
	})
}

func TestPenaltyIsAddedToTheGradientsOfScales(t *testing.T) {
	arch, err := models.Build("fbccnn", models.Config{Input: [3]int{4, 9, 9}, Classes: 2})
	if err != nil {
		t.Fatal(err)
	}
	n := reftest.Network(t, arch)
	reftest.Fill(t, n, 7)
	gamma := n.Tensor("block1.2.weight")
	reftest.Set(t, gamma, []float32{1, -1, 0, 0.5, 1, 1, 1, 1, 1, 1, 1, -2})
	x := reftest.Tensor(t, reftest.Ramp(4*4*81, 3, 1), 4, 4, 9, 9)
	y := reftest.Tensor(t, []int64{0, 1, 0, 1}, 4)
	opt, err := torch.NewSGD(n.Parameters(), torch.SGDOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer opt.Free()
	start := func(strength float64) func(*torch.Scope) {
		r, err := prune.TrainingFor("nsfp").Start(n, prune.Job{Strength: strength})
		if err != nil {
			t.Fatal(err)
		}
		return r.Gradients
	}
	gradients := func(strength float64) []float32 {
		s := torch.NewScope(torch.Grad)
		defer s.Close()
		s.Backward(s.CrossEntropy(n.Forward(s, x, models.Pass{}), y))
		if strength != 0 {
			start(strength)(s)
		}
		v, err := torch.ToSlice[float32](s.GradOf(gamma))
		if err := s.Err(); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := opt.ZeroGrad(); err != nil {
			t.Fatal(err)
		}
		return v
	}
	plain, penalised := gradients(0), gradients(0.25)
	for i, sign := range []float64{1, -1, 0, 1, 1, 1, 1, 1, 1, 1, 1, -1} {
		if got, want := float64(penalised[i]-plain[i]), 0.25*sign; math.Abs(got-want) > 1e-6 {
			t.Errorf("the penalty added %g to the gradient of scale %d, want %g", got, i, want)
		}
	}
}

// Soft pruning is soft: filters that were zeroed after an epoch are trained on in the
// next, and their channels are zero in the network that is validated.
func TestSoftlyPrunedFiltersComeBack(t *testing.T) {
	arch, err := models.Build("fbccnn", models.Config{Input: [3]int{4, 9, 9}, Classes: 2})
	if err != nil {
		t.Fatal(err)
	}
	n, g, err := train.Fresh(arch, nil, torch.CPU, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Free()
	defer g.Free()
	d := clips(t, arch, 48, g)
	defer d.Free()
	sfp, err := prune.ByName("sfp")
	if err != nil {
		t.Fatal(err)
	}
	var zeroed prune.Keep
	back := 0
	regimen := train.Regimen{Epoch: func(int) (func() error, error) {
		for name, kept := range zeroed {
			w, err := torch.ToSlice[float32](n.Tensor(name + ".weight"))
			if err != nil {
				return nil, err
			}
			channels := arch.Group(name).Channels
			for i, v := range w {
				if v != 0 && !slices.Contains(kept, i/(len(w)/channels)) {
					back++
					break
				}
			}
		}
		decision, err := prune.Choose(n, sfp, 0.5, prune.Options{}, prune.Evidence{})
		if err != nil {
			return nil, err
		}
		zeroed = decision.Keep
		if err := prune.Soften(n, zeroed); err != nil {
			return nil, err
		}
		return prune.Silence(n, zeroed)
	}}
	o := train.Options{Optimizer: "sgd", LR: 0.05, Momentum: 0.9, BatchSize: 16, Epochs: 3}
	if _, err := (train.Training{Network: n, Data: d, Fit: span(0, 32), Val: span(32, 48), Options: o, Generator: g, Regimen: regimen}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if back == 0 {
		t.Error("no layer has a filter that came back after it was zeroed")
	}
	silent, err := prune.Silent(n)
	if err != nil {
		t.Fatal(err)
	}
	for i := range arch.Groups {
		group := &arch.Groups[i]
		if arch.Linear(group) {
			continue
		}
		if got, want := len(silent[group.Name]), group.Channels-group.Channels/2; got != want {
			t.Errorf("the best network's %s has %d channels that are not silent, want %d of %d", group.Name, got, want, group.Channels)
		}
	}
}

// trained trains a small network as a method asks, from a snapshot if there is one, and returns
// the network that End returns. With stop it is ended after that many epochs.
func trained(t *testing.T, m prune.Method, path string, stop int) *models.Network {
	t.Helper()
	arch, err := models.Build("fbccnn", models.Config{Input: [3]int{2, 5, 5}, Classes: 2})
	if err != nil {
		t.Fatal(err)
	}
	n, g, err := train.Fresh(arch, nil, torch.CPU, 5)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Free()
	d := clips(t, arch, 24, generator(t, 9))
	defer d.Free()
	o := train.Options{Optimizer: "adam", LR: 1e-3, BatchSize: 8, Epochs: 5}
	job := prune.Job{Method: m, Ratio: 0.6, Strength: 1e-3, Epochs: o.Epochs, Evidence: evidence}
	regimen, err := m.Training.Start(n, job)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	watch := train.Observer{Epoch: func(done int, _ train.Epoch) {
		if done == stop {
			cancel()
		}
	}}
	_, err = train.Training{Network: n, Data: d, Fit: span(0, 16), Val: span(16, 24), Options: o, Generator: g, Regimen: regimen, Watch: watch,
		Snapshots: train.Snapshots{Path: path, Every: 1}}.Run(ctx)
	if stop > 0 && errors.Is(err, context.Canceled) {
		n.Free()
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	end, _, err := m.Training.End(n, job)
	if err != nil {
		t.Fatal(err)
	}
	if end != n {
		n.Free()
	}
	return end
}

// For every method that a network is trained for: a training that was interrupted gives the same
// network, and one that prunes leaves the same as a choice at the ratio.
func TestTrainingsForMethods(t *testing.T) {
	for _, m := range prune.Methods() {
		if m.Training == nil {
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			dir := t.TempDir()
			whole := trained(t, m, filepath.Join(dir, "whole.safetensors"), 0)
			defer whole.Free()
			path := filepath.Join(dir, "stopped.safetensors")
			for _, stop := range []int{1, 3} {
				trained(t, m, path, stop)
			}
			again := trained(t, m, path, 0)
			defer again.Free()
			for i, p := range whole.State() {
				a, err1 := torch.ToSlice[float32](p.Tensor)
				b, err2 := torch.ToSlice[float32](again.State()[i].Tensor)
				if p.Tensor.Info().DType == torch.Float32 && (err1 != nil || err2 != nil || !slices.Equal(a, b)) {
					t.Errorf("%s differs after interruptions (%v, %v)", p.Name, err1, err2)
				}
			}
			if !m.Training.Prunes {
				return
			}
			if !m.Masks {
				for _, g := range whole.Arch.Groups {
					if want := 12 - 7; g.Name == "block1.0" && g.Channels != want { // 12 channels, int(0.6*12) go
						t.Errorf("%s has %d channels, want %d", g.Name, g.Channels, want)
					}
				}
				return
			}
			zero, all := 0, 0
			for name, mask := range whole.Masks() {
				v, err := torch.ToSlice[float32](whole.Tensor(name))
				if err != nil {
					t.Fatal(err)
				}
				for i, x := range v {
					all++
					if !mask.Stays(i) {
						zero++
						if x != 0 {
							t.Fatalf("%s[%d] is masked but %g", name, i, x)
						}
					}
				}
			}
			if share := float64(zero) / float64(all); math.Abs(share-0.6) > 0.001 {
				t.Errorf("%.4f of the weights are masked, want 0.6", share)
			}
		})
	}
}
