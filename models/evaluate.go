package models

import "eegprune/torch"

// together is how many clips are evaluated at once: their maps lie in the processor's
// cache, and a vector of its registers holds 4, 8 or 16.
const together = 64

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
