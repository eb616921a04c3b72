package models

import (
	"fmt"

	"eegprune/torch"
)

// A Network is an architecture with weights. It owns them until Free. Forward may be
// called by many goroutines at once when nothing trains it.
type Network struct {
	Arch *Arch

	order   []int
	modules []torch.Module // of Arch.Layers; nil where a layer has no parameters
	device  torch.Device
	masks   Masks
	held    map[string]*torch.Tensor // of masks: 1 where an element stays

	uses      map[string]int     // how many inputs of layers each layer, and Input, is
	inPlace   map[string]bool    // activations that may change their input
	fused     map[string]string  // of LeakyReLUs that are computed with the pool after them: it
	zeros     map[string]padding // of padding layers and the convolutions that they alone feed
	simple    bool               // all convolutions are of stride 1, without groups, on a CPU
	rectified map[string]bool    // those that compute the ReLU after them in training, and it

	beside map[string]beside // of convolutions and linear layers where clips lie innermost
	done   map[string]bool   // layers that those compute
}

// New makes a network with weights drawn as the PyTorch class draws them from the same
// seed; without a generator they are zero. The caller frees it.
func New(arch *Arch, device torch.Device, g *torch.Generator) (*Network, error) {
	if err := arch.Check(); err != nil {
		return nil, err
	}
	n := &Network{Arch: arch.Clone(), modules: make([]torch.Module, len(arch.Layers)), device: device}
	n.order, _ = n.Arch.Order()
	n.arrange()
	for i := range n.Arch.Layers {
		err := n.probe(i, g)
		if err == nil {
			n.modules[i], err = n.Arch.Layers[i].module(device, g)
		}
		if err != nil {
			n.Free()
			return nil, fmt.Errorf("%s: layer %q: %w", arch.Model, arch.Layers[i].Name, err)
		}
	}
	return n, nil
}

// probe does what [Layer].Probe says, where layer i has it and weights are drawn.
func (n *Network) probe(i int, g *torch.Generator) error {
	if g == nil || !n.Arch.Layers[i].Probe {
		return nil
	}
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	n.Constrain(s)
	x, err := torch.Full(0, torch.Float32, n.device, append([]int{1}, n.Arch.Input[:]...)...)
	if err != nil {
		return err
	}
	defer x.Free()
	outputs := map[string]*torch.Tensor{Input: x}
	for _, k := range n.order {
		if k == i {
			break
		}
		if k > i {
			return fmt.Errorf("it is probed, but layer %q before it is made after it", n.Arch.Layers[k].Name)
		}
		outputs[n.Arch.Layers[k].Name] = n.compute(s, k, outputs, Pass{Training: true, Generator: g})
	}
	return s.Err()
}

func (l *Layer) module(device torch.Device, g *torch.Generator) (torch.Module, error) {
	switch l.Op {
	case Conv2d:
		o := torch.Conv2dOptions{Stride: l.Strides(), Groups: l.Groups}
		m, err := torch.NewConv2d(l.In, l.Out, l.Kernel, !l.NoBias, o, device, g)
		return orNil(m, err)
	case Linear:
		m, err := torch.NewLinear(l.In, l.Out, !l.NoBias, device, g)
		return orNil(m, err)
	case BatchNorm2d:
		m, err := torch.NewBatchNorm2d(l.Out, device)
		if err == nil && l.Momentum != 0 {
			m.Momentum = l.Momentum
		}
		if err == nil && l.Eps != 0 {
			m.Eps = l.Eps
		}
		return orNil(m, err)
	}
	return nil, nil
}

// orNil keeps a nil pointer from becoming a non-nil Module.
func orNil[M torch.Module](m M, err error) (torch.Module, error) {
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Free frees the weights.
func (n *Network) Free() {
	for _, m := range n.modules {
		if m != nil {
			m.Free()
		}
	}
	torch.FreeAll(n.held)
}

// Constrain brings weights back to where they must be after an optimizer's step: masked
// ones to zero, and filters of a layer with MaxNorm whose norm is above it to that norm.
// PyTorch's classes do the latter at the beginning of each forward pass: a training that
// constrains before its first pass and after each step computes the same.
func (n *Network) Constrain(s *torch.Scope) {
	n.hold(s)
	for i := range n.Arch.Layers {
		l := &n.Arch.Layers[i]
		if l.MaxNorm == 0 || n.modules[i] == nil {
			continue
		}
		w := n.Weight(l.Name, "weight")
		r := s.Renorm(s.Detach(w), l.MaxNorm)
		if s.Err() == nil {
			if err := w.CopyFrom(r); err != nil {
				s.Fail(err)
			}
		}
	}
}

// Device returns where the weights are.
func (n *Network) Device() torch.Device { return n.device }

// Module returns the parameters of the layer of that name, or nil.
func (n *Network) Module(layer string) torch.Module {
	for i := range n.Arch.Layers {
		if n.Arch.Layers[i].Name == layer {
			return n.modules[i]
		}
	}
	return nil
}

// Weight returns a layer's parameter or buffer, such as Weight("block1.0", "bias"), or
// nil.
func (n *Network) Weight(layer, name string) *torch.Tensor {
	m := n.Module(layer)
	if m == nil {
		return nil
	}
	for _, t := range m.State() {
		if t.Name == name {
			return t.Tensor
		}
	}
	return nil
}

// State returns all parameters and buffers under PyTorch's names, in its order.
func (n *Network) State() []torch.Named {
	var state []torch.Named
	for i, m := range n.modules {
		if m == nil {
			continue
		}
		for _, t := range m.State() {
			t.Name = n.Arch.Layers[i].Name + "." + t.Name
			state = append(state, t)
		}
	}
	return state
}

// Parameters returns what is trained, in PyTorch's order.
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
func (n *Network) CopyFrom(src *Network) error {
	tensors := map[string]*torch.Tensor{}
	for _, t := range src.State() {
		tensors[t.Name] = t.Tensor
	}
	return torch.LoadState(n.State(), tensors)
}

// Clone returns a copy with weights of its own. The caller frees it.
func (n *Network) Clone() (*Network, error) { return n.To(n.device) }

// To returns a copy on a device. The caller frees it.
func (n *Network) To(device torch.Device) (*Network, error) {
	c, err := New(n.Arch, device, nil)
	if err != nil {
		return nil, err
	}
	if err = c.CopyFrom(n); err == nil {
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
	// After may replace what a layer gave, by returning another tensor.
	After func(s *torch.Scope, l *Layer, out *torch.Tensor) *torch.Tensor
}

// Forward returns the logits [n, classes] of clips x [n, channels, height, width].
func (n *Network) Forward(s *torch.Scope, x *torch.Tensor, p Pass) *torch.Tensor {
	if n.clipsInnermost(s, x, p) {
		return n.evaluate(s, x)
	}
	return n.through(s, x, func(i int, outputs map[string]*torch.Tensor) *torch.Tensor {
		out := n.compute(s, i, outputs, p)
		if p.After != nil {
			out = p.After(s, &n.Arch.Layers[i], out)
		}
		return out
	}, p.After == nil)
}

// through sends x through the layers and returns what the last gave. What a layer gave is
// freed when no other needs it, unless all are kept, so that the next finds its memory in the
// processor's cache.
func (n *Network) through(s *torch.Scope, x *torch.Tensor, compute func(i int, outputs map[string]*torch.Tensor) *torch.Tensor, release bool) *torch.Tensor {
	outputs := map[string]*torch.Tensor{Input: x}
	uses := map[*torch.Tensor]int{x: n.uses[Input]} // that are left
	var out *torch.Tensor
	for _, i := range n.order {
		l := &n.Arch.Layers[i]
		out = compute(i, outputs)
		outputs[l.Name] = out
		uses[out] += n.uses[l.Name]
		for _, in := range l.Inputs {
			t := outputs[in]
			if uses[t]--; uses[t] == 0 && t != x && release {
				s.Release(t)
			}
		}
	}
	return out
}

// compute computes layer i, and where nobody looks at what single layers give, layers together.
func (n *Network) compute(s *torch.Scope, i int, outputs map[string]*torch.Tensor, p Pass) *torch.Tensor {
	l := &n.Arch.Layers[i]
	x, before := outputs[l.Inputs[0]], l.Inputs[0]
	z, ok := n.zeros[l.Name]
	if !ok || p.After != nil {
		z = padding{l.Pad, l.Pad}
	}
	switch whole := p.Training && p.After == nil; {
	case whole && (n.fused[l.Name] != "" || n.rectified[l.Name] && l.Op == ReLU):
		return x
	case whole && n.fused[before] == l.Name:
		return s.LeakyReLUAvgPool2d(x, n.Arch.Layer(before).Slope, l.Kernel[1])
	case whole && n.simple && l.Op == ZeroPad2d && z.innermost == [4]int{}:
		return x
	case whole && n.simple && l.Op == Conv2d:
		return s.Conv2dReLU(x, n.Weight(l.Name, "weight"), n.Weight(l.Name, "bias"), z.innermost, n.rectified[l.Name])
	}
	return n.layer(s, i, outputs, p, z.outermost)
}

// layer computes layer i alone, with so many zeros around its input.
func (n *Network) layer(s *torch.Scope, i int, outputs map[string]*torch.Tensor, p Pass, zeros [4]int) *torch.Tensor {
	l := &n.Arch.Layers[i]
	x := outputs[l.Inputs[0]]
	switch inPlace := p.After == nil && n.inPlace[l.Name]; l.Op {
	case Conv2d:
		return n.convolve(s, i, x, zeros)
	case Linear, BatchNorm2d:
		return n.modules[i].Forward(s, x, p.Training)
	case ReLU:
		if inPlace {
			return s.ReLUInPlace(x)
		}
		return s.ReLU(x)
	case SELU:
		return s.SELU(x)
	case ELU:
		return s.ELU(x, l.Slope)
	case LeakyReLU:
		if inPlace {
			return s.LeakyReLUInPlace(x, l.Slope)
		}
		return s.LeakyReLU(x, l.Slope)
	case ZeroPad2d:
		return s.ZeroPad2d(x, zeros)
	case AvgPool2d:
		return s.AvgPool2d(x, l.Kernel, l.Strides())
	case Dropout, Dropout2d:
		if !p.Training || l.P == 0 {
			return x
		}
		return s.Dropout(x, l.P, l.Op == Dropout2d, p.Generator)
	case Flatten:
		return s.Flatten(x, 1)
	case Mean:
		return s.Mean(x, -1)
	case Cat:
		parts := make([]*torch.Tensor, len(l.Inputs))
		for k, in := range l.Inputs {
			parts[k] = outputs[in]
		}
		return s.Cat(l.Dim, parts...)
	}
	s.Fail(fmt.Errorf("%s: operation %q is not known to this version", n.Arch.Model, l.Op))
	return x
}

// convolve pads x and convolves it with layer i's weight. Padding apart costs a copy, but a
// convolution's own is the same on both sides.
func (n *Network) convolve(s *torch.Scope, i int, x *torch.Tensor, pad [4]int) *torch.Tensor {
	c, ok := n.modules[i].(*torch.Conv2d)
	if !ok {
		s.Fail(fmt.Errorf("%s: layer %q has no weight", n.Arch.Model, n.Arch.Layers[i].Name))
		return x
	}
	o := c.Options
	within, rest := symmetric(pad)
	o.Padding = within
	if rest == [4]int{} {
		return s.Conv2d(x, c.Weight, c.Bias, o)
	}
	padded := s.ZeroPad2d(x, rest)
	out := s.Conv2d(padded, c.Weight, c.Bias, o)
	s.Release(padded)
	return out
}
