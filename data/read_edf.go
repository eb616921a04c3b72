package data

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"eegprune/data/edf"
	"eegprune/internal/note"
)

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

func edfRecordings(ctx context.Context, m *Manifest, f File, file *edf.File) ([]*Recording, error) {
	signals, base, err := edfChannels(m, file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	c, err := file.Read(ctx, signals)
	if err != nil {
		return nil, err
	}
	for k, i := range signals {
		scaleToMicrovolts(c.Signals[k], file.Signals[i].Dimension)
	}
	base.File, base.Subject, base.Session = f.Path, f.Subject, f.Session
	if m.unlabelled() && len(c.Annotations) > 0 {
		base.Notes = append(base.Notes, note.New(note.About, "Labels could be made of its annotations: %s.", annotationTexts(c.Annotations)))
	}
	base.Notes = slices.Clip(base.Notes) // each stretch adds its own
	stretches := edfStretches(base, file, c)
	if !m.Label.Annotations {
		for _, s := range stretches {
			s.Trial = 1
			if !m.unlabelled() {
				s.Labels = map[string]float64{"label": float64(f.class)}
			}
			s.Recording.cutPadding()
		}
		return recordingsOf(stretches), nil
	}
	list, err := annotated(m, stretches, c.Annotations)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return list, nil
}

// edfChannels chooses the signals to read. The recording it returns has
// everything that all recordings of the file share.
func edfChannels(m *Manifest, file *edf.File) ([]int, *Recording, error) {
	var names []string
	var indices []int
	for i, s := range file.Signals {
		if !s.IsAnnotation() {
			names, indices = append(names, s.Label), append(indices, i)
		}
	}
	rows, electrodes, notes, err := m.pickChannels(names)
	if err != nil {
		return nil, nil, err
	}
	signals := make([]int, len(rows))
	for k, r := range rows {
		signals[k] = indices[r]
	}
	rate := file.Rate(signals[0])
	for k, i := range signals {
		if file.Rate(i) != rate {
			return nil, nil, fmt.Errorf("channel %s has %g samples a second and %s has %g: exclude those of one rate by channels.exclude", electrodes[0], rate, electrodes[k], file.Rate(i))
		}
	}
	if rate == 0 {
		return nil, nil, fmt.Errorf("its electrodes have no samples")
	}
	if file.Trailing > 0 {
		notes = append(notes, note.New(note.LeftOut, "%d bytes after the last data record are ignored.", file.Trailing))
	}
	return signals, &Recording{Channels: electrodes, Rate: rate, Notes: notes}, nil
}

// scaleToMicrovolts changes physical values to the unit of EEG. Units that
// aren't a voltage are left as they are.
func scaleToMicrovolts(x []float64, unit string) {
	factor := 1.0
	switch strings.ToLower(unit) {
	case "v", "volt":
		factor = 1e6
	case "mv":
		factor = 1e3
	case "nv":
		factor = 1e-3
	default:
		return
	}
	for i := range x {
		x[i] *= factor
	}
}

// A stretch is an uninterrupted part of a file.
type stretch struct {
	*Recording
	start float64 // seconds from the file's start
}

func recordingsOf(s []stretch) []*Recording {
	list := make([]*Recording, len(s))
	for i := range s {
		list[i] = s[i].Recording
	}
	return list
}

func edfStretches(base *Recording, file *edf.File, c *edf.Contents) []stretch {
	var list []stretch
	for _, s := range file.Segments(c) {
		perRecord := int(math.Round(base.Rate * file.RecordSeconds))
		r := *base
		r.Offset = s.First * perRecord
		for _, x := range c.Signals {
			r.Samples = append(r.Samples, x[r.Offset:r.Offset+s.Records*perRecord])
		}
		list = append(list, stretch{&r, s.Start})
	}
	return list
}

// annotated returns a recording for each annotation whose text has a class.
func annotated(m *Manifest, stretches []stretch, annotations []edf.Annotation) ([]*Recording, error) {
	var list []*Recording
	trial := 0
	for _, a := range annotations {
		text := strings.TrimSpace(a.Text)
		class, ok := m.Label.Classes.index(text)
		if !ok {
			continue
		}
		seconds := m.Label.Seconds
		if seconds == 0 {
			seconds = a.Duration
		}
		if seconds == 0 {
			return nil, fmt.Errorf("annotation %q at %g s has no duration: say how long its recording is by label.seconds", text, a.Onset)
		}
		trial++
		for _, s := range stretches {
			if r := s.between(a.Onset, a.Onset+seconds); r != nil {
				r.Trial = trial
				r.Labels = map[string]float64{"label": float64(class)}
				if float64(r.length()) < seconds*r.Rate-1 {
					r.Notes = append(slices.Clip(r.Notes), note.New(note.LeftOut, "An annotation lasts longer than the uninterrupted recording under it."))
				}
				list = append(list, r)
			}
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("none of its %d annotations (%s) is among label.classes (%s)", len(annotations), annotationTexts(annotations), m.Label.Classes.labels())
	}
	return list, nil
}

// between returns the part of a stretch from one time to another, nil if it
// has none.
func (s stretch) between(from, to float64) *Recording {
	n := s.length()
	first := int(math.Round(max(0, min(float64(n), (from-s.start)*s.Rate))))
	end := int(math.Round(max(0, min(float64(n), (to-s.start)*s.Rate))))
	if first >= end {
		return nil
	}
	r := *s.Recording
	r.Offset += first
	r.Samples = make([][]float64, len(s.Samples))
	for c, x := range s.Samples {
		r.Samples[c] = x[first:end]
	}
	return &r
}

func annotationTexts(list []edf.Annotation) string {
	seen := map[string]bool{}
	var texts []string
	for _, a := range list {
		if !seen[a.Text] {
			seen[a.Text] = true
			texts = append(texts, fmt.Sprintf("%q", a.Text))
		}
	}
	slices.SortFunc(texts, compareNatural)
	if len(texts) == 0 {
		return "there are none"
	}
	return some(texts, 6)
}
