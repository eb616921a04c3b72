package torch

// #include "shim.h"
import "C"

import "runtime"

// Conv2dFew convolves a few clips [n, c, h, w], such as one, on a CPU and without gradients, with weight
// [out, in/groups, kh, kw] and bias [out], which may be nil. A clip's result does not depend on the clips
// beside it. The channels of a point or the points of a column may lie side by side, which a view does not
// take. Features [n, in] with a weight [out, in] are those of a linear layer. Prepared weights are not kept
// where p is nil.
func (s *Scope) Conv2dFew(input, weight, bias *Tensor, o HWCNOptions, p *Prepared) *Tensor {
	defer runtime.KeepAlive(p)
	return s.make("conv2d_few", func(out *C.ep_tensor) C.ep_status {
		return C.ep_conv2d_few(s.h, input.h, weight.h, s.optional(bias), o.options(), p.handle(), out)
	}, o.operands(input, weight, bias)...)
}
