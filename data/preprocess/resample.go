package preprocess

import (
	"context"
	"fmt"

	"github.com/eegprune/eegprune/data/dsp"
)

// Resample brings recordings to another rate, also those of several rates to one. It is
// scipy.signal.resample_poly with its low-pass at half the lower rate; see [dsp.Resampler].
type Resample struct {
	Rate float64 `json:"rate"` // samples per second
	// Level, which is so unless said otherwise, takes the line from the first sample to the last
	// off before and adds it after, so that an offset makes no steps at both ends.
	Level bool `json:"level"`
}

// fastest bounds rates, and with them the memory that a recording takes: amplifiers for EEG go up
// to some 20 kHz.
const fastest = 32768

// Name implements [Step].
func (*Resample) Name() string { return "Resample" }

// String implements [Step].
func (r *Resample) String() string {
	text := fmt.Sprintf("resampled to %g Hz (polyphase, Kaiser window)", r.Rate)
	if !r.Level {
		text += " without levelling"
	}
	return text
}

// Prepare implements [Step].
func (r *Resample) Prepare(in Form) (Prepared, error) {
	if r.Rate > fastest {
		return Prepared{}, fmt.Errorf("rate is %g samples a second: it can be %d at the most", r.Rate, fastest)
	}
	f, err := dsp.NewResampler(in.Rate, r.Rate)
	if err != nil {
		return Prepared{}, err
	}
	out := in
	out.Rate = r.Rate
	return Prepared{Out: out, Apply: func(ctx context.Context, s *Signal) error {
		s.Offset = f.At(s.Offset)
		return s.eachRow(ctx, func(x []float64) ([]float64, error) { return f.Resample(x, r.Level), nil }, f.At)
	}}, nil
}
