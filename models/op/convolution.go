package op

import (
	"maps"
	"slices"
	"strings"
)

// convolutionRules returns the rules of convolutions that have no file of their own.
func convolutionRules() []rule {
	return []rule{
		{ops: "conv1d conv2d conv3d", Op: Op{Weighs: Conv, Tie: tieConvolution, Fit: fitConvolution, MACs: convolutionMACs, ONNX: convolutionONNX}},
		{ops: "conv_transpose1d conv_transpose2d conv_transpose3d", Op: Op{Weighs: Conv, Tie: func(t *Ties) {
			channels := t.channels()
			if t.Int("groups") != 1 || channels < 0 {
				return
			}
			t.Same(t.In("input", channels), t.Tensor("weight", 0, Column))
			t.Same(t.Out(channels), t.Tensor("weight", 1, Filter))
			if t.Given("bias") {
				t.Same(t.Out(channels), t.Tensor("bias", 0, Bias))
			}
			if channels > 0 {
				t.Same(t.In("input", 0), t.Out(0))
			}
		}, MACs: func(c *Call) int64 {
			w := c.Shape("weight")
			if len(w) < 2 || w[0] < 1 {
				return 0
			}
			return perClip(w) * perClip(c.Shape("input")) / int64(w[0])
		}, ONNX: convolutionONNX}},
	}
}

// convolutionMACs are one for each weight at each place of a map.
func convolutionMACs(c *Call) int64 {
	w := c.Shape("weight")
	if len(w) < 2 || w[0] < 1 {
		return 0
	}
	return perClip(w) * perClip(c.Out) / int64(w[0])
}

// Zeros are how many a convolution adds before and after a map, along each of its dimensions.
func (c *Call) Zeros() (before, after []int) {
	if _, word := c.value("padding").(string); !word {
		return c.Ints("padding"), c.Ints("padding")
	}
	kernel, dilation := c.Shape("weight")[2:], c.Ints("dilation")
	before, after = make([]int, len(kernel)), make([]int, len(kernel))
	for i, n := range kernel {
		if c.Text("padding") == "same" {
			around := dilation[i] * (n - 1)
			before[i], after[i] = around/2, around-around/2
		}
	}
	return before, after
}

// Unpadded returns the call as a [Conv1d] or [Conv2d] without padding, for an input to which the zeros have been
// added already; nil unless it is one whose padding is given by a word.
func (c *Call) Unpadded() *Call {
	name := map[string]string{"aten.conv1d.padding": Conv1d, "aten.conv2d.padding": Conv2d}[c.Op]
	rank := map[string]int{Conv1d: 3, Conv2d: 4}[name]
	if rank == 0 || !Of(name).typical(c) || len(c.Shape("input")) != rank || len(c.Shape("weight")) != rank {
		return nil
	}
	for _, sizes := range [][]int{c.Ints("stride"), c.Ints("dilation")} {
		if len(sizes) != rank-2 || slices.Min(sizes) < 1 {
			return nil
		}
	}
	n, twin := *c.Node, *c
	n.Op, n.Args = name, maps.Clone(c.Args)
	n.Args["padding"] = make([]int, rank-2)
	twin.Node, twin.op, twin.known = &n, Of(name), true
	return &twin
}

func convolutionONNX(g *Graph) error {
	kernel := g.Shape("weight")[min(2, len(g.Shape("weight"))):]
	stride, dilation := g.Ints("stride"), g.Ints("dilation")
	if len(kernel) == 0 || len(stride) != len(kernel) || len(dilation) != len(kernel) || g.channels() < 0 || g.channels() > 1 {
		return errNoONNX(g.Call, "")
	}
	attributes := []Attribute{{"kernel_shape", kernel}, {"strides", stride}, {"pads", slices.Concat(g.Zeros())}, {"group", g.Int("groups")}}
	if slices.ContainsFunc(dilation, func(d int) bool { return d != 1 }) {
		attributes = append(attributes, Attribute{"dilations", dilation})
	}
	in, operation := g.weighed(), "Conv"
	if strings.HasPrefix(g.function(), "conv_transpose") {
		operation = "ConvTranspose"
		in[1] = g.In("weight") // whose filters are its second dimension
		attributes = append(attributes, Attribute{"output_padding", g.Ints("output_padding")})
	}
	if g.channels() == 1 {
		g.Add(operation, in, attributes...)
		return nil
	}
	in[0] = g.Step("Unsqueeze", []string{in[0], g.Numbers(0)})
	g.Add("Squeeze", []string{g.Step(operation, in, attributes...), g.Numbers(0)})
	return nil
}
