package models

import "slices"

// A padding is how many zeros a layer adds left, right, top and bottom where the convolution
// after it adds some itself: in PyTorch's layout and with the clips innermost.
type padding struct{ outermost, innermost [4]int }

// arrange finds out what the layers' connections allow.
func (n *Network) arrange() {
	n.uses, n.inPlace, n.fused, n.zeros = map[string]int{}, map[string]bool{}, map[string]string{}, map[string]padding{}
	for _, l := range n.Arch.Layers {
		for _, in := range l.Inputs {
			n.uses[in]++
		}
	}
	for _, l := range n.Arch.Layers {
		from := n.Arch.Layer(l.Inputs[0])
		if from == nil || n.uses[from.Name] > 1 {
			continue
		}
		switch {
		case l.Op == ReLU || l.Op == LeakyReLU:
			// The gradients of these are computed without what they gave.
			n.inPlace[l.Name] = slices.Contains([]Op{Conv2d, Linear, BatchNorm2d, AvgPool2d}, from.Op)
		case l.Op == AvgPool2d && from.Op == LeakyReLU && l.Kernel[0] == 1 && l.Strides() == l.Kernel:
			n.fused[from.Name] = l.Name
		case l.Op == Conv2d && from.Op == ZeroPad2d && !n.device.IsCUDA():
			// Zeros that a convolution adds itself are neither copied nor multiplied; cuDNN
			// takes another algorithm for them, with other bits.
			both := l.Pad
			for i, p := range from.Pad {
				both[i] += p
			}
			within, rest := symmetric(both)
			n.zeros[from.Name] = padding{outermost: rest}
			n.zeros[l.Name] = padding{outermost: [4]int{within[1], within[1], within[0], within[0]}, innermost: both}
		}
	}
	n.simple = n.isSimple()
	n.rectified = map[string]bool{}
	for _, l := range n.Arch.Layers {
		if next := n.only(l.Name); n.simple && l.Op == Conv2d && next != nil && next.Op == ReLU {
			n.rectified[l.Name], n.rectified[next.Name] = true, true
		}
	}
	n.group()
}

// isSimple reports whether a training may have the channels of its maps innermost: where
// [torch.Scope.Conv2dReLU] knows all convolutions, and no other layer's bits depend on the layout.
func (n *Network) isSimple() bool {
	flat := map[string]bool{}
	for _, i := range n.order {
		l := n.Arch.Layers[i]
		flat[l.Name] = l.Op == Flatten || flat[l.Inputs[0]]
		switch {
		case flat[l.Name]:
		case l.Op == Conv2d && (l.Groups > 1 || l.Strides() != [2]int{1, 1}),
			!slices.Contains([]Op{Conv2d, ReLU, LeakyReLU, ZeroPad2d, BatchNorm2d, Cat, Dropout, Dropout2d}, l.Op):
			return false
		}
	}
	return !n.device.IsCUDA()
}

// symmetric divides zeros to the left, right, top and bottom into those that are the same
// on both sides, height before width, and the rest.
func symmetric(pad [4]int) (within [2]int, rest [4]int) {
	w, h := max(0, min(pad[0], pad[1])), max(0, min(pad[2], pad[3]))
	return [2]int{h, w}, [4]int{pad[0] - w, pad[1] - w, pad[2] - h, pad[3] - h}
}

// beside is what a convolution or linear layer computes itself of what follows it.
type beside struct {
	slope float64 // of LeakyReLU, 0 of ReLU, 1 of none
	pool  int     // points of a row
	norm  string  // BatchNorm2d
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
