package dsp

import (
	"fmt"
	"math"
)

// A Resampler changes the rate of signals by a ratio of whole numbers. Its low-pass removes
// frequencies above half the new rate, which would alias. It has no state: many goroutines may
// use one.
//
// It is scipy.signal.resample_poly: a windowed sinc (Kaiser, beta 5) of 20 max(up, down) + 1
// taps with its cut-off at half the lower rate, of which only the taps that meet a sample are
// computed.
type Resampler struct {
	up, down, half int
	phases         [][]float64 // taps that meet samples in order of time, for each place between two samples
}

// maxTerm bounds the terms of a ratio of rates, and with them the filter.
const maxTerm = 10000

// NewResampler designs the filter from one rate to another, in samples a second.
func NewResampler(from, to float64) (*Resampler, error) {
	if !(from > 0 && to > 0) || math.IsInf(from, 0) || math.IsInf(to, 0) {
		return nil, fmt.Errorf("from %g to %g samples a second: both must be positive", from, to)
	}
	up, down, ok := ratioOf(to / from)
	if !ok {
		return nil, fmt.Errorf("from %g to %g samples a second: their ratio is none of whole numbers up to %d; choose a rate nearer to a simple part of the first", from, to, maxTerm)
	}
	r := &Resampler{up: up, down: down}
	if up == down {
		return r, nil
	}
	most := max(up, down)
	r.half = 10 * most
	h := lowpass(r.half, 1/float64(most))
	r.phases = make([][]float64, up)
	for p := range r.phases {
		for at := p; at < len(h); at += up { // later taps meet earlier samples
			r.phases[p] = append([]float64{h[at] * float64(up)}, r.phases[p]...)
		}
	}
	return r, nil
}

// ratioOf finds the simplest fraction that is a number up to rounding, by continued fractions.
func ratioOf(x float64) (p, q int, ok bool) {
	const same = 1e-9 // of it: headers of files round
	p0, q0, p1, q1 := 0.0, 1.0, 1.0, 0.0
	for rest := x; ; rest = 1 / (rest - math.Floor(rest)) {
		a := math.Floor(rest)
		p0, q0, p1, q1 = p1, q1, a*p1+p0, a*q1+q0
		if !(p1 <= maxTerm && q1 <= maxTerm) {
			return 0, 0, false
		}
		if p1 > 0 && math.Abs(p1/q1-x) <= same*x {
			return int(p1), int(q1), true
		}
	}
}

// lowpass is scipy.signal.firwin(2*half+1, cutoff, window=("kaiser", 5.0)): a sinc under a
// window, with a gain of 1 at 0 Hz.
func lowpass(half int, cutoff float64) []float64 {
	const beta = 5.0
	h := make([]float64, 2*half+1)
	sum := 0.0
	for i := range h {
		m := float64(i - half)
		h[i] = cutoff
		if m != 0 {
			h[i] = math.Sin(math.Pi*cutoff*m) / (math.Pi * m)
		}
		h[i] *= besselI0(beta*math.Sqrt(max(0, 1-m*m/float64(half*half)))) / besselI0(beta)
		sum += h[i]
	}
	for i := range h {
		h[i] /= sum
	}
	return h
}

// besselI0 is the modified Bessel function of the first kind and order 0, by its series.
func besselI0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-17*sum; k++ {
		term *= x / (2 * k) * (x / (2 * k))
		sum += term
	}
	return sum
}

// Len is how many samples come of n.
func (r *Resampler) Len(n int) int { return (n*r.up + r.down - 1) / r.down }

// At is the sample of the output nearest to a sample of the input.
func (r *Resampler) At(n int) int { return (2*n*r.up + r.down) / (2 * r.down) }

// Resample returns x at the new rate. Outside of x are zeros, as resample_poly has them, which
// an offset makes steps at both ends of. Where level is set, the line from the first sample to
// the last is taken off before and added after: an offset then comes out as it was, without the
// ripple of a thousandth of it that the filter's phases otherwise leave.
func (r *Resampler) Resample(x []float64, level bool) []float64 {
	y := make([]float64, r.Len(len(x)))
	if r.up == r.down {
		copy(y, x)
		return y
	}
	n := len(x)
	first, rise := 0.0, 0.0 // of the line, a sample
	if level && n > 1 {
		first, rise = x[0], (x[n-1]-x[0])/float64(n-1)
		flat := make([]float64, n)
		for i, v := range x {
			flat[i] = v - (first + rise*float64(i))
		}
		x = flat
	}
	for m := range y {
		at := r.half + m*r.down
		taps := r.phases[at%r.up]
		from := at/r.up - len(taps) + 1 // the sample that the first tap meets
		low, high := max(0, -from), min(len(taps), n-from)
		if low < high {
			y[m] = dot(taps[low:high], x[from+low:from+high])
		}
		y[m] += first + rise*(float64(m*r.down)/float64(r.up))
	}
	return y
}

// dot is the inner product, by four sums that don't wait for one another.
func dot(a, b []float64) float64 {
	var s, t, u, v float64
	b = b[:len(a)]
	for ; len(a) >= 4 && len(b) >= 4; a, b = a[4:], b[4:] {
		s += a[0] * b[0]
		t += a[1] * b[1]
		u += a[2] * b[2]
		v += a[3] * b[3]
	}
	for i := range a {
		s += a[i] * b[i]
	}
	return (s + t) + (u + v)
}
