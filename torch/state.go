package torch

// #include "shim.h"
import "C"

import (
	"fmt"
	"math"
	"sort"
	"strings"
)

// A Named is a tensor of a module under the name PyTorch gives it. Buffers (running
// statistics) are saved with the parameters but not trained.
type Named struct {
	Name   string
	Tensor *Tensor
	Buffer bool
}

// A Module is a layer with parameters: it owns them and computes with them.
type Module interface {
	// Forward computes the layer's output in scope s; training matters to layers
	// that behave otherwise then.
	Forward(s *Scope, x *Tensor, training bool) *Tensor
	// State returns parameters and buffers in PyTorch's order, under their names
	// within the module: "weight", "bias", "running_mean".
	State() []Named
	Free()
}

// params are a module's tensors in order; embedding it gives State and Free.
type params struct{ named []Named }

func (p *params) State() []Named { return p.named }

func (p *params) Free() {
	for _, n := range p.named {
		n.Tensor.Free()
	}
}

// add makes a float32 tensor filled with value the module's own.
func (p *params) add(name string, value float64, device Device, shape ...int) (*Tensor, error) {
	t, err := Full(value, Float32, device, shape...)
	if err != nil {
		return nil, err
	}
	p.named = append(p.named, Named{Name: name, Tensor: t})
	return t, t.RequireGrad()
}

// addBuffer is add for a tensor that is not trained.
func (p *params) addBuffer(name string, value float64, dtype DType, device Device, shape ...int) (*Tensor, error) {
	t, err := Full(value, dtype, device, shape...)
	if err == nil {
		p.named = append(p.named, Named{Name: name, Tensor: t, Buffer: true})
	}
	return t, err
}

// resetUniform draws weight and bias as PyTorch's Conv2d and Linear do: uniform within
// 1/sqrt(fan in) (kaiming_uniform_ with a = sqrt(5), and the same bound for the bias).
func resetUniform(g *Generator, weight, bias *Tensor, fanIn int) error {
	// PyTorch's own order of operations, so that the bound has the same bits.
	bound := math.Sqrt(3) * (math.Sqrt(2/(1+5.0)) / math.Sqrt(float64(fanIn)))
	if err := g.Uniform(weight, -bound, bound); err != nil || bias == nil {
		return err
	}
	bound = 1 / math.Sqrt(float64(fanIn))
	return g.Uniform(bias, -bound, bound)
}

// Conv2d is a convolution with its weight [out, in/groups, kh, kw] and bias [out].
type Conv2d struct {
	params
	Weight, Bias *Tensor // Bias may be nil
	Options      Conv2dOptions
}

// NewConv2d makes a convolution with weights drawn as PyTorch draws them; without a
// generator they are zero.
func NewConv2d(in, out int, kernel [2]int, bias bool, o Conv2dOptions, device Device, g *Generator) (*Conv2d, error) {
	groups := max(o.Groups, 1)
	if in <= 0 || out <= 0 || in%groups != 0 || out%groups != 0 {
		return nil, fmt.Errorf("torch: conv2d: %d input and %d output channels can't be divided into %d groups", in, out, groups)
	}
	c := &Conv2d{Options: o}
	var err error
	if c.Weight, err = c.add("weight", 0, device, out, in/groups, kernel[0], kernel[1]); err == nil && bias {
		c.Bias, err = c.add("bias", 0, device, out)
	}
	if err == nil && g != nil {
		err = resetUniform(g, c.Weight, c.Bias, in/groups*kernel[0]*kernel[1])
	}
	if err != nil {
		c.Free()
		return nil, err
	}
	return c, nil
}

// Forward convolves x [n, in, h, w].
func (c *Conv2d) Forward(s *Scope, x *Tensor, _ bool) *Tensor {
	return s.Conv2d(x, c.Weight, c.Bias, c.Options)
}

// Linear is an affine layer with weight [out, in] and bias [out].
type Linear struct {
	params
	Weight, Bias *Tensor // Bias may be nil
}

// NewLinear makes an affine layer with weights drawn as PyTorch draws them; without a
// generator they are zero.
func NewLinear(in, out int, bias bool, device Device, g *Generator) (*Linear, error) {
	if in <= 0 || out <= 0 {
		return nil, fmt.Errorf("torch: linear: %d inputs and %d outputs", in, out)
	}
	l := &Linear{}
	var err error
	if l.Weight, err = l.add("weight", 0, device, out, in); err == nil && bias {
		l.Bias, err = l.add("bias", 0, device, out)
	}
	if err == nil && g != nil {
		err = resetUniform(g, l.Weight, l.Bias, in)
	}
	if err != nil {
		l.Free()
		return nil, err
	}
	return l, nil
}

// Forward returns x [n, in] times the weight transposed, plus the bias.
func (l *Linear) Forward(s *Scope, x *Tensor, _ bool) *Tensor { return s.Linear(x, l.Weight, l.Bias) }

// BatchNorm2d normalises each channel (Ioffe 2015); its weight is the paper's gamma.
type BatchNorm2d struct {
	params
	Weight, Bias          *Tensor
	Mean, Variance, Count *Tensor // running statistics and batches seen
	Momentum, Eps         float64
}

// NewBatchNorm2d makes a layer with weight 1, bias 0, momentum 0.1 and eps 1e-5, as
// PyTorch does.
func NewBatchNorm2d(channels int, device Device) (*BatchNorm2d, error) {
	if channels <= 0 {
		return nil, fmt.Errorf("torch: batch_norm: %d channels", channels)
	}
	b := &BatchNorm2d{Momentum: 0.1, Eps: 1e-5}
	var err error
	if b.Weight, err = b.add("weight", 1, device, channels); err == nil {
		b.Bias, err = b.add("bias", 0, device, channels)
	}
	if err == nil {
		b.Mean, err = b.addBuffer("running_mean", 0, Float32, device, channels)
	}
	if err == nil {
		b.Variance, err = b.addBuffer("running_var", 1, Float32, device, channels)
	}
	if err == nil {
		b.Count, err = b.addBuffer("num_batches_tracked", 0, Int64, device)
	}
	if err != nil {
		b.Free()
		return nil, err
	}
	return b, nil
}

// Forward normalises x [n, c, ...]: in training by the batch's own mean and variance,
// which also move the running ones; else by the running ones.
func (b *BatchNorm2d) Forward(s *Scope, x *Tensor, training bool) *Tensor {
	return s.make("batch_norm", func(out *C.ep_tensor) C.ep_status {
		return C.ep_batch_norm(s.h, x.h, b.Weight.h, b.Bias.h, b.Mean.h, b.Variance.h, b.Count.h, flag(training),
			C.double(b.Momentum), C.double(b.Eps), out)
	}, x, b.Weight, b.Bias, b.Mean, b.Variance, b.Count)
}

// LoadState copies tensors by name into state. Names that are missing or too many and
// shapes that differ are an error that lists them all; nothing is copied then.
func LoadState(state []Named, from map[string]*Tensor) error {
	var wrong []string
	known := make(map[string]bool, len(state))
	for _, n := range state {
		known[n.Name] = true
		src, ok := from[n.Name]
		have, want := src.Shape(), n.Tensor.Shape()
		switch {
		case !ok || !src.usable() || !n.Tensor.usable():
			wrong = append(wrong, n.Name+" is missing")
		case fmt.Sprint(have) != fmt.Sprint(want):
			wrong = append(wrong, fmt.Sprintf("%s has shape %v where %v is needed", n.Name, have, want))
		}
	}
	for name := range from {
		if !known[name] {
			wrong = append(wrong, name+" is not part of the network")
		}
	}
	if len(wrong) > 0 {
		sort.Strings(wrong)
		return fmt.Errorf("the tensors are not those of this network: %s", strings.Join(wrong, "; "))
	}
	for _, n := range state {
		if err := n.Tensor.CopyFrom(from[n.Name]); err != nil {
			return fmt.Errorf("loading %s: %w", n.Name, err)
		}
	}
	return nil
}
