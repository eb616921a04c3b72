package models

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// Variants names, by layer, the variants that a network's training takes. Layers that it leaves
// out take libtorch's operations.
type Variants map[string]string

// String lists layers and their variants, "conv1: windows, pool1: mean".
func (v Variants) String() string {
	var all []string
	for _, layer := range slices.Sorted(maps.Keys(v)) {
		all = append(all, layer+": "+v[layer])
	}
	return strings.Join(all, ", ")
}

// VariantNames returns the names of all variants, in order.
func VariantNames() []string { return op.VariantNames() }

// An Alternative is a layer whose training has variants.
type Alternative struct {
	Layer    string
	Variants []string
	// NeedGPU are those of the variants that only a GPU computes.
	NeedGPU []string
	// First says that no gradient of its input is asked for: nothing before it is trained.
	First bool
	Out   []int // the shape of what it returns for a clip
	// Key says the operation, its arguments and the sizes of its tensors: layers of one key are computed
	// alike.
	Key string
}

// Alternatives lists the layers of a network that have variants on a GPU, or on a CPU.
func (a *Arch) Alternatives(gpu bool) ([]Alternative, error) {
	var all []Alternative
	trained := map[string]bool{} // values and tensors that have gradients
	for _, t := range a.Tensors {
		trained[t.Name] = !t.Buffer
	}
	err := a.Walk(func(c *op.Call) {
		for _, in := range c.Inputs() {
			for _, v := range c.Values() {
				trained[v] = trained[v] || trained[in]
			}
		}
		if a.alone(c, gpu) == nil {
			return
		}
		alt := Alternative{Layer: c.Name, Key: key(c), Out: c.Out[1:], First: true}
		for _, in := range c.Inputs() {
			alt.First = alt.First && (a.Tensor(in) != nil || !trained[in])
		}
		for _, v := range c.Variants(gpu) {
			alt.Variants = append(alt.Variants, v.Name)
			if v.GPU {
				alt.NeedGPU = append(alt.NeedGPU, v.Name)
			}
		}
		all = append(all, alt)
	})
	return all, err
}

// key describes a call without names.
func key(c *op.Call) string {
	parts := []string{strings.TrimSuffix(strings.TrimPrefix(c.Op, "aten."), ".default")}
	for _, arg := range slices.Sorted(maps.Keys(c.Args)) {
		if c.Ref(arg) != "" {
			parts = append(parts, fmt.Sprintf("%s%v", arg, c.Shape(arg)))
		} else {
			parts = append(parts, fmt.Sprintf("%s=%v", arg, c.Args[arg]))
		}
	}
	return strings.Join(parts, " ")
}

// alone returns an architecture of one operation, nil where it has no variants or takes anything but tensors
// of the network's and one value of other layers, maps of clips: the graph may compute its weights.
func (a *Arch) alone(c *op.Call, gpu bool) *Arch {
	if len(c.Variants(gpu)) == 0 {
		return nil
	}
	node := c.Clone()
	one := &Arch{Model: a.Model, Classes: a.Classes, Nodes: []op.Node{node}}
	found := false
	for arg := range c.Args {
		name := c.Ref(arg)
		if name == "" {
			continue
		}
		if t := a.Tensor(name); t != nil {
			one.Tensors = append(one.Tensors, *t)
			continue
		}
		shape := c.Shape(arg)
		if found || len(shape) != 4 {
			return nil
		}
		found = true
		one.Input = [3]int(shape[1:])
		one.Nodes[0].Args[arg] = op.Ref(Input)
	}
	if !found {
		return nil
	}
	return one
}

// TakeVariants has the network's training compute layers by the variants that are named, and all others by
// libtorch's operations. Nothing may train the network meanwhile.
func (n *Network) TakeVariants(v Variants) error {
	for layer := range v {
		if n.Arch.Node(layer) == nil {
			return fmt.Errorf("%s: there is no layer %q", n.Arch.Model, layer)
		}
	}
	before := n.variants
	n.variants = maps.Clone(v)
	p, err := n.program(n.Arch, mode{training: true})
	if err != nil {
		n.variants = before
		return fmt.Errorf("%s: %w", n.Arch.Model, err)
	}
	n.steps[mode{training: true}] = p
	return nil
}

// TrainAsGPU has a network on a CPU trained by the operations of libtorch that it has on a GPU, so
// that they can be counted. It takes longer, and gives the same numbers up to rounding, but for layers that take a
// variant that needs a GPU: those can only be counted, and give zeros.
func (n *Network) TrainAsGPU() error {
	n.asGPU = true
	return n.TakeVariants(n.variants)
}

// TrainsAsGPU reports whether the network is on a GPU, or trained as if it were.
func (n *Network) TrainsAsGPU() bool { return n.asGPU || n.device.IsCUDA() }

// Variants returns the variants that the network's training takes.
func (n *Network) Variants() Variants { return maps.Clone(n.variants) }

// Alone returns a network of one layer, with copies of its tensors and without masks, that can only
// be trained: its input is the layer's, its output what the layer returns. The caller frees it.
func (n *Network) Alone(layer string) (*Network, error) {
	var arch *Arch
	err := n.Arch.Walk(func(c *op.Call) {
		if c.Name == layer {
			arch = n.Arch.alone(c, n.TrainsAsGPU())
		}
	})
	if err == nil && arch == nil {
		err = errors.New("it has no variants")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: layer %q: %w", n.Arch.Model, layer, err)
	}
	one := &Network{Arch: arch, tensors: map[string]*torch.Tensor{}, device: n.device, asGPU: n.asGPU, steps: map[mode]*program{}}
	for i := range arch.Tensors {
		t := &arch.Tensors[i]
		if one.tensors[t.Name], err = t.Make(n.device); err == nil {
			err = one.tensors[t.Name].CopyFrom(n.tensors[t.Name])
		}
		if err != nil {
			break
		}
	}
	if err == nil {
		err = one.TakeVariants(nil)
	}
	if err != nil {
		one.Free()
		return nil, err
	}
	return one, nil
}

// takeVariant has a step computed by the variant that is chosen for its layer.
func (n *Network) takeVariant(c *op.Call, st *step) error {
	name := n.variants[c.Name]
	if name == "" {
		return nil
	}
	all := c.Variants(n.TrainsAsGPU())
	i := slices.IndexFunc(all, func(v op.Variant) bool { return v.Name == name })
	if i < 0 {
		return fmt.Errorf("layer %q has no variant %q", c.Name, name)
	}
	st.variant = name
	st.bind = func(st *step, at *binder) (op.Kernel, error) { return all[i].Bind(at.node(st.first(), false)), nil }
	return nil
}
