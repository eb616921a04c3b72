package torch

// #include "shim.h"
import "C"

import (
	"errors"
	"runtime"
)

// Mode says whether a scope records its operations for [Scope.Backward].
type Mode bool

// The modes of a scope.
const (
	NoGrad Mode = false
	Grad   Mode = true
)

// A Scope owns the tensors that its operations make and keeps the first error. It
// serves one goroutine at a time; a new one costs well under a microsecond.
type Scope struct {
	h       C.ep_scope
	mode    Mode
	err     error
	net     runtime.Cleanup
	invalid Tensor // returned by operations after an error
}

var errClosed = errors.New("torch: the scope is closed")

// NewScope opens a scope. Where libtorch can't be loaded, that is its error.
func NewScope(mode Mode) *Scope {
	s := &Scope{mode: mode}
	if s.err = Load(); s.err != nil {
		return s
	}
	if s.err = check("scope", C.ep_scope_new(flag(bool(mode)), &s.h)); s.err == nil {
		s.net = runtime.AddCleanup(s, func(h C.ep_scope) { C.ep_scope_free(h) }, s.h)
	}
	return s
}

// Autocast has those of the scope's operations done in bfloat16, from now on, of which
// torch.autocast says so: matrix products and convolutions. Gradients are then of the
// parameters' own type.
func (s *Scope) Autocast() {
	if s.failure() == nil {
		s.err = check("autocast", C.ep_scope_autocast(s.h))
	}
}

// Mode says whether the scope records its operations.
func (s *Scope) Mode() Mode {
	if s == nil {
		return NoGrad
	}
	return s.mode
}

// Err returns the first error of the scope's operations.
func (s *Scope) Err() error {
	if s == nil {
		return errClosed
	}
	return s.err
}

// failure is Err, and an error for a scope that NewScope did not make.
func (s *Scope) failure() error {
	if s != nil && s.err == nil && s.h == nil {
		s.err = errClosed
	}
	return s.Err()
}

// Close frees the scope's tensors. Closing again does nothing.
func (s *Scope) Close() {
	if s == nil || s.h == nil {
		return
	}
	s.net.Stop()
	C.ep_scope_free(s.h)
	s.h = nil
	if s.err == nil {
		s.err = errClosed
	}
}

// Fail makes err the scope's error unless it has one.
func (s *Scope) Fail(err error) {
	if s != nil && s.err == nil {
		s.err = err
	}
}

// Keep takes a tensor out of the scope: it then belongs to the caller, who frees it.
// It returns the scope's error where there is one.
func (s *Scope) Keep(t *Tensor) (*Tensor, error) {
	if err := s.failure(); err != nil {
		return nil, err
	}
	if !t.usable() || t.scope != s {
		return nil, errors.New("torch: keep: the tensor does not belong to this scope")
	}
	if err := check("keep", C.ep_tensor_keep(t.h)); err != nil {
		return nil, err
	}
	t.scope = nil
	t.net = runtime.AddCleanup(t, func(h C.ep_tensor) { C.ep_tensor_free(h) }, t.h)
	return t, nil
}

// Release frees a tensor of the scope before its end. The record for
// [Scope.Backward] keeps the memory that it needs.
func (s *Scope) Release(t *Tensor) {
	if s.failure() == nil && t.usable() && t.scope != s {
		s.Fail(errors.New("torch: release: the tensor does not belong to this scope"))
	}
	if s.do("release", func() C.ep_status { return C.ep_tensor_free(t.h) }, t) {
		t.h = nil
	}
}

// do runs one operation on operands unless the scope has failed, and reports whether
// it went well.
func (s *Scope) do(op string, call func() C.ep_status, operands ...*Tensor) bool {
	if s.failure() != nil {
		return false
	}
	for _, t := range operands {
		if s.err = t.check(op); s.err != nil {
			return false
		}
	}
	s.err = check(op, call(), operands...)
	runtime.KeepAlive(operands)
	return s.err == nil
}

// make runs one operation that makes a tensor.
func (s *Scope) make(op string, call func(out *C.ep_tensor) C.ep_status, operands ...*Tensor) *Tensor {
	var h C.ep_tensor
	if !s.do(op, func() C.ep_status { return call(&h) }, operands...) {
		if s == nil {
			return &Tensor{}
		}
		return &s.invalid
	}
	return &Tensor{h: h, scope: s}
}

// Backward computes the gradients of loss, which has one element, by every tensor
// that requires one, and adds them to those that [Scope.GradOf] returns.
func (s *Scope) Backward(loss *Tensor) {
	s.do("backward", func() C.ep_status { return C.ep_backward(s.h, loss.h) }, loss)
}

// GradOf returns the gradient that belongs to t; that there is none is an error.
func (s *Scope) GradOf(t *Tensor) *Tensor {
	g := s.make("grad", func(out *C.ep_tensor) C.ep_status { return C.ep_tensor_grad(s.h, t.h, out) }, t)
	if s.Err() == nil && g.h == nil {
		s.err = errors.New("torch: grad: the tensor has no gradient")
	}
	return g
}
