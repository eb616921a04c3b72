package source

import (
	"context"
	"fmt"
	"iter"
	"math"
	"path"
	"slices"
	"strings"

	"eegprune/internal/note"
)

// readBIDS reads a recording of a BIDS data set as the format of its file is read, with what
// the tables around it say of its channels and events.
func readBIDS(ctx context.Context, m *Manifest, f File) iter.Seq2[*Recording, error] {
	own, ok := formatOfFile(f.Name)
	if !ok {
		return failed(fmt.Errorf("%s: %s", f.Path, foreignFiles([]string{f.Name})))
	}
	one := *m
	one.Format = own.name
	if f.bids != nil {
		if err := f.bids.err; err != nil {
			return failed(err)
		}
		// A file may be read more than once.
		beside := *f.bids
		one.beside = &beside
		one.Label.Annotations = m.Label.Annotations || m.Label.Column != ""
	}
	return func(yield func(*Recording, error) bool) {
		for r, err := range own.read(ctx, &one, f) {
			if r != nil && f.bids != nil {
				r.Notes = slices.Concat(r.Notes, f.bids.compare(r))
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// formatOfFile returns the format that files with such an ending have.
func formatOfFile(name string) (format, bool) {
	for _, f := range formats() {
		if slices.Contains(f.suffixes, strings.ToLower(path.Ext(name))) {
			return f, true
		}
	}
	return format{}, false
}

// compare says in what a recording is not as the tables around it say.
func (b *bidsFile) compare(r *Recording) (notes []note.Note) {
	const sameRate = 1e-4 // of it: EDF rounds the duration of its records
	for _, said := range []struct {
		where string
		rate  float64
	}{{"Its eeg.json", b.rate}, {"Its channels.tsv", b.channelRate}} {
		if said.rate > 0 && math.Abs(said.rate-r.Rate) > sameRate*r.Rate {
			notes = append(notes, note.New(note.Assumed, "%s says %g samples a second and the file itself %g, which is taken.", said.where, said.rate, r.Rate))
		}
	}
	var odd []string
	for _, e := range b.events {
		const counted = 1.5 // samples: from 0 or from 1, and rounded
		if e.sample >= 0 && math.Abs(e.sample-e.onset*r.Rate) > counted {
			odd = append(odd, fmt.Sprintf("%q at %g s and sample %g", e.text, e.onset, e.sample))
		}
	}
	if len(odd) > 0 {
		notes = append(notes, note.New(note.Assumed, "%d event(s) have an onset that is not at their sample, and the onset is taken: %s.", len(odd), note.Some(odd, 3)))
	}
	return notes
}
