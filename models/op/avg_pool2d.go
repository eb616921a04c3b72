package op

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/torch"
)

// AvgPool2d averages over windows; one that does not fit at the end is left out.
const AvgPool2d = "aten.avg_pool2d.default"

// Window is the size and the step of a pool's windows.
func (c *Call) Window() (kernel, stride []int) {
	kernel, stride = c.Ints("kernel_size"), c.Ints("stride")
	if len(stride) == 0 {
		stride = kernel
	}
	return kernel, stride
}

// pooled returns the output shape of a pool over the last dimensions.
func pooled(c *Call, what string, dims int) ([]int, error) {
	x, err := c.Map("self", what, dims+1)
	if err != nil {
		return nil, err
	}
	kernel, stride := c.Window()
	if len(kernel) != dims || len(stride) != dims {
		return nil, fmt.Errorf("a pool of %v, step %v, over %v", kernel, stride, x)
	}
	out := []int{x[0]}
	for i := range kernel {
		if kernel[i] < 1 || stride[i] < 1 || x[i+1] < kernel[i] {
			return nil, fmt.Errorf("a pool of %v does not fit into %v", kernel, x)
		}
		out = append(out, (x[i+1]-kernel[i])/stride[i]+1)
	}
	return batched(out...), nil
}

// overWindows ties the dimensions of a pool: channels pass, as does a dimension along which a window is
// one element and moves by one; the others stay whole. The indices of a max pool count all elements, so
// that with them only channels pass.
func overWindows(t *Ties) {
	moved := 1
	for n, name := range []string{"1d", "2d", "3d"} {
		if strings.Contains(t.op.base(), name) {
			moved = n + 1
		}
	}
	kernel, stride := t.Window()
	one := func(sizes []int, at int) bool { return at < len(sizes) && sizes[at] == 1 }
	values := t.Values()
	for _, v := range values {
		first := len(t.shapes[v]) - moved
		for d := range t.shapes[v] {
			if d < first || len(values) == 1 && one(kernel, d-first) && one(stride, d-first) {
				t.Same(t.In(t.first(), d), t.of(v, d))
			}
		}
	}
}

// windows are a pool's arguments in Python.
func windows(c *Call) string {
	kernel, stride := c.Window()
	return tuple(kernel) + ", " + tuple(stride)
}

func avgPool2d() Op {
	return Op{
		Schema: "avg_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor",
		Shape: func(c *Call) ([]int, error) {
			if p := c.Ints("padding"); p[0] != 0 || p[1] != 0 || c.Bool("ceil_mode") || c.Int("divisor_override") != 0 {
				return nil, fmt.Errorf("a pool that goes beyond the map's edge is not known")
			}
			return pooled(c, "pool", 2)
		},
		Tie: overWindows,
		Bind: func(b *Binding) Kernel {
			kernel, stride := b.Window()
			return unary("self", func(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
				return s.AvgPool2d(x, [2]int(kernel), [2]int(stride))
			})(b)
		},
		ONNX:   windowONNX,
		Module: func(c *Call) string { return "nn.AvgPool2d(" + windows(c) + ")" },
		Python: func(c *Call, in func(string) string) string {
			return "F.avg_pool2d(" + in("self") + ", " + windows(c) + ")"
		},
		Variants: []Variant{{
			// A pool of windows side by side is a mean over an axis of their elements.
			Name: "mean",
			Fits: func(c *Call) bool {
				kernel, stride := c.Window()
				return slices.Equal(kernel, stride)
			},
			Bind: bindMean,
		}, {
			// A pool along rows, with the activation before it, by a kernel of eegprune's own.
			Name: OwnKernel,
			GPU:  true,
			Fits: func(c *Call) bool {
				kernel, stride := c.Window()
				return slices.Equal(kernel, stride) && kernel[0] == 1
			},
			Bind: func(b *Binding) Kernel {
				x := b.Source("self")
				kernel, _ := b.Window()
				return func(s *torch.Scope, v *Values) *torch.Tensor {
					return s.KernelActivationAvgPool2d(x(v), torch.Activation{}, kernel[1])
				}
			},
		}},
		Rewritable:  true,
		EachChannel: true,
		EachRow:     true,
	}
}

func bindMean(b *Binding) Kernel {
	x, in, out := b.Source("self"), b.Shape("self"), b.Out
	kernel, _ := b.Window()
	return func(s *torch.Scope, v *Values) *torch.Tensor {
		maps := x(v)
		for d, size := range kernel {
			if whole := out[2+d] * size; whole < in[2+d] {
				maps = s.Narrow(maps, 2+d, 0, whole)
			}
		}
		return s.Mean(s.Reshape(maps, v.Clips, in[1], out[2], kernel[0], out[3], kernel[1]), 3, 5)
	}
}

// AvgPool2d adds an [AvgPool2d]. A stride of zero is the kernel: windows side by side.
func (n *Net) AvgPool2d(name string, kernel, stride [2]int) Layer {
	args := Args{"kernel_size": kernel[:]}
	if stride != [2]int{} {
		args["stride"] = stride[:]
	}
	return n.layer(name, AvgPool2d, "self", args)
}
