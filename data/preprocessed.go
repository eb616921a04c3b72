package data

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/data/preprocess"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/internal/note"
	"github.com/eegprune/eegprune/internal/spelling"
)

// A pipeline is one that is ready for recordings of one form; nil steps change nothing.
type pipeline struct {
	*preprocess.Ready
	workers int
	steps   bool // whether there are any
}

// pipelines are the pipelines for the forms of the recordings so far.
type pipelines map[string]*pipeline

// of returns the pipeline for a recording.
func (p pipelines) of(steps preprocess.Pipeline, places *montage.Positions, workers int, r *source.Recording) (*pipeline, error) {
	key := fmt.Sprintf("%g %q", r.Rate, r.Channels)
	if p[key] != nil {
		return p[key], nil
	}
	if len(steps) > 0 {
		if err := r.CheckRate(); err != nil {
			return nil, err
		}
	}
	form := preprocess.Form{Channels: r.Channels, Rate: r.Rate, Positions: places}
	made := &preprocess.Ready{In: form, Out: form}
	if len(steps) > 0 {
		var err error
		if made, err = steps.Prepare(form); err != nil {
			return nil, err
		}
	}
	p[key] = &pipeline{Ready: made, workers: workers, steps: len(steps) > 0}
	return p[key], nil
}

// notes are the notes of the pipelines, each sentence once.
func (p pipelines) notes() []note.Note {
	var all []note.Note
	for _, key := range slices.Sorted(maps.Keys(p)) {
		for _, n := range p[key].Notes {
			if !slices.ContainsFunc(all, func(o note.Note) bool { return o.What == n.What }) {
				all = append(all, n)
			}
		}
	}
	return all
}

// knowSubjects is an error where steps name a subject that there is not.
func (o Options) knowSubjects(seen []string) error {
	for _, s := range o.Preprocess.Subjects() {
		if !slices.Contains(seen, s) && !o.SkipBad {
			return fmt.Errorf("the preprocessing names bad channels of subject %s, and there is none (the nearest is %s)", s, spelling.Nearest(s, seen))
		}
	}
	return nil
}

// form is the form of a recording after the steps: without samples, and with a baseline of the
// length that it will have.
func (p *pipeline) form(r *source.Recording) *source.Recording {
	if !p.steps {
		return r
	}
	after := *r
	after.Channels, after.Rate, after.Samples = p.Out.Channels, p.Out.Rate, nil
	if len(r.Baseline) > 0 {
		after.Baseline = [][]float64{make([]float64, after.SamplesIn(float64(len(r.Baseline[0]))/r.Rate))}
	}
	return &after
}

// samples bounds how many samples a recording will have.
func (p *pipeline) samples(r *source.Recording) int {
	if !p.steps {
		return r.Len()
	}
	return int(float64(r.Len())*p.Out.Rate/r.Rate) + 1
}

// bytes is the memory of a recording and of the one made from it.
func (p *pipeline) bytes(r *source.Recording) int64 {
	if !p.steps {
		return r.Bytes()
	}
	return r.Bytes() + int64(float64(r.Bytes())*max(1, p.Out.Rate/r.Rate))
}

// signal is a recording as the steps take it.
func (p *pipeline) signal(r *source.Recording) *preprocess.Signal {
	return &preprocess.Signal{Form: p.In, Subject: r.Subject, Marked: r.Bad, Samples: r.Samples, Baseline: r.Baseline, Offset: r.Offset, Workers: p.workers,
		Joined: len(r.Baseline) > 0 && r.Offset == len(r.Baseline[0])}
}

// apply returns a recording after the steps. The recording itself isn't changed.
func (p *pipeline) apply(ctx context.Context, r *source.Recording) (*source.Recording, error) {
	if !p.steps {
		return r, nil
	}
	s := p.signal(r)
	replaced := p.Replaced(s)
	for _, f := range r.Faults() {
		if !slices.Contains(replaced, f.Channel) {
			return nil, fmt.Errorf("%s: channel %s %s: mend it by the preprocessing step InterpolateBads or leave it out by DropChannels, or leave out the file", r.File, f.Channel, f.Why)
		}
	}
	if err := p.Apply(ctx, s); err != nil {
		return nil, fmt.Errorf("%s: trial %d: %w", r.File, r.Trial, err)
	}
	after := *r
	after.Channels, after.Rate, after.Samples, after.Baseline, after.Offset = s.Channels, s.Rate, s.Samples, s.Baseline, s.Offset
	after.Notes = slices.Concat(r.Notes, s.Notes)
	return &after, nil
}

// preprocess makes the features of one recording after its preprocessing.
func (l *layout) preprocess(ctx context.Context, p *pipeline, order []int, r *source.Recording, to *part) error {
	to.subject = r.Subject
	after, err := p.apply(ctx, r)
	if err != nil {
		return err
	}
	l.inOrder(after, order)
	return l.work(ctx, after, p.before(r, after), to)
}

// A before is a recording as it was read, by which channels are found that stand still: after a
// filter or another reference they no longer do.
type before struct {
	rows  [][]float64
	ratio float64 // samples that were read for each sample made of them
	shift float64 // the sample that was read at which those begin
}

// before returns the recording as it was read, nil where steps changed nothing.
func (p *pipeline) before(r, after *source.Recording) *before {
	if !p.steps {
		return nil
	}
	b := &before{ratio: r.Rate / after.Rate}
	b.shift = float64(after.Offset)*b.ratio - float64(r.Offset)
	replaced := p.Replaced(p.signal(r))
	for c, x := range r.Samples {
		if !slices.Contains(replaced, r.Channels[c]) {
			b.rows = append(b.rows, x)
		}
	}
	return b
}

// still reports whether a channel didn't move where n samples from start on were made of it.
func (b *before) still(start, n int) bool {
	if b == nil {
		return false
	}
	from := max(0, int(b.shift+float64(start)*b.ratio))
	return slices.ContainsFunc(b.rows, func(x []float64) bool {
		to := min(len(x), from+int(float64(n)*b.ratio))
		return to-from > 1 && constant(x[from:to])
	})
}

// constant reports whether all numbers are the same.
func constant(x []float64) bool {
	return !slices.ContainsFunc(x, func(v float64) bool { return v != x[0] })
}

// loud counts clips whose amplitude is too large.
type loud struct {
	clips    int            // that there were
	rejected map[string]int // how many of them, by the channel that was largest
	least    float64        // the smallest of their amplitudes
}

func (l *loud) count() int {
	n := 0
	for _, c := range l.rejected {
		n += c
	}
	return n
}

// tooLoud reports whether a clip is to be left out.
func (l *layout) tooLoud(clip []float64, to *loud) bool {
	if len(l.rejects) == 0 {
		return false
	}
	amplitude, channel := preprocess.PeakToPeak(clip, l.chunk)
	if amplitude <= l.threshold() {
		return false
	}
	if to.rejected == nil {
		to.rejected, to.least = map[string]int{}, amplitude
	}
	to.rejected[l.channels[channel]]++
	to.least = min(to.least, amplitude)
	return true
}

func (l *layout) threshold() float64 {
	least := l.rejects[0].PeakToPeak
	for _, r := range l.rejects {
		least = min(least, r.PeakToPeak)
	}
	return least
}

// noteRejected says how many clips of whom were too large in amplitude.
func (b *builder) noteRejected() {
	if len(b.layout.rejects) == 0 {
		return
	}
	all, rejected := 0, 0
	clips, of, by := map[string]int{}, map[string]int{}, map[string]int{}
	var subjects, channels, list, most []string
	for _, p := range b.parts {
		if clips[p.subject] == 0 && p.loud.clips > 0 {
			subjects = append(subjects, p.subject)
		}
		clips[p.subject] += p.loud.clips
		of[p.subject] += p.loud.count()
		all, rejected = all+p.loud.clips, rejected+p.loud.count()
		for c, n := range p.loud.rejected {
			by[c] += n
		}
	}
	for _, s := range subjects {
		if of[s] > 0 {
			list = append(list, fmt.Sprintf("%s %d of %d", s, of[s], clips[s]))
		}
	}
	channels = slices.SortedFunc(maps.Keys(by), func(x, y string) int { return cmp.Or(by[y]-by[x], strings.Compare(x, y)) })
	for _, c := range channels {
		most = append(most, fmt.Sprintf("%s in %d", c, by[c]))
	}
	if rejected == 0 {
		b.notes.Add("", note.New(note.About, "None of %d clips is rejected: no channel has more than %g uV peak to peak.", all, b.layout.threshold()))
		return
	}
	b.notes.Add("", note.New(note.About, "%d of %d clips are rejected, as a channel has more than %g uV peak to peak: %s; the largest was %s.", rejected, all, b.layout.threshold(),
		note.Some(list, 12), note.Some(most, 4)))
}

// allRejected is the error of a set of which no clip is left.
func (b *builder) allRejected() error {
	clips, least := 0, math.Inf(1)
	for _, p := range b.parts {
		if p.loud.rejected != nil {
			clips, least = clips+p.loud.count(), min(least, p.loud.least)
		}
	}
	if clips == 0 {
		return nil
	}
	return fmt.Errorf("all %d clips in %s are rejected by their amplitude: the calmest has %.4g uV peak to peak, and the threshold is %g; raise it, or filter before", clips, b.source.Dir, least, b.layout.threshold())
}
