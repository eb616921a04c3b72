package op

import (
	"slices"

	"github.com/eegprune/eegprune/torch"
)

// OwnKernel is the name of the variants that are kernels of eegprune's own, on a GPU.
const OwnKernel = "kernel"

// A Variant is another way to compute an operation in training, made of other operations of libtorch or
// of a kernel of our own: its numbers are libtorch's up to rounding, and on a GPU it is faster for some
// shapes. In evaluation it is not used.
type Variant struct {
	Name string
	GPU  bool // whether it needs one
	// Fits reports whether it computes this call.
	Fits func(c *Call) bool
	Bind func(b *Binding) Kernel
}

// Variants returns the variants of the operation that compute this call on a GPU, or on a CPU: the same
// for the same shapes and arguments.
func (c *Call) Variants(gpu bool) []Variant {
	var fit []Variant
	if in := c.Shape(c.first()); c.known && len(in) == 4 && in[0] == Batch {
		for _, v := range c.op.Variants {
			if (gpu || !v.GPU) && v.Fits(c) {
				fit = append(fit, v)
			}
		}
	}
	return fit
}

// VariantNames returns the names of all variants, in order.
func VariantNames() []string {
	var names []string
	for _, o := range all() {
		for _, v := range o.Variants {
			names = append(names, v.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// transposed returns x with its dimensions in another order, as a view.
func transposed(s *torch.Scope, x *torch.Tensor, dims ...int) *torch.Tensor {
	return s.Call("aten.permute.default", torch.Arguments{"self": x, "dims": dims}, nil)
}

// expanded returns x repeated along dimensions of one element, as a view.
func expanded(s *torch.Scope, x *torch.Tensor, shape ...int) *torch.Tensor {
	return s.Call("aten.expand.default", torch.Arguments{"self": x, "size": shape}, nil)
}
