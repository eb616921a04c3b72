package models

import (
	"slices"

	"eegprune/torch"
)

// together is how many clips are evaluated at once: their maps lie in the processor's
// cache, and a vector of its registers holds 4, 8 or 16.
const together = 64

// beside is what a convolution or linear layer computes itself of what follows it.
type beside struct {
	slope float64 // of LeakyReLU, 0 of ReLU, 1 of none
	pool  int     // points of a row
	norm  string  // BatchNorm2d
}

// clipsInnermost reports whether a pass is an evaluation of several clips on a CPU.
func (n *Network) clipsInnermost(s *torch.Scope, x *torch.Tensor, p Pass) bool {
	const several = 8
	info := x.Info()
	return !p.Training && p.After == nil && s.Mode() == torch.NoGrad && !n.device.IsCUDA() && info.DType == torch.Float32 &&
		len(info.Shape) == 4 && info.Shape[0] >= several
}

// evaluate is Forward with the clips innermost. It rounds otherwise than PyTorch does.
func (n *Network) evaluate(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	var logits []*torch.Tensor
	clips := x.Shape()[0]
	for at := 0; at < clips && s.Err() == nil; at += together {
		count := min(together, clips-at)
		part := s.HWCN(s.Narrow(x, 0, at, count))
		out := n.through(s, part, func(i int, outputs map[string]*torch.Tensor) *torch.Tensor {
			return n.innermost(s, i, outputs)
		}, true)
		logits = append(logits, s.Narrow(out, 0, 0, count))
		s.Release(part)
	}
	return s.Cat(0, logits...)
}

// innermost is compute for clips that lie innermost.
func (n *Network) innermost(s *torch.Scope, i int, outputs map[string]*torch.Tensor) *torch.Tensor {
	l := &n.Arch.Layers[i]
	x, zeros := outputs[l.Inputs[0]], l.Pad
	if z, ok := n.zeros[l.Name]; ok {
		zeros = z.innermost
	}
	if n.done[l.Name] || l.Op == ZeroPad2d && zeros == [4]int{} {
		return x
	}
	b := n.beside[l.Name]
	o := torch.HWCNOptions{Stride: l.Strides(), Pad: zeros, Groups: l.Groups, Slope: b.slope, Pool: b.pool}
	switch m := n.modules[i].(type) {
	case *torch.Conv2d:
		if b.norm != "" {
			o.Norm, _ = n.Module(b.norm).(*torch.BatchNorm2d)
		}
		return s.Conv2dHWCN(x, m.Weight, m.Bias, o)
	case *torch.Linear:
		return s.Conv2dHWCN(x, m.Weight, m.Bias, torch.HWCNOptions{Slope: b.slope})
	}
	return n.layer(s, i, outputs, Pass{}, zeros)
}

// group finds what convolutions and linear layers compute themselves: an activation, a pool
// along rows and a BatchNorm, in this order, where each takes nothing else and alone.
func (n *Network) group() {
	n.beside, n.done = map[string]beside{}, map[string]bool{}
	of := map[string]string{} // whose a layer's output is that was the last of its group
	for _, l := range n.Arch.Layers {
		if l.Op != Conv2d && l.Op != Linear {
			continue
		}
		b, last := beside{slope: 1, pool: 1}, l.Name
		next := n.only(last)
		take := func() {
			last = next.Name
			n.done[last] = true
			next = n.only(last)
		}
		if next != nil && (next.Op == ReLU || next.Op == LeakyReLU) {
			b.slope = next.Slope
			take()
		}
		if next != nil && next.Op == AvgPool2d && next.Kernel[0] == 1 && next.Strides() == next.Kernel {
			b.pool = next.Kernel[1]
			take()
		}
		if next != nil && next.Op == BatchNorm2d {
			b.norm = next.Name
			take()
		}
		n.beside[l.Name] = b
		of[last] = l.Name
	}
	// A BatchNorm of maps side by side is one of each.
	for _, l := range n.Arch.Layers {
		cat := n.Arch.Layer(l.Inputs[0])
		if l.Op != BatchNorm2d || cat == nil || cat.Op != Cat || cat.Dim == 1 || n.uses[cat.Name] > 1 ||
			slices.ContainsFunc(cat.Inputs, func(in string) bool { return of[in] == "" || n.uses[in] > 1 || n.beside[of[in]].norm != "" }) {
			continue
		}
		for _, in := range cat.Inputs {
			b := n.beside[of[in]]
			b.norm = l.Name
			n.beside[of[in]] = b
		}
		n.done[l.Name] = true
	}
}

// only returns the layer that alone takes what another gave, and takes nothing else; or nil.
func (n *Network) only(name string) *Layer {
	i := slices.IndexFunc(n.Arch.Layers, func(l Layer) bool { return slices.Equal(l.Inputs, []string{name}) })
	if i < 0 || n.uses[name] > 1 {
		return nil
	}
	return &n.Arch.Layers[i]
}
