package train

import (
	"context"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// passes takes some epochs of steps, at another rate each, recorded or not, and returns
// their losses and accuracies, and the weights.
func passes(rt rapid.TB, from *models.Network, d *Data, g *torch.Generator, o Options, regimen func(n *models.Network) Regimen, record bool) (said []float64, weights [][]float32) {
	n, err := from.Clone()
	if err != nil {
		rt.Fatal(err)
	}
	defer n.Free()
	r, err := newTrainer(context.Background(), Training{Network: n, Data: d, Fit: upTo(d.Y.Shape()[0]), Options: o, Generator: g, Regimen: regimen(n)})
	if err != nil {
		rt.Fatal(err)
	}
	defer r.free()
	r.record = record
	for epoch := range 6 {
		order, err := shuffled(r.Fit, g)
		if err != nil {
			rt.Fatal(err)
		}
		loss, accuracy, err := r.pass(context.Background(), order, 0.05/float64(1+epoch))
		if err != nil {
			rt.Fatal(err)
		}
		said = append(said, loss, accuracy)
	}
	if record {
		for clips, s := range r.recordings {
			if s.graph == nil {
				rt.Fatalf("no step on %d clips was recorded", clips)
			}
		}
	}
	for _, p := range n.State() {
		if p.Buffer {
			continue
		}
		w, err := torch.ToSlice[float32](p.Tensor)
		if err != nil {
			rt.Fatal(err)
		}
		weights = append(weights, w)
	}
	return said, weights
}

// A replay of a recording is a step like any other: on its own rows, at its own rate, with
// the next random numbers. On the CPU a recording is the work itself, so that bits must
// agree.
func TestRecordedStepsAreSteps(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n, d, g := made(rt)
		defer n.Free()
		defer d.Free()
		defer g.Free()
		state, err := g.State()
		if err != nil {
			rt.Fatal(err)
		}
		defer state.Free()
		o := Options{Optimizer: rapid.SampledFrom([]string{"sgd", "adam"}).Draw(rt, "optimizer"), LR: 0.05, Epochs: 1,
			BatchSize: rapid.SampledFrom([]int{5, 8, 24}).Draw(rt, "batch size")} // 24 clips: 5 leaves a part
		regimen := rapid.SampledFrom([]func(n *models.Network) Regimen{
			func(*models.Network) Regimen { return Regimen{} },
			func(c *models.Network) Regimen {
				return Regimen{Gradients: func(s *torch.Scope) {
					for _, p := range c.Parameters() { // an L1 penalty
						s.AddInPlace(s.GradOf(p), s.Sign(s.Detach(p)), 1e-2)
					}
				}}
			},
			func(*models.Network) Regimen { return Regimen{Loss: Distill(n, 0.5, 2)} },
		}).Draw(rt, "regimen")
		want, wantWeights := passes(rt, n, d, g, o, regimen, false)
		if err := g.SetState(state); err != nil {
			rt.Fatal(err)
		}
		got, gotWeights := passes(rt, n, d, g, o, regimen, true)
		// As bits: a random network may not bear the rate, and NaN is no number's equal.
		if !slices.EqualFunc(got, want, func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }) {
			rt.Fatalf("losses and accuracies of recorded steps are %v, want %v", got, want)
		}
		for i := range wantWeights {
			if !slices.EqualFunc(gotWeights[i], wantWeights[i], func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
				rt.Fatalf("weights differ after recorded steps")
			}
		}
	})
}

// With bfloat16 a training goes another way, and to about the same place.
func TestBF16TrainsAsWell(t *testing.T) {
	d := separable(t, 64)
	accuracy := map[string]float64{}
	loss := map[string]float64{}
	for _, precision := range []string{"", BF16} {
		n, g := fresh(t, tiny(), 1)
		o := Options{Optimizer: "adam", LR: 0.01, BatchSize: 16, Epochs: 8, Precision: precision}
		h, err := Training{Network: n, Data: d, Fit: span(0, 48), Val: span(48, 64), Options: o, Generator: g}.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		last := h.Epochs[len(h.Epochs)-1]
		accuracy[precision], loss[precision] = last.ValAcc, last.Loss
		for _, p := range n.State() {
			if dtype := p.Tensor.Info().DType; !p.Buffer && dtype != torch.Float32 {
				t.Errorf("%s is %v after training with precision %q", p.Name, dtype, precision)
			}
		}
	}
	if loss[BF16] == loss[""] {
		t.Errorf("the loss is %g with bfloat16 and without", loss[""])
	}
	if accuracy[""] < 0.9 || accuracy[BF16] < 0.9 {
		t.Errorf("accuracy %g in float32, %g with bfloat16", accuracy[""], accuracy[BF16])
	}
}
