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

	"github.com/eegprune/eegprune/data/charset"
	"github.com/eegprune/eegprune/data/edf"
	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/internal/note"
)

func edfFormat() format {
	return format{name: "edf", about: "EDF and EDF+", suffixes: []string{".edf"}, units: true, events: edfEvents, read: readEDF}
}

func bdfFormat() format {
	return format{name: "bdf", about: "BioSemi's BDF and BDF+", suffixes: []string{".bdf"}, units: true, events: edfEvents, read: readEDF}
}

// readEDF reads EDF, EDF+ and BDF: the whole file as one recording, or each
// labelled annotation as one. An interrupted recording (EDF+D) gives one for
// each uninterrupted stretch.
func readEDF(ctx context.Context, m *Manifest, f File) iter.Seq2[*Recording, error] {
	file, err := edf.Open(f.Path)
	if err != nil {
		return failed(fmt.Errorf("reading a recording: %w", err))
	}
	recordings, err := edfRecordings(ctx, m, f, file)
	if err := errors.Join(err, file.Close()); err != nil {
		return failed(err)
	}
	return func(yield func(*Recording, error) bool) {
		for _, r := range recordings {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// An edfFile is an opened file that is being read.
type edfFile struct {
	*edf.File
	manifest *Manifest
	texts    charset.Decoder
	base     *Recording // the fields that all recordings of the file share
	signals  []int      // those that are read
	foreign  []string   // texts whose encoding is unsure
}

func edfRecordings(ctx context.Context, m *Manifest, f File, file *edf.File) ([]*Recording, error) {
	texts, err := charset.Named(m.Encoding)
	if err != nil {
		return nil, err
	}
	e := &edfFile{File: file, manifest: m, texts: texts, base: &Recording{File: f.Path, Subject: f.Subject, Session: f.Session}}
	if err := e.channels(); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	c, err := file.Read(ctx, e.signals)
	if err != nil {
		return nil, err
	}
	for k, i := range e.signals {
		if factor, _ := microvolts(file.Signals[i].Dimension); factor != 1 {
			for j := range c.Signals[k] {
				c.Signals[k][j] *= factor
			}
		}
	}
	events, raw, err := e.events(ctx, c)
	if err != nil {
		return nil, err
	}
	e.base.Notes = slices.Concat(e.base.Notes, file.Notes, c.Notes)
	e.noteTexts()
	stretches := e.stretches(c)
	if m.Unlabelled() && len(events) > 0 && !m.beside.times() {
		e.base.note(note.New(note.About, "Labels could be made of its annotations: %s.", eventTexts(events)))
	}
	if m.Label.Annotations {
		list, err := annotated(m, stretches, events)
		if err != nil {
			return nil, fmt.Errorf("%s: %w%s", f.Path, err, e.guess(raw))
		}
		return list, nil
	}
	var list []*Recording
	for _, s := range stretches {
		s.Trial = 1
		if !m.Unlabelled() {
			s.Labels = map[string]float64{"label": float64(f.class)}
		}
		s.cutPadding()
		s.Notes = slices.Concat(e.base.Notes, s.Notes)
		list = append(list, s.Recording)
	}
	if len(list) > 0 {
		list[0].shown(events, stretches[0].start)
	}
	return list, nil
}

// text decodes one of the file's texts.
func (e *edfFile) text(raw string) string {
	text, sure := e.texts.Text(raw)
	if !sure && !slices.Contains(e.foreign, text) {
		e.foreign = append(e.foreign, text)
	}
	return text
}

// noteTexts says which texts were not in the encoding that they should have.
func (e *edfFile) noteTexts() {
	if len(e.foreign) == 0 {
		return
	}
	if name := e.texts.Name(); name != "" {
		e.base.note(note.New(note.Assumed, "Texts are not of the encoding %s: %s.", name, quoted(e.foreign, 6)))
		return
	}
	e.base.note(note.New(note.Assumed, "Texts are not UTF-8 and are read as Latin-1 (%s): if that is wrong, --encoding names the right encoding.", quoted(e.foreign, 6)))
}

// guess says which encodings would make labels of texts.
func (e *edfFile) guess(raw []string) string {
	var foreign []string
	for _, t := range raw {
		if _, sure := e.texts.Text(t); !sure {
			foreign = append(foreign, t)
		}
	}
	names := charset.Guesses(foreign, func(text string) bool {
		_, ok := e.manifest.Label.Classes.index(text)
		return ok
	})
	switch {
	case len(names) > 0:
		return fmt.Sprintf("; its texts are not UTF-8, and --encoding %s would make them such", names[0])
	case len(foreign) > 0 && e.texts.Name() == "":
		return "; its texts are not UTF-8: --encoding may name their encoding (latin1, gbk, shift_jis, ...)"
	}
	return ""
}

// channels chooses the signals to read.
func (e *edfFile) channels() error {
	var all []candidate
	var indices []int
	for i, s := range e.Signals {
		if s.IsAnnotation() {
			continue
		}
		c := candidate{label: e.text(s.Label), rate: e.Rate(i), unfit: s.Unfit, unit: s.Dimension}
		if s.SamplesPerRecord == 0 {
			c.unfit = "no samples"
		}
		if _, kind := microvolts(s.Dimension); kind == noVoltage {
			c.foreign = "unit " + e.text(s.Dimension)
		}
		all, indices = append(all, c), append(indices, i)
	}
	if len(all) == 0 {
		return fmt.Errorf("it holds annotations and no signal: the recording that they belong to is another file; leave this one out by files in %s", ManifestName)
	}
	rows, names, notes, err := e.manifest.choose(all)
	if err != nil {
		return err
	}
	for _, r := range rows {
		e.signals = append(e.signals, indices[r])
		e.Signals[indices[r]].Dimension = all[r].unit
	}
	rate := e.Rate(e.signals[0])
	for k, i := range e.signals {
		if e.Rate(i) != rate {
			return fmt.Errorf("channel %s has %g samples a second and %s has %g: exclude those of one rate by channels.exclude", names[0], rate, names[k], e.Rate(i))
		}
	}
	e.base.Channels, e.base.Rate = names, rate
	e.base.Notes = append(notes, e.noteUnits(names)...)
	return nil
}

// noteUnits notes the channels whose unit may not be microvolts.
func (e *edfFile) noteUnits(names []string) (notes []note.Note) {
	said := map[string][]string{} // channels by note
	var order []string
	for k, i := range e.signals {
		dimension := e.Signals[i].Dimension
		_, kind := microvolts(dimension)
		shown, _ := charset.Decoder{}.Text(dimension)
		var what string
		switch {
		case kind == noVoltage:
			what = fmt.Sprintf("Channels with the unit %s, which is no voltage, keep their values", shown)
		case kind == unreadable && strings.TrimSpace(dimension) == "":
			what = "Channels without a unit are taken for microvolts"
		case kind == unreadable:
			what = fmt.Sprintf("Channels with the unit %q, which is not understood, are taken for microvolts", shown)
		default:
			continue
		}
		if said[what] == nil {
			order = append(order, what)
		}
		said[what] = append(said[what], names[k])
	}
	for _, what := range order {
		notes = append(notes, note.New(note.Assumed, "%s: %s.", what, strings.Join(said[what], ", ")))
	}
	return notes
}

// events are the annotations, or where there are none the codes of a signal of triggers.
// raw are the texts as the file has them.
func (e *edfFile) events(ctx context.Context, c *edf.Contents) (events []event, raw []string, err error) {
	if b := e.manifest.beside; b.replaces(e.manifest) {
		return b.from(e.Segments(c)[0].Start), nil, nil
	}
	var single []string
	for _, a := range c.Annotations {
		raw = append(raw, a.Text)
		text := e.text(a.Text)
		if _, ok := e.manifest.Label.Classes.index(text); !ok {
			// EDF+ ties an annotation to a channel by "@@" and its label.
			if before, channel, tied := strings.Cut(text, "@@"); tied {
				text = before
				if !slices.Contains(single, before+"@@"+channel) {
					single = append(single, before+"@@"+channel)
				}
			}
		}
		events = append(events, event{onset: a.Onset, duration: a.Duration, text: text})
	}
	if len(single) > 0 && e.manifest.Label.Annotations {
		e.base.note(note.New(note.Assumed, "Annotations of one channel are taken for all: %s.", quoted(single, 6)))
	}
	if len(events) > 0 || !e.manifest.Label.Annotations {
		return events, raw, nil
	}
	events, err = e.triggers(ctx)
	return events, nil, err
}

// triggers makes events of a signal of codes: each change to a code that isn't the one of
// rest.
func (e *edfFile) triggers(ctx context.Context) ([]event, error) {
	signal := slices.IndexFunc(e.Signals, func(s edf.Signal) bool {
		_, kind := montage.Canonical(e.text(s.Label))
		return kind == montage.Trigger && !s.IsAnnotation() && s.SamplesPerRecord > 0
	})
	if signal < 0 {
		return nil, nil
	}
	x, err := e.Digital(ctx, signal)
	if err != nil {
		return nil, err
	}
	counts := map[int32]int{}
	for i := range x {
		if e.BDF {
			x[i] &= 0xffff // BioSemi keeps the state of the amplifier above
		}
		counts[x[i]]++
	}
	rest := int32(0)
	for code, n := range counts {
		if counts[0] == 0 && (n > counts[rest] || n == counts[rest] && code < rest) {
			rest = code
		}
	}
	var events []event
	codes := map[int32]bool{}
	segments := e.Segments(&edf.Contents{})
	for i, code := range x {
		if code != rest && (i == 0 || x[i-1] != code) {
			events = append(events, event{onset: segments[0].Start + float64(i)/e.Rate(signal), text: strconv.Itoa(int(code))})
			codes[code] = true
		}
	}
	// A signal that isn't made of codes has as many of them as samples.
	const mostCodes = 1000
	if len(codes) > mostCodes {
		return nil, nil
	}
	if len(events) > 0 {
		e.base.note(note.New(note.Assumed, "It has no annotations: the codes of its channel %s are taken for such (%s).", e.text(e.Signals[signal].Label), eventTexts(events)))
	}
	return events, nil
}

// stretches are the parts without a gap.
func (e *edfFile) stretches(c *edf.Contents) []stretch {
	var list []stretch
	segments := e.Segments(c)
	perRecord := e.Signals[e.signals[0]].SamplesPerRecord
	gap := 0.0
	for i, s := range segments {
		r := *e.base
		r.Notes = nil
		r.Offset = s.First * perRecord
		for _, x := range c.Signals {
			r.Samples = append(r.Samples, x[r.Offset:r.Offset+s.Records*perRecord])
		}
		at := func(t float64) float64 { return math.Round(s.At(t) * float64(perRecord)) }
		list = append(list, stretch{Recording: &r, start: s.Start, end: s.Start + s.Seconds(), sample: at})
		if i > 0 {
			gap += s.Start - list[i-1].end
		}
	}
	if len(segments) > 1 {
		e.base.note(note.New(note.About, "It is interrupted: %d parts with %.3g s between them.", len(segments), gap))
	}
	for i := range list {
		list[i].Notes = slices.Clip(e.base.Notes)
	}
	return list
}

// edfEvents are the annotations of a file, by the texts that it has.
func edfEvents(ctx context.Context, path string) ([]event, error) {
	events, _, err := edfAnnotations(ctx, path)
	return events, err
}

// edfAnnotations reads the annotations of a file, and returns notes of its faults.
func edfAnnotations(ctx context.Context, path string) (events []event, notes []note.Note, err error) {
	file, err := edf.Open(path)
	if err != nil {
		return nil, nil, err
	}
	c, err := file.Read(ctx, nil)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, nil, err
	}
	for _, a := range c.Annotations {
		text, _ := charset.Decoder{}.Text(a.Text)
		events = append(events, event{onset: a.Onset, duration: a.Duration, text: text})
	}
	return events, slices.Concat(file.Notes, c.Notes), nil
}
