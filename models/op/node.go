package op

import (
	"maps"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/torch"
)

// A Ref is the name of a tensor: of an earlier value, a parameter or a buffer.
type Ref string

// A Size is a whole number that may be a multiple of the number of clips.
type Size = torch.Size

// A Choice is one of the names that libtorch has for element types and memory formats: "float32",
// "contiguous_format".
type Choice string

// Args are arguments by libtorch's names: a Ref, []Ref (of which one may be "", none), int, []int,
// Size, []Size (where one is a multiple of the number of clips), float64, []float64, bool, []bool,
// string, Choice, or nil for none. Those that are left out have libtorch's defaults.
type Args map[string]any

// A Node is one operation of a network.
type Node struct {
	Name string `json:"name"` // of its output: PyTorch's path of the module
	Op   string `json:"op"`   // libtorch's name, as torch.export writes it: "aten.conv2d.default"
	Args Args   `json:"args"`
	// Gives lists the outputs of a node of another program's graph: their shapes are known whether or
	// not the operation has a file. If nil, the node has one output, under its own name.
	Gives []Value `json:"gives,omitempty"`
}

// A Value is an output of a node.
type Value struct {
	Name  string `json:"name"`  // "" for one that is no input of any node
	Shape []int  `json:"shape"` // a negative size is so many times the number of clips: see [Batch]
	Type  Choice `json:"type,omitempty"`
}

// A Tensor is a parameter or buffer of a network.
type Tensor struct {
	Name   string `json:"name"` // PyTorch's
	Shape  []int  `json:"shape"`
	Buffer bool   `json:"buffer,omitempty"` // saved, but not trained
	Counts bool   `json:"counts,omitempty"` // of int64, a count of batches
	Type   Choice `json:"type,omitempty"`   // of its elements; "" for float32, or int64 if it counts
	// Init is the distribution it is drawn from where neither its layer's Draw nor Fill says it.
	Init *Init `json:"init,omitempty"`
	// Constant says that it is the same in every network of the graph: a buffer that PyTorch does
	// not save with the others, or a number that the graph holds.
	Constant bool    `json:"constant,omitempty"`
	Fill     float64 `json:"fill,omitempty"` // the value of each element where it is not drawn
	// Xavier says that the PyTorch class draws it anew, after all tensors are made, as
	// xavier_uniform_ does (Glorot 2010); Zeroed that it then sets it to zero.
	Xavier bool `json:"xavier,omitempty"`
	Zeroed bool `json:"zeroed,omitempty"`
	// MaxNorm is the largest Euclidean norm that each of its rows may have; zero means any. A
	// training brings rows back to it after each step.
	MaxNorm float64 `json:"max_norm,omitempty"`
	// Probe says that before it is drawn the PyTorch class sends a clip of zeros through the
	// network as far as this value, in training, to find how many inputs a layer has. That draws
	// random numbers and moves running statistics, so the same seed gives the same network only
	// with it.
	Probe string `json:"probe,omitempty"`
}

// Init is a distribution that numbers of a file look drawn from.
type Init struct {
	Kind string  `json:"kind"` // Uniform, Normal or Default
	Mean float64 `json:"mean,omitempty"`
	Std  float64 `json:"std,omitempty"`
	// FanIn is how many inputs each of the layer's filters had; 0 where that does not matter.
	FanIn int `json:"fan_in,omitempty"`
}

// The kinds of [Init].
const (
	Uniform = "uniform"
	Normal  = "normal"
	Default = "default" // of PyTorch's layers: uniform within 1/sqrt(fan in)
)

// Layer is the path of the module that a tensor belongs to: "block1.0" of "block1.0.weight".
func (t *Tensor) Layer() string { return LayerOf(t.Name) }

// Len is the number of its elements.
func (t *Tensor) Len() int { return product(t.Shape) }

// LayerOf is the path of the module that the tensor of a name belongs to.
func LayerOf(tensor string) string {
	if i := strings.LastIndexByte(tensor, '.'); i >= 0 {
		return tensor[:i]
	}
	return tensor
}

// Clone returns a copy that shares nothing with n.
func (n Node) Clone() Node {
	args := n.Args
	n.Args = Args{}
	maps.Copy(n.Args, args)
	for name, v := range args {
		switch v := v.(type) {
		case []int:
			n.Args[name] = slices.Clone(v)
		case []Ref:
			n.Args[name] = slices.Clone(v)
		case []Size:
			n.Args[name] = slices.Clone(v)
		}
	}
	n.Gives = slices.Clone(n.Gives)
	for i := range n.Gives {
		n.Gives[i].Shape = slices.Clone(n.Gives[i].Shape)
	}
	return n
}

// Ref is an argument that is a tensor, "" where it is not given.
func (n *Node) Ref(arg string) string {
	r, _ := n.Args[arg].(Ref)
	return string(r)
}

// Refs is an argument of several tensors.
func (n *Node) Refs(arg string) []string {
	refs, _ := n.Args[arg].([]Ref)
	names := make([]string, len(refs))
	for i, r := range refs {
		names[i] = string(r)
	}
	return names
}

// Values are the names of the node's outputs, in order.
func (n *Node) Values() []string {
	if n.Gives == nil {
		return []string{n.Name}
	}
	names := make([]string, len(n.Gives))
	for i, v := range n.Gives {
		names[i] = v.Name
	}
	return names
}

// Inputs are the names of all its input tensors, in the order of its arguments.
func (n *Node) Inputs() []string { return n.inputs(Of(n.Op)) }

func (n *Node) inputs(o *Op) []string {
	var names []string
	add := func(arg string) {
		if r, ok := n.Args[arg].(Ref); ok {
			names = append(names, string(r))
		}
		for _, r := range n.Refs(arg) {
			if r != "" { // none, in a list
				names = append(names, r)
			}
		}
	}
	if o == nil {
		for _, arg := range slices.Sorted(maps.Keys(n.Args)) {
			add(arg)
		}
		return names
	}
	for _, p := range o.params {
		add(p.name)
	}
	return names
}
