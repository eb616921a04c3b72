package dsp

import "math"

// A Transfer is a filter as the quotient of two polynomials, b and a of
// scipy.signal.butter's output="ba".
//
// It is here to repeat computations with that form. Its coefficients can't hold a narrow
// band at a high rate: between 1 and 4 Hz at 200 samples a second the rounding of one
// coefficient moves the differential entropy of the output by a hundredth of a bit,
// between 4 and 8 Hz at 500 by a third. [Bandpass] has no such trouble.
type Transfer struct {
	b, a []float64 // highest power first, a[0] = 1
}

// NewTransfer designs the same filter as [NewBandpass].
func NewTransfer(order int, low, high, rate float64) (*Transfer, error) {
	if err := checkBand(order, low, high, rate); err != nil {
		return nil, err
	}
	// In every detail as scipy computes it, since rounding is all that the
	// coefficients of such bands are made of.
	w1, w2 := fs2*tan(math.Pi*(low/(0.5*rate))/2), fs2*tan(math.Pi*(high/(0.5*rate))/2)
	center, width := math.Sqrt(w1*w2), w2-w1
	lowpass := make([]complex128, order)
	for i := range lowpass {
		m := float64(2*i - order + 1)
		lowpass[i] = -unit(math.Pi * m / float64(2*order))
	}
	poles := make([]complex128, 2*order)
	for i, p := range lowpass {
		half := complex(real(p)*width/2, imag(p)*width/2)
		square := half * half
		if imag(square) == 0 {
			// NumPy arrives at the negative zero here, and so at the negative root.
			square = complex(real(square), math.Copysign(0, -1))
		}
		root := sqrtComplex(complex(real(square)-center*center, imag(square)))
		poles[i], poles[order+i] = half+root, half-root
	}
	digital := make([]complex128, 2*order)
	zeros := make([]complex128, 2*order)
	gain, product := complex(1, 0), complex(1, 0)
	for i, p := range poles {
		digital[i] = divide(fs2+p, fs2-p)
		product *= fs2 - p
		zeros[i] = 1
		if i >= order {
			zeros[i] = -1
		} else {
			gain *= fs2
		}
	}
	k := power(width, order) * real(divide(gain, product))
	t := &Transfer{b: polynomial(zeros), a: polynomial(digital)}
	for i := range t.b {
		t.b[i] *= k
	}
	return t, nil
}

// polynomial returns the coefficients of the polynomial with those roots. It
// adds real and imaginary products apart, as the BLAS under NumPy does.
func polynomial(roots []complex128) []float64 {
	re, im := []float64{1}, []float64{0}
	for _, r := range roots {
		a, b := -real(r), -imag(r)
		n := len(re)
		re, im = append(re, 0), append(im, 0)
		for i := n; i > 0; i-- {
			// The conversions keep products from being fused with sums, which
			// would round otherwise on another processor.
			re[i], im[i] = (float64(re[i-1]*a)+re[i])-float64(im[i-1]*b), float64(re[i-1]*b)+(float64(im[i-1]*a)+im[i])
		}
	}
	return re
}

// Filter writes the filtered src to dst, which must be as long and may be the
// same slice. The filter starts at rest.
func (t *Transfer) Filter(dst, src []float64) {
	z := make([]float64, len(t.b))
	for i, x := range src {
		y := z[0] + float64(t.b[0]*x)
		for k := 1; k < len(t.b); k++ {
			next := 0.0
			if k+1 < len(t.b) {
				next = z[k]
			}
			z[k-1] = next + float64(t.b[k]*x) - float64(t.a[k]*y)
		}
		dst[i] = y
	}
}
