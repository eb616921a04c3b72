package torch

// #include "shim.h"
import "C"

import "runtime"

// Prepared holds the weights of one convolution as [Scope.Conv2dFew] or [Scope.Conv2dHWCN] prepares them. They
// are prepared on first use, and again when the weights were written since.
type Prepared struct{ h C.ep_prepared }

// NewPrepared returns one that holds nothing yet.
func NewPrepared() (*Prepared, error) {
	p := &Prepared{}
	if err := check("prepared_new", C.ep_prepared_new(&p.h)); err != nil {
		return nil, err
	}
	runtime.AddCleanup(p, func(h C.ep_prepared) { C.ep_prepared_free(h) }, p.h)
	return p, nil
}

func (p *Prepared) handle() C.ep_prepared {
	if p == nil {
		return nil
	}
	return p.h
}
