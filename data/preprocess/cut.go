package preprocess

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// LastSeconds keeps the end of each trial. A trial that is shorter is an error.
type LastSeconds struct {
	Seconds float64 `json:"seconds"`
}

// Name implements [Step].
func (*LastSeconds) Name() string { return "LastSeconds" }

// String implements [Step].
func (l *LastSeconds) String() string { return fmt.Sprintf("the last %g s of a trial", l.Seconds) }

// Prepare implements [Step].
func (l *LastSeconds) Prepare(in Form) (Prepared, error) {
	n := math.Round(l.Seconds * in.Rate)
	if !(n >= 1) || n > math.MaxInt32 {
		return Prepared{}, fmt.Errorf("seconds is %g: give a positive number of seconds", l.Seconds)
	}
	return Prepared{Out: in, Apply: func(_ context.Context, s *Signal) error {
		have := len(s.Samples[0])
		if have < int(n) {
			return fmt.Errorf("it lasts %.4g s, and the last %g s of a trial are asked for: ask for less, or leave it out", float64(have)/in.Rate, l.Seconds)
		}
		s.Samples = slices.Clone(s.Samples)
		for c, x := range s.Samples {
			s.Samples[c] = x[have-int(n):]
		}
		s.Offset += have - int(n)
		s.Joined = s.Joined && have == int(n)
		return nil
	}}, nil
}

// RejectClips leaves out clips in which a channel's peak-to-peak amplitude, its greatest value
// less its least, is above a threshold, as mne.Epochs does by reject. It is the last of the
// steps.
type RejectClips struct {
	PeakToPeak float64 `json:"peak_to_peak"` // microvolts
}

// Name implements [Step].
func (*RejectClips) Name() string { return "RejectClips" }

// String implements [Step].
func (r *RejectClips) String() string {
	return fmt.Sprintf("clips above %g uV peak to peak rejected", r.PeakToPeak)
}

// Prepare implements [Step].
func (r *RejectClips) Prepare(in Form) (Prepared, error) {
	if !(r.PeakToPeak > 0) || math.IsInf(r.PeakToPeak, 0) {
		return Prepared{}, fmt.Errorf("peak_to_peak is %g: give a positive number of microvolts, such as 150", r.PeakToPeak)
	}
	return Prepared{Out: in, Rejects: r}, nil
}

// PeakToPeak returns the largest peak-to-peak amplitude of a clip's channels [channels,
// samples], and which channel has it.
func PeakToPeak(clip []float64, samples int) (amplitude float64, channel int) {
	for c := 0; (c+1)*samples <= len(clip); c++ {
		row := clip[c*samples : (c+1)*samples]
		if d := slices.Max(row) - slices.Min(row); d > amplitude {
			amplitude, channel = d, c
		}
	}
	return amplitude, channel
}
