package torch

// #include "shim.h"
import "C"

import "runtime"

// Prepared holds the weights of one convolution as [Scope.Conv2dFew] prepares them. They are prepared on
// first use, and again when the weights were written since.
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

// Conv2dFew convolves a few clips [n, c, h, w], such as one, on a CPU and without gradients, with weight
// [out, in/groups, kh, kw] and bias [out], which may be nil. A clip's result does not depend on the clips
// beside it. With anyLayout its channels may lie side by side, which a view does not take. Features [n, in]
// with a weight [out, in] are those of a linear layer.
func (s *Scope) Conv2dFew(input, weight, bias *Tensor, o HWCNOptions, p *Prepared, anyLayout bool) *Tensor {
	defer runtime.KeepAlive(p)
	return s.make("conv2d_few", func(out *C.ep_tensor) C.ep_status {
		return C.ep_conv2d_few(s.h, input.h, weight.h, s.optional(bias), o.options(), p.h, flag(anyLayout), out)
	}, o.operands(input, weight, bias)...)
}
