package op

import (
	"fmt"
	"math"
	"slices"
)

// fourierRules returns the rules of Fourier transforms: the dimension that they go along stays whole.
func fourierRules() []rule {
	return []rule{
		{ops: "fft_fft fft_ifft fft_rfft fft_irfft fft_hfft fft_ihfft fft_fftshift fft_ifftshift _fft_r2c _fft_c2r _fft_c2c",
			Op: Op{Tie: func(t *Ties) { t.along(t.Name + " goes over it") }, ONNX: fourierONNX}},
		{ops: "stft", Op: Op{ONNX: stftONNX}},
		{ops: "view_as_real view_as_complex", Op: Op{ONNX: func(g *Graph) error {
			g.Give(0, g.In("self"))
			return nil
		}}},
	}
}

// fourierONNX writes transforms along one dimension.
func fourierONNX(g *Graph) error {
	from := g.Element(g.Ref("self"))
	double := from == "float64" || from == "complex128"
	axis := g.axis("dim", "self")
	size := g.size("self", axis)
	base := g.function()
	if double || size < 1 || base != "fft_fft" && base != "fft_ifft" && base != "fft_rfft" && base != "fft_irfft" {
		return errNoONNX(g.Call, "")
	}
	k := calculation{g, "float32"}
	n := size // of the signal
	if base == "fft_irfft" {
		n = 2 * (size - 1)
	}
	if g.value("n") != nil {
		n = g.Int("n")
	}
	if n < 1 || n > 1<<20 || largestFactor(n) > maxMatrix {
		return errNoONNX(g.Call, fmt.Sprintf("of %d samples", n))
	}
	x := g.In("self")
	if !isComplex(from) {
		x = k.do("Unsqueeze", g.cast(x, from, "float32"), g.Numbers(-1))
	}
	inverse := base == "fft_ifft" || base == "fft_irfft"
	if base == "fft_irfft" {
		x = k.symmetric(k.fitted(x, axis, size, n/2+1), axis, n)
	} else {
		x = k.fitted(x, axis, size, n)
	}
	if !isComplex(from) {
		pads := make([]int, 2*len(g.Out)+2)
		pads[2*len(g.Out)+1] = 1
		x = k.do("Pad", x, g.Numbers(pads...))
	}
	y := k.alongAxis(x, axis, n, inverse)
	switch base {
	case "fft_rfft":
		y = k.choose(k.real(axis, len(g.Out), n), k.num(0), k.sliced(y, axis, 0, n/2+1))
	case "fft_irfft":
		y = k.do("Squeeze", k.sliced(y, len(g.Out), 0, 1), g.Numbers(-1))
	}
	factor := 1.0
	switch norm := g.Text("norm"); {
	case norm == "ortho":
		factor = 1 / math.Sqrt(float64(n))
	case norm == "forward" && !inverse, norm != "forward" && inverse:
		factor = 1 / float64(n)
	}
	if factor != 1 {
		y = k.do("Mul", y, k.num(factor))
	}
	g.Give(0, y)
	return nil
}

// maxMatrix is the largest transform that is a product with one matrix. ONNX has transforms of its own,
// but those of onnxruntime lose digits where the size is no power of two.
const maxMatrix = 2048

// largestFactor is the largest prime factor of n.
func largestFactor(n int) int {
	largest := 1
	for p := 2; p*p <= n; p++ {
		for n%p == 0 {
			largest, n = p, n/p
		}
	}
	return max(largest, n)
}

// alongAxis transforms complex numbers [..., 2] along a dimension of n, without a factor.
func (k calculation) alongAxis(x string, axis, n int, inverse bool) string {
	shape := slices.Clone(k.Shape("self"))
	shape[axis] = n
	last := len(shape) - 1
	order := make([]int, len(shape)+1)
	for d := range order {
		order[d] = d
	}
	order[axis], order[last] = last, axis
	if axis != last {
		x = k.Step("Transpose", []string{x}, Attribute{"perm", order})
	}
	shape[axis], shape[last] = shape[last], shape[axis]
	x = k.reshape(k.transform(k.reshape(x, []int{-1, n, 2}), n, inverse), append(shape, 2))
	if axis != last {
		x = k.Step("Transpose", []string{x}, Attribute{"perm", order})
	}
	return x
}

// transform transforms rows [rows, n, 2]: by a matrix, or where n is a product by those of its factors
// (Cooley and Tukey 1965).
func (k calculation) transform(x string, n int, inverse bool) string {
	const small = 32
	sign := -2 * math.Pi
	if inverse {
		sign = -sign
	}
	wave := func(i, of int) (re, im float64) {
		im, re = math.Sincos(sign * float64(i%of) / float64(of))
		return re, im
	}
	a := 1
	for f := 2; f*f <= n && n > small; f++ {
		if n%f == 0 {
			a = f
		}
	}
	if a == 1 {
		m := make([]float64, 4*n*n)
		for i := range n {
			for f := range n {
				re, im := wave(i*f, n)
				m[(2*i)*2*n+2*f], m[(2*i)*2*n+2*f+1] = re, im
				m[(2*i+1)*2*n+2*f], m[(2*i+1)*2*n+2*f+1] = -im, re
			}
		}
		y := k.do("MatMul", k.reshape(x, []int{-1, 2 * n}), k.Constant("float32", []int{2 * n, 2 * n}, m...))
		return k.reshape(y, []int{-1, n, 2})
	}
	b := n / a
	turned := func(x string) string { return k.Step("Transpose", []string{x}, Attribute{"perm", []int{0, 2, 1, 3}}) }
	x = turned(k.reshape(x, []int{-1, a, b, 2}))
	x = k.reshape(k.transform(k.reshape(x, []int{-1, a, 2}), a, inverse), []int{-1, b, a, 2})
	cosines, sines := make([]float64, b*a), make([]float64, 2*b*a)
	for j := range b {
		for f := range a {
			re, im := wave(j*f, n)
			cosines[j*a+f], sines[2*(j*a+f)], sines[2*(j*a+f)+1] = re, -im, im
		}
	}
	swapped := k.Step("Gather", []string{x, k.Numbers(1, 0)}, Attribute{"axis", -1})
	x = k.do("Add", k.do("Mul", x, k.Constant("float32", []int{b, a, 1}, cosines...)), k.do("Mul", swapped, k.Constant("float32", []int{b, a, 2}, sines...)))
	x = k.transform(k.reshape(turned(x), []int{-1, b, 2}), b, inverse)
	return k.reshape(turned(k.reshape(x, []int{-1, a, b, 2})), []int{-1, n, 2})
}

// fitted leaves out the end of a dimension, or adds zeros.
func (k calculation) fitted(x string, axis, size, to int) string {
	switch {
	case to < size:
		return k.sliced(x, axis, 0, to)
	case to > size:
		dims := len(k.Shape("self")) + 1
		pads := make([]int, 2*dims)
		pads[dims+axis] = to - size
		return k.do("Pad", x, k.Numbers(pads...))
	}
	return x
}

// symmetric is the whole spectrum of a real signal of n samples, of which there is the first half.
func (k calculation) symmetric(x string, axis, n int) string {
	dims := len(k.Shape("self"))
	ones := func(values ...float64) string {
		return k.Constant("float32", append(slices.Repeat([]int{1}, dims), 2), values...)
	}
	// The first has no imaginary part, and with an even n the last.
	x = k.choose(k.real(axis, dims, n), k.num(0), x)
	if n < 3 {
		return x
	}
	first := (n - 1) / 2
	rest := k.do("Slice", x, k.Numbers(first), k.Numbers(0), k.Numbers(axis), k.Numbers(-1))
	return k.Step("Concat", []string{x, k.do("Mul", rest, ones(1, -1))}, Attribute{"axis", axis})
}

// real is true where a spectrum of a real signal of n samples has no imaginary part: to the last bit,
// since an angle depends on its sign.
func (k calculation) real(axis, dims, n int) string {
	shape := append(slices.Repeat([]int{1}, dims), 2)
	shape[axis] = n/2 + 1
	none := make([]float64, 2*(n/2+1))
	none[1] = 1
	if n%2 == 0 {
		none[n+1] = 1
	}
	return k.Constant("bool", shape, none...)
}

// stftONNX writes a spectrogram as a convolution with sines and cosines.
func stftONNX(g *Graph) error {
	n, hop := g.Int("n_fft"), g.Int("hop_length")
	length := n
	if g.value("hop_length") == nil {
		hop = n / 4
	}
	if g.value("win_length") != nil {
		length = g.Int("win_length")
	}
	shape := g.Shape("self")
	onesided := g.value("onesided") == nil || g.Bool("onesided")
	if g.op.param("center") != nil || g.Bool("align_to_window") || n < 1 || n > 1<<12 || hop < 1 || length < 1 || length > n || len(shape) < 1 || len(shape) > 2 || g.Element(g.Ref("self")) != "float32" {
		return errNoONNX(g.Call, "")
	}
	bins := n
	if onesided {
		bins = n/2 + 1
	}
	if len(g.Out) != len(shape)+1 || sizeAt(g.Out, len(shape)-1) != bins {
		return errNoONNX(g.Call, "")
	}
	k := calculation{g, "float32"}
	scale := 1.0
	if g.Bool("normalized") {
		scale = 1 / math.Sqrt(float64(n))
	}
	waves := make([]float64, 2*bins*n) // real parts, then imaginary ones
	for f := range bins {
		for i := range n {
			sine, cosine := math.Sincos(2 * math.Pi * float64(f*i%n) / float64(n))
			waves[f*n+i], waves[(bins+f)*n+i] = scale*cosine, -scale*sine
			if f == 0 || 2*f == n {
				waves[(bins+f)*n+i] = 0
			}
		}
	}
	weight := k.Constant("float32", []int{2 * bins, 1, n}, waves...)
	window := ""
	switch before := (n - length) / 2; {
	case g.Given("window"):
		window = k.do("Pad", g.as("window", "float32"), k.Numbers(before, n-length-before))
	case length < n:
		ones := make([]float64, n)
		for i := range length {
			ones[before+i] = 1
		}
		window = k.Constant("float32", []int{n}, ones...)
	}
	if window != "" {
		weight = k.do("Mul", weight, window)
	}
	frames, clips := g.Out[len(g.Out)-1], g.Out[0]
	if len(shape) == 1 {
		clips = 1
	}
	x := g.reshape(g.In("self"), []int{clips, 1, shape[len(shape)-1]})
	y := k.Step("Conv", []string{x, weight}, Attribute{"kernel_shape", []int{n}}, Attribute{"strides", []int{hop}})
	y = k.Step("Transpose", []string{g.reshape(y, []int{clips, 2, bins, frames})}, Attribute{"perm", []int{0, 2, 3, 1}})
	if isComplex(g.Result()) {
		y = g.reshape(y, whole(g.Out, g.Result()))
	} else {
		y = g.reshape(y, g.Out)
	}
	g.Give(0, y)
	return nil
}

// ofComplex are functions that can be written of complex numbers.
const ofComplex = " fft_fft fft_ifft fft_rfft fft_irfft stft view_as_real view_as_complex abs angle real imag alias clone contiguous detach " +
	"positive to conj _conj resolve_conj neg negative add sub mul complex polar view _unsafe_view reshape view_as reshape_as squeeze unsqueeze " +
	"ravel flatten unflatten transpose swapaxes swapdims t mT movedim moveaxis permute expand expand_as broadcast_to repeat tile repeat_interleave " +
	"cat concat concatenate stack split split_with_sizes chunk tensor_split unbind select slice narrow index_select "

// complexFunction writes functions of complex numbers, or that return some.
func complexFunction(g *Graph, name string) error {
	k := calculation{g, "float32"}
	part := func(arg string, i int) string {
		if !isComplex(g.Element(g.Ref(arg))) {
			if i == 1 {
				return k.num(0)
			}
			return k.arg(arg)
		}
		return k.Step("Gather", []string{g.In(arg), g.Constant("int64", nil, float64(i))}, Attribute{"axis", -1})
	}
	pair := func(re, im string) {
		last := k.Numbers(-1)
		g.Add("Concat", []string{k.do("Unsqueeze", re, last), k.do("Unsqueeze", im, last)}, Attribute{"axis", -1})
	}
	a := g.first()
	for _, in := range g.Inputs() {
		if g.Element(in) == "complex128" || g.Element(in) == "float64" {
			return errNoONNX(g.Call, "of numbers of double precision")
		}
	}
	switch name {
	case "abs":
		g.Add("ReduceL2", []string{g.In(a)}, Attribute{"axes", []int{-1}}, Attribute{"keepdims", 0})
	case "angle":
		if !isComplex(g.Element(g.Ref(a))) {
			return errNoONNX(g.Call, "of real numbers")
		}
		g.Give(0, k.angle(part(a, 1), part(a, 0)))
	case "real":
		g.Give(0, part(a, 0))
	case "imag":
		g.Give(0, part(a, 1))
	case "alias", "clone", "contiguous", "detach", "positive", "to":
		if g.Element(g.Ref(a)) != g.Result() {
			return errNoONNX(g.Call, "")
		}
		g.Give(0, g.In(a))
	case "conj", "_conj", "resolve_conj":
		g.Add("Mul", []string{g.In(a), g.Constant("float32", []int{2}, 1, -1)})
	case "neg", "negative":
		g.Add("Neg", []string{g.In(a)})
	case "add", "sub":
		if g.Float("alpha") != 1 {
			return errNoONNX(g.Call, "times a number")
		}
		operation := map[string]string{"add": "Add", "sub": "Sub"}[name]
		pair(k.do(operation, part("self", 0), part("other", 0)), k.do(operation, part("self", 1), part("other", 1)))
	case "mul":
		ar, ai, br, bi := part("self", 0), part("self", 1), part("other", 0), part("other", 1)
		pair(k.do("Sub", k.do("Mul", ar, br), k.do("Mul", ai, bi)), k.do("Add", k.do("Mul", ar, bi), k.do("Mul", ai, br)))
	case "complex":
		pair(k.arg("real"), k.arg("imag"))
	case "polar":
		abs, angle := k.arg("abs"), k.arg("angle")
		pair(k.do("Mul", abs, k.do("Cos", angle)), k.do("Mul", abs, k.do("Sin", angle)))
	default:
		return errNoONNX(g.Call, "of complex numbers")
	}
	return nil
}
