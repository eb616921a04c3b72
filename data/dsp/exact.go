package dsp

import (
	"math"
	"math/big"
)

// The functions below are rounded as the C library rounds them, to the nearest
// number (math.Cos and its like may be off by one in the last place), and
// complex ones go step by step as NumPy's do. [Transfer] needs that: its
// coefficients are so ill-conditioned that a last place can be seen in the
// output.

// precision is more than twice that of a float64.
const precision = 160

func bigFloat(x float64) *big.Float { return new(big.Float).SetPrec(precision).SetFloat64(x) }

// sinCos returns sine and cosine by their series, for |x| of a few units.
func sinCos(x float64) (sin, cos *big.Float) {
	sin, cos = bigFloat(0), bigFloat(0)
	term := bigFloat(1)
	for n := 0; n < 60; n++ {
		sum := cos
		if n%2 == 1 {
			sum = sin
		}
		if n%4 < 2 {
			sum.Add(sum, term)
		} else {
			sum.Sub(sum, term)
		}
		term.Mul(term, bigFloat(x))
		term.Quo(term, bigFloat(float64(n+1)))
	}
	return sin, cos
}

func nearest(x *big.Float) float64 { f, _ := x.Float64(); return f }

func tan(x float64) float64 {
	sin, cos := sinCos(x)
	return nearest(sin.Quo(sin, cos))
}

// unit returns exp(i x).
func unit(x float64) complex128 {
	sin, cos := sinCos(x)
	return complex(nearest(cos), nearest(sin))
}

func hypot(x, y float64) float64 {
	a, b := bigFloat(x), bigFloat(y)
	a.Mul(a, a)
	return nearest(a.Sqrt(a.Add(a, b.Mul(b, b))))
}

func power(x float64, n int) float64 {
	p := bigFloat(1)
	for range n {
		p.Mul(p, bigFloat(x))
	}
	return nearest(p)
}

// sqrtComplex is the C library's csqrt.
func sqrtComplex(z complex128) complex128 {
	re, im := real(z), imag(z)
	switch {
	case im == 0 && re < 0:
		return complex(0, math.Copysign(math.Sqrt(-re), im))
	case im == 0:
		return complex(math.Sqrt(re), im)
	}
	d := hypot(re, im)
	if re > 0 {
		r := math.Sqrt(0.5 * (d + re))
		return complex(r, 0.5*(im/r))
	}
	s := math.Sqrt(0.5 * (d - re))
	return complex(math.Abs(0.5*(im/s)), math.Copysign(s, im))
}

// divide is NumPy's division, by Smith's method.
func divide(n, d complex128) complex128 {
	a, b, c, e := real(n), imag(n), real(d), imag(d)
	if math.Abs(c) >= math.Abs(e) {
		ratio := e / c
		scale := 1 / (c + float64(e*ratio))
		return complex((a+float64(b*ratio))*scale, (b-float64(a*ratio))*scale)
	}
	ratio := c / e
	scale := 1 / (e + float64(c*ratio))
	return complex((float64(a*ratio)+b)*scale, (float64(b*ratio)-a)*scale)
}
