package op

import (
	"slices"

	"github.com/eegprune/eegprune/torch"
)

// conv2dVariants are convolutions as products of matrices: cuDNN has no good algorithm for the
// shapes of EEG, of few channels, long rows and kernels of a row or of a column.
func conv2dVariants() []Variant {
	return []Variant{
		{
			// A convolution along time is one product over the windows of all rows.
			Name: "windows",
			Fits: func(c *Call) bool {
				g := convolutionOf(c)
				return g.plain() && g.kernel[0] == 1 && g.kernel[1] > 1 && g.stride[0] == 1 && g.padding[0] == 0
			},
			Bind: bindWindows,
		},
		{
			// A convolution across electrodes, or of single points, is a product for each clip.
			Name: "product",
			Fits: func(c *Call) bool {
				g := convolutionOf(c)
				if !g.plain() || g.kernel[1] != 1 || g.stride[1] != 1 || g.padding != [2]int{} {
					return false
				}
				whole, beside := g.kernel[0] == g.height, g.kernel[0] == g.stride[0]
				if g.groups > 1 {
					return whole && g.kernel[0] > 1
				}
				return whole || beside
			},
			Bind: bindProduct,
		},
		{
			// A convolution is a product for each clip over its windows, which are copied out.
			Name: "im2col",
			Fits: func(c *Call) bool {
				g := convolutionOf(c)
				return g.groups == 1 && g.kernel[0]*g.kernel[1] > 1
			},
			Bind: bindIm2col,
		},
		{
			// A depthwise convolution by a kernel of eegprune's own.
			Name: OwnKernel,
			GPU:  true,
			Fits: func(c *Call) bool {
				g := convolutionOf(c)
				return g.plain() && g.groups > 1 && g.stride == [2]int{1, 1}
			},
			Bind: func(b *Binding) Kernel {
				x, weight, bias, o := b.Source("input"), b.Source("weight"), b.Source("bias"), b.ConvolutionOptions()
				return func(s *torch.Scope, v *Values) *torch.Tensor {
					return s.KernelDepthwiseConv2d(x(v), weight(v), bias(v), o.Padding)
				}
			},
		},
		{
			// A convolution of maps with the channels of a point side by side, which it leaves so.
			Name: "channels-last",
			Fits: func(c *Call) bool {
				g := convolutionOf(c)
				return g.groups == 1 && g.channels > 1
			},
			Bind: func(b *Binding) Kernel {
				x, weight, bias, o := b.Source("input"), b.Source("weight"), b.Source("bias"), b.ConvolutionOptions()
				last := func(s *torch.Scope, t *torch.Tensor) *torch.Tensor {
					return s.Call("aten.contiguous.default", torch.Arguments{"self": t, "memory_format": "channels_last"}, nil)
				}
				return func(s *torch.Scope, v *Values) *torch.Tensor {
					return s.Conv2d(last(s, x(v)), last(s, weight(v)), bias(v), o)
				}
			},
		},
	}
}

// A convolution is the sizes of one of maps.
type convolution struct {
	channels, height, width           int // of the input
	filters, groups, each             int // each: the filters of a group
	outHeight, outWidth               int
	kernel, stride, padding, dilation [2]int
}

func convolutionOf(c *Call) convolution {
	x, w, o := c.Shape("input"), c.Shape("weight"), c.ConvolutionOptions()
	g := convolution{channels: x[1], height: x[2], width: x[3], filters: w[0], groups: max(o.Groups, 1), kernel: [2]int{w[2], w[3]},
		stride: o.Stride, padding: o.Padding, dilation: o.Dilation, outHeight: c.Out[2], outWidth: c.Out[3]}
	g.each = g.filters / g.groups
	return g
}

// plain reports whether it is without dilation, and of one group or depthwise.
func (g convolution) plain() bool {
	return g.dilation == [2]int{1, 1} && (g.groups == 1 || g.groups == g.channels)
}

// bindWindows unfolds rows into windows, without a copy, and multiplies the matrix of all windows by that
// of the weights. Depthwise there is such a product for each channel.
func bindWindows(b *Binding) Kernel {
	g := convolutionOf(b.Call)
	x, weight, bias := b.Source("input"), b.Source("weight"), b.Source("bias")
	return func(s *torch.Scope, v *Values) *torch.Tensor {
		rows, n, k := x(v), v.Clips, g.kernel[1]
		if g.padding[1] > 0 {
			rows = s.ZeroPad2d(rows, [4]int{g.padding[1], g.padding[1], 0, 0})
		}
		windows := s.Call("aten.unfold.default", torch.Arguments{"self": rows, "dimension": 3, "size": k, "step": g.stride[1]}, nil)
		if g.groups == 1 {
			all := s.Reshape(transposed(s, windows, 0, 2, 3, 1, 4), n*g.outHeight*g.outWidth, g.channels*k)
			out := s.Linear(all, s.Reshape(weight(v), g.filters, g.channels*k), bias(v))
			return transposed(s, s.Reshape(out, n, g.outHeight, g.outWidth, g.filters), 0, 3, 1, 2)
		}
		all := s.Reshape(transposed(s, windows, 1, 0, 2, 3, 4), g.channels, n*g.outHeight*g.outWidth, k)
		w := transposed(s, s.Reshape(weight(v), g.channels, g.each, k), 0, 2, 1)
		var out *torch.Tensor
		if t := bias(v); t != nil {
			out = s.Call("aten.baddbmm.default", torch.Arguments{"self": s.Reshape(t, g.channels, 1, g.each), "batch1": all, "batch2": w}, nil)
		} else {
			out = s.MatMul(all, w)
		}
		out = transposed(s, s.Reshape(out, g.channels, n, g.outHeight, g.outWidth, g.each), 1, 0, 4, 2, 3)
		return s.Reshape(out, n, g.filters, g.outHeight, g.outWidth)
	}
}

// bindProduct multiplies, for each clip, the matrix of the weights by that of the points under a kernel.
func bindProduct(b *Binding) Kernel {
	g := convolutionOf(b.Call)
	x, weight, bias := b.Source("input"), b.Source("weight"), b.Source("bias")
	if g.groups > 1 {
		return func(s *torch.Scope, v *Values) *torch.Tensor {
			out := s.MatMul(s.Reshape(weight(v), 1, g.channels, g.each, g.height), x(v))
			out = s.Reshape(out, v.Clips, g.filters, 1, g.width)
			if t := bias(v); t != nil {
				out = s.Add(out, s.Reshape(t, g.filters, 1, 1))
			}
			return out
		}
	}
	return func(s *torch.Scope, v *Values) *torch.Tensor {
		n := v.Clips
		if g.kernel[0] == 1 { // all rows are as good as one
			points := g.height * g.width
			out := g.timesColumns(s, weight(v), bias(v), s.Reshape(x(v), n, g.channels, points), n, points)
			return s.Reshape(out, n, g.filters, g.height, g.width)
		}
		maps := x(v)
		if g.outHeight*g.kernel[0] < g.height {
			maps = s.Narrow(maps, 2, 0, g.outHeight*g.kernel[0])
		}
		maps = s.Reshape(maps, n, g.channels, g.outHeight, g.kernel[0], g.width)
		columns := s.Reshape(transposed(s, maps, 0, 2, 1, 3, 4), n*g.outHeight, g.channels*g.kernel[0], g.width)
		out := g.timesColumns(s, weight(v), bias(v), columns, n*g.outHeight, g.width)
		return transposed(s, s.Reshape(out, n, g.outHeight, g.filters, g.width), 0, 2, 1, 3)
	}
}

// timesColumns returns weights [filters, under] times each of count matrices [under, points], plus the bias.
func (g convolution) timesColumns(s *torch.Scope, weight, bias, columns *torch.Tensor, count, points int) *torch.Tensor {
	under := g.channels * g.kernel[0] * g.kernel[1]
	w := expanded(s, s.Reshape(weight, 1, g.filters, under), count, g.filters, under)
	if bias == nil {
		return s.MatMul(w, columns)
	}
	b := expanded(s, s.Reshape(bias, 1, g.filters, 1), count, g.filters, points)
	return s.Call("aten.baddbmm.default", torch.Arguments{"self": b, "batch1": w, "batch2": columns}, nil)
}

func bindIm2col(b *Binding) Kernel {
	g := convolutionOf(b.Call)
	x, weight, bias := b.Source("input"), b.Source("weight"), b.Source("bias")
	return func(s *torch.Scope, v *Values) *torch.Tensor {
		columns := s.Call("aten.im2col.default", torch.Arguments{"self": x(v), "kernel_size": slices.Clone(g.kernel[:]), "dilation": slices.Clone(g.dilation[:]),
			"padding": slices.Clone(g.padding[:]), "stride": slices.Clone(g.stride[:])}, nil)
		out := g.timesColumns(s, weight(v), bias(v), columns, v.Clips, g.outHeight*g.outWidth)
		return s.Reshape(out, v.Clips, g.filters, g.outHeight, g.outWidth)
	}
}
