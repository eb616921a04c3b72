// Package models holds the networks of EEG that eegprune trains and prunes.
//
// An [Arch] is a network as data: operations in order, tensors under PyTorch's names, and the
// channels that can only go together. [Build] makes one of the built-in models ([All]) for clips of
// some size, [Custom] one that the caller has written with [op.Net], [ReadExported] one of an
// archive of torch.export. A [Network] is an Arch with weights: [New] draws them as PyTorch does
// from the same seed, [Load] reads a checkpoint, and [Open] one of another program. Its owner frees
// it.
//
// # Shapes and counts
//
// Clips are [clips, channels, height, width]: bands on a grid of electrodes, or one channel of
// [electrodes, samples]. Logits are [clips, classes]. [Arch.Count] counts parameters and
// multiply-accumulates of one clip as fvcore does.
package models

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch/ptfile"
)

// Input is the name by which nodes refer to the network's input.
const Input = op.Input

// A Group is a set of channels that can be removed one by one, each with all that is its.
type Group = op.Group

// An Arch is a network as data: operations in the order in which they are computed, tensors in
// PyTorch's order of construction, and which channels go together.
type Arch struct {
	Model   string    `json:"model"`
	Input   [3]int    `json:"input"` // channels, height, width of one clip
	Classes int       `json:"classes"`
	Nodes   []op.Node `json:"nodes"`
	// Output is the value that is the logits; "" for the last node's output.
	Output  string      `json:"output,omitempty"`
	Tensors []op.Tensor `json:"tensors"`
	Groups  []Group     `json:"groups"` // from the operations: see [op.Groups]
	// Whole says which layers keep all their channels, and why.
	Whole []op.Whole `json:"-"`
	// Exported describes a network that PyTorch exported; nil for networks of this program.
	Exported *Exported `json:"exported,omitempty"`

	// Removed lists the parts that were removed of the tensors of an exported network.
	Removed []Removal `json:"removed,omitempty"`

	trace  *op.Trace               // of the groups
	values map[string]ptfile.Array // of an exported network: the graph's numbers that are not trained
}

// Custom is an architecture of a net that is no model's.
func Custom(name string, input [3]int, classes int, net *op.Net) (*Arch, error) {
	if err := net.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	a := &Arch{Model: name, Input: input, Classes: classes, Nodes: net.Nodes, Tensors: net.Tensors}
	if err := a.Check(); err != nil {
		return nil, err
	}
	return a, a.Regroup()
}

// Node returns the node of that name, or nil.
func (a *Arch) Node(name string) *op.Node {
	i := slices.IndexFunc(a.Nodes, func(n op.Node) bool { return n.Name == name })
	if i < 0 {
		return nil
	}
	return &a.Nodes[i]
}

// Tensor returns the parameter or buffer of that name, or nil.
func (a *Arch) Tensor(name string) *op.Tensor {
	i := slices.IndexFunc(a.Tensors, func(t op.Tensor) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return &a.Tensors[i]
}

// Group returns the group of that name, or nil.
func (a *Arch) Group(name string) *Group {
	i := slices.IndexFunc(a.Groups, func(g Group) bool { return g.Name == name })
	if i < 0 {
		return nil
	}
	return &a.Groups[i]
}

// An owner is the first node that takes a tensor, and the argument that it is.
type owner struct {
	node *op.Node
	arg  string
}

// owners returns the owners of all tensors and values but those that only lists hold.
func (a *Arch) owners() map[string]owner {
	all := map[string]owner{}
	for i := range a.Nodes {
		n := &a.Nodes[i]
		for arg := range n.Args {
			if t := n.Ref(arg); t != "" && all[t].node == nil {
				all[t] = owner{n, arg}
			}
		}
	}
	return all
}

// Owner returns the first node that takes a tensor, and as which argument.
func (a *Arch) Owner(tensor string) (*op.Node, string) {
	o := a.owners()[tensor]
	return o.node, o.arg
}

// Logits is the name of the value that is the logits.
func (a *Arch) Logits() string {
	if a.Output != "" || len(a.Nodes) == 0 {
		return a.Output
	}
	return a.Nodes[len(a.Nodes)-1].Values()[0]
}

// Kind returns the kind of layer that a weight belongs to; "" for tensors that are no weight.
func (a *Arch) Kind(tensor string) op.Kind {
	if a.trace != nil {
		return a.trace.Kind(tensor)
	}
	if n, _ := a.Owner(tensor); n != nil {
		if o := op.Of(n.Op); o != nil {
			return o.Weighs
		}
	}
	return ""
}

// Linear reports whether the channels of a group are neurons of linear layers, which
// the paper leaves whole.
func (a *Arch) Linear(g *Group) bool { return a.Kind(g.Of(op.Filter)[0].Tensor) == op.Dense }

// Clone returns a copy that shares nothing with a.
func (a *Arch) Clone() *Arch {
	c := *a
	c.Nodes = slices.Clone(a.Nodes)
	for i := range c.Nodes {
		c.Nodes[i] = c.Nodes[i].Clone()
	}
	c.Tensors = slices.Clone(a.Tensors)
	for i := range c.Tensors {
		c.Tensors[i].Shape = slices.Clone(c.Tensors[i].Shape)
	}
	c.Groups = slices.Clone(a.Groups)
	for i := range c.Groups {
		g := &c.Groups[i]
		g.Kept = slices.Clone(g.Kept)
		g.Parts = slices.Clone(g.Parts)
		for k := range g.Parts {
			index := slices.Clone(g.Parts[k].Index)
			for j := range index {
				index[j] = slices.Clone(index[j])
			}
			g.Parts[k].Index = index
		}
	}
	c.Whole = slices.Clone(a.Whole)
	return &c
}

// tensorShapes returns the shapes of the input and of all parameters and buffers. They share the tensors'
// memory, so that an operation that resizes one changes the architecture.
func (a *Arch) tensorShapes() (op.Shapes, error) {
	const most = 1 << 40 // elements of one dimension
	shapes := op.Shapes{Input: {op.Batch, a.Input[0], a.Input[1], a.Input[2]}}
	for _, n := range a.Input {
		if n < 1 || n > most {
			return nil, fmt.Errorf("%s: input of shape %v", a.Model, a.Input)
		}
	}
	for _, t := range a.Tensors {
		if t.Name == "" || shapes[t.Name] != nil {
			return nil, fmt.Errorf("%s: the name %q of a tensor is empty, reserved or used twice", a.Model, t.Name)
		}
		for _, n := range t.Shape {
			if n < 1 || n > most {
				return nil, fmt.Errorf("%s: layer %q: its tensor %s has shape %v", a.Model, t.Layer(), t.Name, t.Shape)
			}
		}
		if t.Shape == nil {
			return nil, fmt.Errorf("%s: layer %q: its tensor %s has no shape", a.Model, t.Layer(), t.Name)
		}
		shapes[t.Name] = t.Shape
	}
	return shapes, nil
}

// walk finds the shapes of all values, in order, and has visit see each node with the shapes of its
// inputs and outputs.
func (a *Arch) walk(before func(c *op.Call), visit func(c *op.Call)) (op.Shapes, error) {
	shapes, err := a.tensorShapes()
	if err != nil {
		return nil, err
	}
	for i := range a.Nodes {
		n := &a.Nodes[i]
		if n.Name == "" || shapes[n.Name] != nil {
			return nil, fmt.Errorf("%s: layer name %q is empty, reserved or used twice", a.Model, n.Name)
		}
		if before != nil {
			c, err := shapes.Call(n)
			if err != nil {
				return nil, fmt.Errorf("%s: layer %q: %w", a.Model, n.Name, err)
			}
			before(c)
		}
		c, err := shapes.Infer(n)
		if err != nil {
			return nil, fmt.Errorf("%s: layer %q: %w", a.Model, n.Name, err)
		}
		if visit != nil {
			visit(c)
		}
	}
	return shapes, nil
}

// Walk visits the nodes in order, each with the shapes of its inputs and outputs.
func (a *Arch) Walk(visit func(c *op.Call)) error {
	_, err := a.walk(nil, visit)
	return err
}

// Check finds what is wrong with an architecture that came from a file or was built by
// hand: connections, shapes, and groups that do not follow from its operations.
func (a *Arch) Check() error {
	if a.Classes < 2 {
		return fmt.Errorf("%s: %d classes; a classifier needs at least 2", a.Model, a.Classes)
	}
	used := map[string]int{}
	for i := range a.Nodes {
		for _, in := range a.Nodes[i].Inputs() {
			used[in]++
		}
	}
	outputs := 0
	for _, n := range a.Nodes {
		if used[n.Name] == 0 {
			outputs++
		}
	}
	shapes, err := a.walk(nil, nil)
	switch logits := shapes[a.Logits()]; {
	case err != nil:
		return err
	case a.Exported == nil && (outputs != 1 || used[a.Logits()] > 0):
		return fmt.Errorf("%s: %d layers feed no other; a network has one output, which is computed last", a.Model, outputs)
	case len(logits) != 2 || logits[0] != op.Batch || logits[1] != a.Classes:
		return fmt.Errorf("%s: the last layer gives %v, not %d logits", a.Model, logits[min(1, len(logits)):], a.Classes)
	}
	for _, t := range a.Tensors {
		switch {
		case used[t.Name] == 0 && a.Exported == nil:
			return fmt.Errorf("%s: layer %q: no operation takes its tensor %s", a.Model, t.Layer(), t.Name)
		case t.MaxNorm != 0 && (!(t.MaxNorm > 0) || len(t.Shape) < 2):
			return fmt.Errorf("%s: layer %q: a norm of %g bounds the rows of %s, of shape %v: it must be above 0, of a weight", a.Model, t.Layer(), t.MaxNorm, t.Name, t.Shape)
		case t.Xavier && len(t.Shape) < 2:
			return fmt.Errorf("%s: layer %q: %s, of shape %v, can't be drawn by Xavier's rule: it is of a weight", a.Model, t.Layer(), t.Name, t.Shape)
		case t.Zeroed && t.Counts:
			return fmt.Errorf("%s: layer %q: %s counts and can't be set to zero", a.Model, t.Layer(), t.Name)
		case t.Probe != "" && (shapes[t.Probe] == nil || a.Node(t.Probe) == nil):
			return fmt.Errorf("%s: layer %q: it is probed as far as %q, which is not there", a.Model, t.Layer(), t.Probe)
		}
	}
	return a.checkGroups(shapes)
}

// Cut returns the architecture in which, of each group that keep names, only those channels stay, and
// the indices left of each tensor that loses some: for each dimension, nil where all stay.
func (a *Arch) Cut(keep map[string][]int) (*Arch, map[string][][]int, error) {
	trace := a.trace
	if trace == nil {
		var err error
		if trace, err = a.follow(); err != nil {
			return nil, nil, err
		}
	}
	kept := trace.Without(a.Groups, keep)
	c := a.Clone()
	c.trace = nil
	for i := range c.Groups {
		if g := &c.Groups[i]; keep[g.Name] != nil {
			g.Kept, g.Channels = compose(g.Kept, keep[g.Name]), len(keep[g.Name])
		}
	}
	emptied := ""
	shorten := func(name string, shape []int) (rows [][]int) {
		for dim := range shape {
			if stays := kept(name, dim); stays != nil {
				if rows == nil {
					rows = make([][]int, len(shape))
				}
				if rows[dim] = stays; shape[dim] < 0 {
					shape[dim] = -len(stays)
				} else {
					shape[dim] = len(stays)
				}
				if len(stays) == 0 && emptied == "" {
					emptied = name
				}
			}
		}
		return rows
	}
	left := map[string][][]int{}
	for _, t := range c.Tensors {
		if rows := shorten(t.Name, t.Shape); rows != nil {
			left[t.Name] = rows
		}
	}
	if c.Exported != nil {
		c.Removed = removals(a, left, trace)
	}
	c.values = map[string]ptfile.Array{}
	for name, v := range a.values {
		t := a.Tensor(name)
		if !t.Buffer { // the file's weights fit the whole network only
			continue
		}
		if !slices.Equal(v.Shape, t.Shape) {
			return nil, nil, fmt.Errorf("%s: %s is of shape %v, and its values of %v", a.Model, name, t.Shape, v.Shape)
		}
		c.values[name] = rowsOf(v, left[name])
	}
	for _, n := range c.Nodes {
		for _, v := range n.Gives {
			shorten(v.Name, v.Shape)
		}
	}
	if emptied != "" {
		return nil, nil, fmt.Errorf("%s: nothing would be left of %s: let more channels stay", a.Model, emptied)
	}
	// The smaller sizes flow on into the arguments of operations.
	_, err := c.walk(func(call *op.Call) {
		call.Smaller(trace.Shapes(), kept)
		call.Fit()
	}, nil)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range c.Tensors {
		for dim, rows := range left[t.Name] {
			if rows != nil && len(rows) != t.Shape[dim] {
				return nil, nil, fmt.Errorf("%s: of dimension %d of %s %d would stay where the network needs %d", a.Model, dim, t.Name, len(rows), t.Shape[dim])
			}
		}
	}
	return c, left, nil
}

// compose names the channels kept of a network that was pruned before by their indices in
// the unpruned one.
func compose(before, kept []int) []int {
	after := make([]int, len(kept))
	for i, c := range kept {
		after[i] = c
		if before != nil {
			after[i] = before[c]
		}
	}
	return after
}

// follow finds which channels go together.
func (a *Arch) follow() (*op.Trace, error) {
	shapes, err := a.walk(nil, nil)
	if err != nil {
		return nil, err
	}
	return op.Follow(a.Nodes, a.Tensors, shapes, a.Logits()), nil
}

// Regroup finds the groups anew. Those of the same names and sizes stay as they were pruned: a
// convolution in groups of which one channel is left may have more, and smaller ones.
func (a *Arch) Regroup() error {
	trace, err := a.follow()
	if err != nil {
		return err
	}
	before := a.Groups
	a.trace = trace
	a.Groups, a.Whole = trace.Groups()
	for i := range before {
		if g := a.Group(before[i].Name); g != nil && g.Channels == before[i].Channels {
			g.Kept = before[i].Kept
		}
	}
	return nil
}

// checkGroups compares the groups with those that follow from the operations.
func (a *Arch) checkGroups(shapes op.Shapes) error {
	if a.Groups == nil {
		return nil
	}
	real, _ := op.Follow(a.Nodes, a.Tensors, shapes, a.Logits()).Groups()
	for i := range a.Groups {
		g := &a.Groups[i]
		k := slices.IndexFunc(real, func(r Group) bool { return r.Name == g.Name })
		if k < 0 || real[k].Channels != g.Channels {
			return fmt.Errorf("%s: group %q of %d channels is none of the network's operations", a.Model, g.Name, g.Channels)
		}
		if g.Kept != nil && (len(g.Kept) != g.Channels || g.Kept[0] < 0 || !rises(g.Kept)) {
			return fmt.Errorf("%s: group %q has %d channels but says that it kept %v", a.Model, g.Name, g.Channels, g.Kept)
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

// plainArch is an Arch without its methods, for encoding/json.
type plainArch Arch

// UnmarshalJSON reads an architecture, also of checkpoints that were written before networks were
// operations: see legacy.go.
func (a *Arch) UnmarshalJSON(b []byte) error {
	var all struct {
		plainArch
		Layers []legacyLayer `json:"layers"`
	}
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	*a = Arch(all.plainArch)
	if all.Layers != nil {
		net, err := legacy(a.Model, a.Input, all.Layers)
		if err != nil {
			return err
		}
		a.Nodes, a.Tensors = net.Nodes, net.Tensors
	}
	for _, g := range a.Groups {
		if g.Channels < 1 {
			return fmt.Errorf("%s: group %q has %d channels", a.Model, g.Name, g.Channels)
		}
	}
	return nil
}
