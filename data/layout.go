package data

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/preprocess"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/data/transform"
	"github.com/eegprune/eegprune/internal/spelling"
)

// A layout holds the channels and rate that all recordings of a set share, and how clips are
// cut from them.
type layout struct {
	dir      string
	channels []string
	rate     float64
	labels   *label.Prepared // nil where they don't matter

	chunk, step   int // samples
	baselineChunk int // 0 where no baseline is used
	prepared      *transform.Prepared
	rejects       []*preprocess.RejectClips
}

func newLayout(s *source.Source, o Options, r *source.Recording, unlabelled bool) (*layout, error) {
	if err := r.CheckRate(); err != nil {
		return nil, err
	}
	o.Seconds = o.Length(r.Rate)
	l := &layout{dir: s.Dir, channels: r.Channels, rate: r.Rate}
	var err error
	if !unlabelled {
		if l.labels, err = s.PrepareLabels(o.Label); err != nil {
			return nil, err
		}
	}
	l.chunk = r.SamplesIn(o.Seconds)
	l.step = l.chunk - r.SamplesIn(o.Overlap)
	if l.chunk < 1 || l.step < 1 {
		return nil, fmt.Errorf("clips of %g s that overlap by %g s are shorter than a sample at %g samples a second", o.Seconds, o.Overlap, r.Rate)
	}
	form := transform.Form{Shape: []int{len(l.channels), l.chunk}, Electrodes: l.channels, Rate: l.rate, Time: true, Positions: s.Positions}
	if bands := s.Manifest.Signal.Bands; len(bands) > 0 {
		if l.chunk != len(bands) || l.step != l.chunk {
			return nil, ofFeatures(s)
		}
		form.Time, form.Bands = false, bands
		if l.prepared, err = o.Transforms.Prepare(form, nil); err != nil {
			return nil, fmt.Errorf("%w; %w", err, ofFeatures(s))
		}
		return l, nil
	}
	var baseline *transform.Form
	if len(r.Baseline) > 0 && o.Transforms.UsesBaseline() {
		seconds := o.BaselineSeconds
		if seconds == 0 {
			seconds = o.Seconds
		}
		l.baselineChunk = r.SamplesIn(seconds)
		if have := len(r.Baseline[0]); l.baselineChunk < 1 || l.baselineChunk > have {
			return nil, fmt.Errorf("its baseline of %.3g s has no whole segment of %g s: give baseline_seconds", float64(have)/r.Rate, seconds)
		}
		b := form
		b.Shape = []int{len(l.channels), l.baselineChunk}
		baseline = &b
	}
	l.prepared, err = o.Transforms.Prepare(form, baseline)
	return l, err
}

// ofFeatures says how features that files hold are taken.
func ofFeatures(s *source.Source) error {
	return fmt.Errorf("the files hold features (%s at each electrode), a clip is a window of %g s, and filters and features of signals are not for them: give --features a file with {seconds: %g, transforms: [{name: ToGrid}]}",
		strings.Join(s.Manifest.Signal.Bands, ", "), s.Manifest.Signal.Window(), s.Manifest.Signal.Window())
}

// fits checks that a recording can stand beside the first one, and returns the order in which
// that one has its channels; nil where it is its own.
func (l *layout) fits(r *source.Recording) (order []int, err error) {
	if r.Rate != l.rate {
		return nil, fmt.Errorf("it has %g samples a second and the recordings before it %g: all of a set need one rate; bring them to one by the preprocessing step Resample, or leave out those of another by files in the manifest", r.Rate, l.rate)
	}
	if l.baselineChunk > 0 && len(r.Baseline) == 0 {
		return nil, fmt.Errorf("it has no baseline, and the recordings before it have")
	}
	if slices.Equal(r.Channels, l.channels) {
		return nil, nil
	}
	order = make([]int, len(l.channels))
	for i, c := range l.channels {
		if order[i] = slices.Index(r.Channels, c); order[i] < 0 {
			return nil, fmt.Errorf("it has no channel %s, which the recordings before it have (the nearest that it has is %s): name the channels that all have by channels.pick in the manifest", c, spelling.Nearest(c, r.Channels))
		}
	}
	if len(r.Channels) != len(l.channels) {
		return nil, fmt.Errorf("it has %d channels and the recordings before it %d: name those that all have by channels.pick in the manifest", len(r.Channels), len(l.channels))
	}
	return order, nil
}

// inOrder puts the channels of a recording into the order that fits returns.
func (l *layout) inOrder(r *source.Recording, order []int) {
	if order == nil {
		return
	}
	r.Samples, r.Baseline = reordered(r.Samples, order), reordered(r.Baseline, order)
	r.Channels = l.channels
}

func reordered(rows [][]float64, order []int) [][]float64 {
	if rows == nil {
		return nil
	}
	out := make([][]float64, len(order))
	for i, j := range order {
		out[i] = rows[j]
	}
	return out
}

// work makes the features of one recording. was is the recording before preprocessing, nil
// without.
func (l *layout) work(ctx context.Context, r *source.Recording, was *before, p *part) error {
	p.notes = r.Notes
	p.trial = groupKey{subject: r.Subject, session: r.Session, trial: r.Trial}.String()
	if f := r.Faults(); len(f) > 0 {
		return fmt.Errorf("%s: trial %d: channel %s %s: leave the channel out by channels.exclude in the manifest, or the trial by --skip-bad", r.File, r.Trial, f[0].Channel, f[0].Why)
	}
	if l.labels != nil {
		class, err := l.labels.Class(r.Labels)
		if errors.Is(err, label.ErrTie) {
			p.tied = true
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: trial %d: %w", r.File, r.Trial, err)
		}
		p.class = int64(class)
	}
	if n := r.Len(); n < l.chunk {
		p.short = fmt.Sprintf("%.3g s", float64(n)/r.Rate)
		return nil
	}
	baseline := l.prepared.Baseline(l.baseline(r))
	x := transform.NewArray(len(l.channels), l.chunk)
	p.x = make([]float32, 0, l.valuesOf(r.Len()))
	// Below the directory, so that a set is the same wherever that lies.
	name := r.File
	if below, err := filepath.Rel(l.dir, r.File); err == nil {
		name = filepath.ToSlash(below)
	}
	for start := 0; start+l.chunk <= r.Len(); start += l.step {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !l.cut(x.Data, r, start) || was.still(start, l.chunk) {
			p.still++
			continue
		}
		p.loud.clips++
		if l.tooLoud(x.Data, &p.loud) {
			continue
		}
		y := l.prepared.Apply(x, baseline)
		for _, v := range y.Data {
			if f := float32(v); f-f == 0 {
				p.x = append(p.x, f)
				continue
			}
			return fmt.Errorf("%s: trial %d: the clip from sample %d on has a feature that is no number (%g), as values are too large or have no power in a band: leave out the file, or change the clips or bands", r.File, r.Trial, r.Offset+start, v)
		}
		p.clips = append(p.clips, Clip{File: name, Subject: r.Subject, Session: r.Session, Trial: r.Trial, Stimulus: r.Stimulus,
			Start: r.Offset + start, End: r.Offset + start + l.chunk})
	}
	return nil
}

// valuesOf returns how many values the clips of a recording of some samples have.
func (l *layout) valuesOf(samples int) int {
	if samples < l.chunk {
		return 0
	}
	n := (samples-l.chunk)/l.step + 1
	for _, d := range l.prepared.Out.Shape {
		n *= d
	}
	return n
}

// cut copies a clip from a recording. It returns false if a channel doesn't
// move in it: a dead stretch, whose features say nothing.
func (l *layout) cut(dst []float64, r *source.Recording, start int) bool {
	for c, x := range r.Samples {
		row := dst[c*l.chunk : (c+1)*l.chunk]
		copy(row, x[start:start+l.chunk])
		if len(row) > 1 && constant(row) {
			return false
		}
	}
	return true
}

// baseline returns the mean of the whole segments of a recording's baseline.
func (l *layout) baseline(r *source.Recording) *transform.Array {
	if l.baselineChunk == 0 {
		return nil
	}
	b := transform.NewArray(len(l.channels), l.baselineChunk)
	for c, x := range r.Baseline {
		row := b.Data[c*l.baselineChunk : (c+1)*l.baselineChunk]
		segments := len(x) / l.baselineChunk
		for s := range segments {
			for i := range row {
				row[i] += x[s*l.baselineChunk+i]
			}
		}
		for i := range row {
			row[i] /= float64(segments)
		}
	}
	return b
}
