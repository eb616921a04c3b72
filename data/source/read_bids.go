package source

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/eegprune/eegprune/data/bids"
	"github.com/eegprune/eegprune/internal/note"
)

// bidsFormat is that of data sets laid out by the Brain Imaging Data Structure.
func bidsFormat() format {
	return format{
		name: "bids", about: "a data set laid out by BIDS", mark: bids.Description, pattern: bids.Pattern, units: true, tables: true,
		beside:     []string{"README", "README.md", "README.rst", "README.txt", "CHANGES", "LICENSE", "CITATION.cff"},
		companions: []string{".tsv", ".json", ".eeg", ".vmrk", ".dat", ".fdt"},
		open:       openBIDS, read: readBIDS,
	}
}

// readBIDS reads a recording of a BIDS data set by the format of its file; the tables around
// it describe its channels and events.
func readBIDS(ctx context.Context, m *Manifest, f File) iter.Seq2[*Recording, error] {
	own, ok := formatOfFile(f.Name)
	if !ok {
		return failed(fmt.Errorf("%s: %s", f.Path, foreignFiles([]string{f.Name})))
	}
	one := *m
	one.Format = own.name
	if f.sidecar != nil {
		if err := f.sidecar.err; err != nil {
			return failed(err)
		}
		// A file may be read more than once.
		beside := *f.sidecar
		one.beside = &beside
		one.Label.Annotations = m.Label.Annotations || m.Label.Column != ""
	}
	return func(yield func(*Recording, error) bool) {
		for r, err := range own.read(ctx, &one, f) {
			if r != nil && f.sidecar != nil {
				r.Notes = slices.Concat(r.Notes, f.sidecar.compare(r))
				r.Bad = one.beside.marked
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// compare notes where a recording differs from the tables around it.
func (b *sidecar) compare(r *Recording) (notes []note.Note) {
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
