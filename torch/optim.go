package torch

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"
)

// An Optimizer steps parameters by their gradients, to the last bit as torch.optim
// does, unless it is fused. It keeps its parameters alive and serves one goroutine at a time.
type Optimizer struct {
	h          C.ep_optimizer
	net        runtime.Cleanup
	parameters int
	names      []string // of the state of each parameter
}

// SGDOptions are the options of torch.optim.SGD (dampening 0, no Nesterov).
type SGDOptions struct {
	Momentum    float64
	WeightDecay float64
	Fused       bool // as with torch.optim's fused=True: steps that can be recorded, see [Record]
}

// NewSGD makes a stochastic gradient descent optimizer; the caller owns it.
func NewSGD(parameters []*Tensor, o SGDOptions) (*Optimizer, error) {
	return newOptimizer("sgd", parameters, []string{"momentum_buffer"}, func(p *C.ep_tensor, n C.int32_t, out *C.ep_optimizer) C.ep_status {
		return C.ep_sgd_new(p, n, C.double(o.Momentum), C.double(o.WeightDecay), flag(o.Fused), out)
	})
}

// AdamOptions are the options of torch.optim.Adam. Zero Beta1, Beta2 and Eps mean 0.9,
// 0.999 and 1e-8.
type AdamOptions struct {
	Beta1, Beta2, Eps float64
	WeightDecay       float64
	Fused             bool // see SGDOptions
}

// NewAdam makes an Adam optimizer (Kingma 2015); the caller owns it.
func NewAdam(parameters []*Tensor, o AdamOptions) (*Optimizer, error) {
	if o.Beta1 == 0 {
		o.Beta1 = 0.9
	}
	if o.Beta2 == 0 {
		o.Beta2 = 0.999
	}
	if o.Eps == 0 {
		o.Eps = 1e-8
	}
	return newOptimizer("adam", parameters, []string{"step", "exp_avg", "exp_avg_sq"}, func(p *C.ep_tensor, n C.int32_t, out *C.ep_optimizer) C.ep_status {
		return C.ep_adam_new(p, n, C.double(o.Beta1), C.double(o.Beta2), C.double(o.Eps), C.double(o.WeightDecay), flag(o.Fused), out)
	})
}

func newOptimizer(op string, parameters []*Tensor, names []string, call func(*C.ep_tensor, C.int32_t, *C.ep_optimizer) C.ep_status) (*Optimizer, error) {
	if len(parameters) == 0 {
		return nil, errors.New("torch: " + op + ": there are no parameters to optimize")
	}
	h := make([]C.ep_tensor, len(parameters))
	for i, p := range parameters {
		if err := p.check(op); err != nil {
			return nil, err
		}
		h[i] = p.h
	}
	var made C.ep_optimizer
	err := check(op, call(&h[0], C.int32_t(len(h)), &made))
	runtime.KeepAlive(parameters)
	if err != nil {
		return nil, err
	}
	o := &Optimizer{h: made, parameters: len(parameters), names: names}
	o.net = runtime.AddCleanup(o, func(h C.ep_optimizer) { C.ep_optimizer_free(h) }, o.h)
	return o, nil
}

var errOptimizerFreed = errors.New("torch: the optimizer was freed")

// Step moves every parameter that has a gradient, at learning rate lr.
func (o *Optimizer) Step(lr float64) error {
	if o == nil || o.h == nil {
		return errOptimizerFreed
	}
	defer runtime.KeepAlive(o)
	return check("step", C.ep_optimizer_step(o.h, C.double(lr)))
}

// SetLR sets the learning rate of steps that were recorded. One that is being recorded must
// be at the rate that was set last.
func (o *Optimizer) SetLR(lr float64) error {
	if o == nil || o.h == nil {
		return errOptimizerFreed
	}
	defer runtime.KeepAlive(o)
	return check("set_lr", C.ep_optimizer_set_lr(o.h, C.double(lr)))
}

// ZeroGrad forgets the gradients of all parameters.
func (o *Optimizer) ZeroGrad() error {
	if o == nil || o.h == nil {
		return errOptimizerFreed
	}
	defer runtime.KeepAlive(o)
	return check("zero_grad", C.ep_optimizer_zero_grad(o.h))
}

// State returns the optimizer's state, under torch.optim's names after the number
// of the parameter: "3.exp_avg". The caller frees it, with [FreeAll].
func (o *Optimizer) State() (map[string]*Tensor, error) {
	if o == nil || o.h == nil {
		return nil, errOptimizerFreed
	}
	defer runtime.KeepAlive(o)
	s := NewScope(NoGrad)
	defer s.Close()
	state := map[string]*Tensor{}
	for i := range o.parameters {
		for _, name := range o.names {
			c := C.CString(name)
			t := s.make("optimizer state", func(out *C.ep_tensor) C.ep_status {
				return C.ep_optimizer_state(s.h, o.h, c, C.int32_t(i), out)
			})
			C.free(unsafe.Pointer(c))
			if s.Err() == nil && t.h == nil {
				continue // nothing yet
			}
			kept, err := s.Keep(t)
			if err != nil {
				FreeAll(state)
				return nil, err
			}
			state[fmt.Sprintf("%d.%s", i, name)] = kept
		}
	}
	return state, nil
}

// SetState makes the optimizer go on from the state of another of its kind, over parameters of
// the same shapes.
func (o *Optimizer) SetState(state map[string]*Tensor) error {
	if o == nil || o.h == nil {
		return errOptimizerFreed
	}
	defer runtime.KeepAlive(o)
	for i := range o.parameters {
		for _, name := range o.names {
			t := state[fmt.Sprintf("%d.%s", i, name)]
			if t == nil {
				continue
			}
			if err := t.check("set optimizer state"); err != nil {
				return err
			}
			c := C.CString(name)
			err := check("set optimizer state", C.ep_optimizer_set_state(o.h, c, C.int32_t(i), t.h))
			C.free(unsafe.Pointer(c))
			runtime.KeepAlive(t)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Free frees the optimizer and its state.
func (o *Optimizer) Free() {
	if o == nil || o.h == nil {
		return
	}
	o.net.Stop()
	C.ep_optimizer_free(o.h)
	o.h = nil
}

// A Schedule gives the learning rate of an epoch, counted from 0.
type Schedule func(epoch int) float64

// MultiStepLR multiplies the rate by gamma at each milestone (an epoch).
func MultiStepLR(lr, gamma float64, milestones ...int) Schedule {
	return func(epoch int) float64 {
		r := lr
		for _, m := range milestones {
			if epoch >= m {
				r *= gamma
			}
		}
		return r
	}
}
