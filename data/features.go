package data

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/preprocess"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/data/transform"
	"github.com/eegprune/eegprune/internal/note"
)

// Options describe the features of recordings. They are written with results, so
// that a run can be repeated.
type Options struct {
	// Seconds is the length of a clip (torcheeg's chunk_size), Overlap how much
	// of it the next one repeats. Samples at a recording's end that don't fill a
	// clip are left out.
	Seconds float64 `json:"seconds" yaml:"seconds"`
	// Samples is the length of a clip where Seconds is 0: that of a network which takes so many.
	Samples int     `json:"samples,omitempty" yaml:"samples,omitempty"`
	Overlap float64 `json:"overlap,omitempty" yaml:"overlap,omitempty"`
	// BaselineSeconds is the length of the segments of a baseline whose mean
	// stands for it (torcheeg's baseline_chunk_size; all whole segments are
	// taken). 0 means Seconds.
	BaselineSeconds float64 `json:"baseline_seconds,omitempty" yaml:"baseline_seconds,omitempty"`

	// Preprocess lists the steps that recordings go through before clips are cut from them.
	Preprocess preprocess.Pipeline `json:"preprocess,omitempty" yaml:"preprocess,omitempty"`
	Transforms transform.Pipeline  `json:"transforms" yaml:"transforms"`
	// Label makes the class out of a recording's labels. Empty means the manifest's.
	Label label.Pipeline `json:"label,omitempty" yaml:"label,omitempty"`

	// Standardize changes features so that networks see them on one scale.
	//
	// "none" (or "") leaves them as they are. "subject" gives each value of a clip (a band at an
	// electrode) the mean 0 and the standard deviation 1 over all clips of its subject; of signals
	// each electrode over all samples of all clips. It removes differences between subjects that have
	// nothing to do with the label. It uses no labels, but it does use all clips of a subject, those
	// that are tested too: it is transductive, and can only be used where a subject's recordings are
	// at hand before the first is classified.
	Standardize string `json:"standardize,omitempty" yaml:"standardize,omitempty"`

	// SkipBad goes on without the files that can't be read, and notes them.
	SkipBad bool `json:"skip_bad,omitempty" yaml:"skip_bad,omitempty"`
	// Strict makes an error of all that is left out, corrected, repeated or assumed. It
	// changes no features.
	Strict bool `json:"-" yaml:"strict,omitempty"`

	// Workers is the number of recordings worked on at once, 0 for the number
	// of processors. It doesn't change the result.
	Workers int `json:"-" yaml:"-"`
	// Progress, where it isn't nil, is called at the start and after each file.
	Progress func(source.Progress) `json:"-" yaml:"-"`
}

// GridOptions are the features of networks that see bands on the electrode grid (CCNN, FBCCNN):
// differential entropy of clips of 1 s in torcheeg's four bands, [4, 9, 9].
func GridOptions() Options {
	return Options{Seconds: 1, Transforms: transform.Pipeline{
		transform.NewBandDifferentialEntropy(transform.DefaultBands()), &transform.ToGrid{ApplyToBaseline: true}}}
}

// SignalOptions are the features of networks that see the signal (TSCeption): clips of 4 s, each
// electrode with mean 0 and standard deviation 1, [1, electrodes, samples].
func SignalOptions() Options {
	time := 1
	return Options{Seconds: 4, Transforms: transform.Pipeline{&transform.MeanStdNormalize{Axis: &time}, &transform.To2d{}}}
}

// Features reads all recordings of a source and makes a set of their clips, in
// the order of the recordings. In memory are a few recordings for each worker, and the
// features where they are few; those of a large set are in a temporary file, which the
// caller closes with the set. The result is the same, to the bit, for any number of
// workers.
func Features(ctx context.Context, s *source.Source, o Options) (*Set, error) {
	if err := s.NeedLabels(ctx); err != nil {
		return nil, err
	}
	b := &builder{source: s, options: o}
	return b.set(ctx)
}

// UnlabelledFeatures is [Features] without labels: the set, which the caller closes, has no classes, and one clip is
// enough. It also returns the samples per second in which clips count where they begin.
func UnlabelledFeatures(ctx context.Context, s *source.Source, o Options) (set *Set, rate float64, err error) {
	b := &builder{source: s, options: o, unlabelled: true}
	if set, err = b.set(ctx); err != nil {
		return nil, 0, err
	}
	return set, b.layout.rate, nil
}

// set makes a set that no cache keeps.
func (b *builder) set(ctx context.Context) (set *Set, err error) {
	b.values = &values{}
	defer func() { err = errors.Join(err, b.values.close()) }()
	if set, err = b.features(ctx); err != nil {
		return nil, err
	}
	if err := b.values.giveTo(set); err != nil {
		return nil, err
	}
	return set, nil
}

// features makes a set and puts its values where they belong, without X.
func (b *builder) features(ctx context.Context) (*Set, error) {
	o := b.options
	if err := o.check(); err != nil {
		return nil, err
	}
	if len(b.source.Manifest.Signal.Bands) > 0 && len(o.Preprocess) > 0 {
		return nil, ofFeatures(b.source)
	}
	if err := b.readAll(ctx); err != nil {
		return nil, err
	}
	set, err := b.assemble()
	if err != nil {
		return nil, err
	}
	pooled := 1
	if b.layout.prepared.Out.Time {
		pooled = set.Shape[len(set.Shape)-1]
	}
	if err := standardize(ctx, b.values, set, o.Standardize, pooled); err != nil {
		return nil, err
	}
	if o.Strict {
		if err := set.Notes.Strict(); err != nil {
			return nil, err
		}
	}
	return set, nil
}

func (o Options) workers() int {
	if o.Workers > 0 {
		return o.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// walk reads recordings as the options say. A bad file that is skipped is noted.
func (o Options) walk(notes *note.List) source.Walk {
	return source.Walk{Workers: o.workers(), SkipBad: o.SkipBad, Bad: func(err error) { notes.Add("", leftOut(err)) }, Progress: o.Progress, Notes: notes}
}

// Length returns the seconds of a clip at a rate.
func (o Options) Length(rate float64) float64 {
	if o.Seconds == 0 && o.Samples > 0 {
		return float64(o.Samples) / rate
	}
	return o.Seconds
}

func (o Options) check() error {
	seconds := o.Seconds
	if seconds == 0 && o.Samples > 0 { // how many depends on the rate
		seconds = math.MaxFloat64
	}
	switch {
	case !(seconds > 0) || math.IsInf(seconds, 0):
		return fmt.Errorf("a clip can't last %g s: give a positive number of seconds", o.Seconds)
	case !(o.Overlap >= 0 && o.Overlap < seconds):
		return fmt.Errorf("clips of %g s can't overlap by %g s: the overlap must be less than the clip", o.Seconds, o.Overlap)
	case !(o.BaselineSeconds >= 0):
		return fmt.Errorf("baseline segments can't last %g s", o.BaselineSeconds)
	}
	return checkStandardize(o.Standardize)
}

// A builder makes a set from recordings as they come.
type builder struct {
	source  *source.Source
	options Options
	notes   note.List
	// unlabelled leaves the classes of recordings alone.
	unlabelled bool

	pipelines pipelines
	recorded  []string // the channels of the first recording
	layout    *layout
	parts     []*part
	values    *values // of all parts, in their order
}

// A part is the clips of one recording.
type part struct {
	x     []float32
	clips []Clip
	class int64
	notes []note.Note
	file  string
	err   error

	trial, subject string // for messages
	tied           bool   // whether it has no class, as a rating equals the threshold

	still int    // clips left out, as a channel stood still in them
	loud  loud   // clips left out, as their amplitude is too large
	short string // how long the recording is, if that is too short for a clip
}

// readAll reads recordings one after another, has them worked on side by side, and stores their
// features in order. It returns the error of the first recording that has one.
func (b *builder) readAll(ctx context.Context) error {
	g, working := errgroup.WithContext(ctx)
	workers := b.options.workers()
	b.pipelines = pipelines{}
	b.source.Also(b.options.Preprocess.Also())
	g.SetLimit(workers + 1)
	begun := make(chan worked, workers) // no more than these wait to be put there
	room := semaphore.NewWeighted(workBytes)
	g.Go(func() error { return b.collect(begun, room) })
	readErr := b.source.Each(working, b.options.walk(&b.notes), func(r *source.Recording) error {
		through, order, err := b.ready(r)
		if err != nil {
			return fmt.Errorf("%s: %w", r.File, err)
		}
		l := b.layout
		p := &part{file: r.File}
		b.parts = append(b.parts, p)
		next := worked{part: p, done: make(chan struct{}), bytes: min(through.bytes(r)+4*int64(l.valuesOf(through.samples(r))), workBytes)}
		if err := room.Acquire(working, next.bytes); err != nil {
			return err
		}
		select {
		case begun <- next:
		case <-working.Done():
			return working.Err()
		}
		g.Go(func() error {
			defer close(next.done)
			p.err = l.preprocess(working, through, order, r, p)
			if p.err != nil && b.options.SkipBad && working.Err() == nil {
				*p = part{notes: []note.Note{leftOut(p.err)}}
			}
			return p.err
		})
		return nil
	})
	close(begun)
	// Recordings are begun in order, so that the first with an error is the
	// same in every run, whichever error came first.
	workErr := g.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, p := range b.parts {
		if p.err != nil && !errors.Is(p.err, context.Canceled) {
			return p.err
		}
	}
	if readErr != nil && !errors.Is(readErr, context.Canceled) {
		return readErr
	}
	return workErr
}

// workBytes bounds the memory of the recordings that are worked on, and of their features until these
// are stored. A larger recording is alone.
const workBytes = 256 << 20

// worked is a part that is there when done is closed.
type worked struct {
	*part
	done  chan struct{}
	bytes int64 // that are taken until it is put where it belongs
}

// collect takes the values of parts, each when it and all before it are there.
func (b *builder) collect(begun <-chan worked, room *semaphore.Weighted) error {
	for p := range begun {
		<-p.done
		if p.err != nil {
			return nil // nothing comes of it
		}
		if err := b.values.add(p.x); err != nil {
			return err
		}
		p.x = nil
		room.Release(p.bytes)
	}
	return nil
}

// leftOut is the note of a file that can't be read.
func leftOut(err error) note.Note { return note.New(note.LeftOut, "Left out: %v.", err) }

// ready returns the preprocessing of a recording, and the order in which the layout, which
// all recordings share and the first one makes, has its channels.
func (b *builder) ready(r *source.Recording) (*pipeline, []int, error) {
	p, err := b.pipelines.of(b.options.Preprocess, b.source.Positions, b.options.workers(), r)
	if err != nil {
		return nil, nil, err
	}
	after := p.form(r)
	if b.layout == nil {
		if b.layout, err = newLayout(b.source, b.options, after, b.unlabelled); err != nil {
			return nil, nil, err
		}
		b.layout.rejects = p.Rejects
		b.recorded = r.Channels
	}
	order, err := b.layout.fits(after)
	return p, order, err
}

// assemble puts the parts into one set.
func (b *builder) assemble() (*Set, error) {
	if b.layout == nil {
		return nil, fmt.Errorf("no recording in %s could be used: %s", b.source.Dir, note.Some(b.notes.Sentences(), 3))
	}
	l := b.layout
	set := &Set{Shape: l.prepared.Out.Shape, Channels: l.prepared.Electrodes, Rate: l.rate}
	if l.prepared.Out.Time {
		set.Rate = l.prepared.Out.Rate
	}
	if l.labels != nil {
		set.Classes = l.labels.Classes
	}
	if len(b.options.Preprocess) > 0 {
		set.Recorded = b.recorded
	}
	for _, p := range b.parts {
		set.Clips = append(set.Clips, p.clips...)
		for range p.clips {
			set.Y = append(set.Y, p.class)
		}
		b.notes.Add(p.file, p.notes...)
	}
	if !b.unlabelled { // unlabelled clips can be of any subject
		var seen []string
		for _, p := range b.parts {
			seen = append(seen, p.subject)
		}
		if err := b.options.knowSubjects(seen); err != nil {
			return nil, err
		}
	}
	b.noteLeftOut()
	b.notes.Add("", b.pipelines.notes()...)
	b.notes.Add("", l.prepared.Notes...)
	set.Notes = slices.Concat(b.source.Notes, b.notes)
	if err := b.allRejected(); err != nil && set.Len() == 0 {
		return nil, err
	}
	return set, checkClasses(set, b.source)
}

// noteLeftOut says which trials gave fewer clips than they might have.
func (b *builder) noteLeftOut() {
	var short, still, tied []string
	clips := 0
	b.noteRejected()
	for _, p := range b.parts {
		if p.tied {
			tied = append(tied, p.trial)
		}
		if p.short != "" {
			short = append(short, fmt.Sprintf("%s (%s)", p.trial, p.short))
		}
		if p.still > 0 {
			still = append(still, fmt.Sprintf("%s (%d)", p.trial, p.still))
			clips += p.still
		}
	}
	if len(tied) > 0 {
		b.notes.Add("", note.New(note.LeftOut, "%d trial(s) have no class and are left out, as a rating equals the threshold: %s.", len(tied), note.Some(tied, 5)))
	}
	if len(short) > 0 {
		b.notes.Add("", note.New(note.LeftOut, "%d trial(s) are shorter than a clip of %g s and give none: %s.", len(short), b.options.Length(b.layout.rate), note.Some(short, 5)))
	}
	if len(still) > 0 {
		b.notes.Add("", note.New(note.LeftOut, "%d clip(s) are left out, as a channel stands still in them: %s.", clips, note.Some(still, 5)))
	}
}

// checkClasses finds sets that nothing can be learned from.
func checkClasses(set *Set, s *source.Source) error {
	if set.Len() == 0 {
		return fmt.Errorf("no recording in %s is long enough for one clip: make clips shorter", s.Dir)
	}
	if set.Classes == nil {
		return nil
	}
	counts := make([]int, len(set.Classes))
	for _, y := range set.Y {
		counts[y]++
	}
	for c, n := range counts {
		if n == set.Len() {
			return fmt.Errorf("all %d clips in %s have the class %q: a classifier needs two; add recordings of another class or change how labels become classes", n, s.Dir, set.Classes[c])
		}
		if n == 0 {
			set.Notes.Add("", note.New(note.About, "No clip has the class %q.", set.Classes[c]))
		}
	}
	return nil
}
