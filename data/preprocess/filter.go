package preprocess

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/data/dsp"
	"github.com/eegprune/eegprune/internal/note"
)

// BandPass is a Butterworth filter in second-order sections, run forwards and backwards: twice
// its order, and no shift of phase. It is scipy.signal.sosfiltfilt(scipy.signal.butter(order,
// [low, high], "band", fs=rate, output="sos"), x). Each trial is filtered by itself, with the
// baseline before it.
type BandPass struct {
	Low   float64 `json:"low"`   // cut-off in Hz; 0 makes it a low-pass
	High  float64 `json:"high"`  // cut-off in Hz; 0 makes it a high-pass
	Order int     `json:"order"` // FilterOrder
}

// Name implements [Step].
func (*BandPass) Name() string { return "BandPass" }

// String implements [Step].
func (b *BandPass) String() string {
	kind := fmt.Sprintf("band-pass %g to %g Hz", b.Low, b.High)
	switch {
	case b.Low == 0:
		kind = fmt.Sprintf("low-pass %g Hz", b.High)
	case b.High == 0:
		kind = fmt.Sprintf("high-pass %g Hz", b.Low)
	}
	return fmt.Sprintf("%s (Butterworth of order %d, zero phase)", kind, b.Order)
}

// Prepare implements [Step].
func (b *BandPass) Prepare(in Form) (Prepared, error) {
	if b.Low < 0 || b.High < 0 || b.Low == 0 && b.High == 0 {
		return Prepared{}, fmt.Errorf("low is %g and high %g Hz: give cut-off frequencies above 0, or one of them for a high-pass or a low-pass", b.Low, b.High)
	}
	f, err := dsp.NewButterworth(b.Order, b.Low, b.High, in.Rate)
	if err != nil {
		return Prepared{}, err
	}
	return filtered(in, b.Name(), f), nil
}

// Notch takes out frequencies of the mains: scipy.signal.iirnotch(frequency, quality, rate), run
// forwards and backwards.
type Notch struct {
	Frequencies Numbers `json:"frequencies"` // Hz: one or a list
	Quality     float64 `json:"quality"`     // a frequency over the width at half power; NotchQuality
}

// Name implements [Step].
func (*Notch) Name() string { return "Notch" }

// String implements [Step].
func (n *Notch) String() string {
	return fmt.Sprintf("notch at %s Hz (quality %g, zero phase)", n.Frequencies, n.Quality)
}

// Prepare implements [Step].
func (n *Notch) Prepare(in Form) (Prepared, error) {
	if len(n.Frequencies) == 0 {
		return Prepared{}, fmt.Errorf("no frequencies are given, such as 50")
	}
	filters := make([]*dsp.Sections, len(n.Frequencies))
	for i, f := range n.Frequencies {
		var err error
		if filters[i], err = dsp.NewNotch(f, n.Quality, in.Rate); err != nil {
			return Prepared{}, err
		}
	}
	return filtered(in, n.Name(), filters...), nil
}

// filtered puts each channel through filters, one after another.
func filtered(in Form, name string, filters ...*dsp.Sections) Prepared {
	rings := 0.0
	for _, f := range filters {
		rings = max(rings, f.Rings())
	}
	return Prepared{Out: in, Apply: func(ctx context.Context, s *Signal) error {
		if have := s.stretch(); float64(have) < rings {
			s.Notes = append(slices.Clip(s.Notes), note.New(note.About, "%s rings for %.2g s, longer than what it filters lasts: values near both ends are distorted.", name, rings/in.Rate))
		}
		return s.eachRow(ctx, func(x []float64) (y []float64, err error) {
			for _, f := range filters {
				if x, err = f.ZeroPhase(x); err != nil {
					return nil, err
				}
			}
			return x, nil
		}, func(n int) int { return n })
	}}
}

// Numbers is one number or a list of them.
type Numbers []float64

// UnmarshalJSON reads either.
func (n *Numbers) UnmarshalJSON(b []byte) error { return oneOrList(b, (*[]float64)(n)) }

// String lists them.
func (n Numbers) String() string {
	words := make([]string, len(n))
	for i, v := range n {
		words[i] = strconv.FormatFloat(v, 'g', -1, 64)
	}
	return cmp.Or(strings.Join(words, ", "), "no")
}
