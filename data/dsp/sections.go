package dsp

import (
	"fmt"
	"math"
	"math/cmplx"
)

// Sections is a digital filter as a cascade of second-order sections, run forwards and
// backwards so that it shifts no phase. It has no state of its own: many goroutines may use one.
type Sections struct {
	gain     float64
	sections []biquad
	// Padding is by how many samples [Sections.ZeroPhase] extends a signal at either end, as
	// scipy.signal.sosfiltfilt does: three times the coefficients of the filter.
	Padding int
}

// A biquad is y[t] = x[t] + b1 x[t-1] + b2 x[t-2] - a1 y[t-1] - a2 y[t-2].
type biquad struct{ b1, b2, a1, a2 float64 }

// NewButterworth designs a Butterworth filter with the cut-off frequencies low and high in Hz,
// at each of which one pass lets half the power through, for signals of rate samples a second.
// low 0 makes it a low-pass, high 0 a high-pass; a band-pass of order n has n sections, the
// others half as many. It is scipy.signal.butter(order, ..., fs=rate, output="sos").
func NewButterworth(order int, low, high, rate float64) (*Sections, error) {
	if low > 0 && high > 0 {
		return butterworthBand(order, low, high, rate)
	}
	cutoff, kind := high, "low-pass"
	if high == 0 {
		cutoff, kind = low, "high-pass"
	}
	switch {
	case order < 1 || order > 20:
		return nil, fmt.Errorf("%s of order %d: the order must be 1 to 20", kind, order)
	case !(cutoff > 0):
		return nil, fmt.Errorf("%s of %g Hz: the cut-off frequency must be above 0", kind, cutoff)
	case !(cutoff < rate/2):
		return nil, fmt.Errorf("%s of %g Hz: at %g samples a second it must be below %g Hz", kind, cutoff, rate, rate/2)
	}
	w := fs2 * math.Tan(math.Pi*cutoff/rate)
	f := &Sections{gain: 1, Padding: 3 * (order + 1)}
	side, factor := 1.0, w // zeros at -1, those of a low-pass
	if high == 0 {
		side, factor = -1, fs2
	}
	for m := order - 1; m >= 0; m -= 2 {
		p := complex(-w, 0) * cmplx.Exp(complex(0, math.Pi*float64(m)/float64(2*order)))
		z := (fs2 + p) / (fs2 - p)
		if m == 0 {
			f.gain *= factor / real(fs2-p)
			f.sections = append(f.sections, biquad{b1: side, a1: -real(z)})
			continue
		}
		f.gain *= factor * factor / real((fs2-p)*(fs2-cmplx.Conj(p)))
		f.sections = append(f.sections, biquad{b1: 2 * side, b2: 1, a1: -2 * real(z), a2: real(z * cmplx.Conj(z))})
	}
	return f, nil
}

func butterworthBand(order int, low, high, rate float64) (*Sections, error) {
	b, err := NewBandpass(order, low, high, rate)
	if err != nil {
		return nil, err
	}
	f := &Sections{gain: b.gain, Padding: 3 * (2*order + 1)}
	for _, s := range b.sections {
		f.sections = append(f.sections, biquad{b2: -1, a1: s.a1, a2: s.a2})
	}
	return f, nil
}

// NewNotch designs a filter of one section that takes out one frequency in Hz. quality is that
// frequency over the width at half power: scipy.signal.iirnotch(frequency, quality, rate).
func NewNotch(frequency, quality, rate float64) (*Sections, error) {
	switch {
	case !(frequency > 0):
		return nil, fmt.Errorf("notch at %g Hz: the frequency must be above 0", frequency)
	case !(frequency < rate/2):
		return nil, fmt.Errorf("notch at %g Hz: at %g samples a second it must be below %g Hz", frequency, rate, rate/2)
	case !(quality > 0) || math.IsInf(quality, 0):
		return nil, fmt.Errorf("notch of quality %g: the quality must be positive", quality)
	}
	w := 2 * math.Pi * frequency / rate
	gain := 1 / (1 + math.Tan(w/quality/2))
	return &Sections{gain: gain, sections: []biquad{{b1: -2 * math.Cos(w), b2: 1, a1: -2 * gain * math.Cos(w), a2: 2*gain - 1}}, Padding: 3 * 3}, nil
}

// Rings is for how many samples an impulse goes on in the output of one pass until a hundredth
// is left of it: a shorter signal is one that the filter's ends distort.
func (f *Sections) Rings() float64 {
	radius := 0.0
	for _, s := range f.sections {
		root := cmplx.Sqrt(complex(s.a1*s.a1-4*s.a2, 0))
		radius = max(radius, cmplx.Abs(complex(-s.a1, 0)+root)/2, cmplx.Abs(complex(-s.a1, 0)-root)/2)
	}
	return math.Log(0.01) / math.Log(radius)
}

// block is how many samples go through all sections before the next do, few enough for the
// processor's first cache.
const block = 2048

// ZeroPhase returns x filtered forwards and backwards, as scipy.signal.sosfiltfilt does: the
// signal goes on at both ends mirrored about its end point, and each pass begins as if its first
// sample had been there for ever. x must be longer than Padding.
func (f *Sections) ZeroPhase(x []float64) ([]float64, error) {
	n, pad := len(x), f.Padding
	if n <= pad {
		return nil, fmt.Errorf("%d samples are too few for the filter, which needs more than %d", n, pad)
	}
	y := make([]float64, n+2*pad)
	for i := range pad {
		y[i] = 2*x[0] - x[pad-i]
		y[pad+n+i] = 2*x[n-1] - x[n-2-i]
	}
	copy(y[pad:], x)
	state := f.begin(y[0])
	for from := 0; from < len(y); from += block {
		f.run(y[from:min(from+block, len(y))], state)
	}
	state = f.begin(y[len(y)-1])
	var turned [block]float64
	for to := len(y); to > 0; to -= block {
		part := y[max(0, to-block):to]
		last := len(part) - 1
		for i, v := range part {
			turned[last-i] = v
		}
		f.run(turned[:len(part)], state)
		for i := range part {
			part[i] = turned[last-i]
		}
	}
	return y[pad : pad+n : pad+n], nil
}

// A memory is the last two values before and after one section.
type memory struct{ in, in2, out, out2 float64 }

// begin is the state of the sections when x has come for ever.
func (f *Sections) begin(x float64) []memory {
	x *= f.gain
	state := make([]memory, len(f.sections))
	for i, s := range f.sections {
		y := x * (1 + s.b1 + s.b2) / (1 + s.a1 + s.a2)
		state[i] = memory{x, x, y, y}
		x = y
	}
	return state
}

// run filters samples in place.
func (f *Sections) run(x []float64, state []memory) {
	for i := range x {
		x[i] *= f.gain
	}
	s := f.sections
	for ; len(s) >= 2; s, state = s[2:], state[2:] {
		runTwo(x, s[0], s[1], &state[0], &state[1])
	}
	if len(s) == 1 {
		runOne(x, s[0], &state[0])
	}
}

// runTwo runs two sections at once: neither waits for the other's recurrence.
func runTwo(x []float64, p, q biquad, first, second *memory) {
	x1, x2, y1, y2, z1, z2 := first.in, first.in2, first.out, first.out2, second.out, second.out2
	for i, v := range x {
		y := (v + p.b1*x1 + p.b2*x2 - p.a2*y2) - p.a1*y1
		z := (y + q.b1*y1 + q.b2*y2 - q.a2*z2) - q.a1*z1
		x[i] = z
		x2, x1 = x1, v
		y2, y1 = y1, y
		z2, z1 = z1, z
	}
	*first, *second = memory{x1, x2, y1, y2}, memory{y1, y2, z1, z2}
}

func runOne(x []float64, p biquad, m *memory) {
	x1, x2, y1, y2 := m.in, m.in2, m.out, m.out2
	for i, v := range x {
		y := (v + p.b1*x1 + p.b2*x2 - p.a2*y2) - p.a1*y1
		x[i] = y
		x2, x1 = x1, v
		y2, y1 = y1, y
	}
	*m = memory{x1, x2, y1, y2}
}
