package source

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/data/brainvision"
	"github.com/eegprune/eegprune/data/charset"
	"github.com/eegprune/eegprune/internal/note"
)

func brainVisionFormat() format {
	return format{
		name: "brainvision", about: "BrainVision's .vhdr, with its .eeg and .vmrk", suffixes: []string{".vhdr"}, companions: []string{".eeg", ".vmrk", ".dat"},
		units: true, streams: true, parts: brainvision.Parts, events: brainVisionEvents, read: readBrainVision,
	}
}

// readBrainVision reads a recording of BrainVision by its header: whole, or each labelled
// marker as one. A marker is told by its description, or by "type/description". Samples are
// read as each recording is asked for.
func readBrainVision(ctx context.Context, m *Manifest, f File) iter.Seq2[*Recording, error] {
	file, err := brainvision.Open(f.Path)
	if err != nil {
		return failed(fmt.Errorf("reading a recording: %w", err))
	}
	b := &brainVisionFile{File: file}
	if b.texts, err = charset.Named(m.Encoding); err != nil {
		return failed(err)
	}
	list, err := b.recordings(m, f)
	if err != nil {
		return failed(fmt.Errorf("%s: %w", f.Path, err))
	}
	return func(yield func(*Recording, error) bool) {
		for _, r := range list {
			if err := b.load(ctx, r); err != nil {
				yield(nil, err)
				return
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// A brainVisionFile is an opened file that is being read.
type brainVisionFile struct {
	*brainvision.File
	texts   charset.Decoder
	foreign []string  // texts whose encoding is unsure
	single  []string  // markers of one channel
	rows    []int     // the channels that are read
	factors []float64 // to microvolts
}

// load reads the samples of a recording.
func (b *brainVisionFile) load(ctx context.Context, r *Recording) (err error) {
	if r.Samples, err = b.Read(ctx, b.rows, r.Offset, r.Offset+r.pending); err != nil {
		return err
	}
	r.pending = 0
	for k, x := range r.Samples {
		if b.factors[k] != 1 {
			for i := range x {
				x[i] *= b.factors[k]
			}
		}
	}
	return nil
}

// recordings are the recordings of a file, their samples yet to be read.
func (b *brainVisionFile) recordings(m *Manifest, f File) ([]*Recording, error) {
	base := &Recording{File: f.Path, Subject: f.Subject, Session: f.Session, Trial: 1, Rate: b.Rate, Notes: slices.Clone(b.Notes)}
	if err := b.channels(m, base); err != nil {
		return nil, err
	}
	if b.Samples == 0 {
		return nil, fmt.Errorf("it has no samples: the recording was never made, or its .eeg file is not the whole one")
	}
	cuts, events := b.cuts(), b.events(m)
	if len(b.single) > 0 && m.Label.Annotations {
		base.note(note.New(note.Assumed, "Annotations of one channel are taken for all: %s.", note.Some(b.single, 6)))
	}
	if len(b.foreign) > 0 {
		if name := b.texts.Name(); name != "" {
			base.note(note.New(note.Assumed, "Texts are not of the encoding %s: %s.", name, quoted(b.foreign, 6)))
		} else {
			base.note(note.New(note.Assumed, "Texts are not UTF-8 and are read as Latin-1 (%s): if that is wrong, --encoding names the right encoding.", quoted(b.foreign, 6)))
		}
	}
	if n := len(cuts) - 1; n > 1 {
		base.note(note.New(note.About, "It is interrupted: %d parts, by its markers New Segment.", n))
	}
	return markedRecordings(m, f, partsOf(base, cuts), events)
}

// channels chooses the channels to read.
func (b *brainVisionFile) channels(m *Manifest, base *Recording) error {
	var all []candidate
	factors := make([]float64, len(b.Channels))
	unread := make([]string, len(b.Channels))
	for i, c := range b.Channels {
		name, unit := b.text(c.Name), b.text(c.Unit)
		if unit == "" { // by the format
			unit = "µV"
		}
		one := candidate{label: name, rate: b.Rate, unit: unit}
		var kind quantity
		switch factors[i], kind = microvolts(unit); kind {
		case noVoltage:
			one.foreign = "unit " + unit
		case unreadable:
			unread[i] = fmt.Sprintf("%s (%q)", name, unit)
		}
		if c.Resolution == 0 {
			one.unfit = "a resolution of 0"
		}
		all = append(all, one)
	}
	rows, names, notes, err := m.choose(all)
	if err != nil {
		return err
	}
	base.Channels, base.Notes = names, append(base.Notes, notes...)
	var odd []string
	for _, r := range rows {
		b.rows, b.factors = append(b.rows, r), append(b.factors, factors[r])
		if unread[r] != "" {
			odd = append(odd, unread[r])
		}
	}
	if len(odd) > 0 {
		base.note(note.New(note.Assumed, "Channels whose unit is not understood are taken for microvolts: %s.", strings.Join(odd, ", ")))
	}
	return nil
}

// text decodes one of the file's texts.
func (b *brainVisionFile) text(raw string) string {
	text, sure := b.texts.Text(raw)
	if !sure && !slices.Contains(b.foreign, text) && !slices.Contains(microSigns, strings.TrimSuffix(raw, "V")) {
		b.foreign = append(b.foreign, text)
	}
	return text
}

// newSegment is the type of the marker at which a recording begins, or goes on after a pause.
const newSegment = "New Segment"

// cuts are the samples at which a part begins that is recorded without a pause, and the end.
func (b *brainVisionFile) cuts() []int {
	cuts := []int{0, b.Samples}
	for _, k := range b.Markers {
		if k.Type == newSegment && k.Sample > 0 && k.Sample < b.Samples {
			cuts = append(cuts, k.Sample)
		}
	}
	slices.Sort(cuts)
	return slices.Compact(cuts)
}

// events are the markers but those of a segment's start.
func (b *brainVisionFile) events(m *Manifest) []event {
	var events []event
	for _, k := range b.Markers {
		if k.Type == newSegment {
			continue
		}
		kind, text := b.text(k.Type), b.text(k.Description)
		if whole := kind + "/" + text; text == "" {
			text = kind
		} else if _, ok := m.Label.Classes.index(whole); ok {
			text = whole
		}
		duration := 0.0 // a marker of one sample is a point
		if k.Length > 1 {
			duration = float64(k.Length) / b.Rate
		}
		if k.Channel > 0 && k.Channel <= len(b.Channels) {
			b.single = append(b.single, fmt.Sprintf("%q of %s", text, b.text(b.Channels[k.Channel-1].Name)))
		}
		events = append(events, event{onset: float64(k.Sample) / b.Rate, duration: duration, text: text})
	}
	return events
}

// brainVisionEvents are the markers of the recording whose header is at path.
func brainVisionEvents(_ context.Context, path string) ([]event, error) {
	file, err := brainvision.Open(path)
	if err != nil {
		return nil, err
	}
	return (&brainVisionFile{File: file}).events(&Manifest{}), nil
}
