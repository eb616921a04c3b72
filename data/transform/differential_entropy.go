package transform

import (
	"math"

	"github.com/eegprune/eegprune/data/dsp"
)

// BandDifferentialEntropy is the differential entropy of a Gaussian with the
// variance of each band, log2(2 pi e variance)/2 in bits: [electrodes, samples]
// to [electrodes, bands]. (Shi, Jiao & Lu, EMBC 2013.)
//
// A clip that is all zero has the entropy -Inf.
type BandDifferentialEntropy struct {
	BandFilter
}

// NewBandDifferentialEntropy returns the transform with torcheeg's filters, on
// the given bands and on the baseline too.
func NewBandDifferentialEntropy(bands Bands) *BandDifferentialEntropy {
	return &BandDifferentialEntropy{BandFilter{Order: 5, Bands: bands, Filter: FilterSOS, ApplyToBaseline: true}}
}

// Name implements [Transform].
func (t *BandDifferentialEntropy) Name() string { return "BandDifferentialEntropy" }

// Prepare implements [Transform].
func (t *BandDifferentialEntropy) Prepare(in Form, _ *Form) (Step, error) {
	return t.prepare(t.Name(), in, func(x []float64) float64 {
		return math.Log2(2*math.Pi*math.E*dsp.Variance(x)) / 2
	})
}
