package preprocess

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/internal/note"
)

// Words is one word or a list of them.
type Words []string

// UnmarshalJSON reads either.
func (w *Words) UnmarshalJSON(b []byte) error { return oneOrList(b, (*[]string)(w)) }

// oneOrList reads a list, or a single item as a list of one.
func oneOrList[T any](b []byte, list *[]T) error {
	var one T
	if json.Unmarshal(b, &one) == nil {
		*list = []T{one}
		return nil
	}
	return json.Unmarshal(b, list)
}

// DropChannels leaves channels out of all recordings.
type DropChannels struct {
	Channels Words `json:"channels"`
}

// Name implements [Step].
func (*DropChannels) Name() string { return "DropChannels" }

// String implements [Step].
func (d *DropChannels) String() string { return "without " + strings.Join(d.Channels, ", ") }

// Prepare implements [Step].
func (d *DropChannels) Prepare(in Form) (Prepared, error) {
	if len(d.Channels) == 0 {
		return Prepared{}, fmt.Errorf("no channels are named")
	}
	rows, err := in.find(d.Channels)
	if err != nil {
		return Prepared{}, err
	}
	out, kept := in.without(rows)
	dropped := channelNames(in, rows)
	return Prepared{Out: out, Replaces: func(*Signal) []string { return dropped },
		Apply: func(ctx context.Context, s *Signal) error { return s.mixed(ctx, kept) }}, nil
}

// InterpolateBads replaces bad channels by the others, interpolated by spherical splines
// (Perrin et al., Electroenceph Clin Neurophysiol 1989, 72:184) as mne.io.Raw.interpolate_bads
// does: 50 Legendre terms, 1e-5 added to the diagonal. Places are those of the montage file, or
// of the 10-10 system, on a sphere.
type InterpolateBads struct {
	Channels Words `json:"channels,omitempty"` // bad in all recordings
	// Subjects are the bad channels of some subjects.
	Subjects map[string]Words `json:"subjects,omitempty"`
	// Marked, the default, adds the channels that a recording's channels.tsv marks as bad.
	Marked    bool `json:"marked"`
	Stiffness int  `json:"stiffness"` // of the splines; SplineStiffness
}

// Name implements [Step].
func (*InterpolateBads) Name() string { return "InterpolateBads" }

// String implements [Step].
func (b *InterpolateBads) String() string {
	var what []string
	if len(b.Channels) > 0 {
		what = append(what, strings.Join(b.Channels, ", "))
	}
	for _, s := range slices.Sorted(maps.Keys(b.Subjects)) {
		what = append(what, fmt.Sprintf("%s of %s", strings.Join(b.Subjects[s], ", "), s))
	}
	if b.Marked {
		what = append(what, "channels marked as bad")
	}
	return "interpolated by spherical splines: " + strings.Join(what, "; ")
}

// fewestPlaces is from how many channels others can be interpolated.
const fewestPlaces = 4

// Prepare implements [Step].
func (b *InterpolateBads) Prepare(in Form) (Prepared, error) {
	switch {
	case len(b.Channels) == 0 && len(b.Subjects) == 0 && !b.Marked:
		return Prepared{}, fmt.Errorf("no channels are named")
	case b.Stiffness < 2 || b.Stiffness > 10:
		return Prepared{}, fmt.Errorf("stiffness is %d: it must be 2 to 10", b.Stiffness)
	}
	everywhere, err := in.find(b.Channels)
	if err != nil {
		return Prepared{}, err
	}
	of := map[string][]int{}
	for subject, names := range b.Subjects {
		if of[subject], err = in.find(names); err != nil {
			return Prepared{}, fmt.Errorf("subject %s: %w", subject, err)
		}
	}
	bads := func(s *Signal) []int {
		rows := slices.Concat(everywhere, of[s.Subject])
		for i, c := range in.Channels {
			if b.Marked && slices.Contains(s.Marked, c) {
				rows = append(rows, i)
			}
		}
		slices.Sort(rows)
		return slices.Compact(rows)
	}
	var notes []note.Note
	var placeless []string
	for _, c := range in.Channels {
		if _, ok := in.place(c); !ok {
			placeless = append(placeless, c)
		}
	}
	if len(placeless) > 0 {
		notes = append(notes, note.New(note.About, "Channels of no known place are not interpolated from: %s.", note.Some(placeless, 6)))
	}
	return Prepared{Out: in, Notes: notes,
		Replaces: func(s *Signal) []string { return channelNames(in, bads(s)) },
		Apply: func(ctx context.Context, s *Signal) error {
			rows := bads(s)
			if len(rows) == 0 {
				return nil
			}
			mixed, err := b.splines(in, rows)
			if err != nil {
				return err
			}
			s.Notes = append(slices.Clip(s.Notes), note.New(note.About, "Bad channels are interpolated from the others: %s.", strings.Join(channelNames(in, rows), ", ")))
			return s.mixed(ctx, mixed)
		}}, nil
}

// splines returns how each channel is made where those of some rows are bad.
func (b *InterpolateBads) splines(in Form, bad []int) ([]mixture, error) {
	places := make([]montage.Point, len(in.Channels))
	var good []int
	for i, c := range in.Channels {
		at, ok := in.place(c)
		places[i] = at
		switch isBad := slices.Contains(bad, i); {
		case isBad && !ok:
			return nil, fmt.Errorf("no place on the head is known of channel %s, at which to interpolate: give a montage file, or leave the channel out", c)
		case !isBad && ok:
			good = append(good, i)
		}
	}
	if len(good) < fewestPlaces {
		return nil, fmt.Errorf("%d of %d channels are bad, and %d good ones whose places are known are too few to interpolate from", len(bad), len(in.Channels), len(good))
	}
	n := len(good)
	m := mat.NewDense(n+1, n+1, nil)
	for i := range n {
		for j := range n {
			m.Set(i, j, b.spline(places[good[i]], places[good[j]]))
		}
		m.Set(i, i, m.At(i, i)+1e-5)
		m.Set(i, n, 1)
		m.Set(n, i, 1)
	}
	to := mat.NewDense(n+1, len(bad), nil)
	for k, r := range bad {
		for i := range n {
			to.Set(i, k, b.spline(places[r], places[good[i]]))
		}
		to.Set(n, k, 1)
	}
	var weights mat.Dense // m is symmetric
	if err := weights.Solve(m, to); err != nil {
		return nil, fmt.Errorf("the places of the channels allow no interpolation, as some are the same: %w", err)
	}
	all := make([]mixture, len(in.Channels))
	for i := range all {
		all[i] = alone(i)
	}
	for k, r := range bad {
		all[r] = mixture{rows: good, weights: mat.Col(nil, k, weights.Slice(0, n, 0, len(bad)))}
	}
	return all, nil
}

// spline is Perrin's g of two places.
func (b *InterpolateBads) spline(p, q montage.Point) float64 {
	const terms = 50
	x := (p.X*q.X + p.Y*q.Y + p.Z*q.Z) / (p.Distance(montage.Point{}) * q.Distance(montage.Point{}))
	before, last, sum := 1.0, x, 0.0 // Legendre polynomials
	for n := 1.0; n <= terms; n++ {
		weight := 2*n + 1
		for range b.Stiffness {
			weight /= n * (n + 1)
		}
		sum += weight * last
		before, last = last, ((2*n+1)*x*last-n*before)/(n+1)
	}
	return sum / (4 * math.Pi)
}

// place is where a channel lies.
func (f Form) place(channel string) (montage.Point, bool) {
	if f.Positions != nil {
		return f.Positions.Of(channel)
	}
	return montage.Position(channel)
}
