// Package models holds the networks: each declared as data, an [Arch], in a file of
// its own, and made computable as a [Network].
package models

import (
	"fmt"
	"slices"
)

// Op is what a layer does.
type Op string

// The operations a network can be made of.
const (
	Conv2d      Op = "conv2d"
	Linear      Op = "linear"
	BatchNorm2d Op = "batch_norm2d"
	ReLU        Op = "relu"
	SELU        Op = "selu"
	ELU         Op = "elu"
	LeakyReLU   Op = "leaky_relu"
	ZeroPad2d   Op = "zero_pad2d"
	AvgPool2d   Op = "avg_pool2d"
	Dropout     Op = "dropout"
	Dropout2d   Op = "dropout2d"
	Flatten     Op = "flatten" // everything but the batch
	Mean        Op = "mean"    // over the last dimension
	Cat         Op = "cat"     // along Dim
)

// Input is the name by which layers refer to the network's input.
const Input = "input"

// A Layer is one operation. Only the fields that its Op uses are set.
type Layer struct {
	Name   string   `json:"name"` // PyTorch's path of the module; parameters are Name + ".weight"
	Op     Op       `json:"op"`
	Inputs []string `json:"inputs"` // names of layers, or Input

	In     int    `json:"in,omitempty"`  // channels or features
	Out    int    `json:"out,omitempty"` // channels or features
	Kernel [2]int `json:"kernel,omitzero"`
	Stride [2]int `json:"stride,omitzero"`  // zero means 1 for a convolution, Kernel for a pool
	Pad    [4]int `json:"pad,omitzero"`     // zeros added left, right, top, bottom
	Groups int    `json:"groups,omitempty"` // of a convolution; In for a depthwise one
	NoBias bool   `json:"no_bias,omitempty"`

	Slope float64 `json:"slope,omitempty"` // LeakyReLU, ELU
	P     float64 `json:"p,omitempty"`     // Dropout
	Dim   int     `json:"dim,omitempty"`   // Cat, counted with the batch as 0

	// Of BatchNorm; zero means PyTorch's 0.1 and 1e-5.
	Momentum float64 `json:"momentum,omitempty"`
	Eps      float64 `json:"eps,omitempty"`
	// MaxNorm is the largest Euclidean norm that a filter may have; zero means any. See
	// [Network.Constrain].
	MaxNorm float64 `json:"max_norm,omitempty"`
	// Probe says that the PyTorch class sends a clip of zeros through the layers so far,
	// in training, to find how many inputs this one has. That draws random numbers and
	// moves running statistics, so the same seed gives the same network only with it.
	Probe bool `json:"probe,omitempty"`
}

// A Group is a set of channels that can only be removed together: those of the layers
// that produce them, of the BatchNorms that they go through, and the inputs of the
// layers that they feed. Channel i of the group is the same in all of them.
type Group struct {
	Name      string   `json:"name"`
	Channels  int      `json:"channels"`
	Producers []Member `json:"producers"`
	Norms     []Member `json:"norms,omitempty"`
	Consumers []Member `json:"consumers"`
	// Kept holds, after pruning, which channels of the unpruned network are left.
	Kept []int `json:"kept,omitempty"`
}

// A Member is a layer's part in a group. One channel of the group takes Span channels
// or features of it: 81 columns of the first linear layer after a 9x9 map, D rows of a
// depthwise convolution of multiplier D.
type Member struct {
	Layer string `json:"layer"`
	Span  int    `json:"span"`
}

// Members makes members of span 1.
func Members(layers ...string) []Member {
	m := make([]Member, len(layers))
	for i, l := range layers {
		m[i] = Member{Layer: l, Span: 1}
	}
	return m
}

// An Arch is a network as data: layers in PyTorch's order of construction, which is
// also that of parameters; how they are connected; and which channels go together.
type Arch struct {
	Model   string  `json:"model"`
	Input   [3]int  `json:"input"` // channels, height, width of one clip
	Classes int     `json:"classes"`
	Layers  []Layer `json:"layers"` // the last to be computed is the one nothing else uses
	Groups  []Group `json:"groups"`
}

// Layer returns the layer of that name, or nil.
func (a *Arch) Layer(name string) *Layer {
	for i := range a.Layers {
		if a.Layers[i].Name == name {
			return &a.Layers[i]
		}
	}
	return nil
}

// Group returns the group of that name, or nil.
func (a *Arch) Group(name string) *Group {
	for i := range a.Groups {
		if a.Groups[i].Name == name {
			return &a.Groups[i]
		}
	}
	return nil
}

// Linear reports whether the channels of a group are neurons of linear layers, which
// the paper leaves whole.
func (g *Group) Linear(a *Arch) bool { return a.Layer(g.Producers[0].Layer).Op == Linear }

// Clone returns a copy that shares nothing with a.
func (a *Arch) Clone() *Arch {
	c := *a
	c.Layers = slices.Clone(a.Layers)
	for i := range c.Layers {
		c.Layers[i].Inputs = slices.Clone(c.Layers[i].Inputs)
	}
	c.Groups = slices.Clone(a.Groups)
	for i := range c.Groups {
		g := &c.Groups[i]
		g.Producers, g.Norms, g.Consumers = slices.Clone(g.Producers), slices.Clone(g.Norms), slices.Clone(g.Consumers)
		g.Kept = slices.Clone(g.Kept)
	}
	return &c
}

// Order returns the indices of the layers in an order in which each comes after its
// inputs, the network's output last.
func (a *Arch) Order() ([]int, error) {
	index := map[string]int{}
	used := map[string]bool{}
	for i, l := range a.Layers {
		if _, twice := index[l.Name]; twice || l.Name == Input || l.Name == "" {
			return nil, fmt.Errorf("%s: layer name %q is empty, reserved or used twice", a.Model, l.Name)
		}
		index[l.Name] = i
		for _, in := range l.Inputs {
			used[in] = true
		}
	}
	var output []int
	for i, l := range a.Layers {
		if !used[l.Name] {
			output = append(output, i)
		}
	}
	if len(output) != 1 {
		return nil, fmt.Errorf("%s: %d layers feed no other; a network has one output", a.Model, len(output))
	}
	var order []int
	const visiting, done = 1, 2
	state := make([]int, len(a.Layers))
	var visit func(i int) error
	visit = func(i int) error {
		if state[i] == visiting {
			return fmt.Errorf("%s: layer %q depends on itself", a.Model, a.Layers[i].Name)
		}
		if state[i] == done {
			return nil
		}
		state[i] = visiting
		for _, in := range a.Layers[i].Inputs {
			if in == Input {
				continue
			}
			j, ok := index[in]
			if !ok {
				return fmt.Errorf("%s: layer %q takes its input from %q, which is not there", a.Model, a.Layers[i].Name, in)
			}
			if err := visit(j); err != nil {
				return err
			}
		}
		state[i] = done
		order = append(order, i)
		return nil
	}
	if err := visit(output[0]); err != nil {
		return nil, err
	}
	// Each layer feeds another or is the output: what the output does not reach goes
	// round in a circle.
	for i, l := range a.Layers {
		if state[i] != done {
			return nil, fmt.Errorf("%s: layer %q depends on itself", a.Model, l.Name)
		}
	}
	return order, nil
}

// Check finds what is wrong with an architecture that came from a file or was built by
// hand: connections, shapes, and groups whose members have other sizes than they say.
func (a *Arch) Check() error {
	if a.Classes < 2 {
		return fmt.Errorf("%s: %d classes; a classifier needs at least 2", a.Model, a.Classes)
	}
	shapes, err := a.Shapes()
	if err != nil {
		return err
	}
	order, _ := a.Order()
	if out := shapes[a.Layers[order[len(order)-1]].Name]; len(out) != 1 || out[0] != a.Classes {
		return fmt.Errorf("%s: the last layer gives %v, not %d logits", a.Model, out, a.Classes)
	}
	for _, g := range a.Groups {
		if g.Channels < 1 || len(g.Producers) == 0 || len(g.Consumers) == 0 {
			return fmt.Errorf("%s: group %q has %d channels, %d producers and %d consumers; each must be at least 1",
				a.Model, g.Name, g.Channels, len(g.Producers), len(g.Consumers))
		}
		if g.Kept != nil && (len(g.Kept) != g.Channels || g.Kept[0] < 0 || !rises(g.Kept)) {
			return fmt.Errorf("%s: group %q has %d channels but says that it kept %v", a.Model, g.Name, g.Channels, g.Kept)
		}
		check := func(members []Member, size func(*Layer) int) error {
			for _, m := range members {
				l := a.Layer(m.Layer)
				if l == nil {
					return fmt.Errorf("%s: group %q names layer %q, which is not there", a.Model, g.Name, m.Layer)
				}
				if m.Span < 1 || size(l)/m.Span != g.Channels || size(l)%m.Span != 0 {
					return fmt.Errorf("%s: group %q has %d channels of span %d, but layer %q has %d",
						a.Model, g.Name, g.Channels, m.Span, m.Layer, size(l))
				}
			}
			return nil
		}
		out, in := func(l *Layer) int { return l.Out }, func(l *Layer) int { return l.In }
		for _, err := range []error{check(g.Producers, out), check(g.Norms, out), check(g.Consumers, in)} {
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func rises(v []int) bool {
	for i := 1; i < len(v); i++ {
		if v[i] <= v[i-1] {
			return false
		}
	}
	return true
}
