package torch

// #include "shim.h"
import "C"

import "runtime"

// Conv2dOptions are a convolution's settings, height before width. Zero strides,
// dilations and Groups mean 1.
type Conv2dOptions struct {
	Stride, Padding, Dilation [2]int
	Groups                    int
}

func pair(v [2]int, zero int) (p [2]C.int64_t) {
	for i, x := range v {
		if x == 0 {
			x = zero
		}
		p[i] = C.int64_t(x)
	}
	return p
}

func (s *Scope) optional(t *Tensor) C.ep_tensor {
	if t == nil {
		return nil
	}
	return t.h
}

// operands leaves out the tensors that may be nil and are.
func operands(all ...*Tensor) []*Tensor {
	var given []*Tensor
	for _, t := range all {
		if t != nil {
			given = append(given, t)
		}
	}
	return given
}

// Conv2d convolves input [n, in, h, w] with weight [out, in/groups, kh, kw]; bias
// [out] may be nil.
func (s *Scope) Conv2d(input, weight, bias *Tensor, o Conv2dOptions) *Tensor {
	options := C.ep_conv2d_options{stride: pair(o.Stride, 1), padding: pair(o.Padding, 0),
		dilation: pair(o.Dilation, 1), groups: C.int64_t(max(o.Groups, 1))}
	return s.make("conv2d", func(out *C.ep_tensor) C.ep_status {
		return C.ep_conv2d(s.h, input.h, weight.h, s.optional(bias), options, out)
	}, append([]*Tensor{input, weight}, operands(bias)...)...)
}

// Conv2dReLU is ZeroPad2d, Conv2d of stride 1 and, if relu, ReLU, with the bits that libtorch gives
// with one thread. Its output has the channels of a point side by side.
func (s *Scope) Conv2dReLU(input, weight, bias *Tensor, pad [4]int, relu bool) *Tensor {
	d := sizes(pad[:])
	return s.make("conv2d_relu", func(out *C.ep_tensor) C.ep_status {
		return C.ep_conv2d_nhwc(s.h, input.h, weight.h, s.optional(bias), &d[0], flag(relu), out)
	}, append([]*Tensor{input, weight}, operands(bias)...)...)
}

// OwnConvolutions reports whether Conv2dReLU computes by itself here. Where this libtorch takes its
// sums in an order that is not known, for this processor, it calls libtorch, which takes longer.
func OwnConvolutions() (bool, error) {
	if err := Load(); err != nil {
		return false, err
	}
	var own C.int32_t
	err := check("conv2d_relu", C.ep_conv2d_nhwc_known(&own))
	return own != 0, err
}

// Linear returns input [n, in] times weight [out, in] transposed, plus bias [out],
// which may be nil.
func (s *Scope) Linear(input, weight, bias *Tensor) *Tensor {
	return s.make("linear", func(out *C.ep_tensor) C.ep_status {
		return C.ep_linear(s.h, input.h, weight.h, s.optional(bias), out)
	}, append([]*Tensor{input, weight}, operands(bias)...)...)
}

// ZeroPad2d adds zeros to the left, right, top and bottom of the last two dimensions.
func (s *Scope) ZeroPad2d(input *Tensor, pad [4]int) *Tensor {
	d := sizes(pad[:])
	return s.make("zero_pad2d", func(out *C.ep_tensor) C.ep_status { return C.ep_zero_pad2d(s.h, input.h, &d[0], out) }, input)
}

// AvgPool2d averages over windows; a window that does not fit at the end is dropped.
func (s *Scope) AvgPool2d(input *Tensor, kernel, stride [2]int) *Tensor {
	k, st := pair(kernel, 1), pair(stride, 1)
	return s.make("avg_pool2d", func(out *C.ep_tensor) C.ep_status {
		return C.ep_avg_pool2d(s.h, input.h, &k[0], &st[0], out)
	}, input)
}

// LeakyReLUAvgPool2d is LeakyReLU followed by AvgPool2d over windows [1, width] side by
// side, to the bit, without the map between them in memory.
func (s *Scope) LeakyReLUAvgPool2d(input *Tensor, slope float64, width int) *Tensor {
	return s.make("leaky_relu_avg_pool2d", func(out *C.ep_tensor) C.ep_status {
		return C.ep_leaky_relu_avg_pool2d(s.h, input.h, C.double(slope), C.int64_t(width), out)
	}, input)
}

// Dropout sets elements to zero with probability p and divides the others by 1-p; with
// perChannel one number is drawn for each [n, c] (PyTorch's Dropout2d).
func (s *Scope) Dropout(input *Tensor, p float64, perChannel bool, g *Generator) *Tensor {
	if g == nil || g.h == nil {
		s.Fail(errNoGenerator)
	}
	// The closure reads g.h before the call: without this g could be freed during it.
	defer runtime.KeepAlive(g)
	return s.make("dropout", func(out *C.ep_tensor) C.ep_status {
		return C.ep_dropout(s.h, input.h, C.double(p), flag(perChannel), g.h, out)
	}, input)
}

// CrossEntropy returns the mean over the batch of the negative log-likelihood of the
// classes target [n] (int64) under logits [n, classes].
func (s *Scope) CrossEntropy(logits, target *Tensor) *Tensor {
	return s.make("cross_entropy", func(out *C.ep_tensor) C.ep_status {
		return C.ep_cross_entropy(s.h, logits.h, target.h, out)
	}, logits, target)
}

// BatchNorm normalises each channel (Ioffe 2015); its weight is the paper's gamma.
type BatchNorm struct {
	Weight, Bias   *Tensor
	Mean, Variance *Tensor // the running ones
	Count          *Tensor // of batches seen; nil where none are counted
	Momentum, Eps  float64
}

// operands are the tensors by which it normalises in evaluation; none where it is nil.
func (b *BatchNorm) operands() []*Tensor {
	if b == nil {
		return nil
	}
	return []*Tensor{b.Weight, b.Bias, b.Mean, b.Variance}
}

// BatchNorm normalises input [n, c, ...]: in training by the batch's own mean and variance, which
// also move the running ones; else by those.
func (s *Scope) BatchNorm(input *Tensor, b BatchNorm, training bool) *Tensor {
	return s.make("batch_norm", func(out *C.ep_tensor) C.ep_status {
		return C.ep_batch_norm(s.h, input.h, b.Weight.h, b.Bias.h, b.Mean.h, b.Variance.h, s.optional(b.Count), flag(training),
			C.double(b.Momentum), C.double(b.Eps), out)
	}, append([]*Tensor{input, b.Weight, b.Bias, b.Mean, b.Variance}, operands(b.Count)...)...)
}
