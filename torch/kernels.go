package torch

// #include "shim.h"
import "C"

// KernelBatchNorm is [Scope.BatchNorm] in training by a kernel of eegprune's own on a GPU, of a float32 input
// [n, c, ...]. The first kernel of a GPU has all compiled and loaded, which can't be recorded. On a CPU kernels
// can only be counted, by [CountOperations]: their numbers are zeros.
func (s *Scope) KernelBatchNorm(input *Tensor, b BatchNorm) *Tensor {
	return s.make("batch_norm", func(out *C.ep_tensor) C.ep_status {
		return C.ep_gpu_batch_norm(s.h, input.h, b.Weight.h, b.Bias.h, b.Mean.h, b.Variance.h, s.optional(b.Count), C.double(b.Momentum), C.double(b.Eps), out)
	}, append([]*Tensor{input, b.Weight, b.Bias, b.Mean, b.Variance}, operands(b.Count)...)...)
}

// An Activation is x*Positive for a positive x and x*Negative for another, or (exp(x*Exponent)-1)*Negative where
// the exponent is not zero; with a Gate it is x times that alone. Its zero value is none.
type Activation struct {
	Positive, Negative, Exponent float64
	Gate                         Gate
}

// A Gate is the probability that a number of a distribution is below x.
type Gate int

const (
	NoGate       Gate = iota
	NormalGate        // of GELU
	LogisticGate      // of SiLU: the sigmoid of x
)

// numbers are those that the shim takes for an activation.
func (a Activation) numbers() [4]C.double {
	if a == (Activation{}) {
		a = Activation{Positive: 1, Negative: 1}
	}
	return [4]C.double{C.double(a.Positive), C.double(a.Negative), C.double(a.Exponent), C.double(a.Gate)}
}

// KernelActivationAvgPool2d is an activation without a gate of input [n, c, h, w], then a mean over windows of width
// points side by side in a row, by a kernel of eegprune's own on a GPU.
func (s *Scope) KernelActivationAvgPool2d(input *Tensor, a Activation, width int) *Tensor {
	numbers := a.numbers()
	return s.make("activation_avg_pool2d", func(out *C.ep_tensor) C.ep_status {
		return C.ep_gpu_activation_avg_pool2d(s.h, input.h, &numbers[0], C.int64_t(width), out)
	}, input)
}

// KernelDepthwiseConv2d convolves each channel of input [n, c, h, w] alone, at stride 1, by a kernel of eegprune's
// own on a GPU: weight [out, 1, kh, kw], out a multiple of c; bias [out] may be nil; padding is height
// before width.
func (s *Scope) KernelDepthwiseConv2d(input, weight, bias *Tensor, padding [2]int) *Tensor {
	p := pair(padding, 0)
	return s.make("depthwise_conv2d", func(out *C.ep_tensor) C.ep_status {
		return C.ep_gpu_depthwise_conv2d(s.h, input.h, weight.h, s.optional(bias), &p[0], out)
	}, append([]*Tensor{input, weight}, operands(bias)...)...)
}
