package data

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"eegprune/data/brainvision"
	"eegprune/data/charset"
	"eegprune/internal/note"
)

// readBrainVision reads a recording of BrainVision by its header: whole, or each labelled
// marker as one. A marker is told by its description, or by "type/description".
func readBrainVision(ctx context.Context, m *Manifest, f File) iter.Seq2[*Recording, error] {
	list, err := brainVisionRecordings(ctx, m, f)
	if err != nil {
		return failed(err)
	}
	return func(yield func(*Recording, error) bool) {
		for _, r := range list {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func brainVisionRecordings(ctx context.Context, m *Manifest, f File) ([]*Recording, error) {
	file, err := brainvision.Open(f.Path)
	if err != nil {
		return nil, fmt.Errorf("reading a recording: %w", err)
	}
	texts, err := charset.Named(m.Encoding)
	if err != nil {
		return nil, err
	}
	base := &Recording{File: f.Path, Subject: f.Subject, Session: f.Session, Trial: 1, Rate: file.Rate, Notes: slices.Clone(file.Notes)}
	var all []candidate
	factors := make([]float64, len(file.Channels))
	var unread []string
	for i, c := range file.Channels {
		name, _ := texts.Text(c.Name)
		one := candidate{label: name, rate: file.Rate}
		var kind quantity
		switch factors[i], kind = microvolts(c.Unit); kind {
		case noVoltage:
			one.foreign = "unit " + c.Unit
		case unreadable:
			if c.Unit != "" { // a blank unit is microvolts by the format
				unread = append(unread, fmt.Sprintf("%s (%q)", name, c.Unit))
			}
		}
		all = append(all, one)
	}
	rows, names, notes, err := m.choose(all)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	base.Channels, base.Notes = names, append(base.Notes, notes...)
	if len(unread) > 0 {
		base.note(note.New(note.Assumed, "Channels whose unit is not understood are taken for microvolts: %s.", strings.Join(unread, ", ")))
	}
	if base.Samples, err = file.Read(ctx, rows); err != nil {
		return nil, err
	}
	for k, r := range rows {
		for i := range base.Samples[k] {
			base.Samples[k][i] *= factors[r]
		}
	}
	return markedRecordings(m, f, base, brainVisionEvents(m, file, texts))
}

// brainVisionEvents are the markers but those of a segment's start.
func brainVisionEvents(m *Manifest, file *brainvision.File, texts charset.Decoder) []event {
	var events []event
	for _, k := range file.Markers {
		if k.Type == "New Segment" {
			continue
		}
		kind, _ := texts.Text(k.Type)
		text, _ := texts.Text(k.Description)
		if whole := kind + "/" + text; text == "" {
			text = kind
		} else if _, ok := m.Label.Classes.index(whole); ok {
			text = whole
		}
		duration := 0.0 // a marker of one sample is a point
		if k.Length > 1 {
			duration = float64(k.Length) / file.Rate
		}
		events = append(events, event{float64(k.Sample) / file.Rate, duration, text})
	}
	return events
}

// markedRecordings are those of a file of one stretch: one, or one for each event that has
// a class.
func markedRecordings(m *Manifest, f File, base *Recording, events []event) ([]*Recording, error) {
	if m.unlabelled() && len(events) > 0 {
		base.note(note.New(note.About, "Labels could be made of its annotations: %s.", eventTexts(events)))
	}
	if !m.Label.Annotations {
		if !m.unlabelled() {
			base.Labels = map[string]float64{"label": float64(f.class)}
		}
		return []*Recording{base}, nil
	}
	list, err := annotated(m, []stretch{{base, 0, float64(base.length()) / base.Rate, sampleAt(0, base.Rate)}}, events)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return list, nil
}

// brainVisionFileEvents are the markers of the recording whose header is at path.
func brainVisionFileEvents(_ context.Context, path string) ([]event, error) {
	file, err := brainvision.Open(path)
	if err != nil {
		return nil, err
	}
	return brainVisionEvents(&Manifest{}, file, charset.Decoder{}), nil
}
