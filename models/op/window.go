package op

import (
	"math"
	"slices"
	"strings"
)

// windowRules returns the rules of pools and upsampling: channels pass.
func windowRules() []rule {
	return []rule{{ops: "avg_pool1d avg_pool3d max_pool1d max_pool3d max_pool1d_with_indices max_pool2d_with_indices " +
		"max_pool3d_with_indices adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d _adaptive_avg_pool2d _adaptive_avg_pool3d " +
		"adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d upsample_nearest1d upsample_nearest2d upsample_nearest3d " +
		"upsample_linear1d upsample_bilinear2d upsample_bicubic2d upsample_trilinear3d", Op: Op{Tie: overWindows, MACs: func(c *Call) int64 {
		switch c.op.base() { // as fvcore counts
		case "adaptive_avg_pool2d", "_adaptive_avg_pool2d":
			return perClip(c.Shape("self"))
		case "upsample_nearest2d":
			return perClip(c.Out)
		case "upsample_bilinear2d":
			return 4 * perClip(c.Out)
		}
		return 0
	}, ONNX: windowONNX}}}
}

// windowONNX writes pools and upsampling.
func windowONNX(g *Graph) error {
	moved, base := 1, g.function()
	for n, name := range []string{"1d", "2d", "3d"} {
		if strings.Contains(base, name) {
			moved = n + 1
		}
	}
	arg := g.first()
	clips := len(g.Out) - moved // dimensions before those that windows move along
	if clips < 1 || clips > 2 || len(g.Shape(arg)) != len(g.Out) {
		return errNoONNX(g.Call, "")
	}
	if many(g.Out[clips:]...) || many(g.Shape(arg)[clips:]...) {
		return errNoONNX(g.Call, "along the clips")
	}
	p := pool{Graph: g, x: g.In(arg), in: g.Shape(arg)[clips:], out: g.Out[clips:]}
	if clips == 1 {
		p.x = g.Step("Unsqueeze", []string{p.x, g.Numbers(0)})
	}
	y, err := "", error(nil)
	switch {
	case strings.HasPrefix(base, "upsample"):
		y, err = p.larger(base)
	case strings.Contains(base, "adaptive"):
		y, err = p.adaptive(strings.Contains(base, "max"))
	case strings.HasPrefix(base, "avg"):
		y = p.average()
	default:
		y = p.largest()
	}
	if err != nil {
		return err
	}
	if clips == 1 {
		y = g.Step("Squeeze", []string{y, g.Numbers(0)})
	}
	g.Give(0, y)
	return nil
}

// A pool is one that is written: in and out are sizes along the dimensions that its windows move
// along.
type pool struct {
	*Graph
	x       string
	in, out []int
}

// beyond are how many elements windows reach over the map's ends along each dimension, and whether
// that is more than the padding.
func (p pool) beyond(kernel, stride, padding, dilation []int) (after []int, more bool) {
	after = make([]int, len(kernel))
	for i := range kernel {
		after[i] = (p.out[i]-1)*stride[i] + dilation[i]*(kernel[i]-1) + 1 - p.in[i] - padding[i]
		more = more || after[i] > padding[i]
		after[i] = max(after[i], 0)
	}
	return after, more
}

// padded adds elements before and after those of the dimensions that windows move along.
func (p pool) padded(before, after []int, v float64) string {
	pads := append(append(append([]int{0, 0}, before...), 0, 0), after...)
	return p.Step("Pad", []string{p.x, p.Numbers(pads...), p.Constant("float32", nil, v)})
}

func (p pool) average() string {
	kernel, stride := p.Window()
	padding, divisor := p.Ints("padding"), p.Int("divisor_override")
	ones := slices.Repeat([]int{1}, len(kernel))
	attributes := []Attribute{{"kernel_shape", kernel}, {"strides", stride}}
	after, more := p.beyond(kernel, stride, padding, ones)
	inside := slices.Max(padding) == 0
	if !more && divisor == 0 {
		if !inside {
			attributes = append(attributes, Attribute{"pads", append(slices.Clone(padding), padding...)}, truth("count_include_pad", p.Bool("count_include_pad")))
		}
		return p.Step("AveragePool", []string{p.x}, attributes...)
	}
	// AveragePool over all elements of each window, zeros beyond the ends. The factors turn its mean into
	// PyTorch's: times the kernel's size, divided by PyTorch's divisor.
	x := p.x
	if !inside || more {
		x = p.padded(padding, after, 0)
	}
	y := p.Step("AveragePool", []string{x}, attributes...)
	factors := []float64{1}
	for i := range kernel {
		var next []float64
		for _, f := range factors {
			for at := range p.out[i] {
				start := at*stride[i] - padding[i]
				end := min(start+kernel[i], p.in[i]+padding[i])
				if !p.Bool("count_include_pad") {
					start, end = max(start, 0), min(end, p.in[i])
				}
				count := float64(end - start)
				if divisor != 0 {
					count = 1
				}
				next = append(next, f*float64(kernel[i])/count)
			}
		}
		factors = next
	}
	if divisor != 0 {
		for i := range factors {
			factors[i] /= float64(divisor)
		}
	}
	return p.Step("Mul", []string{y, p.Constant("float32", append([]int{1, 1}, p.out...), factors...)})
}

func (p pool) largest() string {
	kernel, stride := p.Window()
	padding, dilation := p.Ints("padding"), p.Ints("dilation")
	attributes := []Attribute{{"kernel_shape", kernel}, {"strides", stride}}
	if slices.Max(dilation) > 1 {
		attributes = append(attributes, Attribute{"dilations", dilation})
	}
	after, more := p.beyond(kernel, stride, padding, dilation)
	switch {
	case more:
		return p.Step("MaxPool", []string{p.padded(padding, after, math.Inf(-1))}, attributes...)
	case slices.Max(padding) > 0:
		attributes = append(attributes, Attribute{"pads", append(slices.Clone(padding), padding...)})
	}
	return p.Step("MaxPool", []string{p.x}, attributes...)
}

func (p pool) adaptive(largest bool) (string, error) {
	var kernel []int
	divides := true
	for i, n := range p.out {
		if many(n, p.in[i]) {
			return "", errNoONNX(p.Call, "")
		}
		kernel = append(kernel, p.in[i]/n)
		divides = divides && p.in[i]%n == 0
	}
	switch operation := map[bool]string{false: "AveragePool", true: "MaxPool"}[largest]; {
	case divides && slices.Max(p.out) == 1:
		return p.Step("Global"+operation, []string{p.x}), nil
	case divides:
		return p.Step(operation, []string{p.x}, Attribute{"kernel_shape", kernel}, Attribute{"strides", kernel}), nil
	case largest:
		return "", errNoONNX(p.Call, "its windows are of different sizes")
	}
	// A mean over a window is one along each of its dimensions: a product with a matrix.
	x, dims := p.x, len(p.out)+2
	for i, n := range p.out {
		m := make([]float64, p.in[i]*n)
		for at := range n {
			start, end := at*p.in[i]/n, ((at+1)*p.in[i]+n-1)/n
			for j := start; j < end; j++ {
				m[j*n+at] = 1 / float64(end-start)
			}
		}
		order := make([]int, dims)
		for d := range order {
			order[d] = d
		}
		order[i+2], order[dims-1] = dims-1, i+2
		last := i+2 == dims-1
		if !last {
			x = p.Step("Transpose", []string{x}, Attribute{"perm", order})
		}
		x = p.Step("MatMul", []string{x, p.Constant("float32", []int{p.in[i], n}, m...)})
		if !last {
			x = p.Step("Transpose", []string{x}, Attribute{"perm", order})
		}
	}
	return x, nil
}

// larger makes maps larger.
func (p pool) larger(base string) (string, error) {
	attributes := []Attribute{{"mode", "linear"}, {"coordinate_transformation_mode", "half_pixel"}}
	switch {
	case strings.Contains(base, "nearest"):
		attributes = []Attribute{{"mode", "nearest"}, {"coordinate_transformation_mode", "asymmetric"}, {"nearest_mode", "floor"}}
	case strings.Contains(base, "cubic"):
		attributes[0].Value = "cubic"
	}
	if p.Bool("align_corners") {
		attributes[1].Value = "align_corners"
	}
	scales, _ := p.value("scale_factors").([]float64)
	for _, arg := range []string{"scales", "scales_d", "scales_h", "scales_w"} {
		if v, given := p.value(arg).(float64); given {
			scales = append(scales, v)
		}
	}
	in := []string{p.x, "", ""}
	for i, s := range scales {
		if i < len(p.in) && s*float64(p.in[i]) != float64(p.out[i]) {
			return "", errNoONNX(p.Call, "its sizes are not those of its factors")
		}
	}
	return p.Step("Resize", append(in, p.dims(append(append([]int{}, p.channelsOf()...), p.out...))), attributes...), nil
}

// channelsOf are the sizes before those that windows move along.
func (p pool) channelsOf() []int {
	before := p.Out[:len(p.Out)-len(p.out)]
	if len(before) == 1 {
		return []int{1, before[0]}
	}
	return before
}
