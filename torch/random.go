package torch

// #include "shim.h"
import "C"

import (
	"errors"
	"runtime"
)

// A Generator draws the same numbers as PyTorch's from the same seed. It serves one
// goroutine at a time. libtorch's global generator is never drawn from.
type Generator struct {
	h    C.ep_generator
	seed uint64
	net  runtime.Cleanup
}

var errNoGenerator = errors.New("torch: random numbers were asked for without a generator")

// NewGenerator makes a generator as torch.manual_seed(seed) sets it; the caller owns
// it.
func NewGenerator(device Device, seed uint64) (*Generator, error) {
	if err := Load(); err != nil {
		return nil, err
	}
	g := &Generator{seed: seed}
	if err := check("generator", C.ep_generator_new(device.c(), C.uint64_t(seed), &g.h)); err != nil {
		return nil, err
	}
	g.net = runtime.AddCleanup(g, func(h C.ep_generator) { C.ep_generator_free(h) }, g.h)
	return g, nil
}

// Seed returns the seed that the generator was made with.
func (g *Generator) Seed() uint64 {
	if g == nil {
		return 0
	}
	return g.seed
}

// Free frees the generator.
func (g *Generator) Free() {
	if g == nil || g.h == nil {
		return
	}
	g.net.Stop()
	C.ep_generator_free(g.h)
	g.h = nil
}

func (g *Generator) call(op string, f func() C.ep_status) error {
	if g == nil || g.h == nil {
		return errNoGenerator
	}
	err := check(op, f())
	runtime.KeepAlive(g)
	return err
}

// Int64 draws a number of [0, 2^63) as torch.empty((), dtype=torch.int64).random_()
// does.
func (g *Generator) Int64() (int64, error) {
	var v C.int64_t
	err := g.call("random", func() C.ep_status { return C.ep_generator_int64(g.h, &v) })
	return int64(v), err
}

// Perm draws torch.randperm(n).
func (g *Generator) Perm(n int) ([]int64, error) {
	p := make([]int64, max(n, 1))
	err := g.call("randperm", func() C.ep_status {
		return C.ep_generator_perm(g.h, C.int64_t(n), (*C.int64_t)(&p[0]))
	})
	return p[:max(n, 0)], err
}

// Uniform fills t from [low, high).
func (g *Generator) Uniform(t *Tensor, low, high float64) error {
	if err := t.check("uniform"); err != nil {
		return err
	}
	defer runtime.KeepAlive(t)
	return g.call("uniform", func() C.ep_status { return C.ep_uniform_(t.h, C.double(low), C.double(high), g.h) })
}

// Normal fills t from a normal distribution.
func (g *Generator) Normal(t *Tensor, mean, sd float64) error {
	if err := t.check("normal"); err != nil {
		return err
	}
	defer runtime.KeepAlive(t)
	return g.call("normal", func() C.ep_status { return C.ep_normal_(t.h, C.double(mean), C.double(sd), g.h) })
}

// State returns all that determines the numbers to come; the caller owns it.
func (g *Generator) State() (*Tensor, error) {
	if g == nil || g.h == nil {
		return nil, errNoGenerator
	}
	defer runtime.KeepAlive(g)
	return own("generator state", func(s *Scope, out *C.ep_tensor) C.ep_status {
		return C.ep_generator_state(s.h, g.h, out)
	})
}

// SetState makes the generator go on from a state that [Generator.State] returned.
func (g *Generator) SetState(state *Tensor) error {
	if err := state.check("set generator state"); err != nil {
		return err
	}
	defer runtime.KeepAlive(state)
	return g.call("set generator state", func() C.ep_status { return C.ep_generator_set_state(g.h, state.h) })
}
