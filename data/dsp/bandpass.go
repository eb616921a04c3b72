// Package dsp holds the signal processing that EEG features are made with.
package dsp

import (
	"fmt"
	"math"
	"math/cmplx"
)

// A Bandpass is a digital Butterworth band-pass filter as a cascade of
// second-order sections. It has no state of its own: many goroutines may use
// one.
//
// A band-pass of order n has n sections, each with one zero at +1 and one at -1
// of the z plane, so that a section is y[t] = x[t] - x[t-2] - a1 y[t-1] - a2
// y[t-2] and one gain serves them all. The output is that of
// scipy.signal.sosfilt(scipy.signal.butter(n, [low, high], "band", fs=rate,
// output="sos"), x) up to rounding.
type Bandpass struct {
	gain     float64
	sections []section
}

type section struct{ a1, a2 float64 }

// NewBandpass designs a filter with the edges low and high in Hz, at which it
// passes half the power, for signals of rate samples a second.
func NewBandpass(order int, low, high, rate float64) (*Bandpass, error) {
	if err := checkBand(order, low, high, rate); err != nil {
		return nil, err
	}
	p := analogPoles(order, low, high, rate)
	f := &Bandpass{}
	// The bilinear transform maps s to (fs2+s)/(fs2-s); the analog zeros at 0
	// go to +1 and those at infinity to -1.
	gain := complex(math.Pow(p.bandwidth*fs2, float64(order)), 0)
	for _, pair := range p.pairs {
		a, b := (fs2+pair[0])/(fs2-pair[0]), (fs2+pair[1])/(fs2-pair[1])
		f.sections = append(f.sections, section{a1: -real(a + b), a2: real(a * b)})
		gain /= (fs2 - pair[0]) * (fs2 - pair[1])
	}
	f.gain = real(gain)
	return f, nil
}

func checkBand(order int, low, high, rate float64) error {
	switch {
	case order < 1 || order > 20:
		return fmt.Errorf("band-pass filter of order %d: the order must be 1 to 20", order)
	case !(low > 0 && low < high):
		return fmt.Errorf("band %g to %g Hz: the lower edge must be above 0 and below the upper", low, high)
	case !(high < rate/2):
		return fmt.Errorf("band %g to %g Hz: at %g samples a second it must end below %g Hz", low, high, rate, rate/2)
	}
	return nil
}

// fs2 is twice the rate at which filters are designed, after frequencies are
// divided by half the signal's rate.
const fs2 = 4

type bandpassPoles struct {
	bandwidth float64
	pairs     [][2]complex128 // of one section each
}

// analogPoles returns the poles of the analog band-pass filter with prewarped
// edges: those of the low-pass prototype, each split in two around the center
// frequency.
func analogPoles(order int, low, high, rate float64) bandpassPoles {
	w1, w2 := fs2*math.Tan(math.Pi*low/rate), fs2*math.Tan(math.Pi*high/rate)
	p := bandpassPoles{bandwidth: w2 - w1}
	center := complex(w1*w2, 0)
	for m := order - 1; m >= 0; m -= 2 {
		lowpass := -cmplx.Exp(complex(0, math.Pi*float64(m)/float64(2*order)))
		half := lowpass * complex(p.bandwidth/2, 0)
		root := cmplx.Sqrt(half*half - center)
		if m == 0 {
			// The real pole of an odd order gives a conjugate or a real pair.
			p.pairs = append(p.pairs, [2]complex128{half + root, half - root})
			continue
		}
		for _, q := range []complex128{half + root, half - root} {
			p.pairs = append(p.pairs, [2]complex128{q, cmplx.Conj(q)})
		}
	}
	return p
}

// Filter writes the filtered src to dst, which must be as long and may be the
// same slice. The filter starts at rest.
func (f *Bandpass) Filter(dst, src []float64) {
	dst = dst[:len(src)]
	for i, x := range src {
		dst[i] = f.gain * x
	}
	s := f.sections
	for ; len(s) >= 2; s = s[2:] {
		twoSections(dst, s[0], s[1])
	}
	if len(s) == 1 {
		oneSection(dst, s[0])
	}
}

// twoSections runs two sections in one pass: their recurrences don't wait for
// each other, so that the processor works on both at once.
func twoSections(x []float64, p, q section) {
	var x1, x2, y1, y2, z1, z2 float64
	for i, v := range x {
		y := (v - x2 - p.a2*y2) - p.a1*y1
		z := (y - y2 - q.a2*z2) - q.a1*z1
		x[i] = z
		x2, x1 = x1, v
		y2, y1 = y1, y
		z2, z1 = z1, z
	}
}

func oneSection(x []float64, p section) {
	var x1, x2, y1, y2 float64
	for i, v := range x {
		y := (v - x2 - p.a2*y2) - p.a1*y1
		x[i] = y
		x2, x1 = x1, v
		y2, y1 = y1, y
	}
}
