package torch

import (
	"errors"
	"testing"
)

func TestCountOperations(t *testing.T) {
	s := NewScope(NoGrad)
	defer s.Close()
	x, err := Full(1, Float32, CPU, 4, 8)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Free()
	got, err := CountOperations(func() error {
		s.ReLU(s.MatMul(x, s.Reshape(x, 8, 4)))
		return s.Err()
	})
	// The product reads 32 numbers twice and writes 16, ReLU reads and writes 16; Reshape is a view.
	want := map[string]Count{"aten::mm": {1, 4 * (32 + 32 + 16)}, "aten::relu": {1, 4 * (16 + 16)}}
	if sum := got.Sum(); err != nil || sum.Calls != 2 || sum.Bytes != 4*(32+32+16+16+16) || got["aten::mm"] != want["aten::mm"] {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	// A kernel for GPUs: its launch reads 32 numbers and writes 16.
	got, err = CountOperations(func() error {
		s.KernelActivationAvgPool2d(s.Reshape(x, 1, 1, 4, 8), Activation{Positive: 1, Negative: 1, Exponent: 1}, 2)
		return s.Err()
	})
	if want := (Count{1, 4 * (32 + 16)}); err != nil || len(got) != 1 || got["activation_pool_short"] != want {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	other := NewScope(NoGrad)
	defer other.Close()
	if other.KernelActivationAvgPool2d(x, Activation{}, 2); other.Err() == nil {
		t.Error("a kernel for GPUs computes on a CPU")
	}
	// What returns nothing and writes its inputs, as fused steps of an optimizer do: the parameter and the gradient are read,
	// the parameter and, with momentum, its buffer too.
	p, err := Full(1, Float32, CPU, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Free()
	if err := p.RequireGrad(); err != nil {
		t.Fatal(err)
	}
	opt, err := NewSGD([]*Tensor{p}, SGDOptions{Momentum: 0.9, Fused: true})
	if err != nil {
		t.Fatal(err)
	}
	defer opt.Free()
	g := NewScope(Grad)
	defer g.Close()
	if g.Backward(g.Sum(p)); g.Err() != nil {
		t.Fatal(g.Err())
	}
	got, err = CountOperations(func() error { return opt.Step(0) })
	// Three lists of ten numbers and the rate are read, and libtorch says that it may write the gradients too.
	if want := (Count{1, 4 * (3*10 + 1 + 3*10)}); err != nil || got["aten::_fused_sgd_"] != want {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	mine := errors.New("mine")
	if _, err := CountOperations(func() error { return mine }); !errors.Is(err, mine) {
		t.Error(err)
	}
	if _, err := CountOperations(func() error { _, err := CountOperations(func() error { return nil }); return err }); err == nil {
		t.Error("operations are counted within a count")
	}
	if got, err := CountOperations(func() error { return nil }); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
}
