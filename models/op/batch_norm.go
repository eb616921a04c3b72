package op

import (
	"fmt"

	"github.com/eegprune/eegprune/torch"
)

// BatchNorm normalises each channel over the batch (Ioffe 2015); its weight is the paper's gamma.
// Its num_batches_tracked, which libtorch's operation does not have, is the buffer that
// torch.export's graphs count up with an operation of their own.
const BatchNorm = "aten.batch_norm.default"

// PyTorch's own.
const (
	batchNormMomentum = 0.1
	batchNormEps      = 1e-5
)

func batchNorm() Op {
	const schema = "batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps, bool cudnn_enabled, Tensor? num_batches_tracked=None) -> Tensor"
	tensors := map[string]Role{"weight": Scale, "bias": Shift, "running_mean": Statistic, "running_var": Statistic}
	return Op{
		Schema: schema,
		Weighs: Norm,
		Shape: func(c *Call) ([]int, error) {
			x, err := c.Map("input", "BatchNorm", 3)
			if err != nil {
				return nil, err
			}
			if m, e := c.Float("momentum"), c.Float("eps"); !(m >= 0 && m <= 1 && e >= 0) {
				return nil, fmt.Errorf("a BatchNorm of momentum %g and eps %g: the momentum must be in [0, 1] and eps not negative", m, e)
			}
			for arg := range tensors {
				if !c.Given(arg) {
					return nil, fmt.Errorf("a BatchNorm without its %s is not known", arg)
				}
			}
			if s := c.Shape("weight"); len(s) == 1 && s[0] != x[0] {
				return nil, fmt.Errorf("a BatchNorm of %d channels gets %v", s[0], x)
			}
			for arg := range tensors {
				if err := c.rows(arg, x[0]); err != nil {
					return nil, err
				}
			}
			return same("input")(c)
		},
		Fit: func(c *Call) {
			if c.Gives != nil {
				return
			}
			for arg := range tensors {
				c.resize(arg, 0, c.Shape("input")[1])
			}
		},
		Tie: func(t *Ties) {
			t.Same(t.In("input", 0), t.Out(0))
			t.Same(t.In("input", 1), t.Out(1))
			for _, arg := range []string{"weight", "bias", "running_mean", "running_var"} {
				if t.Given(arg) {
					t.Same(t.In("input", 1), t.Tensor(arg, 0, tensors[arg]))
				}
			}
		},
		// Of an evaluation: one for the scale and one for the shift.
		MACs: func(c *Call) int64 {
			if !c.Given("weight") {
				return perClip(c.Out)
			}
			return 2 * perClip(c.Out)
		},
		Bind: func(b *Binding) Kernel {
			for arg := range tensors {
				if b.Tensors[b.Ref(arg)] == nil {
					return nil // the graph computes it
				}
			}
			x, norm := b.Source("input"), b.Norm()
			return func(s *torch.Scope, v *Values) *torch.Tensor { return s.BatchNorm(x(v), norm, v.Training) }
		},
		Variants: []Variant{{
			// libtorch's own BatchNorm in place of cuDNN's.
			Name: "native",
			Fits: func(*Call) bool { return true },
			Bind: bindNativeNorm,
		}, {
			// A BatchNorm from means over a flattened view, each an operation.
			Name: "sums",
			Fits: func(*Call) bool { return true },
			Bind: bindNormFromSums,
		}, {
			// A BatchNorm of few channels and large maps by a kernel of eegprune's own.
			Name: OwnKernel,
			GPU:  true,
			Fits: func(*Call) bool { return true },
			Bind: func(b *Binding) Kernel {
				x, n := b.Source("input"), b.Norm()
				return func(s *torch.Scope, v *Values) *torch.Tensor { return s.KernelBatchNorm(x(v), n) }
			},
		}},
		ONNX: batchNormONNX,
		Module: func(c *Call) string {
			args := fmt.Sprint(c.Shape("weight")[0])
			if e := c.Float("eps"); e != batchNormEps {
				args += ", eps=" + number(e)
			}
			if m := c.Float("momentum"); m != batchNormMomentum {
				args += ", momentum=" + number(m)
			}
			return "nn.BatchNorm2d(" + args + ")"
		},
		Rewritable: true,
		AnyLayout:  true,
	}
}

// KeepsStatistics reports whether a BatchNorm of float32 has weights and running statistics, by which its evaluation
// normalises each channel.
func (c *Call) KeepsStatistics() bool {
	x := c.Shape("input")
	if len(x) < 2 || len(c.Gives) > 0 && c.Gives[0].Type != "" {
		return false
	}
	for _, arg := range []string{"weight", "bias", "running_mean", "running_var"} {
		if s := c.Shape(arg); len(s) != 1 || s[0] != x[1] {
			return false
		}
	}
	return true
}

// Norm returns a BatchNorm's settings and tensors, of those that are parameters and buffers.
func (b *Binding) Norm() torch.BatchNorm {
	t := func(arg string) *torch.Tensor { return b.Tensors[b.Ref(arg)] }
	return torch.BatchNorm{Weight: t("weight"), Bias: t("bias"), Mean: t("running_mean"), Variance: t("running_var"),
		Count: t("num_batches_tracked"), Momentum: b.Float("momentum"), Eps: b.Float("eps")}
}

// NormOptions are the options of a BatchNorm; zero means PyTorch's momentum of 0.1 and eps of 1e-5.
type NormOptions struct{ Momentum, Eps float64 }

// BatchNorm2d adds a [BatchNorm] of maps with so many channels.
func (n *Net) BatchNorm2d(name string, channels int, o NormOptions) Layer {
	if o.Momentum == 0 {
		o.Momentum = batchNormMomentum
	}
	if o.Eps == 0 {
		o.Eps = batchNormEps
	}
	each := func(tensor string, fill float64, buffer bool) Ref {
		return n.tensor(Tensor{Name: name + "." + tensor, Shape: []int{channels}, Fill: fill, Buffer: buffer})
	}
	args := Args{"training": true, "momentum": o.Momentum, "eps": o.Eps, "cudnn_enabled": true, "weight": each("weight", 1, false), "bias": each("bias", 0, false),
		"running_mean": each("running_mean", 0, true), "running_var": each("running_var", 1, true)}
	args["num_batches_tracked"] = n.tensor(Tensor{Name: name + ".num_batches_tracked", Shape: []int{}, Buffer: true, Counts: true})
	return n.layer(name, BatchNorm, "input", args)
}

// counted counts a batch, as PyTorch's module does before its operation.
func counted(s *torch.Scope, n torch.BatchNorm) {
	if n.Count != nil {
		s.Call("aten.add_.Scalar", torch.Arguments{"self": n.Count, "other": 1}, nil)
	}
}

func bindNativeNorm(b *Binding) Kernel {
	x, n := b.Source("input"), b.Norm()
	return func(s *torch.Scope, v *Values) *torch.Tensor {
		counted(s, n)
		return s.Call(BatchNorm, torch.Arguments{"input": x(v), "weight": n.Weight, "bias": n.Bias, "running_mean": n.Mean, "running_var": n.Variance,
			"training": v.Training, "momentum": n.Momentum, "eps": n.Eps, "cudnn_enabled": false}, nil)
	}
}

func bindNormFromSums(b *Binding) Kernel {
	x, n, shape := b.Source("input"), b.Norm(), b.Out
	return func(s *torch.Scope, v *Values) *torch.Tensor {
		counted(s, n)
		channels, points := shape[1], shape[2]*shape[3]
		flat := s.Reshape(x(v), v.Clips, channels, points)
		mean := s.Reshape(s.Mean(flat, 0, 2), channels, 1)
		centred := s.Sub(flat, mean)
		variance := s.Mean(s.Mul(centred, centred), 0, 2)
		// What moves the running variance is the unbiased one.
		elements := float64(v.Clips * points)
		moves := func(running, to *torch.Tensor) {
			s.Call("aten.lerp_.Scalar", torch.Arguments{"self": running, "end": s.Detach(to), "weight": n.Momentum}, nil)
		}
		moves(n.Mean, s.Reshape(mean, channels))
		moves(n.Variance, s.MulScalar(s.Detach(variance), elements/(elements-1)))
		scale := s.Div(n.Weight, s.Sqrt(s.AddScalar(variance, n.Eps)))
		out := s.Add(s.Mul(centred, s.Reshape(scale, channels, 1)), s.Reshape(n.Bias, channels, 1))
		return s.Reshape(out, v.Clips, channels, shape[2], shape[3])
	}
}
