package op

import (
	"fmt"
	"strconv"

	"github.com/eegprune/eegprune/torch"
)

// Conv2d is a convolution of maps [channels, height, width].
const Conv2d = "aten.conv2d.default"

func conv2d() Op {
	return Op{
		Schema: "conv2d(Tensor input, Tensor weight, Tensor? bias=None, int[2] stride=1, int[2] padding=0, int[2] dilation=1, int groups=1) -> Tensor",
		Weighs: Conv,
		Shape:  func(c *Call) ([]int, error) { return convolved(c, 2) },
		Fit:    fitConvolution,
		Draw:   byFanIn,
		Tie:    tieConvolution,
		MACs:   convolutionMACs,
		Bind: func(b *Binding) Kernel {
			x, weight, bias, o := b.Source("input"), b.Source("weight"), b.Source("bias"), b.ConvolutionOptions()
			return func(s *torch.Scope, v *Values) *torch.Tensor { return s.Conv2d(x(v), weight(v), bias(v), o) }
		},
		ONNX:       convolutionONNX,
		Module:     func(c *Call) string { return convolutionModule(c, "nn.Conv2d") },
		Variants:   conv2dVariants(),
		Rewritable: true,
		AnyLayout:  true,
		EachRow:    true,
	}
}

// ConvolutionOptions are the settings of a convolution of maps, or of one of rows as maps of one row.
func (c *Call) ConvolutionOptions() torch.Conv2dOptions {
	sizes := func(arg string, ofOneRow int) [2]int {
		if v := c.Ints(arg); len(v) == 2 {
			return [2]int(v)
		}
		return [2]int{ofOneRow, c.Ints(arg)[0]}
	}
	return torch.Conv2dOptions{Stride: sizes("stride", 1), Padding: sizes("padding", 0), Dilation: sizes("dilation", 1), Groups: c.Int("groups")}
}

// ConvOptions are the options of a convolution. Strides of zero mean 1.
type ConvOptions struct {
	Stride, Padding [2]int // height before width
	// Groups divides channels into groups that do not mix; 0 for one.
	Groups int
	NoBias bool
}

// Conv2d adds a [Conv2d] with a weight [out, in/groups, height, width].
func (n *Net) Conv2d(name string, in, out int, kernel [2]int, o ConvOptions) Layer {
	args := Args{}
	if o.Stride != [2]int{} {
		args["stride"] = []int{max(o.Stride[0], 1), max(o.Stride[1], 1)}
	}
	if o.Padding != [2]int{} {
		args["padding"] = o.Padding[:]
	}
	if o.Groups != 0 {
		args["groups"] = o.Groups
	}
	return n.weighs(name, Conv2d, args, !o.NoBias, out, in/max(o.Groups, 1), kernel[0], kernel[1])
}

// Shared by convolutions of any number of dimensions.

// depthwise reports whether each filter sees one channel, and goes with it. One group that is
// given says so too: all channels but one are gone.
func (c *Call) depthwise() bool {
	_, given := c.Args["groups"]
	w := c.Shape("weight")
	return given && len(w) > 1 && w[1] == 1 && (c.Gives == nil || c.Int("groups") > 1)
}

// channels is the dimension of the channels: after the clips, or the first where there are none.
func (c *Call) channels() int { return len(c.Shape("input")) - len(c.Shape("weight")) + 1 }

// convolved returns the output shape of a convolution along so many dimensions.
func convolved(c *Call, dims int) ([]int, error) {
	x, err := c.Map("input", "convolution", dims+1)
	if err != nil {
		return nil, err
	}
	w, groups := c.Shape("weight"), c.Int("groups")
	if len(w) != dims+2 {
		return nil, fmt.Errorf("a convolution with a weight %v: it is [out, in, ...] with %d dimensions more", w, dims)
	}
	in, kernel := w[1]*max(groups, 1), w[2:]
	bad := x[0] != in || in < 1 || w[0] < 1 || groups < 1 || w[0]%max(groups, 1) != 0
	stride, padding, dilation := c.Ints("stride"), c.Ints("padding"), c.Ints("dilation")
	for i := range kernel {
		bad = bad || kernel[i] < 1 || len(stride) != dims || stride[i] < 1 || len(dilation) != dims || dilation[i] < 1 || len(padding) != dims
	}
	if bad {
		return nil, fmt.Errorf("a convolution of %d channels in %d groups to %d, kernel %v, over %v", in, groups, w[0], kernel, x)
	}
	out := []int{w[0]}
	for i := range kernel {
		if padding[i] < 0 || padding[i] > maxElements || dilation[i] > maxElements {
			return nil, fmt.Errorf("padding %v: each side must be from 0 to %d", padding, maxElements)
		}
		size, span := x[1+i]+2*padding[i], dilation[i]*(kernel[i]-1)+1
		if size < span {
			padded := make([]int, dims)
			for k := range padded {
				padded[k] = x[1+k] + 2*padding[k]
			}
			return nil, fmt.Errorf("a kernel of %v does not fit into %s", kernel, times(padded))
		}
		out = append(out, (size-span)/stride[i]+1)
	}
	if tooMany(w...) {
		return nil, fmt.Errorf("a convolution of %d channels to %d, kernel %v, has too many weights", in, w[0], kernel)
	}
	if err := c.rows("bias", w[0]); err != nil {
		return nil, err
	}
	return batched(out...), nil
}

// times prints sizes as 4x4.
func times(v []int) string {
	text := strconv.Itoa(v[0])
	for _, n := range v[1:] {
		text += "x" + strconv.Itoa(n)
	}
	return text
}

func fitConvolution(c *Call) {
	if c.Gives != nil {
		each := c.size("weight", 1)
		if in := c.size("input", c.channels()); c.Int("groups") > 1 && each > 0 && in > 0 {
			c.Args["groups"] = in / each
		}
		return
	}
	channels := c.Shape("input")[1]
	if c.depthwise() {
		c.Args["groups"] = channels
	} else if groups := c.Int("groups"); groups > 0 {
		c.resize("weight", 1, channels/groups)
	}
	c.resize("bias", 0, c.Shape("weight")[0])
}

// tieConvolution: channels are used up with the weight's columns, and filters make new ones. In
// groups, filters of a group see its channels only: each filter goes with its channel where there
// is one in each group, else the first channels of all groups go together, the second, and so on.
func tieConvolution(t *Ties) {
	channels := t.channels()
	if channels < 0 {
		return
	}
	in, out := t.In("input", channels), t.Out(channels)
	groups := t.Int("groups")
	switch filters := t.Tensor("weight", 0, Filter); {
	case t.depthwise():
		t.Later(func() {
			if t.free(in) {
				t.Spread(in, out, out.size/in.size)
			} else {
				t.Repeat(filters, filters.size/groups)
			}
		})
	case groups > 1:
		t.Spread(t.Tensor("weight", 1, Column), in, 1)
		t.Repeat(filters, filters.size/groups)
	default:
		t.Same(in, t.Tensor("weight", 1, Column))
	}
	t.touched[in] = true
	t.made(channels)
	if channels > 0 {
		t.Same(t.In("input", 0), t.Out(0))
	}
}

func convolutionModule(c *Call, class string) string {
	w := c.Shape("weight")
	args := fmt.Sprintf("%d, %d, %s", w[1]*c.Int("groups"), w[0], tuple(w[2:]))
	for _, o := range []struct {
		name  string
		own   int
		value []int
	}{{"stride", 1, c.Ints("stride")}, {"padding", 0, c.Ints("padding")}, {"dilation", 1, c.Ints("dilation")}} {
		for _, v := range o.value {
			if v != o.own {
				args += fmt.Sprintf(", %s=%s", o.name, tuple(o.value))
				break
			}
		}
	}
	if g := c.Int("groups"); g > 1 {
		args += fmt.Sprintf(", groups=%d", g)
	}
	if !c.Given("bias") {
		args += ", bias=False"
	}
	return class + "(" + args + ")"
}
