package source

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/data/eeglab"
	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/internal/note"
)

func eeglabFormat() format {
	return format{
		name: "eeglab", about: "EEGLAB's .set, with its .fdt", suffixes: []string{".set"}, companions: []string{".fdt", ".dat"},
		parts: eeglab.Parts, events: eeglabFileEvents, places: eeglabPlaces, read: readEEGLAB,
	}
}

// readEEGLAB reads a data set of EEGLAB: a continuous one whole, or each labelled event as
// one recording; of one in epochs each epoch as a trial. A part that was cut out is a gap.
func readEEGLAB(ctx context.Context, m *Manifest, f File) iter.Seq2[*Recording, error] {
	return func(yield func(*Recording, error) bool) {
		file, err := eeglab.Open(ctx, f.Path)
		if err != nil {
			yield(nil, fmt.Errorf("reading a recording: %w", err))
			return
		}
		stopped := false
		err = func() error {
			e := &eeglabFile{File: file, manifest: m}
			list, err := e.recordings(f)
			if err != nil {
				return fmt.Errorf("%s: %w", f.Path, err)
			}
			for i, r := range list {
				list[i] = nil // or all samples would be held until the last are read
				r.Samples = matrix(len(e.rows), r.pending)
				r.pending = 0
				if err := file.Read(ctx, r.Samples, e.rows, r.Offset); err != nil {
					return err
				}
				if stopped = !yield(r, nil); stopped {
					return nil
				}
			}
			return nil
		}()
		if err = errors.Join(err, file.Close()); err != nil && !stopped {
			yield(nil, err)
		}
	}
}

// An eeglabFile is an opened data set that is being read.
type eeglabFile struct {
	*eeglab.File
	manifest *Manifest
	rows     []int // channels that are read
	base     Recording
}

// recordings are the file's recordings, without their samples.
func (e *eeglabFile) recordings(f File) ([]*Recording, error) {
	e.base = Recording{File: f.Path, Subject: f.Subject, Session: f.Session, Trial: 1, Rate: e.Rate, Notes: slices.Clone(e.Notes)}
	if err := e.channels(); err != nil {
		return nil, err
	}
	events := eeglabEvents(e.File)
	if e.Epochs > 1 {
		return e.epochs(f, events)
	}
	return markedRecordings(e.manifest, f, e.parts(), events)
}

// channels chooses the channels to read.
func (e *eeglabFile) channels() error {
	var all []candidate
	unnamed := 0
	for i, c := range e.Channels {
		one := candidate{label: c.Label, rate: e.Rate, unit: "µV"}
		if c.Label == "" {
			one.label = strconv.Itoa(i + 1)
			unnamed++
		}
		if t := strings.ToLower(c.Type); t != "" && t != "eeg" {
			one.foreign = "type " + c.Type
		}
		all = append(all, one)
	}
	if unnamed > 0 {
		e.base.note(note.New(note.Assumed, "%d of %d channels have no name (chanlocs.labels): they are called by their numbers.", unnamed, len(all)))
	}
	rows, names, notes, err := e.manifest.choose(all)
	e.rows, e.base.Channels = rows, names
	e.base.Notes = append(e.base.Notes, notes...)
	return err
}

// eeglabEvents are the events but boundaries, in seconds from the start.
func eeglabEvents(file *eeglab.File) []event {
	var list []event
	for _, k := range file.Events {
		if !k.Boundary && k.Type != "" {
			duration := 0.0 // an event of one sample is a point
			if k.Duration > 1 {
				duration = k.Duration / file.Rate
			}
			list = append(list, event{onset: k.Latency / file.Rate, duration: duration, text: k.Type})
		}
	}
	return list
}

// eeglabFileEvents are the events of the data set at path.
func eeglabFileEvents(ctx context.Context, path string) ([]event, error) {
	file, err := eeglab.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	return eeglabEvents(file), file.Close()
}

// parts are the parts of a continuous recording between its cuts.
func (e *eeglabFile) parts() []*Recording {
	cuts := []int{0, e.Samples}
	seconds := 0.0
	for _, k := range e.Events {
		at := int(math.Ceil(max(0, min(k.Latency, float64(e.Samples)))))
		if k.Boundary && at > 0 && at < e.Samples {
			cuts = append(cuts, at)
			seconds += k.Duration / e.Rate
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	if n := len(cuts) - 1; n > 1 {
		e.base.note(note.New(note.About, "It is interrupted by boundary events: %d parts, between which %.3g s are said to have been cut out. No trial or clip goes across.", n, seconds))
	}
	return partsOf(&e.base, cuts)
}

// epochs makes a trial of each epoch. Its label is that of the event that it is cut around,
// or else of all events in it that have a class.
func (e *eeglabFile) epochs(f File, events []event) ([]*Recording, error) {
	e.base.note(note.New(note.About, "It has %d epochs of %.4g s: each is a trial.", e.Epochs, float64(e.Samples)/e.Rate))
	if e.manifest.beside.labels() {
		events = e.manifest.beside.from(0)
	}
	if e.manifest.Unlabelled() && len(events) > 0 && !e.manifest.beside.times() {
		e.base.note(note.New(note.About, "Labels could be made of its annotations: %s.", eventTexts(events)))
	}
	byEvent := e.manifest.Label.Annotations
	var list []*Recording
	var without, several, short []string
	for i := range e.Epochs {
		r := e.base
		r.Trial, r.Offset, r.pending = i+1, i*e.Samples, e.Samples
		number := strconv.Itoa(i + 1)
		if byEvent {
			labels := e.labels(i, events)
			if len(labels) != 1 {
				if len(labels) == 0 {
					without = append(without, number)
				} else {
					several = append(several, number)
				}
				continue
			}
			r.Labels = map[string]float64{"label": float64(labels[0].class)}
			if n := samples(e.manifest.Label.Seconds, e.Rate); n > 0 {
				at := min(max(0, labels[0].sample), e.Samples)
				if r.Offset, r.pending = r.Offset+at, min(n, e.Samples-at); r.pending < n {
					short = append(short, number)
				}
			}
		} else if !e.manifest.Unlabelled() {
			r.Labels = map[string]float64{"label": float64(f.class)}
		}
		list = append(list, &r)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("none of its %d epochs has events of one class among label.classes (%s): its events are %s", e.Epochs, e.manifest.Label.Classes.labels(), eventTexts(events))
	}
	var notes []note.Note
	say := func(epochs []string, format string) {
		if len(epochs) > 0 {
			notes = append(notes, note.New(note.LeftOut, format, len(epochs), note.Some(epochs, 6)))
		}
	}
	say(without, "%d epoch(s) have no event of label.classes and are left out: %s.")
	say(several, "%d epoch(s) have events of several classes and are left out: %s.")
	say(short, "%d epoch(s) end before the seconds of label.seconds have passed, and are read as far as they go: %s.")
	for _, r := range list {
		r.Notes = slices.Concat(e.base.Notes, notes)
	}
	return list, nil
}

// An epochLabel is the class of an event in an epoch, and its sample there.
type epochLabel struct{ class, sample int }

// labels are the classes that the events of an epoch give it, each once.
func (e *eeglabFile) labels(epoch int, events []event) []epochLabel {
	var around, all []epochLabel
	add := func(list []epochLabel, l epochLabel) []epochLabel {
		if slices.ContainsFunc(list, func(o epochLabel) bool { return o.class == l.class }) {
			return list
		}
		return append(list, l)
	}
	first := float64(epoch * e.Samples)
	zero := -e.Start * e.Rate
	for _, k := range events {
		at := k.onset*e.Rate - first
		class, ok := e.manifest.Label.Classes.index(k.text)
		if !ok || at < -0.5 || at >= float64(e.Samples)-0.5 {
			continue
		}
		l := epochLabel{class, int(math.Round(at))}
		all = add(all, l)
		if math.Abs(at-zero) < 1 {
			around = add(around, l)
		}
	}
	if len(around) > 0 {
		return around
	}
	return all
}

// eeglabPlaces are where a data set says that its channels lie; nil where it doesn't.
func eeglabPlaces(path string) (*montage.Positions, error) {
	channels, err := eeglab.Places(context.Background(), path)
	if err != nil {
		return nil, err
	}
	var names []string
	var points []montage.Point
	for _, c := range channels {
		p := montage.Point{X: -c.Y, Y: c.X, Z: c.Z}
		if !(p.Distance(montage.Point{}) > 0) { // or not all are numbers
			p = montage.Polar(c.Theta, c.Radius)
		}
		if n := p.Distance(montage.Point{}); c.Label != "" && n > 0 && !math.IsInf(n, 0) {
			names, points = append(names, c.Label), append(points, p)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	return montage.Placed(names, points)
}
