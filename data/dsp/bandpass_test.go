package dsp

import (
	"math"
	"math/cmplx"
	"testing"

	"pgregory.net/rapid"
)

// response is the filter's gain at a frequency, from the transform of its
// impulse response.
func response(f *Bandpass, freq, rate float64, n int) float64 {
	x := make([]float64, n)
	x[0] = 1
	f.Filter(x, x)
	var sum complex128
	for i, v := range x {
		sum += complex(v, 0) * cmplx.Exp(complex(0, -2*math.Pi*freq/rate*float64(i)))
	}
	return cmplx.Abs(sum)
}

// TestBandpassIsButterworth holds the response against the closed form of an
// order-n Butterworth band-pass: 1/sqrt(1+u^2n), u = (w²-w0²)/(w·bandwidth)
// with w = tan(pi f/rate).
func TestBandpassIsButterworth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]float64{100, 128, 200, 250, 500}).Draw(t, "rate")
		order := rapid.IntRange(1, 6).Draw(t, "order")
		low := rapid.Float64Range(0.03, 0.3).Draw(t, "low") * rate
		high := low + rapid.Float64Range(0.05, 0.15).Draw(t, "width")*rate
		f, err := NewBandpass(order, low, high, rate)
		if err != nil {
			t.Fatal(err)
		}
		freq := rapid.Float64Range(0.01, 0.49).Draw(t, "frequency") * rate
		warp := func(f float64) float64 { return math.Tan(math.Pi * f / rate) }
		w1, w2, w := warp(low), warp(high), warp(freq)
		u := (w*w - w1*w2) / (w * (w2 - w1))
		want := 1 / math.Sqrt(1+math.Pow(u, float64(2*order)))
		if got := response(f, freq, rate, 4000); math.Abs(got-want) > 1e-9 {
			t.Fatalf("gain at %g Hz = %g, want %g", freq, got, want)
		}
	})
}

func TestBandpassWideBandHasRealPoles(t *testing.T) {
	// So wide a band splits the prototype's real pole into two real ones.
	f, err := NewBandpass(1, 1, 40, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, edge := range []float64{1, 40} {
		if got := response(f, edge, 100, 2000); math.Abs(got-math.Sqrt(0.5)) > 1e-9 {
			t.Errorf("gain at the edge %g Hz = %g, want sqrt(1/2)", edge, got)
		}
	}
}

func TestNewBandpassRefuses(t *testing.T) {
	for _, c := range []struct {
		order           int
		low, high, rate float64
	}{{0, 1, 2, 100}, {21, 1, 2, 100}, {5, 0, 2, 100}, {5, 3, 2, 100}, {5, 30, 50, 100}, {5, math.NaN(), 2, 100}, {5, 1, 2, math.NaN()}} {
		if _, err := NewBandpass(c.order, c.low, c.high, c.rate); err == nil {
			t.Errorf("order %d, %g to %g Hz at %g: no error", c.order, c.low, c.high, c.rate)
		}
	}
}

func TestVarianceIsShiftInvariant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Float64Range(-100, 100), 2, 40).Draw(t, "x")
		var sum, sq float64
		for _, v := range x {
			sum += v
			sq += v * v
		}
		n := float64(len(x))
		want := sq/n - sum/n*sum/n
		if got := Variance(x); math.Abs(got-want) > 1e-9*(1+sq) {
			t.Fatalf("variance %g, want %g", got, want)
		}
	})
}

// TestTransferIsTheSameFilter where its coefficients can hold it: broad bands at
// low rates.
func TestTransferIsTheSameFilter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		order := rapid.IntRange(1, 4).Draw(t, "order")
		low := rapid.Float64Range(10, 20).Draw(t, "low")
		high := low + rapid.Float64Range(10, 25).Draw(t, "width")
		sections, err := NewBandpass(order, low, high, 100)
		if err != nil {
			t.Fatal(err)
		}
		transfer, err := NewTransfer(order, low, high, 100)
		if err != nil {
			t.Fatal(err)
		}
		x := rapid.SliceOfN(rapid.Float64Range(-100, 100), 100, 100).Draw(t, "x")
		a, b := make([]float64, len(x)), make([]float64, len(x))
		sections.Filter(a, x)
		transfer.Filter(b, x)
		for i := range a {
			if math.Abs(a[i]-b[i]) > 1e-7 {
				t.Fatalf("sample %d is %g by sections and %g by the transfer function", i, a[i], b[i])
			}
		}
	})
}

func TestExactFunctions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y := rapid.Float64Range(-1.5, 1.5).Draw(t, "x"), rapid.Float64Range(-1.5, 1.5).Draw(t, "y")
		near := func(name string, got, want complex128) {
			if cmplx.Abs(got-want) > 1e-14*(1+cmplx.Abs(want)) {
				t.Fatalf("%s(%g, %g) = %g, want %g", name, x, y, got, want)
			}
		}
		z, w := complex(x, y), complex(y+2, x)
		near("exp", unit(x), cmplx.Exp(complex(0, x)))
		near("tan", complex(tan(x), 0), complex(math.Tan(x), 0))
		near("hypot", complex(hypot(x, y), 0), complex(math.Hypot(x, y), 0))
		near("sqrt", sqrtComplex(z), cmplx.Sqrt(z))
		near("divide", divide(z, w), z/w)
		near("divide", divide(z, complex(imag(w), real(w))), z/complex(imag(w), real(w)))
		near("power", complex(power(x, 5), 0), complex(math.Pow(x, 5), 0))
	})
}

func TestMomentsOfKnownNumbers(t *testing.T) {
	mean, variance, third, fourth := Moments([]float64{1, 2, 3, 6})
	if mean != 3 || variance != 3.5 || third != 63 || fourth != 348.5 {
		t.Errorf("%g, %g, %g, %g", mean, variance, third, fourth)
	}
	if d := MeanAbsoluteDeviation([]float64{1, 2, 3, 6}); d != 1.5 {
		t.Errorf("mean absolute deviation %g", d)
	}
	if Mean(nil) != 0 || Variance([]float64{3}) != 0 || MeanAbsoluteDeviation(nil) != 0 {
		t.Error("not 0 for too few numbers")
	}
}
