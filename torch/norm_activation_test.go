package torch_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/torch"
)

// A BatchNorm and an activation in one pass are those one after the other, of maps of any shape that lie in any order,
// also of a part of some.
func TestNormActivationIsBatchNormAndActivation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := torch.NewScope(torch.NoGrad)
		defer s.Close()
		n := func(low, high int, what string) int { return rapid.IntRange(low, high).Draw(t, what) }
		shape := []int{n(1, 17, "clips"), n(1, 37, "channels")}
		for range n(0, 3, "dimensions") {
			shape = append(shape, n(1, 12, "size"))
		}
		g, err := torch.NewGenerator(torch.CPU, uint64(n(0, 1000, "seed")))
		if err != nil {
			t.Fatal(err)
		}
		defer g.Free()
		// The dimensions in the order in which they lie, and back.
		order := rapid.Permutation(indices(len(shape))).Draw(t, "order")
		lying, back := make([]int, len(shape)), make([]int, len(shape))
		for i, d := range order {
			lying[i], back[d] = shape[d], i
		}
		x := s.Call("aten.permute.default", torch.Arguments{"self": normal(t, s, g, lying...), "dims": back}, nil)
		if d := n(0, len(shape)-1, "part of dimension"); shape[d] > 1 && rapid.Bool().Draw(t, "part") {
			x = s.Narrow(x, d, 1, shape[d]-1)
			shape[d]--
		}
		var norm *torch.BatchNorm
		want := x
		if rapid.Bool().Draw(t, "norm") {
			c := shape[1]
			norm = &torch.BatchNorm{Weight: normal(t, s, g, c), Bias: normal(t, s, g, c), Mean: normal(t, s, g, c), Variance: s.Exp(normal(t, s, g, c)), Eps: 1e-3}
			want = s.BatchNorm(want, *norm, false)
		}
		var a torch.Activation
		switch rapid.SampledFrom([]string{"none", "relu", "leaky relu", "elu", "selu", "gelu", "silu"}).Draw(t, "activation") {
		case "relu":
			a, want = torch.Activation{Positive: 1}, s.ReLU(want)
		case "leaky relu":
			a, want = torch.Activation{Positive: 1, Negative: 0.2}, s.LeakyReLU(want, 0.2)
		case "elu":
			a, want = torch.Activation{Positive: 1, Negative: 0.7, Exponent: 1}, s.ELU(want, 0.7)
		case "selu":
			const scale, alpha = 1.0507009873554805, 1.6732632423543772
			a, want = torch.Activation{Positive: scale, Negative: scale * alpha, Exponent: 1}, s.SELU(want)
		case "gelu":
			a, want = torch.Activation{Gate: torch.NormalGate}, s.Call("aten.gelu.default", torch.Arguments{"self": want}, nil)
		case "silu":
			a, want = torch.Activation{Gate: torch.LogisticGate}, s.Call("aten.silu.default", torch.Arguments{"self": want}, nil)
		}
		before := valuesOf(t, s, x)
		numbers := func(over bool) []float32 {
			y := s.NormActivation(x, norm, a, over)
			if got := y.Shape(); s.Err() == nil && !slices.Equal(got, shape) {
				t.Fatalf("shape %v, want %v", got, shape)
			}
			return valuesOf(t, s, y)
		}
		got := numbers(false)
		if !slices.Equal(valuesOf(t, s, x), before) {
			t.Fatal("the input was overwritten")
		}
		for i, w := range valuesOf(t, s, want) {
			if !(math.Abs(float64(got[i]-w)) <= 2e-6*max(1, math.Abs(float64(w)))) {
				t.Fatalf("number %d is %v, want %v", i, got[i], w)
			}
		}
		if over := numbers(true); !slices.Equal(over, got) {
			t.Fatal("written over the input it has other numbers")
		}
	})
}

func indices(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// Exponentials are within two units in the last place, and numbers at the ends of the range stay what they are.
func TestNormActivationIsExact(t *testing.T) {
	s := scope(t, torch.NoGrad)
	elu := torch.Activation{Positive: 1, Negative: 1, Exponent: 1}
	run := func(a torch.Activation, x ...float32) []float32 {
		v, err := torch.ToSlice[float32](s.NormActivation(f32(t, x, 1, len(x)), nil, a, false))
		if err != nil {
			t.Fatal(err, s.Err())
		}
		return v
	}
	var x []float32
	for i := range 200000 {
		x = append(x, -float32(i)*1e-4, -float32(math.Exp(-float64(i)/2500)))
	}
	for i, got := range run(elu, x...) {
		want := math.Expm1(float64(x[i]))
		if unit := math.Abs(want) * math.Pow(2, -23); !(math.Abs(float64(got)-want) <= 2*unit) {
			t.Fatalf("exp(%v) - 1 is %v, want %v", x[i], got, want)
		}
	}
	// Probabilities are within three units in the last place of 1.
	both := append(slices.Clone(x), x...)
	for i := range x {
		both[i] = -x[i]
	}
	for gate, want := range map[torch.Gate]func(x float64) float64{
		torch.NormalGate:   func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 },
		torch.LogisticGate: func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
	} {
		for i, got := range run(torch.Activation{Gate: gate}, both...) {
			at := float64(both[i])
			if p := want(at); !(math.Abs(float64(got)-at*p) <= math.Abs(at)*3*math.Pow(2, -23)) {
				t.Fatalf("gate %v of %v gives %v, want %v", gate, at, got, at*p)
			}
		}
	}
	inf, none := float32(math.Inf(1)), float32(math.NaN())
	ends := []float32{inf, -inf, none, 0, 3e38, -3e38, 1e-40, -1e-40}
	for _, c := range []struct {
		a    torch.Activation
		want []float32
	}{
		{elu, []float32{inf, -1, none, 0, 3e38, -1, 1e-40, -1e-40}},
		{torch.Activation{Positive: 1}, []float32{inf, 0, none, 0, 3e38, 0, 1e-40, 0}},
		{torch.Activation{Positive: 1, Negative: 0.5}, []float32{inf, -inf, none, 0, 3e38, -1.5e38, 1e-40, -5e-41}},
		{torch.Activation{Gate: torch.NormalGate}, []float32{inf, none, none, 0, 3e38, float32(math.Copysign(0, -1)), 5e-41, -5e-41}},
		{torch.Activation{Gate: torch.LogisticGate}, []float32{inf, none, none, 0, 3e38, float32(math.Copysign(0, -1)), 5e-41, -5e-41}},
		{torch.Activation{}, ends},
	} {
		if got := run(c.a, ends...); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%+v of %v is %v, want %v", c.a, ends, got, c.want)
		}
	}
}

func TestNormActivationRefusals(t *testing.T) {
	x := f32(t, make([]float32, 12), 1, 3, 4)
	two := f32(t, make([]float32, 2), 2)
	for what, run := range map[string]func(s *torch.Scope) *torch.Tensor{
		"an exponent that is not 1": func(s *torch.Scope) *torch.Tensor {
			return s.NormActivation(x, nil, torch.Activation{Positive: 1, Negative: 1, Exponent: 2}, false)
		},
		"a gate that is none": func(s *torch.Scope) *torch.Tensor {
			return s.NormActivation(x, nil, torch.Activation{Gate: 3}, false)
		},
		"a BatchNorm of other channels": func(s *torch.Scope) *torch.Tensor {
			return s.NormActivation(x, &torch.BatchNorm{Weight: two, Bias: two, Mean: two, Variance: two}, torch.Activation{}, false)
		},
		"other numbers than float32": func(s *torch.Scope) *torch.Tensor {
			return s.NormActivation(s.To(x, torch.Float64, torch.CPU), nil, torch.Activation{}, false)
		},
		"a BatchNorm of one dimension": func(s *torch.Scope) *torch.Tensor {
			return s.NormActivation(two, &torch.BatchNorm{Weight: two, Bias: two, Mean: two, Variance: two}, torch.Activation{}, false)
		},
		"no tensor": func(s *torch.Scope) *torch.Tensor { return s.NormActivation(nil, nil, torch.Activation{}, false) },
		"a BatchNorm without tensors": func(s *torch.Scope) *torch.Tensor {
			return s.NormActivation(x, &torch.BatchNorm{}, torch.Activation{}, false)
		},
	} {
		s := torch.NewScope(torch.NoGrad)
		run(s)
		if s.Err() == nil {
			t.Errorf("%s is no error", what)
		}
		s.Close()
	}
	s := torch.NewScope(torch.Grad)
	defer s.Close()
	if s.NormActivation(x, nil, torch.Activation{}, false); s.Err() == nil {
		t.Error("gradients are no error")
	}
}
