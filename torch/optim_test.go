package torch_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/torch"
)

// steps runs an optimizer on one parameter with the given gradients, which it gets as
// those of a sum of products.
func steps(t *rapid.T, make func([]*torch.Tensor) (*torch.Optimizer, error), start []float64, grads [][]float64, lr torch.Schedule) []float64 {
	p := constant(t, start...)
	defer p.Free()
	idle := constant(t, 5)
	defer idle.Free()
	for _, x := range []*torch.Tensor{p, idle} {
		if err := x.RequireGrad(); err != nil {
			t.Fatal(err)
		}
	}
	o, err := make([]*torch.Tensor{idle, p})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Free()
	for i, g := range grads {
		s := torch.NewScope(torch.Grad)
		c := constant(t, g...)
		s.Backward(s.Sum(s.Mul(p, c)))
		err := s.Err()
		s.Close()
		c.Free()
		for _, do := range []func() error{func() error { return o.Step(lr(i)) }, o.ZeroGrad} {
			if err == nil {
				err = do()
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if v, err := idle.Item(); err != nil || v != 5 {
		t.Errorf("a parameter without a gradient went from 5 to %v (%v)", v, err)
	}
	out, err := torch.ToSlice[float64](p)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func drawSteps(t *rapid.T) (start []float64, grads [][]float64) {
	start = draw(t, "start", 3).data
	for range rapid.IntRange(1, 6).Draw(t, "steps") {
		grads = append(grads, draw(t, "gradient", 3).data)
	}
	return start, grads
}

// TestSGDFollowsItsFormula states torch.optim.SGD's documentation again: the first
// momentum buffer is the first gradient itself.
func TestSGDFollowsItsFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start, grads := drawSteps(t)
		o := torch.SGDOptions{Momentum: rapid.SampledFrom([]float64{0, 0.5, 0.9}).Draw(t, "momentum"),
			WeightDecay: rapid.SampledFrom([]float64{0, 1e-4, 0.1}).Draw(t, "weight decay")}
		lr := torch.MultiStepLR(0.1, 0.1, 2)
		got := steps(t, func(p []*torch.Tensor) (*torch.Optimizer, error) { return torch.NewSGD(p, o) }, start, grads, lr)
		want := append([]float64(nil), start...)
		for k := range want {
			buffer := 0.0
			for i, g := range grads {
				rate := 0.1
				if i >= 2 {
					rate = 0.01
				}
				d := g[k] + o.WeightDecay*want[k]
				if i == 0 {
					buffer = d
				} else {
					buffer = o.Momentum*buffer + d
				}
				if o.Momentum == 0 {
					buffer = d
				}
				want[k] -= rate * buffer
			}
		}
		near(t, "parameter", got, want, 1e-13)
	})
}

// TestAdamFollowsItsFormula states Algorithm 1 of Kingma & Ba again.
func TestAdamFollowsItsFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start, grads := drawSteps(t)
		o := torch.AdamOptions{WeightDecay: rapid.SampledFrom([]float64{0, 0.1}).Draw(t, "weight decay")}
		b1, b2, eps := 0.9, 0.999, 1e-8
		if rapid.Bool().Draw(t, "own constants") {
			b1, b2, eps = 0.5, 0.9, 1e-3
			o.Beta1, o.Beta2, o.Eps = b1, b2, eps
		}
		got := steps(t, func(p []*torch.Tensor) (*torch.Optimizer, error) { return torch.NewAdam(p, o) }, start, grads,
			func(int) float64 { return 0.01 })
		want := append([]float64(nil), start...)
		for k := range want {
			m, v := 0.0, 0.0
			for i, g := range grads {
				d := g[k] + o.WeightDecay*want[k]
				m, v = b1*m+(1-b1)*d, b2*v+(1-b2)*d*d
				n := float64(i + 1)
				want[k] -= 0.01 * (m / (1 - math.Pow(b1, n))) / (math.Sqrt(v/(1-math.Pow(b2, n))) + eps)
			}
		}
		near(t, "parameter", got, want, 1e-12)
	})
}

// TestOptimizersKeepTheirParametersAlive frees the handle that the optimizer was given.
func TestOptimizersKeepTheirParametersAlive(t *testing.T) {
	p := leaf(t, []float64{1}, 1)
	o, err := torch.NewAdam([]*torch.Tensor{p}, torch.AdamOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s := torch.NewScope(torch.Grad)
	s.Backward(s.Sum(s.Mul(p, p)))
	s.Close()
	p.Free()
	for range 3 {
		if err := o.Step(0.1); err != nil {
			t.Error(err)
		}
	}
	o.Free()
	o.Free()
}

func TestSchedules(t *testing.T) {
	multi := torch.MultiStepLR(1, 0.1, 150, 180)
	for _, c := range []struct {
		schedule torch.Schedule
		epoch    int
		want     float64
	}{
		{multi, 0, 1}, {multi, 149, 1}, {multi, 150, 0.1}, {multi, 179, 0.1}, {multi, 180, 0.01}, {multi, 199, 0.01},
	} {
		if got := c.schedule(c.epoch); !(math.Abs(got-c.want) < 1e-15) {
			t.Errorf("epoch %d: rate %g, want %g", c.epoch, got, c.want)
		}
	}
}

// An optimizer that goes on from another's state takes the same steps as the other.
func TestOptimizersGoOnFromState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start, grads := drawSteps(t)
		make := func(p []*torch.Tensor) (*torch.Optimizer, error) {
			return torch.NewSGD(p, torch.SGDOptions{Momentum: 0.9, WeightDecay: 1e-3})
		}
		if rapid.Bool().Draw(t, "adam") {
			make = func(p []*torch.Tensor) (*torch.Optimizer, error) {
				return torch.NewAdam(p, torch.AdamOptions{WeightDecay: 1e-3})
			}
		}
		want := steps(t, make, start, grads, torch.MultiStepLR(0.1, 1))
		cut := rapid.IntRange(0, len(grads)).Draw(t, "cut")

		p := constant(t, start...)
		defer p.Free()
		if err := p.RequireGrad(); err != nil {
			t.Fatal(err)
		}
		state := map[string]*torch.Tensor{}
		for _, part := range [][][]float64{grads[:cut], grads[cut:]} {
			o, err := make([]*torch.Tensor{p})
			if err != nil {
				t.Fatal(err)
			}
			err = o.SetState(state)
			torch.FreeAll(state)
			for _, g := range part {
				s := torch.NewScope(torch.Grad)
				c := constant(t, g...)
				s.Backward(s.Sum(s.Mul(p, c)))
				err = errors.Join(err, s.Err(), o.Step(0.1), o.ZeroGrad())
				s.Close()
				c.Free()
			}
			var err2 error
			state, err2 = o.State()
			o.Free()
			if err := errors.Join(err, err2); err != nil {
				t.Fatal(err)
			}
		}
		torch.FreeAll(state)
		got, err := torch.ToSlice[float64](p)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("interrupted after %d of %d steps: %v (%v), want %v", cut, len(grads), got, err, want)
		}
	})
}

func TestOptimizersRefuseStateThatDoesNotFit(t *testing.T) {
	p, err := torch.Zeros(3)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Free()
	o, err := torch.NewAdam([]*torch.Tensor{p}, torch.AdamOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Free()
	wrong, err := torch.Zeros(4)
	if err != nil {
		t.Fatal(err)
	}
	defer wrong.Free()
	if err := o.SetState(map[string]*torch.Tensor{"0.exp_avg": wrong}); err == nil || !strings.Contains(err.Error(), "shape") {
		t.Errorf("a state of another shape: error %v, want one about the shape", err)
	}
}
