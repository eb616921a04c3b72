package op

import (
	"fmt"
	"slices"
)

// A Net is a network that is being written. Its methods make layers: [Net.Conv2d] makes the tensors of a
// convolution, in the order in which PyTorch's class constructs them, and returns a [Layer], which adds
// the node. A layer that is called twice shares its tensors.
type Net struct {
	Nodes   []Node
	Tensors []Tensor
	shapes  Shapes
	err     error // of the first layer that can't be
}

// Input is the name of the network's input.
const Input = "input"

// NewNet begins a network for clips of a shape.
func NewNet(clip ...int) *Net { return &Net{shapes: Shapes{Input: batched(clip...)}} }

// A Layer adds a node with these inputs, and returns the name of its output.
type Layer func(values ...string) string

// Err says why a layer can't be, naming it.
func (n *Net) Err() error { return n.err }

// Size is the size of a value along a dimension, the batch's being 0; 0 after an error.
func (n *Net) Size(value string, dim int) int {
	if s := n.shapes[value]; dim < len(s) {
		return s[dim]
	}
	return 0
}

// tensor adds a parameter or buffer.
func (n *Net) tensor(t Tensor) Ref {
	n.Tensors = append(n.Tensors, t)
	n.shapes[t.Name] = t.Shape
	return Ref(t.Name)
}

// Probe says that PyTorch's class sends a clip of zeros as far as a value before it draws a tensor:
// see [Tensor.Probe].
func (n *Net) Probe(tensor, value string) {
	if i := slices.IndexFunc(n.Tensors, func(t Tensor) bool { return t.Name == tensor }); i >= 0 {
		n.Tensors[i].Probe = value
	}
}

// Xavier says that PyTorch's class draws a layer's weight anew by Xavier's rule and sets its bias to
// zero, once all layers are made.
func (n *Net) Xavier(layers ...string) {
	for _, layer := range layers {
		for i := range n.Tensors {
			t := &n.Tensors[i]
			t.Xavier = t.Xavier || t.Name == layer+".weight"
			t.Zeroed = t.Zeroed || t.Name == layer+".bias"
		}
	}
}

// Bound bounds the Euclidean norm of the rows of a tensor: see [Tensor.MaxNorm].
func (n *Net) Bound(tensor string, norm float64) {
	if i := slices.IndexFunc(n.Tensors, func(t Tensor) bool { return t.Name == tensor }); i >= 0 {
		n.Tensors[i].MaxNorm = norm
	}
}

// layer returns the [Layer] of an operation: args has all but the input, which arg names.
func (n *Net) layer(name, op, arg string, args Args) Layer {
	return n.adds(name, op, args, func(a Args, values []string) {
		if len(values) != 1 {
			a[arg] = nil
			return
		}
		a[arg] = Ref(values[0])
	})
}

// adds is layer for an operation whose values take sets among its arguments.
func (n *Net) adds(name, op string, args Args, take func(a Args, values []string)) Layer {
	calls := 0
	return func(values ...string) string {
		node := Node{Name: name, Op: op, Args: args}.Clone()
		if calls++; calls > 1 {
			node.Name = fmt.Sprintf("%s_%d", name, calls-1)
		}
		take(node.Args, values)
		if n.err == nil {
			if _, err := n.shapes.Infer(&node); err != nil {
				n.err = fmt.Errorf("layer %q: %w", node.Name, err)
			}
		}
		n.Nodes = append(n.Nodes, node)
		return node.Name
	}
}
