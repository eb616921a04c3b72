package models

import (
	"errors"
	"fmt"

	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// A Network is an architecture with weights. It owns them until Free. Forward may be
// called by many goroutines at once when nothing trains it.
type Network struct {
	Arch *Arch

	tensors map[string]*torch.Tensor // parameters and buffers by name
	device  torch.Device
	masks   Masks
	held    map[string]*torch.Tensor // of masks: 1 where an element stays
	steps   map[mode]*program

	variants Variants // of the steps of training
	asGPU    bool     // training takes the operations that it has on a GPU
}

// New returns a network of an architecture. A generator draws the weights that the
// PyTorch class draws from the same seed. Without a generator the weights are zero. The
// caller frees the network.
func New(arch *Arch, device torch.Device, g *torch.Generator) (*Network, error) {
	if err := arch.Check(); err != nil {
		return nil, err
	}
	if arch.Exported != nil && arch.trace == nil {
		if err := arch.Regroup(); err != nil {
			return nil, err
		}
	}
	n := &Network{Arch: arch.Clone(), tensors: map[string]*torch.Tensor{}, device: device}
	calls := map[*op.Node]*op.Call{}
	err := n.Arch.Walk(func(c *op.Call) { calls[c.Node] = c })
	owners := n.Arch.owners()
	for i := 0; i < len(n.Arch.Tensors) && err == nil; i++ {
		t := &n.Arch.Tensors[i]
		owner := owners[t.Name]
		if err = n.add(t, calls[owner.node], owner.arg, g); err != nil {
			err = fmt.Errorf("%s: layer %q: %w", arch.Model, t.Layer(), err)
		}
	}
	for i := 0; i < len(n.Arch.Tensors) && err == nil && g != nil; i++ {
		err = n.redraw(&n.Arch.Tensors[i], g)
	}
	if err == nil {
		n.steps, err = n.compile()
	}
	if err != nil {
		n.Free()
		return nil, err
	}
	return n, nil
}

// add makes a tensor, and draws it where the operation that takes it has its tensors drawn.
func (n *Network) add(t *op.Tensor, owner *op.Call, arg string, g *torch.Generator) error {
	if g != nil && t.Probe != "" {
		if err := n.probe(t, g); err != nil {
			return err
		}
	}
	x, err := t.Make(n.device)
	if err != nil {
		return err
	}
	n.tensors[t.Name] = x
	if n.Arch.Exported != nil {
		return n.begin(t, x, g)
	}
	if g == nil || t.Buffer || owner == nil || owner.Operation().Draw == nil { // in a list it has no owner
		return nil
	}
	d := owner.Operation().Draw(owner, arg)
	return g.Uniform(x, -d.Bound, d.Bound)
}

// redraw applies Xavier and Zeroed of [op.Tensor], once all tensors are made.
func (n *Network) redraw(t *op.Tensor, g *torch.Generator) error {
	x := n.tensors[t.Name]
	switch {
	case t.Xavier:
		d := op.Glorot(t.Shape)
		return g.Uniform(x, -d.Bound, d.Bound)
	case t.Zeroed:
		zeros, err := torch.Full(0, torch.Float32, n.device, t.Shape...)
		if err != nil {
			return err
		}
		defer zeros.Free()
		return x.CopyFrom(zeros)
	}
	return nil
}

// probe sends a clip of zeros through the network: see [op.Tensor.Probe].
func (n *Network) probe(t *op.Tensor, g *torch.Generator) error {
	whole := *n.Arch
	for i := range whole.Nodes {
		if whole.Nodes[i].Name == t.Probe {
			whole.Nodes = whole.Nodes[:i+1]
			break
		}
	}
	for _, node := range whole.Nodes {
		for _, in := range node.Inputs() {
			if own := whole.Tensor(in); own != nil && n.tensors[in] == nil {
				return fmt.Errorf("it is probed, but layer %q before it is made after it", own.Layer())
			}
		}
	}
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	n.Constrain(s)
	x, err := torch.Full(0, torch.Float32, n.device, append([]int{1}, n.Arch.Input[:]...)...)
	if err != nil {
		return err
	}
	defer x.Free()
	p, err := n.program(&whole, mode{each: true})
	if err != nil {
		return err
	}
	p.run(s, x, Pass{Training: true, Generator: g})
	return s.Err()
}

// Free frees the weights.
func (n *Network) Free() {
	torch.FreeAll(n.tensors)
	torch.FreeAll(n.held)
}

// Constrain brings weights back to where they must be after an optimizer's step: masked
// ones to zero, and filters of a layer with MaxNorm whose norm is above it to that norm.
// PyTorch's classes do the latter at the beginning of each forward pass: a training that
// constrains before its first pass and after each step computes the same.
func (n *Network) Constrain(s *torch.Scope) {
	n.hold(s)
	for i := range n.Arch.Tensors {
		t := &n.Arch.Tensors[i]
		w := n.tensors[t.Name]
		if t.MaxNorm == 0 || w == nil {
			continue
		}
		r := s.Renorm(s.Detach(w), t.MaxNorm)
		if s.Err() == nil {
			if err := w.CopyFrom(r); err != nil {
				s.Fail(err)
			}
		}
	}
}

// Device returns where the weights are.
func (n *Network) Device() torch.Device { return n.device }

// Tensor returns a parameter or buffer by its PyTorch name, "block1.0.bias", or nil.
func (n *Network) Tensor(name string) *torch.Tensor { return n.tensors[name] }

// State returns all parameters and buffers under PyTorch's names, in its order.
func (n *Network) State() []torch.Named {
	var state []torch.Named
	for _, t := range n.Arch.Tensors {
		state = append(state, torch.Named{Name: t.Name, Tensor: n.tensors[t.Name], Buffer: t.Buffer})
	}
	return state
}

// Parameters returns the trained tensors, in PyTorch's order.
func (n *Network) Parameters() []*torch.Tensor {
	var p []*torch.Tensor
	for _, t := range n.State() {
		if !t.Buffer {
			p = append(p, t.Tensor)
		}
	}
	return p
}

// CopyFrom copies the weights and statistics of a network of the same architecture.
func (n *Network) CopyFrom(src *Network) error { return torch.LoadState(n.State(), src.tensors) }

// Clone returns a copy with weights of its own. The caller frees it.
func (n *Network) Clone() (*Network, error) { return n.To(n.device) }

// To returns a copy on a device. The caller frees it.
func (n *Network) To(device torch.Device) (*Network, error) {
	c, err := New(n.Arch, device, nil)
	if err != nil {
		return nil, err
	}
	if err = errors.Join(c.CopyFrom(n)); err == nil {
		err = c.SetMasks(n.masks)
	}
	if err != nil {
		c.Free()
		return nil, err
	}
	return c, nil
}

// A Pass says how a forward pass is made. The zero value is an evaluation.
type Pass struct {
	Training  bool
	Generator *torch.Generator // of dropout, in training
	// After may replace a node's output, by returning another tensor.
	After func(s *torch.Scope, n *op.Node, out *torch.Tensor) *torch.Tensor
}

// Forward returns the logits [n, classes] of clips x [n, channels, height, width].
func (n *Network) Forward(s *torch.Scope, x *torch.Tensor, p Pass) *torch.Tensor {
	switch {
	case p.After != nil:
		return n.steps[mode{each: true}].run(s, x, p)
	case p.Training:
		return n.steps[mode{training: true}].run(s, x, p)
	}
	if m := n.evaluation(s, x); m != (mode{}) {
		return n.evaluate(s, x, m)
	}
	return n.steps[mode{}].run(s, x, p)
}

// several are clips that are worth being laid side by side: they are computed in sixteens.
const several = 12

// cached bounds the bytes of the largest map of a thread's clips, which is to stay in a processor's cache.
const cached = 8 << 20

// evaluation returns the mode in which the logits of x are computed: on a CPU without gradients, with the clips
// side by side or, where they are few or their maps large, one after the other.
func (n *Network) evaluation(s *torch.Scope, x *torch.Tensor) mode {
	info := x.Info()
	if s.Mode() != torch.NoGrad || info.DType != torch.Float32 || len(info.Shape) != 4 || n.device.IsCUDA() {
		return mode{}
	}
	side := n.steps[mode{innermost: true}]
	if side != nil && info.Shape[0] >= several && 16*4*side.largest <= cached {
		return mode{innermost: true}
	}
	return mode{few: true}
}

// evaluate is Forward on a CPU, some clips at once. It rounds otherwise than PyTorch does.
func (n *Network) evaluate(s *torch.Scope, x *torch.Tensor, m mode) *torch.Tensor {
	p := n.steps[m]
	if m.innermost {
		return p.inParts(s, x, p.together, len(p.steps))
	}
	threads, err := torch.NumThreads()
	if err != nil {
		return p.run(s, x, Pass{})
	}
	together, end := p.front(x.Shape()[0], cached*int64(threads))
	return p.inParts(s, x, together, end)
}
