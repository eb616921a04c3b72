package preprocess

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/internal/note"
)

// Values of Reference.Against, beside names of channels.
const (
	Average  = "average"  // of all channels
	Mastoids = "mastoids" // M1 and M2
)

// Reference takes from every channel the mean of some: of all ([Average]), of M1 and M2
// ([Mastoids]), or of those that are named. Channels that are named are left out after, as
// nothing of their own is in them; mne.set_eeg_reference gives the others the same values and
// keeps these.
type Reference struct {
	Against Words `json:"against"`
}

// Name implements [Step].
func (*Reference) Name() string { return "Reference" }

// String implements [Step].
func (r *Reference) String() string {
	return "referenced to " + strings.Join(r.Against, " and ")
}

func (r *Reference) names() []string {
	switch {
	case r.is(Average):
		return nil
	case r.is(Mastoids):
		return []string{"M1", "M2"}
	}
	return r.Against
}

func (r *Reference) is(word string) bool {
	return len(r.Against) == 1 && strings.EqualFold(r.Against[0], word)
}

func (r *Reference) also() []string { return r.names() }

// Prepare implements [Step].
func (r *Reference) Prepare(in Form) (Prepared, error) {
	if len(r.Against) == 0 {
		return Prepared{}, fmt.Errorf("the reference is missing: give %s, %s or the names of channels", Average, Mastoids)
	}
	if r.is(Average) && len(in.Channels) < 2 {
		return Prepared{}, fmt.Errorf("the average of one channel leaves nothing of it")
	}
	rows, err := in.find(r.names())
	if err != nil {
		if r.is(Mastoids) {
			err = fmt.Errorf("%w: name the channels that lie there, such as TP9,TP10 or the ears A1,A2", err)
		}
		return Prepared{}, err
	}
	out, kept := in.without(rows)
	if r.is(Average) {
		for i := range in.Channels {
			rows = append(rows, i)
		}
	}
	p := Prepared{Out: out, Apply: func(ctx context.Context, s *Signal) error {
		mean := mixture{rows: rows, weights: slices.Repeat([]float64{1 / float64(len(rows))}, len(rows))}
		s.Samples, s.Baseline = less(s.Samples, mean), less(s.Baseline, mean)
		return s.mixed(ctx, kept)
	}}
	if !r.is(Average) {
		p.Notes = []note.Note{note.New(note.About, "The reference channels are left out after referencing: %s.", strings.Join(channelNames(in, rows), ", "))}
	}
	return p, nil
}

// less takes a mixture from every row.
func less(x [][]float64, m mixture) [][]float64 {
	if x == nil {
		return nil
	}
	y := make([][]float64, len(x))
	for c := range x {
		y[c] = make([]float64, len(x[c]))
	}
	var sum [block]float64
	for from := 0; from < len(x[0]); from += block {
		mean := sum[:min(block, len(x[0])-from)]
		clear(mean)
		m.into(mean, x, from)
		for c := range x {
			out := y[c][from : from+len(mean)]
			for i, v := range x[c][from : from+len(mean)] {
				out[i] = v - mean[i]
			}
		}
	}
	return y
}

func channelNames(f Form, rows []int) []string {
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = f.Channels[r]
	}
	return names
}

// Bipolar makes channels of the differences of two, "F3-C3", and keeps nothing else.
type Bipolar struct {
	Pairs Words `json:"pairs"` // first-second
}

// Name implements [Step].
func (*Bipolar) Name() string { return "Bipolar" }

// String implements [Step].
func (b *Bipolar) String() string { return "bipolar pairs " + strings.Join(b.Pairs, ", ") }

func (b *Bipolar) also() []string {
	var all []string
	for _, p := range b.Pairs {
		if first, second, ok := strings.Cut(p, "-"); ok {
			all = append(all, strings.TrimSpace(first), strings.TrimSpace(second))
		}
	}
	return all
}

// Prepare implements [Step].
func (b *Bipolar) Prepare(in Form) (Prepared, error) {
	if len(b.Pairs) == 0 {
		return Prepared{}, fmt.Errorf("no pairs are given, such as F3-C3")
	}
	out := in
	out.Channels = nil
	var rows []mixture
	used := map[int]bool{}
	for _, p := range b.Pairs {
		first, second, ok := strings.Cut(p, "-")
		if !ok || first == "" || second == "" {
			return Prepared{}, fmt.Errorf("%q is no pair of channels, such as F3-C3", p)
		}
		pair, err := in.find([]string{strings.TrimSpace(first), strings.TrimSpace(second)})
		if err != nil {
			return Prepared{}, fmt.Errorf("pair %s: %w", p, err)
		}
		name := in.Channels[pair[0]] + "-" + in.Channels[pair[1]]
		if slices.Contains(out.Channels, name) {
			return Prepared{}, fmt.Errorf("pair %s is given twice", p)
		}
		out.Channels, rows = append(out.Channels, name), append(rows, mixture{pair, []float64{1, -1}})
		used[pair[0]], used[pair[1]] = true, true
	}
	var unused []string
	for i, c := range in.Channels {
		if !used[i] {
			unused = append(unused, c)
		}
	}
	p := Prepared{Out: out, Apply: func(ctx context.Context, s *Signal) error { return s.mixed(ctx, rows) },
		Replaces: func(*Signal) []string { return unused }}
	if len(unused) > 0 {
		p.Notes = []note.Note{note.New(note.About, "Channels are left out, as they are in no bipolar pair: %s.", strings.Join(unused, ", "))}
	}
	return p, nil
}
