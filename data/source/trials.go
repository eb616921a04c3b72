package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/mat"
	"github.com/eegprune/eegprune/data/ndarray"
	"github.com/eegprune/eegprune/data/pickle"
	"github.com/eegprune/eegprune/internal/mapped"
	"github.com/eegprune/eegprune/internal/note"
)

// The reader that known data sets share: samples of trials are blocks of arrays, and the set's
// layout gives the rest.

// A block is the samples of a trial where they lie.
type block struct {
	channels int
	samples  int
	// read gives some of the channels, all samples of each, in microvolts.
	read func(ctx context.Context, rows []int) ([][]float64, error)
}

// A trial is one trial of a file before its samples are read.
type trial struct {
	subject, session string  // the file's own where they are empty
	number           int     // within subject and session, from 1
	rate             float64 // samples per second, where the file says them; else the manifest's
	stimulus         string
	labels           map[string]float64
	samples          block
	notes            []note.Note
	// part tells the recordings of a trial apart that was interrupted, from 1; 0 where it is one.
	part int
	// before is the baseline where it lies apart. Where it doesn't, the samples begin with as
	// many seconds of it as the manifest says.
	before *block
}

// A trialReader gives the trials of one file in order.
type trialReader func(ctx context.Context, m *Manifest, f File, yield func(trial) error) error

// read implements [format]'s.
func (t trialReader) read(ctx context.Context, m *Manifest, f File) iter.Seq2[*Recording, error] {
	return func(yield func(*Recording, error) bool) {
		file, err := newTrialFile(m, f)
		if err == nil {
			err = t(ctx, m, f, func(x trial) error {
				r, err := file.recording(ctx, x)
				if err == nil && !yield(r, nil) {
					return errStop
				}
				return err
			})
		}
		if err == nil && len(file.seen) == 0 {
			err = errors.New("it has no trials")
		}
		if errors.Is(err, errNoTrial) {
			return
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(nil, inFile(f.Path, err))
		}
	}
}

// inFile is an error that names a file, once.
func inFile(path string, err error) error {
	if strings.HasPrefix(err.Error(), path) {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// A trialFile holds the data that a file's trials share.
type trialFile struct {
	manifest *Manifest
	names    []string // of the electrodes, which are the first rows of each trial
	rows     []int    // those that are read
	base     Recording
	scales   []label.Scale
	seen     map[trialPart]bool
}

// A trialPart identifies a recording of a file.
type trialPart struct {
	trialKey
	part int
}

func newTrialFile(m *Manifest, f File) (*trialFile, error) {
	t := &trialFile{manifest: m, scales: m.format().labels, seen: map[trialPart]bool{},
		base: Recording{File: f.Path, Subject: f.Subject, Session: f.Session, Rate: m.Signal.Rate, ownTrial: true}}
	var err error
	if t.names, err = m.Signal.electrodes(); err != nil {
		return nil, err
	}
	t.rows, t.base.Channels, t.base.Notes, err = m.pickChannels(t.names)
	return t, err
}

// recording reads a trial.
func (t *trialFile) recording(ctx context.Context, x trial) (*Recording, error) {
	r := t.base
	r.Trial, r.Stimulus, r.Labels = x.number, x.stimulus, x.labels
	if x.subject != "" {
		r.Subject = x.subject
	}
	if x.session != "" {
		r.Session = x.session
	}
	if x.rate != 0 {
		r.Rate = x.rate
	}
	if len(x.notes) > 0 {
		r.Notes = slices.Concat(r.Notes, x.notes)
	}
	key := trialPart{trialKey{r.Subject, r.Session, r.Trial}, x.part}
	if t.seen[key] {
		return nil, fmt.Errorf("it has trial %d twice", r.Trial)
	}
	t.seen[key] = true
	for _, s := range t.scales {
		if v, ok := x.labels[s.Key]; ok && !s.Has(v) { // NaN too
			return nil, fmt.Errorf("trial %d: its %s is %g, and %s: the file is damaged", r.Trial, s.Key, v, ofScale(s))
		}
	}
	if x.samples.channels < len(t.names) {
		return nil, fmt.Errorf("trial %d has %d channels and %d electrodes are named, which come first: correct signal.electrodes in a manifest", r.Trial, x.samples.channels, len(t.names))
	}
	all, err := x.samples.read(ctx, t.rows)
	if err != nil {
		return nil, fmt.Errorf("trial %d: %w", r.Trial, err)
	}
	if x.before != nil {
		r.Samples = all
		if r.Baseline, err = x.before.read(ctx, t.rows); err != nil {
			return nil, fmt.Errorf("baseline of trial %d: %w", r.Trial, err)
		}
		return &r, nil
	}
	baseline := samples(t.manifest.Signal.Baseline, r.Rate)
	if baseline > 0 && baseline >= x.samples.samples {
		return nil, fmt.Errorf("trial %d has %d samples, no more than the baseline of %g s: the file is damaged", r.Trial, x.samples.samples, t.manifest.Signal.Baseline)
	}
	r.Offset = baseline
	for _, row := range all {
		if baseline > 0 {
			r.Baseline = append(r.Baseline, row[:baseline])
		}
		r.Samples = append(r.Samples, row[baseline:])
	}
	return &r, nil
}

// errEmpty is of a table or the like that has nothing in it.
var errEmpty = errors.New("it is empty: get it again")

// because adds to an error a fault of the whole file.
func because(err error, notes []note.Note) error {
	if err == nil || len(notes) == 0 {
		return err
	}
	return fmt.Errorf("%w (%s)", err, strings.TrimSuffix(notes[0].What, "."))
}

// ofScale describes the values of a label.
func ofScale(s label.Scale) string {
	if s.Rating() {
		return fmt.Sprintf("ratings go from %g to %g", s.Low, s.High)
	}
	return fmt.Sprintf("there are %d emotions", len(s.Classes))
}

// named gives labels their values by the scales' keys, in order.
func named(scales []label.Scale, values []float64) map[string]float64 {
	labels := map[string]float64{}
	for i, s := range scales {
		if i < len(values) {
			labels[s.Key] = values[i]
		}
	}
	return labels
}

// matBlock is a matrix of a MAT file, [channels, samples], or [samples, channels] where it is
// turned.
func matBlock(a *mat.Array, turned bool) (block, error) {
	if err := a.Readable(); err != nil {
		return block{}, err
	}
	if !a.Numeric() || len(a.Dims) != 2 {
		return block{}, fmt.Errorf("its samples are %s of class %s, and a matrix of numbers is needed", a.Shape(), a.Class)
	}
	if !turned {
		return block{a.Dims[0], a.Dims[1], func(ctx context.Context, rows []int) ([][]float64, error) {
			x := matrix(len(rows), a.Dims[1])
			return x, a.Rows(ctx, x, rows, 0)
		}}, nil
	}
	return block{a.Dims[1], a.Dims[0], func(ctx context.Context, rows []int) ([][]float64, error) {
		x := matrix(len(rows), a.Dims[0])
		for i, c := range rows {
			if err := a.Floats(ctx, x[i], c*a.Dims[0]); err != nil {
				return nil, err
			}
		}
		return x, nil
	}}, nil
}

// matBlocks are the trials of an array of a MAT file, read in one pass from its first number to
// its last. Of each axis that is none of trials, channels and samples the element is taken that
// at says.
func matBlocks(ctx context.Context, a *mat.Array, axes matAxes, at map[int]int) ([]block, error) {
	if err := a.Readable(); err != nil {
		return nil, err
	}
	dims := slices.Clone(a.Dims)
	for len(dims) <= max(axes.trials, axes.channels, axes.samples) {
		dims = append(dims, 1)
	}
	trials, channels, length := dims[axes.trials], dims[axes.channels], dims[axes.samples]
	if n := trials * channels * length; !a.Numeric() || n == 0 || n > mostGathered {
		return nil, fmt.Errorf("%s is %s of class %s, which is no array of trials", a.Name, a.Shape(), a.Class)
	}
	all := make([][][]float64, trials)
	for t := range all {
		all[t] = matrix(channels, length)
	}
	index := make([]int, len(dims))
	part := make([]float64, 1<<16)
	for done, n := 0, a.Len(); done < n; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		part = part[:min(len(part), n-done)]
		if err := a.Floats(ctx, part, done); err != nil {
			return nil, err
		}
		done += len(part)
		for _, v := range part {
			wanted := true
			for axis, i := range at {
				wanted = wanted && index[axis] == i
			}
			if wanted {
				all[index[axes.trials]][index[axes.channels]][index[axes.samples]] = v
			}
			for axis := range index {
				if index[axis]++; index[axis] < dims[axis] {
					break
				}
				index[axis] = 0
			}
		}
	}
	list := make([]block, trials)
	for t := range list {
		list[t] = block{channels, length, func(_ context.Context, rows []int) ([][]float64, error) {
			x := make([][]float64, len(rows))
			for i, c := range rows {
				x[i] = all[t][c]
			}
			return x, nil
		}}
	}
	return list, nil
}

// arrayBlock is a trial of an array [trials, channels, samples], part of a mapped file that intact
// says is as it was.
func arrayBlock(a *ndarray.Array, t int, intact func() error) block {
	n := a.Shape[2]
	return block{a.Shape[1], n, func(_ context.Context, rows []int) ([][]float64, error) {
		x := matrix(len(rows), n)
		for i, c := range rows {
			if err := a.Line(x[i], t, c); err != nil {
				return nil, err
			}
		}
		return x, intact()
	}}
}

// withPickle opens a file of one pickled value, whose arrays are parts of the mapped file: intact
// says whether that is still as it was.
func withPickle(path string, do func(v any, intact func() error) error) error {
	file, err := mapped.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	v, err := pickle.Load(file.Bytes())
	if err == nil {
		err = do(v, file.Err)
	}
	return cmp.Or(file.Err(), err)
}
