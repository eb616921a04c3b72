package transform

import (
	"fmt"
	"math"
)

// BandPowerSpectralDensity is the mean of the squared magnitude of the discrete
// Fourier transform of the clip under a Hann window, over the bins of each band:
// [electrodes, samples] to [electrodes, windows*bands]. The number isn't divided
// by the rate or the window's power, and a band begins one bin below its lower
// edge, as in torcheeg.
type BandPowerSpectralDensity struct {
	Bands           Bands `json:"bands"`                // DefaultBands
	Points          int   `json:"fft_n,omitempty"`      // of the transform; 0: the rate
	Windows         int   `json:"num_window,omitempty"` // that the clip is cut into; 0: 1
	ApplyToBaseline bool  `json:"apply_to_baseline"`
}

// Name implements [Transform].
func (t *BandPowerSpectralDensity) Name() string { return "BandPowerSpectralDensity" }

// Prepare implements [Transform].
func (t *BandPowerSpectralDensity) Prepare(in Form, _ *Form) (Step, error) {
	if err := in.signal(t.Name()); err != nil {
		return Step{}, err
	}
	points, windows := t.Points, max(1, t.Windows)
	if points == 0 {
		points = int(math.Round(in.Rate))
	}
	electrodes, samples := in.Shape[0], in.Shape[1]
	length := samples / windows
	if length < 2 || points < 2 {
		return Step{}, fmt.Errorf("%d windows of a clip of %d samples with %d points are too short", windows, samples, points)
	}
	bands := make([]spectralBand, len(t.Bands))
	for i, b := range t.Bands {
		var err error
		if bands[i], err = newSpectralBand(b, in.Rate, points, length); err != nil {
			return Step{}, err
		}
	}
	out := Form{Shape: []int{electrodes, windows * len(bands)}, Electrodes: in.Electrodes, Bands: t.Bands.Names()}
	return Step{Out: out, OnBaseline: t.ApplyToBaseline, Apply: func(x, _ *Array) *Array {
		y := &Array{Data: make([]float64, 0, size(out.Shape)), Shape: out.Shape}
		for e := range electrodes {
			for w := range windows {
				segment := x.Data[e*samples+w*length:][:length]
				for _, b := range bands {
					y.Data = append(y.Data, b.power(segment))
				}
			}
		}
		return y
	}}, nil
}

// A spectralBand has the windowed waves of the bins of a band, so that only
// those bins are computed.
type spectralBand struct{ cos, sin [][]float64 }

func newSpectralBand(b Band, rate float64, points, length int) (spectralBand, error) {
	first := int(math.Floor(b.Low/rate*float64(points))) - 1
	end := min(int(math.Floor(b.High/rate*float64(points))), points/2)
	if first < 0 || end <= first {
		return spectralBand{}, fmt.Errorf("band %s, %g to %g Hz, has no bins in a transform of %d points at %g samples a second", b.Name, b.Low, b.High, points, rate)
	}
	var s spectralBand
	for bin := first; bin < end; bin++ {
		// A window longer than the transform is cut off.
		c, d := make([]float64, min(length, points)), make([]float64, min(length, points))
		for i := range c {
			hann := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(length-1))
			// The angle is reduced in whole numbers to stay exact.
			angle := 2 * math.Pi * float64(bin*i%points) / float64(points)
			c[i], d[i] = hann*math.Cos(angle), hann*math.Sin(angle)
		}
		s.cos, s.sin = append(s.cos, c), append(s.sin, d)
	}
	return s, nil
}

// power is the mean squared magnitude over the bins.
func (s spectralBand) power(x []float64) float64 {
	sum := 0.0
	for k, c := range s.cos {
		var re, im float64
		for i, w := range c {
			re += w * x[i]
			im += s.sin[k][i] * x[i]
		}
		sum += re*re + im*im
	}
	return sum / float64(len(s.cos))
}
