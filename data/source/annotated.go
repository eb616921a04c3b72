package source

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/data/charset"
	"github.com/eegprune/eegprune/internal/natural"
	"github.com/eegprune/eegprune/internal/note"
)

// A stretch is an uninterrupted part of a file.
type stretch struct {
	*Recording
	start, end float64 // seconds from the file's start
	// sample is which of its samples is at a time, in seconds from the file's start:
	// negative before its first, and beyond its last one after it.
	sample func(seconds float64) float64
}

// An event is an annotation, a marker or a trigger.
type event struct {
	onset, duration float64 // seconds from the file's start, and how long; 0 where that isn't said
	text            string
	stimulus        string // empty where unknown
}

func (e event) String() string { return fmt.Sprintf("%q at %.6g s", e.text, e.onset) }

// shown gives the first recording of a file the events that don't make recordings. start is
// when the file's first sample is.
func (r *Recording) shown(events []event, start float64) {
	for _, e := range events {
		r.Events = append(r.Events, Event{e.onset - start, e.duration, e.text})
	}
}

// annotated returns a recording for each event whose text has a class. Notes of the
// recordings list the other events.
func annotated(m *Manifest, stretches []stretch, events []event) ([]*Recording, error) {
	a := &annotator{manifest: m, stretches: stretches, noun: "annotation"}
	if m.beside.labels() {
		a.noun = "event"
	}
	wanted, err := a.wanted(events)
	if err != nil {
		return nil, err
	}
	wanted = a.once(wanted)
	for _, e := range wanted {
		if e.duration == 0 {
			return nil, fmt.Errorf(a.noun+" %v has no duration: say how long its recording is by label.seconds", e)
		}
	}
	a.noteOverlaps(wanted)
	for i, e := range wanted {
		a.cut(e, i+1)
	}
	a.say(note.LeftOut, "%d "+a.noun+"(s) lie outside the recording and are left out: %s.", a.outside)
	a.say(note.LeftOut, "%d "+a.noun+"(s) last longer than the uninterrupted recording under them, which is what is read: %s.", a.longer)
	if len(a.list) == 0 {
		return nil, fmt.Errorf("all of its %ss that have a class lie outside the recording: %s", a.noun, note.Some(a.outside, 3))
	}
	for _, r := range a.list {
		r.Notes = slices.Concat(r.Notes, a.notes)
	}
	return a.list, nil
}

// An annotator makes recordings of the events of a file.
type annotator struct {
	manifest  *Manifest
	stretches []stretch
	list      []*Recording
	notes     []note.Note
	noun      string // for an event, in messages

	outside, longer []string
}

func (a *annotator) say(kind note.Kind, format string, list []string) {
	if len(list) > 0 {
		a.notes = append(a.notes, note.New(kind, format, len(list), note.Some(list, 6)))
	}
}

// wanted returns the events whose text has a class, with how long they last.
func (a *annotator) wanted(events []event) ([]event, error) {
	rule := a.manifest.Label
	var list, others []event
	for _, e := range events {
		if _, ok := rule.Classes.index(e.text); !ok {
			if !slices.ContainsFunc(rule.Ignore, func(t string) bool { return charset.Same(t, e.text) }) && strings.TrimSpace(e.text) != "" {
				others = append(others, e)
			}
			continue
		}
		if rule.Seconds > 0 {
			e.duration = rule.Seconds
		}
		list = append(list, e)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("none of its %d %ss (%s) is among label.classes (%s)", len(events), a.noun, eventTexts(events), rule.Classes.labels())
	}
	if len(others) > 0 {
		a.notes = append(a.notes, note.New(note.LeftOut, "%d "+a.noun+"(s) have texts that are none of label.classes and are left out: %s%s.", len(others), eventTexts(others), a.nearly(others)))
	}
	return list, nil
}

// nearly says which texts differ from a label in little.
func (a *annotator) nearly(others []event) string {
	var near []string
	for _, e := range others {
		for _, c := range a.manifest.Label.Classes {
			said := fmt.Sprintf("%q from %q", e.text, c.Label)
			if charset.Folded(c.Label) == charset.Folded(e.text) && !slices.Contains(near, said) {
				near = append(near, said)
			}
		}
	}
	if len(near) == 0 {
		return ""
	}
	return fmt.Sprintf(" (only the case of letters tells %s)", note.Some(near, 6))
}

// once takes events that are there several times once. One that has no duration is the
// same as one that has.
func (a *annotator) once(events []event) []event {
	var list []event
	var again []string
	slices.SortStableFunc(events, func(x, y event) int { return cmp.Compare(x.onset, y.onset) })
	const sameTime = 1e-6 // seconds
next:
	for _, e := range events {
		for i := len(list) - 1; i >= 0 && e.onset-list[i].onset <= sameTime; i-- {
			other := &list[i]
			if charset.Same(other.text, e.text) && (other.duration == e.duration || other.duration == 0 || e.duration == 0) {
				other.duration = max(other.duration, e.duration)
				again = append(again, e.String())
				continue next
			}
		}
		list = append(list, e)
	}
	a.say(note.Repeated, "%d "+a.noun+"(s) repeat another and are taken once: %s.", again)
	return list
}

// noteOverlaps says which trials share samples.
func (a *annotator) noteOverlaps(events []event) {
	var over []string
	half := 0.5 / a.stretches[0].Rate
	longest := 0 // the event that ends last of those so far
	for i, e := range events {
		before := events[longest]
		if i > 0 && e.onset < before.onset+before.duration-half {
			over = append(over, fmt.Sprintf("%v over %v", e, before))
		}
		if e.onset+e.duration > before.onset+before.duration {
			longest = i
		}
	}
	a.say(note.Repeated, "%d "+a.noun+"(s) lie over another, so that trials share samples: %s.", over)
}

// cut makes the recordings of an event.
func (a *annotator) cut(e event, trial int) {
	class, _ := a.manifest.Label.Classes.index(e.text)
	read := 0.0
	for _, s := range a.stretches {
		r := s.between(e.onset, e.onset+e.duration)
		if r == nil {
			continue
		}
		r.Trial, r.Stimulus = trial, e.stimulus
		r.Labels = map[string]float64{"label": float64(class)}
		read += float64(r.extent()) / r.Rate
		a.list = append(a.list, r)
	}
	switch {
	case read == 0:
		a.outside = append(a.outside, fmt.Sprintf("%v (%s)", e, a.where(e.onset)))
	case read < e.duration-1/a.stretches[0].Rate:
		a.longer = append(a.longer, fmt.Sprintf("%v (%.4g s of %.4g s)", e, read, e.duration))
	}
}

// where says on which side of the recording a time is.
func (a *annotator) where(t float64) string {
	first, last := a.stretches[0], a.stretches[len(a.stretches)-1]
	switch {
	case t < first.start:
		return fmt.Sprintf("before the start at %.6g s", first.start)
	case t >= last.end-0.5/last.Rate:
		return fmt.Sprintf("after the end at %.6g s", last.end)
	default:
		return "in a gap"
	}
}

// between returns the part of a stretch from one time to another, nil if it
// has none.
func (s stretch) between(from, to float64) *Recording {
	n := float64(s.extent())
	first, end := int(max(0, min(n, s.sample(from)))), int(max(0, min(n, s.sample(to))))
	if first >= end {
		return nil
	}
	r := *s.Recording
	r.Offset += first
	if s.pending > 0 {
		r.pending = end - first
		return &r
	}
	r.Samples = make([][]float64, len(s.Samples))
	for c, x := range s.Samples {
		r.Samples[c] = x[first:end]
	}
	return &r
}

// eventTexts lists the texts of events, and of those that are there several times how
// often.
func eventTexts(list []event) string {
	counts := map[string]int{}
	var texts []string
	for _, e := range list {
		if counts[e.text]++; counts[e.text] == 1 {
			texts = append(texts, e.text)
		}
	}
	slices.SortFunc(texts, natural.Compare)
	if len(texts) == 0 {
		return "there are none"
	}
	for i, t := range texts {
		texts[i] = fmt.Sprintf("%q", t)
		if n := counts[t]; n > 1 {
			texts[i] += fmt.Sprintf(" %d times", n)
		}
	}
	return note.Some(texts, 12)
}

// quoted lists texts.
func quoted(texts []string, few int) string {
	all := make([]string, len(texts))
	for i, t := range texts {
		all[i] = fmt.Sprintf("%q", t)
	}
	return note.Some(all, few)
}

// sampleAt is the sample of a stretch that begins at start and has one rate.
func sampleAt(start, rate float64) func(float64) float64 {
	return func(t float64) float64 { return math.Round((t - start) * rate) }
}

// partsOf are the parts of a file between cuts, samples in order from its first to its end.
// Their samples are yet to be read.
func partsOf(file *Recording, cuts []int) []*Recording {
	var parts []*Recording
	for i, first := range cuts[:len(cuts)-1] {
		r := *file
		r.Notes = slices.Clip(file.Notes)
		r.Offset, r.pending = first, cuts[i+1]-first
		parts = append(parts, &r)
	}
	return parts
}

// markedRecordings are those of a file whose samples follow one another in parts: each of
// them, or one for each event that has a class. Events count from the file's first sample.
func markedRecordings(m *Manifest, f File, parts []*Recording, events []event) ([]*Recording, error) {
	if m.beside.replaces(m) {
		events = m.beside.from(0)
	}
	if m.Unlabelled() && len(events) > 0 && !m.beside.times() {
		n := note.New(note.About, "Labels could be made of its annotations: %s.", eventTexts(events))
		for _, r := range parts {
			r.note(n)
		}
	}
	if m.Label.Annotations {
		var stretches []stretch
		for _, r := range parts {
			start := float64(r.Offset) / r.Rate
			stretches = append(stretches, stretch{r, start, start + float64(r.extent())/r.Rate, sampleAt(start, r.Rate)})
		}
		return annotated(m, stretches, events)
	}
	if !m.Unlabelled() {
		for _, r := range parts {
			r.Labels = map[string]float64{"label": float64(f.class)}
		}
	}
	parts[0].shown(events, 0)
	return parts, nil
}
