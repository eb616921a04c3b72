package transform

import (
	"math"

	"github.com/eegprune/eegprune/data/dsp"
)

// BandSignal is the signal split into bands: [electrodes, samples] to [bands,
// electrodes, samples].
type BandSignal struct {
	BandFilter
}

// Name implements [Transform].
func (t *BandSignal) Name() string { return "BandSignal" }

// Prepare implements [Transform].
func (t *BandSignal) Prepare(in Form, _ *Form) (Step, error) {
	if err := in.signal(t.Name()); err != nil {
		return Step{}, err
	}
	filters, err := t.design(in.Rate)
	if err != nil {
		return Step{}, err
	}
	out := in
	out.Shape = []int{len(filters), in.Shape[0], in.Shape[1]}
	out.Electrodes, out.Bands = nil, t.Bands.Names()
	n := in.Shape[1]
	return Step{Out: out, OnBaseline: t.ApplyToBaseline, Apply: func(x, _ *Array) *Array {
		y := NewArray(out.Shape...)
		for b, f := range filters {
			for e := range in.Shape[0] {
				at := (b*in.Shape[0] + e) * n
				f.Filter(y.Data[at:at+n], x.Data[e*n:(e+1)*n])
			}
		}
		return y
	}}, nil
}

// BandMeanAbsoluteDeviation is the mean distance from the mean in each band:
// [electrodes, samples] to [electrodes, bands].
type BandMeanAbsoluteDeviation struct {
	BandFilter
}

// Name implements [Transform].
func (t *BandMeanAbsoluteDeviation) Name() string { return "BandMeanAbsoluteDeviation" }

// Prepare implements [Transform].
func (t *BandMeanAbsoluteDeviation) Prepare(in Form, _ *Form) (Step, error) {
	return t.prepare(t.Name(), in, dsp.MeanAbsoluteDeviation)
}

// BandKurtosis is the fourth moment of each band about zero over the square of
// its variance: [electrodes, samples] to [electrodes, bands]. (About the mean it
// would be the kurtosis of statistics; a band-passed signal has little mean.)
type BandKurtosis struct {
	BandFilter
}

// Name implements [Transform].
func (t *BandKurtosis) Name() string { return "BandKurtosis" }

// Prepare implements [Transform].
func (t *BandKurtosis) Prepare(in Form, _ *Form) (Step, error) {
	return t.prepare(t.Name(), in, func(x []float64) float64 {
		_, second, _, fourth := dsp.Moments(x)
		return fourth / (second * second)
	})
}

// BandSkewness is the third moment of each band over the third power of its
// standard deviation: [electrodes, samples] to [electrodes, bands].
type BandSkewness struct {
	BandFilter
}

// Name implements [Transform].
func (t *BandSkewness) Name() string { return "BandSkewness" }

// Prepare implements [Transform].
func (t *BandSkewness) Prepare(in Form, _ *Form) (Step, error) {
	return t.prepare(t.Name(), in, func(x []float64) float64 {
		mean, variance, third, _ := dsp.Moments(x)
		sd := math.Sqrt(variance)
		return (third - 3*mean*variance - mean*mean*mean) / (sd * sd * sd)
	})
}
