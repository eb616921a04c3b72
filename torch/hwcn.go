package torch

// #include "shim.h"
import "C"

import (
	"runtime"
	"slices"
)

// HWCN lays clips [n, c, h, w] on the CPU out with the clips of a point side by side, as
// [Scope.Conv2dHWCN] works on them, and adds clips of zeros up to a multiple of 16. The shape
// stays [n, c, h, w].
func (s *Scope) HWCN(clips *Tensor) *Tensor {
	return s.make("hwcn", func(out *C.ep_tensor) C.ep_status { return C.ep_hwcn(s.h, clips.h, out) }, clips)
}

// HWCNTogether returns how many clips [Scope.Conv2dHWCN] is best given at once: as many as fill the
// processor's vectors and no more, for their maps must stay in its cache.
func HWCNTogether() (int, error) {
	if err := Load(); err != nil {
		return 0, err
	}
	var n C.int64_t
	err := check("hwcn_together", C.ep_hwcn_together(&n))
	return int(n), err
}

// EachChannel applies an operation that computes each channel of maps [n, c, h, w] alone, as a pool does. Clips
// that lie as [Scope.HWCN] lays them out are computed as the channels of one clip, and lie so again after it.
func (s *Scope) EachChannel(x *Tensor, operation func(x *Tensor) *Tensor) *Tensor {
	clips := x.Shape()
	one := s.make("clips_as_channels", func(out *C.ep_tensor) C.ep_status { return C.ep_clips_as_channels(s.h, x.h, out) }, x)
	if s.Err() != nil {
		return one
	}
	defer s.Release(one)
	if shape := one.Shape(); len(shape) != 4 || shape[0] == clips[0] {
		return operation(x)
	}
	y := operation(one)
	defer s.Release(y)
	return s.make("channels_as_clips", func(out *C.ep_tensor) C.ep_status {
		return C.ep_channels_as_clips(s.h, y.h, C.int64_t(clips[0]), out)
	}, y)
}

// Contiguous returns a as PyTorch lays it out: a itself where it lies so.
func (s *Scope) Contiguous(a *Tensor) *Tensor {
	return s.make("contiguous", func(out *C.ep_tensor) C.ep_status { return C.ep_contiguous(s.h, a.h, out) }, a)
}

// HWCNOptions are the settings of a convolution, and of the operations fused with it in the order of the
// fields.
type HWCNOptions struct {
	Stride, Dilation [2]int // height before width; 0 means 1
	Pad              [4]int // zeros added left, right, top, bottom
	Groups           int    // 0 means 1

	Slope float64    // negative numbers are multiplied with it: 1 leaves them unchanged, 0 is ReLU
	Pool  int        // the mean of every so many points of a row; 0 means 1
	Norm  *BatchNorm // in evaluation; nil means none
}

// Conv2dHWCN convolves the output of [Scope.HWCN] or of another Conv2dHWCN, on a CPU and without
// gradients, with weight [out, in/groups, kh, kw] and bias [out], which may be nil. Its time
// is that of its multiplications for any numbers of channels, and a clip's result does not depend on
// the clips beside it. For features [n, in] and a weight [out, in] it is a linear layer. Prepared weights
// are not kept where p is nil.
func (s *Scope) Conv2dHWCN(input, weight, bias *Tensor, o HWCNOptions, p *Prepared) *Tensor {
	defer runtime.KeepAlive(p)
	return s.make("conv2d_hwcn", func(out *C.ep_tensor) C.ep_status {
		return C.ep_conv2d_hwcn(s.h, input.h, weight.h, s.optional(bias), o.options(), p.handle(), out)
	}, o.operands(input, weight, bias)...)
}

// operands are all tensors of a convolution.
func (o HWCNOptions) operands(input, weight, bias *Tensor) []*Tensor {
	return slices.Concat([]*Tensor{input, weight}, operands(bias), o.Norm.operands())
}

// options converts the options to C, of tensors that are not freed.
func (o HWCNOptions) options() C.ep_hwcn_options {
	options := C.ep_hwcn_options{stride: pair(o.Stride, 1), dilation: pair(o.Dilation, 1), groups: C.int64_t(max(o.Groups, 1)), slope: C.double(o.Slope),
		pool: C.int64_t(max(o.Pool, 1))}
	for i, n := range o.Pad {
		options.pad[i] = C.int64_t(n)
	}
	if b := o.Norm; b != nil {
		options.norm_weight, options.norm_bias, options.norm_mean, options.norm_variance = b.Weight.h, b.Bias.h, b.Mean.h, b.Variance.h
		options.norm_eps = C.double(b.Eps)
	}
	return options
}
