package models

import "fmt"

// maxElements bounds what one layer of an architecture from a file may ask for.
const maxElements = 1 << 40

// Shapes returns what each layer gives for one clip, without the batch: [channels,
// height, width], or [features].
func (a *Arch) Shapes() (map[string][]int, error) {
	order, err := a.Order()
	if err != nil {
		return nil, err
	}
	for _, n := range a.Input {
		if n < 1 || n > maxElements {
			return nil, fmt.Errorf("%s: input of shape %v", a.Model, a.Input)
		}
	}
	shapes := map[string][]int{Input: a.Input[:]}
	for _, i := range order {
		l := &a.Layers[i]
		var in [][]int
		for _, name := range l.Inputs {
			in = append(in, shapes[name])
		}
		if len(in) == 0 || (len(in) > 1 && l.Op != Cat) {
			return nil, fmt.Errorf("%s: layer %q has %d inputs", a.Model, l.Name, len(in))
		}
		out, err := l.shape(in)
		if err != nil {
			return nil, fmt.Errorf("%s: layer %q: %w", a.Model, l.Name, err)
		}
		size := 1
		for _, n := range out {
			if n < 1 || n > maxElements/size {
				return nil, fmt.Errorf("%s: layer %q makes %v of %v: the input %v is too small or too large for this network", a.Model, l.Name, out, in[0], a.Input)
			}
			size *= n
		}
		shapes[l.Name] = out
	}
	return shapes, nil
}

// tooMany says whether the product of positive numbers passes maxElements.
func tooMany(factors ...int) bool {
	n := 1
	for _, f := range factors {
		if f > maxElements/n {
			return true
		}
		n *= f
	}
	return false
}

// shape is what the layer makes of its inputs' shapes.
func (l *Layer) shape(in [][]int) ([]int, error) {
	x := in[0]
	if l.is2d() && len(x) != 3 {
		return nil, fmt.Errorf("a %s needs [channels, height, width], got %v", l.Op, x)
	}
	for _, p := range l.Pad {
		if p < 0 || p > maxElements {
			return nil, fmt.Errorf("padding %v: each side must be from 0 to %d", l.Pad, maxElements)
		}
	}
	if l.MaxNorm != 0 && (l.Op != Conv2d || !(l.MaxNorm > 0)) {
		return nil, fmt.Errorf("a norm of %g bounds the filters of a %s: it must be above 0, of a %s", l.MaxNorm, l.Op, Conv2d)
	}
	switch l.Op {
	case Conv2d:
		stride, groups := l.Strides(), max(l.Groups, 1)
		if x[0] != l.In || l.Out < 1 || l.In%groups != 0 || l.Out%groups != 0 || l.Kernel[0] < 1 || l.Kernel[1] < 1 {
			return nil, fmt.Errorf("a convolution of %d channels in %d groups to %d, kernel %v, over %v", l.In, groups, l.Out, l.Kernel, x)
		}
		h, w := x[1]+l.Pad[2]+l.Pad[3], x[2]+l.Pad[0]+l.Pad[1]
		if h < l.Kernel[0] || w < l.Kernel[1] {
			return nil, fmt.Errorf("a kernel of %v does not fit into %dx%d", l.Kernel, h, w)
		}
		if tooMany(l.Out, l.In/groups, l.Kernel[0], l.Kernel[1]) {
			return nil, fmt.Errorf("a convolution of %d channels to %d, kernel %v, has too many weights", l.In, l.Out, l.Kernel)
		}
		return []int{l.Out, (h-l.Kernel[0])/stride[0] + 1, (w-l.Kernel[1])/stride[1] + 1}, nil
	case Linear:
		if len(x) != 1 || x[0] != l.In || l.Out < 1 {
			return nil, fmt.Errorf("a linear layer of %d features to %d gets %v", l.In, l.Out, x)
		}
		if tooMany(l.Out, l.In) {
			return nil, fmt.Errorf("a linear layer of %d features to %d has too many weights", l.In, l.Out)
		}
		return []int{l.Out}, nil
	case BatchNorm2d:
		if x[0] != l.Out {
			return nil, fmt.Errorf("a BatchNorm of %d channels gets %v", l.Out, x)
		}
		if !(l.Momentum >= 0 && l.Momentum <= 1 && l.Eps >= 0) {
			return nil, fmt.Errorf("a BatchNorm of momentum %g and eps %g: the momentum must be in [0, 1] and eps not negative", l.Momentum, l.Eps)
		}
		return x, nil
	case Dropout, Dropout2d:
		if !(l.P >= 0 && l.P < 1) {
			return nil, fmt.Errorf("a dropout probability of %g is outside [0, 1)", l.P)
		}
		return x, nil
	case ReLU, SELU, ELU, LeakyReLU:
		return x, nil
	case ZeroPad2d:
		return []int{x[0], x[1] + l.Pad[2] + l.Pad[3], x[2] + l.Pad[0] + l.Pad[1]}, nil
	case AvgPool2d:
		if l.Kernel[0] < 1 || l.Kernel[1] < 1 || x[1] < l.Kernel[0] || x[2] < l.Kernel[1] {
			return nil, fmt.Errorf("a pool of %v does not fit into %v", l.Kernel, x)
		}
		stride := l.Strides()
		return []int{x[0], (x[1]-l.Kernel[0])/stride[0] + 1, (x[2]-l.Kernel[1])/stride[1] + 1}, nil
	case Flatten:
		n := 1
		for _, d := range x {
			n *= d
		}
		return []int{n}, nil
	case Mean:
		if len(x) < 2 {
			return nil, fmt.Errorf("a mean over the last dimension of %v", x)
		}
		return x[:len(x)-1], nil
	case Cat:
		return catShape(in, l.Dim-1)
	}
	return nil, fmt.Errorf("operation %q is not known to this version", l.Op)
}

func catShape(in [][]int, dim int) ([]int, error) {
	out := append([]int(nil), in[0]...)
	if dim < 0 || dim >= len(out) {
		return nil, fmt.Errorf("tensors of shape %v can't be joined along dimension %d", out, dim+1)
	}
	for _, s := range in[1:] {
		if len(s) != len(out) {
			return nil, fmt.Errorf("shapes %v and %v can't be joined", out, s)
		}
		for d := range out {
			switch {
			case d == dim:
				out[d] += s[d]
			case s[d] != out[d]:
				return nil, fmt.Errorf("shapes %v and %v can't be joined along dimension %d", out, s, dim+1)
			}
		}
	}
	return out, nil
}

func (l *Layer) is2d() bool {
	switch l.Op {
	case Conv2d, BatchNorm2d, ZeroPad2d, AvgPool2d:
		return true
	}
	return false
}

// Strides is Stride with what its zeros mean.
func (l *Layer) Strides() [2]int {
	s := l.Stride
	for i := range s {
		if s[i] < 1 {
			s[i] = 1
			if l.Op == AvgPool2d {
				s[i] = l.Kernel[i]
			}
		}
	}
	return s
}

// Counts are a network's costs, by the rules of Facebook's fvcore, which the field
// quotes: one multiply-accumulate (MAC) counts 1, biases and activations nothing, a
// BatchNorm 2 for each element.
type Counts struct {
	Parameters    int64 `json:"parameters"`
	ConvMACs      int64 `json:"conv_macs"`
	BatchNormMACs int64 `json:"batch_norm_macs"`
	LinearMACs    int64 `json:"linear_macs"`
}

// MACs is the sum over all layers, for one clip.
func (c Counts) MACs() int64 { return c.ConvMACs + c.BatchNormMACs + c.LinearMACs }

// Count counts the parameters of the architecture and the MACs of one clip.
func (a *Arch) Count() (Counts, error) {
	shapes, err := a.Shapes()
	if err != nil {
		return Counts{}, err
	}
	var c Counts
	for i := range a.Layers {
		l := &a.Layers[i]
		positions := int64(1) // of the output, per channel
		for _, n := range shapes[l.Name][1:] {
			positions *= int64(n)
		}
		out := int64(l.Out)
		switch l.Op {
		case Conv2d:
			weights := out * int64(l.In/max(l.Groups, 1)*l.Kernel[0]*l.Kernel[1])
			c.Parameters += weights
			c.ConvMACs += weights * positions
		case Linear:
			c.Parameters += out * int64(l.In)
			c.LinearMACs += out * int64(l.In)
		case BatchNorm2d:
			c.Parameters += 2 * out
			c.BatchNormMACs += 2 * out * positions
			continue
		default:
			continue
		}
		if !l.NoBias {
			c.Parameters += out
		}
	}
	return c, nil
}
