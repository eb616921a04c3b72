package source

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/data/bids"
	"github.com/eegprune/eegprune/data/charset"
	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/internal/note"
)

// A sidecar holds the tables and notes of BIDS around a recording.
type sidecar struct {
	err   error    // why they can't be read
	paths []string // of all that was read

	channels *bids.Table // nil where there is none
	events   []tableEvent
	hasEvents,
	labelled bool // whether events stand for the file's own annotations

	rate, channelRate float64 // samples per second, 0 where nothing says it
	notes             []note.Note

	rows   []int    // of channels, for each of the file's; -1 where there is none
	marked []string // the channels that are read and that the table says are bad
}

// A tableEvent is a row of an events.tsv. Its onset counts from the first sample.
type tableEvent struct {
	event
	sample float64 // -1 where the table doesn't say it
}

// newSidecar reads the tables and notes around a recording, whose labels are by that rule.
func newSidecar(d *bids.Dataset, name string, rule LabelRule) *sidecar {
	b := &sidecar{labelled: rule.Column != ""}
	b.err = b.read(d, name, rule)
	return b
}

func (b *sidecar) read(d *bids.Dataset, name string, rule LabelRule) error {
	column := rule.Column
	for _, suffix := range []string{"eeg", "channels", "events"} {
		for _, ending := range []string{".json", ".tsv"} {
			for _, p := range d.Beside(name, suffix, ending) {
				b.paths = append(b.paths, d.Path(p))
			}
		}
	}
	// Faults that concern neither the signals nor labels that are asked for are no reason to
	// refuse the recording.
	about, err := d.Notes(name, "eeg")
	if err != nil {
		b.notes = append(b.notes, note.New(note.LeftOut, "Its eeg.json can't be read and is left out: %v.", err))
	}
	b.say(about)
	b.channels, err = b.table(d, name, "channels")
	if c := b.channels; c != nil && !c.Has("name") {
		b.channels, err = nil, fmt.Errorf("%s: it has no column name", c.Path)
	}
	if err != nil {
		b.notes = append(b.notes, note.New(note.Assumed, "Its channels.tsv can't be read, so that channels are told by their names alone: %v.", err))
	}
	if b.channels != nil {
		b.channelRate = commonValue(b.channels, "sampling_frequency")
	}
	events, err := b.table(d, name, "events")
	if err == nil && events != nil {
		err = b.readEvents(events, rule)
		b.hasEvents = err == nil
	}
	if err != nil && column == "" {
		b.notes = append(b.notes, note.New(note.LeftOut, "Its events.tsv can't be read and is left out: %v.", err))
		return nil
	}
	return err
}

// table returns the nearest table, and notes its lines with a wrong number of cells. Two
// tables that apply alike are an error.
func (b *sidecar) table(d *bids.Dataset, name, suffix string) (*bids.Table, error) {
	t, err := d.Table(name, suffix)
	if t == nil || err != nil {
		return nil, err
	}
	if rivals := bids.Rivals(d.Beside(name, suffix, ".tsv")); len(rivals) > 1 {
		return nil, fmt.Errorf("%s and %s both apply to it, and nothing says which: rename one of them", rivals[0], rivals[1])
	}
	if len(t.Torn) > 0 {
		b.notes = append(b.notes, note.New(note.Assumed, "Its %s.tsv has lines of another number of cells than it has columns: cells that are missing are taken for n/a (lines %s).", suffix, someNumbers(t.Torn)))
	}
	return t, nil
}

func someNumbers(list []int) string {
	var texts []string
	for _, n := range list {
		texts = append(texts, strconv.Itoa(n))
	}
	return note.Some(texts, 6)
}

// say reads the rate in a recording's eeg.json, and notes the rest.
func (b *sidecar) say(about map[string]any) {
	b.rate, _ = about["SamplingFrequency"].(float64)
	var said []string
	for _, x := range []struct{ key, format string }{{"PowerLineFrequency", "the power line has %v Hz"}, {"EEGReference", "the reference is %v"}} {
		if v := about[x.key]; v != nil && v != bids.NA && v != "" {
			said = append(said, fmt.Sprintf(x.format, v))
		}
	}
	if len(said) > 0 {
		b.notes = append(b.notes, note.New(note.About, "By its eeg.json %s.", strings.Join(said, ", and ")))
	}
	if kind, _ := about["RecordingType"].(string); kind != "" && kind != bids.NA && kind != "continuous" {
		b.notes = append(b.notes, note.New(note.Assumed, "By its eeg.json the recording is %s: samples on both sides of a cut are read as if they followed one another, where the file itself has no gap.", kind))
	}
}

// commonValue is the number that a column has in most rows, 0 where it has none.
func commonValue(t *bids.Table, column string) float64 {
	values, counts := t.Values(column)
	best, most := 0.0, 0
	for _, v := range values {
		if x, err := strconv.ParseFloat(v, 64); err == nil && counts[v] > most {
			best, most = x, counts[v]
		}
	}
	return best
}

// readEvents reads the rows of an events.tsv. Those without a time are noted.
func (b *sidecar) readEvents(t *bids.Table, rule LabelRule) error {
	column := rule.Column
	if !t.Has("onset") {
		return fmt.Errorf("%s: it has no column onset: say when events begin, in seconds from the first sample", t.Path)
	}
	if column != "" && !t.Has(column) {
		return fmt.Errorf("%s: it has no column %s, which label.column asks for: there are %s", t.Path, column, strings.Join(t.Columns, ", "))
	}
	if s := rule.Stimulus; s != "" && !t.Has(s) {
		return fmt.Errorf("%s: it has no column %s, which label.stimulus asks for: there are %s", t.Path, s, strings.Join(t.Columns, ", "))
	}
	stimulus := cmp.Or(rule.Stimulus, "stim_file")
	wanted := column != ""
	for _, c := range []string{"trial_type", "value"} { // to be shown
		if column == "" && t.Has(c) {
			column = c
		}
	}
	var untimed []string
	for r := range t.Rows {
		e := tableEvent{event{text: rule.rated(t.Cell(r, column))}, -1}
		if s := t.Cell(r, stimulus); s != bids.NA {
			e.stimulus = s
		}
		var err error
		if e.onset, err = tableNumber(t.Cell(r, "onset")); err != nil || t.Cell(r, "onset") == bids.NA {
			untimed = append(untimed, fmt.Sprintf("%q with onset %q", e.text, t.Cell(r, "onset")))
			continue
		}
		if e.duration, err = tableNumber(t.Cell(r, "duration")); err != nil || e.duration < 0 {
			untimed = append(untimed, fmt.Sprintf("%q with duration %q", e.text, t.Cell(r, "duration")))
			continue
		}
		if s := t.Cell(r, "sample"); s != bids.NA {
			if e.sample, err = tableNumber(s); err != nil {
				e.sample = -1
			}
		}
		b.events = append(b.events, e)
	}
	if len(untimed) > 0 && wanted {
		b.notes = append(b.notes, note.New(note.LeftOut, "%d event(s) have no time and are left out: %s.", len(untimed), note.Some(untimed, 6)))
	}
	return nil
}

// bidsNumber reads a number, 0 where it isn't known.
func tableNumber(text string) (float64, error) {
	if text == bids.NA {
		return 0, nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		err = fmt.Errorf("%s is no time", text)
	}
	return v, err
}

// ofChannels sets the types and units of a file's channels by channels.tsv. The table's unit
// counts where the file has none.
func (b *sidecar) ofChannels(all []candidate) (notes []note.Note) {
	notes = slices.Clone(b.notes)
	if b.channels == nil {
		return notes
	}
	t := b.channels
	say := func(kind note.Kind, format string, list []string) {
		if len(list) > 0 {
			notes = append(notes, note.New(kind, format, note.Some(list, 8)))
		}
	}
	var renamed []string
	b.rows, renamed = matchRows(t, all)
	say(note.Assumed, "None of the names of channels in its channels.tsv is one of the file's; as there are as many, they are taken in order: %s.", renamed)
	var unnamed, absent, otherUnits, fromTable []string
	taken := map[int]bool{}
	for i := range all {
		c, r := &all[i], b.rows[i]
		if r < 0 {
			unnamed = append(unnamed, quoteOdd(c.label))
			continue
		}
		taken[r] = true
		if kind := t.Cell(r, "type"); kind != bids.NA {
			c.kind = strings.ToUpper(kind)
		}
		unit := t.Cell(r, "units")
		said, quantity := microvolts(unit)
		if quantity != voltage || unit == bids.NA {
			continue
		}
		switch factor, own := microvolts(c.unit); {
		case own == unreadable && (c.kind == eegType || c.kind == ""):
			fromTable = append(fromTable, fmt.Sprintf("%s (%s)", c.label, unit))
			c.unit = unit
		case own == voltage && factor != said && c.kind == eegType:
			otherUnits = append(otherUnits, fmt.Sprintf("%s (%s, in the file %s)", c.label, unit, c.unit))
		}
	}
	for r := range t.Rows {
		if !taken[r] {
			absent = append(absent, t.Cell(r, "name"))
		}
	}
	say(note.Assumed, "Its channels.tsv says nothing of channels that the file has, which are told by their names: %s.", unnamed)
	say(note.LeftOut, "Its channels.tsv names channels that the file doesn't have: %s.", absent)
	say(note.Assumed, "Its channels.tsv has other units than the file, whose own are taken: %s.", otherUnits)
	say(note.Assumed, "The file says no units; those of its channels.tsv are taken: %s.", fromTable)
	return notes
}

// eegType is how channels.tsv calls channels of EEG.
const eegType = "EEG"

// matchRows finds the row of each channel: by its name, or the electrode that it names, or,
// where none is found and there are as many, in order, in which case renamed says how.
func matchRows(t *bids.Table, all []candidate) (rows []int, renamed []string) {
	rows = make([]int, len(all))
	labels := make([]string, len(all))
	for i, c := range all {
		labels[i] = c.label
	}
	channels := montage.Identify(labels)
	free := map[int]bool{}
	for r := range t.Rows {
		free[r] = true
	}
	found := 0
	for i := range rows {
		rows[i] = -1
	}
	for _, fits := range []func(i, r int) bool{
		func(i, r int) bool { return charset.Same(t.Cell(r, "name"), all[i].label) },
		func(i, r int) bool { return channels[i].Is(t.Cell(r, "name")) > 0 },
	} {
		for i := range all {
			for r := 0; r < len(t.Rows) && rows[i] < 0; r++ {
				if free[r] && fits(i, r) {
					rows[i], free[r] = r, false
					found++
				}
			}
		}
	}
	if found > 0 || len(t.Rows) != len(all) {
		return rows, nil
	}
	for i := range all {
		rows[i] = i
		renamed = append(renamed, fmt.Sprintf("%s is %s", quoteOdd(all[i].label), t.Cell(i, "name")))
		all[i].label = t.Cell(i, "name")
	}
	return rows, renamed
}

// bad says which of the channels that are read the table marks as bad.
func (b *sidecar) bad(rows []int, names []string) []note.Note {
	if b.rows == nil {
		return nil
	}
	var bad []string
	b.marked = nil
	for k, i := range rows {
		r := b.rows[i]
		if r < 0 || !strings.EqualFold(b.channels.Cell(r, "status"), "bad") {
			continue
		}
		if why := b.channels.Cell(r, "status_description"); why != bids.NA {
			bad = append(bad, fmt.Sprintf("%s (%s)", names[k], why))
		} else {
			bad = append(bad, names[k])
		}
		b.marked = append(b.marked, names[k])
	}
	if len(bad) == 0 {
		return nil
	}
	return []note.Note{note.New(note.Assumed, "Channels that its channels.tsv marks as bad are read: %s; channels.exclude leaves them out, and the preprocessing step InterpolateBads mends them.", note.Some(bad, 8))}
}

// labels reports whether the events of a table stand for the file's own annotations.
func (b *sidecar) labels() bool { return b != nil && b.labelled }

// replaces reports whether the events of the table stand for the file's own annotations: they
// do unless a manifest asks for these.
func (b *sidecar) replaces(m *Manifest) bool {
	return b.labels() || b.times() && !m.Label.Annotations
}

// times reports whether there is a table of events.
func (b *sidecar) times() bool { return b != nil && b.hasEvents }

// from are the events, in seconds of a file that begins at start.
func (b *sidecar) from(start float64) []event {
	var list []event
	for _, e := range b.events {
		e.onset += start
		list = append(list, e.event)
	}
	return list
}
