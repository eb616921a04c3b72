// Package preprocess holds the steps that recordings go through before clips are cut from them:
// filters, another rate, another reference, channels mended or left out. Each step is a file and
// a line in the registry.
package preprocess

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/internal/note"
	"github.com/eegprune/eegprune/internal/spelling"
)

// A Form holds the channels and rate of recordings that go through the same steps.
type Form struct {
	Channels []string
	Rate     float64 // samples per second
	// Positions say where channels lie; nil where their names in the 10-10 system do.
	Positions *montage.Positions
}

// A Signal is one recording on its way through the steps.
type Signal struct {
	Form
	Subject string
	Marked  []string // channels that the recording itself says are bad

	// Samples and Baseline are [channels][samples] in microvolts. Their rows are never written
	// to: other recordings may share them.
	Samples, Baseline [][]float64 // Baseline is nil where there is none
	// Joined says that Samples go on where Baseline ends: filters then take both for one signal.
	Joined bool
	Offset int // sample of the file at which Samples begin, at this rate
	Notes  []note.Note

	// Workers is how many channels are worked on at once. It doesn't change the result.
	Workers int
}

// A Step is one thing that is done to recordings, with its arguments as its fields.
type Step interface {
	// Name is the name under which pipelines list it.
	Name() string
	// String describes the step in a few words, for results.
	String() string
	// Prepare checks the arguments against the form of recordings. Its result has their form
	// after the step.
	Prepare(in Form) (Prepared, error)
}

// Prepared is a step that is ready for recordings of one form.
type Prepared struct {
	Out Form
	// Apply changes a signal but for its Form, which becomes Out.
	Apply func(ctx context.Context, s *Signal) error
	// Notes are for the user, of all recordings.
	Notes []note.Note
	// Rejects, where it isn't nil, is asked of each clip, [channels][samples].
	Rejects *RejectClips
	// Replaces returns the channels of a signal whose samples don't matter, as the step gives
	// them others or leaves them out. It may be nil.
	Replaces func(s *Signal) []string
}

// Defaults of the steps.
const (
	FilterOrder     = 4  // of BandPass
	NotchQuality    = 30 // of Notch
	SplineStiffness = 4  // of InterpolateBads
)

// registry makes each step with its default arguments. A new one is a file and a line here.
func registry() []func() Step {
	return []func() Step{
		func() Step { return &Resample{Level: true} },                                     // another rate: polyphase, with its low-pass
		func() Step { return &BandPass{Order: FilterOrder} },                              // Butterworth band-pass, high-pass or low-pass, zero phase
		func() Step { return &Notch{Quality: NotchQuality} },                              // takes out line frequencies, zero phase
		func() Step { return &Reference{} },                                               // against the average, the mastoids or named channels
		func() Step { return &Bipolar{} },                                                 // differences of pairs of channels, and nothing else
		func() Step { return &DropChannels{} },                                            // leaves channels out
		func() Step { return &InterpolateBads{Marked: true, Stiffness: SplineStiffness} }, // bad channels from the others: spherical splines
		func() Step { return &LastSeconds{} },                                             // the end of each trial
		func() Step { return &RejectClips{} },                                             // leaves out clips of large amplitude
	}
}

// New returns the step of that name with its default arguments. Case, blanks, hyphens and
// underlines in the name make no difference.
func New(name string) (Step, error) {
	var names []string
	for _, make := range registry() {
		s := make()
		if strings.EqualFold(plain(name), s.Name()) {
			return s, nil
		}
		names = append(names, s.Name())
	}
	return nil, spelling.Unknown("preprocessing step", name, names)
}

func plain(name string) string { return strings.NewReplacer("-", "", "_", "", " ", "").Replace(name) }

// stretch is the number of samples in the shortest run that is filtered as one.
func (s *Signal) stretch() int {
	n := len(s.Samples[0])
	switch {
	case s.Baseline == nil:
		return n
	case s.Joined:
		return n + len(s.Baseline[0])
	}
	return min(n, len(s.Baseline[0]))
}

// eachRow puts every channel through do, its baseline and its samples as one where they are
// joined. at is where a sample of the input is in the output.
func (s *Signal) eachRow(ctx context.Context, do func(x []float64) ([]float64, error), at func(n int) int) error {
	// Each row takes the place of the one it is made of, which is free at once.
	s.Samples, s.Baseline = slices.Clone(s.Samples), slices.Clone(s.Baseline)
	return s.become(ctx, s.Samples, s.Baseline, func(c int) (samples, baseline []float64, err error) {
		if s.Baseline == nil {
			samples, err = do(s.Samples[c])
			return samples, nil, err
		}
		if s.Joined {
			whole, err := do(slices.Concat(s.Baseline[c], s.Samples[c]))
			cut := min(at(len(s.Baseline[c])), len(whole))
			return whole[cut:], whole[:cut:cut], err
		}
		if baseline, err = do(s.Baseline[c]); err != nil {
			return nil, nil, fmt.Errorf("the baseline: %w", err)
		}
		samples, err = do(s.Samples[c])
		return samples, baseline, err
	})
}

// mixed gives the signal the channels that a step makes of those it has: each a sum of rows
// with weights.
func (s *Signal) mixed(ctx context.Context, rows []mixture) error {
	var baselines [][]float64
	if s.Baseline != nil {
		baselines = make([][]float64, len(rows))
	}
	return s.become(ctx, make([][]float64, len(rows)), baselines, func(c int) (samples, baseline []float64, err error) {
		if s.Baseline != nil {
			baseline = rows[c].of(s.Baseline)
		}
		return rows[c].of(s.Samples), baseline, nil
	})
}

// become fills samples, and baseline where it isn't nil, channel by channel, several at once, and
// makes them the signal's.
func (s *Signal) become(ctx context.Context, samples, baseline [][]float64, channel func(c int) (samples, baseline []float64, err error)) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, s.Workers))
	for c := range samples {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			x, b, err := channel(c)
			samples[c] = x
			if baseline != nil {
				baseline[c] = b
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	s.Samples, s.Baseline = samples, baseline
	return nil
}

// A mixture is a sum of channels with weights.
type mixture struct {
	rows    []int
	weights []float64
}

// alone is a channel as it is.
func alone(row int) mixture { return mixture{[]int{row}, []float64{1}} }

func (m mixture) of(x [][]float64) []float64 {
	if len(m.rows) == 1 && m.weights[0] == 1 {
		return x[m.rows[0]]
	}
	y := make([]float64, len(x[m.rows[0]]))
	for from := 0; from < len(y); from += block {
		m.into(y[from:min(from+block, len(y))], x, from)
	}
	return y
}

// block is how many samples of all channels are worked on before the next are, few enough for
// the processor's caches.
const block = 1024

// into adds to y the samples of the mixture from one on.
func (m mixture) into(y []float64, x [][]float64, from int) {
	for k, r := range m.rows {
		w := m.weights[k]
		for i, v := range x[r][from : from+len(y)] {
			y[i] += w * v
		}
	}
}

// find returns the rows of channels that are named by a user.
func (f Form) find(names []string) ([]int, error) {
	channels := montage.Identify(f.Channels)
	rows := make([]int, len(names))
	for k, name := range names {
		row, best, ties := -1, 0, 0
		for i, c := range channels {
			switch fit := max(c.Is(name), exactly(f.Channels[i], name)); {
			case fit > best:
				row, best, ties = i, fit, 1
			case fit == best && fit > 0:
				ties++
			}
		}
		switch {
		case best == 0:
			return nil, fmt.Errorf("the recordings have no channel %s (the nearest that they have is %s)", name, spelling.Nearest(name, f.Channels))
		case ties > 1:
			return nil, fmt.Errorf("the recordings have %d channels that are called %s", ties, name)
		case slices.Contains(rows[:k], row):
			return nil, fmt.Errorf("channel %s is named twice", name)
		}
		rows[k] = row
	}
	return rows, nil
}

// exactly is 3 for the name by which a channel is known.
func exactly(channel, name string) int {
	if channel == name {
		return 3
	}
	return 0
}

// without is the form without some rows, and which rows are left.
func (f Form) without(rows []int) (out Form, kept []mixture) {
	out = f
	out.Channels = nil
	for i, c := range f.Channels {
		if !slices.Contains(rows, i) {
			out.Channels, kept = append(out.Channels, c), append(kept, alone(i))
		}
	}
	return out, kept
}
