package op

import (
	"fmt"
	"math"
)

// Shared by convolutions and linear layers: a weight [out, in, ...] and perhaps a bias [out].

// weighs adds a layer with such a weight.
func (n *Net) weighs(name, op string, args Args, bias bool, shape ...int) Layer {
	args["weight"] = n.tensor(Tensor{Name: name + ".weight", Shape: shape})
	if bias {
		args["bias"] = n.tensor(Tensor{Name: name + ".bias", Shape: []int{shape[0]}})
	}
	return n.layer(name, op, "input", args)
}

// rows says that the tensor of an argument, where it is given, must have so many elements.
func (c *Call) rows(arg string, n int) error {
	if s := c.Shape(arg); c.Given(arg) && (len(s) != 1 || s[0] != n) {
		return fmt.Errorf("its %s has shape %v where [%d] is needed", arg, s, n)
	}
	return nil
}

// made ties a weight's filters to the channels along an output dimension, and to the bias of each.
func (t *Ties) made(dim int) {
	t.Same(t.Out(dim), t.Tensor("weight", 0, Filter))
	if t.Given("bias") {
		t.Same(t.Out(dim), t.Tensor("bias", 0, Bias))
	}
}

// byFanIn is the default distribution of PyTorch's layers: both tensors are uniform within 1/sqrt(fan in).
func byFanIn(c *Call, arg string) Distribution {
	fanIn := float64(product(c.Shape("weight")[1:]))
	if arg == "bias" {
		return Distribution{1 / math.Sqrt(fanIn)}
	}
	// kaiming_uniform_ with a = sqrt(5), in PyTorch's order of operations, for the same bits.
	return Distribution{math.Sqrt(3) * (math.Sqrt(2/(1+5.0)) / math.Sqrt(fanIn))}
}

// Glorot is the distribution that xavier_uniform_ draws a weight of a shape from.
func Glorot(shape []int) Distribution {
	inner := product(shape[2:])
	std := math.Sqrt(2 / float64(shape[1]*inner+shape[0]*inner))
	return Distribution{math.Sqrt(3) * std}
}

// weighed are a layer's input, weight and bias in a graph.
func (g *Graph) weighed() []string {
	in := []string{g.In("input"), g.Weight(g.Ref("weight"))}
	if g.Given("bias") {
		in = append(in, g.In("bias"))
	}
	return in
}
