package torch_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/torch"
)

// An operand is a float64 tensor of a random shape with random values.
type operand struct {
	data  []float64
	shape []int
}

// draw keeps values away from 0, where ReLU's kin have no derivative.
func draw(t *rapid.T, name string, shape ...int) operand {
	n := 1
	for _, d := range shape {
		n *= d
	}
	o := operand{make([]float64, n), shape}
	for i := range o.data {
		o.data[i] = rapid.Float64Range(0.05, 2).Draw(t, name)
		if rapid.Bool().Draw(t, "negative") {
			o.data[i] = -o.data[i]
		}
	}
	return o
}

// checkGradients compares Backward with central differences, for a sum of f's output in
// which every element has a weight of its own.
func checkGradients(t *rapid.T, f func(s *torch.Scope, x []*torch.Tensor) *torch.Tensor, operands ...operand) {
	loss := func(s *torch.Scope, x []*torch.Tensor) *torch.Tensor {
		out := f(s, x)
		n := out.Len()
		w := make([]float64, n)
		for i := range w {
			w[i] = math.Sin(float64(i + 1))
		}
		weights, err := torch.FromSlice(w, out.Shape()...)
		if err != nil {
			s.Fail(err)
			return out
		}
		defer weights.Free()
		return s.Sum(s.Mul(out, weights))
	}
	x := make([]*torch.Tensor, len(operands))
	for i, o := range operands {
		var err error
		if x[i], err = torch.FromSlice(o.data, o.shape...); err != nil {
			t.Fatal(err)
		}
		defer x[i].Free()
		if err := x[i].RequireGrad(); err != nil {
			t.Fatal(err)
		}
	}
	set := func(i int) {
		data, err := torch.FromSlice(operands[i].data, operands[i].shape...)
		if err != nil {
			t.Fatal(err)
		}
		defer data.Free()
		if err := x[i].CopyFrom(data); err != nil {
			t.Fatal(err)
		}
	}
	value := func() float64 {
		s := torch.NewScope(torch.NoGrad)
		defer s.Close()
		v, err := loss(s, x).Item()
		if s.Err() != nil || err != nil {
			t.Fatal(s.Err(), err)
		}
		return v
	}
	s := torch.NewScope(torch.Grad)
	defer s.Close()
	s.Backward(loss(s, x))
	const h = 1e-5
	for i, o := range operands {
		got, err := torch.ToSlice[float64](s.GradOf(x[i]))
		if err != nil {
			t.Fatal(s.Err(), err)
		}
		for k, v := range o.data {
			ends := [2]float64{}
			for e, d := range []float64{h, -h} {
				o.data[k] = v + d
				set(i)
				ends[e] = value()
			}
			o.data[k] = v
			set(i)
			want := (ends[0] - ends[1]) / (2 * h)
			if !(math.Abs(got[k]-want) <= 1e-5*max(1, math.Abs(want))) {
				t.Fatalf("gradient %d of operand %d of shape %v is %.10g, differences give %.10g", k, i, o.shape, got[k], want)
			}
		}
	}
}

func TestGradientsOfConvolution(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups := rapid.IntRange(1, 2).Draw(t, "groups")
		in, out := groups*rapid.IntRange(1, 2).Draw(t, "in"), groups*rapid.IntRange(1, 2).Draw(t, "out")
		kh, kw := rapid.IntRange(1, 2).Draw(t, "kernel height"), rapid.IntRange(1, 3).Draw(t, "kernel width")
		o := torch.Conv2dOptions{Groups: groups,
			Stride:  [2]int{rapid.IntRange(1, 2).Draw(t, "stride"), rapid.IntRange(1, 3).Draw(t, "stride")},
			Padding: [2]int{rapid.IntRange(0, 2).Draw(t, "padding"), rapid.IntRange(0, 1).Draw(t, "padding")}}
		checkGradients(t, func(s *torch.Scope, x []*torch.Tensor) *torch.Tensor { return s.Conv2d(x[0], x[1], x[2], o) },
			draw(t, "x", rapid.IntRange(1, 2).Draw(t, "n"), in, 2, 4), draw(t, "weight", out, in/groups, kh, kw), draw(t, "bias", out))
	})
}

func TestGradientsOfLinear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, in, out := rapid.IntRange(1, 3).Draw(t, "n"), rapid.IntRange(1, 4).Draw(t, "in"), rapid.IntRange(1, 4).Draw(t, "out")
		checkGradients(t, func(s *torch.Scope, x []*torch.Tensor) *torch.Tensor { return s.Linear(x[0], x[1], x[2]) },
			draw(t, "x", n, in), draw(t, "weight", out, in), draw(t, "bias", out))
	})
}

// constant makes a float64 tensor that the property frees.
func constant(t *rapid.T, data ...float64) *torch.Tensor {
	x, err := torch.FromSlice(data, len(data))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestGradientsOfBatchNorm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mean, variance := constant(t, 0.3, -0.2), constant(t, 0.7, 1.9)
		defer mean.Free()
		defer variance.Free()
		count, err := torch.FromSlice([]int64{0})
		if err != nil {
			t.Fatal(err)
		}
		defer count.Free()
		training := rapid.Bool().Draw(t, "training")
		checkGradients(t, func(s *torch.Scope, x []*torch.Tensor) *torch.Tensor {
			b := torch.BatchNorm{Weight: x[1], Bias: x[2], Mean: mean, Variance: variance, Count: count, Momentum: 0.1, Eps: 1e-2}
			return s.BatchNorm(x[0], b, training)
		}, draw(t, "x", rapid.IntRange(2, 3).Draw(t, "n"), 2, 1, rapid.IntRange(1, 3).Draw(t, "width")), draw(t, "weight", 2), draw(t, "bias", 2))
	})
}

func TestGradientsOfElementwiseLayers(t *testing.T) {
	layers := map[string]func(s *torch.Scope, x *torch.Tensor) *torch.Tensor{
		"relu":       func(s *torch.Scope, x *torch.Tensor) *torch.Tensor { return s.ReLU(x) },
		"leaky_relu": func(s *torch.Scope, x *torch.Tensor) *torch.Tensor { return s.LeakyReLU(x, 0.01) },
		"selu":       func(s *torch.Scope, x *torch.Tensor) *torch.Tensor { return s.SELU(x) },
		"elu":        func(s *torch.Scope, x *torch.Tensor) *torch.Tensor { return s.ELU(x, 0.7) },
		"abs":        func(s *torch.Scope, x *torch.Tensor) *torch.Tensor { return s.Abs(x) },
		"exp":        func(s *torch.Scope, x *torch.Tensor) *torch.Tensor { return s.Exp(x) },
		"log sqrt":   func(s *torch.Scope, x *torch.Tensor) *torch.Tensor { return s.Log(s.Sqrt(s.Mul(x, x))) },
		"flatten":    func(s *torch.Scope, x *torch.Tensor) *torch.Tensor { return s.Flatten(x, 1) },
		"mean":       func(s *torch.Scope, x *torch.Tensor) *torch.Tensor { return s.Mean(x, -1) },
		"softmax":    func(s *torch.Scope, x *torch.Tensor) *torch.Tensor { return s.Softmax(x, 1) },
		"zero_pad2d": func(s *torch.Scope, x *torch.Tensor) *torch.Tensor { return s.ZeroPad2d(x, [4]int{1, 0, 2, 1}) },
		"avg_pool2d": func(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
			return s.AvgPool2d(x, [2]int{1, 2}, [2]int{1, 2})
		},
		"narrow and select": func(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
			return s.Narrow(s.Select(x, 3, []int{2, 0, 2}), 3, 1, 2)
		},
	}
	for name, layer := range layers {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				checkGradients(t, func(s *torch.Scope, x []*torch.Tensor) *torch.Tensor { return layer(s, x[0]) },
					draw(t, "x", rapid.IntRange(1, 2).Draw(t, "n"), 2, 1, rapid.IntRange(3, 5).Draw(t, "width")))
			})
		})
	}
}

func TestGradientsOfCatAndBroadcasting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dim := rapid.IntRange(0, 1).Draw(t, "dim")
		checkGradients(t, func(s *torch.Scope, x []*torch.Tensor) *torch.Tensor {
			// An operand that is used twice gets both gradients.
			return s.Div(s.Cat(dim, x[0], x[1], x[0]), x[2])
		}, draw(t, "a", 2, 2), draw(t, "b", 2, 2), draw(t, "c", 1))
	})
}

func TestGradientsOfCrossEntropy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, classes := rapid.IntRange(1, 4).Draw(t, "n"), rapid.IntRange(2, 4).Draw(t, "classes")
		labels := make([]int64, n)
		for i := range labels {
			labels[i] = int64(rapid.IntRange(0, classes-1).Draw(t, "label"))
		}
		y, err := torch.FromSlice(labels, n)
		if err != nil {
			t.Fatal(err)
		}
		defer y.Free()
		checkGradients(t, func(s *torch.Scope, x []*torch.Tensor) *torch.Tensor { return s.CrossEntropy(x[0], y) },
			draw(t, "logits", n, classes))
	})
}

// TestGradientsOfDropout uses the same numbers for each evaluation.
func TestGradientsOfDropout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed, perChannel := rapid.Uint64().Draw(t, "seed"), rapid.Bool().Draw(t, "per channel")
		checkGradients(t, func(s *torch.Scope, x []*torch.Tensor) *torch.Tensor {
			g, err := torch.NewGenerator(torch.CPU, seed)
			if err != nil {
				s.Fail(err)
				return x[0]
			}
			defer g.Free()
			return s.Dropout(x[0], 0.4, perChannel, g)
		}, draw(t, "x", 2, 3, 1, 2))
	})
}
