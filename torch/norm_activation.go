package torch

// #include "shim.h"
import "C"

// NormActivation is a BatchNorm's evaluation, unless norm is nil, and then an activation, in one pass over input
// [n, c, ...] on a CPU, however that lies in memory and without gradients. An exponent must be 0 or 1. With over the
// input is overwritten, unless there are gaps between its numbers. Exponentials are within two units in the last place,
// probabilities within three of 1.
func (s *Scope) NormActivation(input *Tensor, norm *BatchNorm, a Activation, over bool) *Tensor {
	o, numbers := HWCNOptions{Norm: norm}, a.numbers()
	return s.make("norm_activation", func(out *C.ep_tensor) C.ep_status {
		return C.ep_norm_activation(s.h, input.h, o.options(), &numbers[0], flag(over), out)
	}, append([]*Tensor{input}, norm.operands()...)...)
}
