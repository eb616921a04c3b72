// Package source finds the recordings in a directory and reads them.
//
// A common data set and a format of files are each a file and a line in a registry: see datasets and
// formats. Each parser is a package of its own and knows nothing of subjects, trials and labels.
package source

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/eegprune/eegprune/data/charset"
	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/internal/magic"
	"github.com/eegprune/eegprune/internal/note"
)

// A Source is a directory of recordings and how to read them.
type Source struct {
	Dir      string
	Manifest *Manifest
	Origin   Origin   // of the manifest
	Files    []File   // in order of subject, session, trial
	Classes  []string // by number, as the manifest makes them; nil where recordings have no labels

	// Notes tell the user what was left out or assumed.
	Notes note.List

	// Positions are the places of channels; nil where neither a file of them nor a recording has any.
	Positions *montage.Positions

	structure structure     // nil unless the data set has one
	prints    *fingerprints // nil where recordings are all wanted, also those that are there twice
}

// A Reading holds a user's settings for recordings, which override the manifest's.
type Reading struct {
	Encoding string `json:"encoding,omitempty" yaml:"encoding,omitempty"` // of texts that are not UTF-8; see [charset.Named]
	Montage  string `json:"montage,omitempty" yaml:"montage,omitempty"`   // a file of places; see [montage.ReadFile]
	// Label chooses the label that makes the class, where recordings have ratings or several labels.
	Label label.Choice `json:"label,omitzero" yaml:"label,omitempty"`
}

// Use applies the settings to the source.
func (s *Source) Use(r Reading) error {
	m := *s.Manifest
	m.Encoding, m.Montage = cmp.Or(r.Encoding, m.Encoding), cmp.Or(r.Montage, m.Montage)
	s.Manifest = &m
	if r.Encoding != "" {
		if _, err := charset.Named(r.Encoding); err != nil {
			return err
		}
	}
	if err := s.chooseLabel(r.Label); err != nil {
		return err
	}
	if r.Montage != "" {
		return s.usePositions(r.Montage)
	}
	return nil
}

// chooseLabel makes the class of other labels than the manifest says.
func (s *Source) chooseLabel(c label.Choice) error {
	if c.IsZero() {
		return nil
	}
	scales := s.Manifest.format().labels
	if scales == nil {
		return fmt.Errorf("the recordings in %s have one label, as %s says: other labels and thresholds are chosen of data sets that have several (--label= takes the one that there is)", s.Dir, s.Origin)
	}
	p, err := c.Pipeline(scales)
	if err != nil {
		return fmt.Errorf("choosing the label of the recordings in %s: %w", s.Dir, err)
	}
	m := *s.Manifest
	m.Label.Transforms = p
	s.Manifest = &m
	prepared, err := s.PrepareLabels(nil)
	if err == nil && s.Classes != nil {
		s.Classes = prepared.Classes
	}
	return err
}

// usePositions reads where channels lie.
func (s *Source) usePositions(path string) error {
	p, err := montage.ReadFile(path)
	if err != nil {
		return err
	}
	s.Positions = p
	if len(p.Without) > 0 {
		s.Notes.Add(path, note.New(note.LeftOut, "Channels are listed without a place: %s.", note.Some(p.Without, 6)))
	}
	return nil
}

// PrepareLabels makes a pipeline from the labels of the recordings to a class ready:
// the given one, or where it is empty the manifest's.
func (s *Source) PrepareLabels(p label.Pipeline) (*label.Prepared, error) {
	if len(p) == 0 {
		p = s.Manifest.Label.Transforms
	}
	return s.Manifest.labelForm(s.Manifest.format()).prepare(p)
}

// Inputs are all files that recordings depend on: their names below Dir, with slashes, and
// where they lie.
func (s *Source) Inputs() (map[string]string, error) {
	paths := map[string]string{}
	add := func(list ...string) error {
		for _, p := range list {
			below, err := filepath.Rel(s.Dir, p)
			if err != nil {
				return err
			}
			paths[filepath.ToSlash(below)] = p
		}
		return nil
	}
	for _, f := range s.Files {
		paths[f.Name] = f.Path
		if err := add(f.parts()...); err != nil {
			return nil, err
		}
		if f.sidecar != nil {
			if err := add(f.sidecar.paths...); err != nil {
				return nil, err
			}
		}
		for _, b := range s.Manifest.format().beside {
			p := filepath.Join(filepath.Dir(f.Path), b)
			if _, err := os.Stat(p); err == nil {
				paths[path.Join(path.Dir(f.Name), b)] = p
			}
		}
		if aside := s.Manifest.format().aside; aside != nil {
			there := slices.DeleteFunc(aside(f), func(p string) bool { _, err := os.Stat(p); return err != nil })
			if err := add(there...); err != nil {
				return nil, err
			}
		}
	}
	if s.structure != nil {
		return paths, add(s.structure.inputs(s.Manifest)...)
	}
	return paths, nil
}

// participant returns a subject's row of participants.tsv, nil without one.
func (s *Source) participant(subject string) map[string]string {
	if s.structure == nil {
		return nil
	}
	return s.structure.participant(subject)
}

// read gives the recordings of one file, trimmed and looked over.
func (s *Source) read(ctx context.Context, f File) iter.Seq2[*Recording, error] {
	format, err := formatNamed(s.Manifest.Format)
	if err != nil {
		return failed(err)
	}
	return func(yield func(*Recording, error) bool) {
		for r, err := range format.read(ctx, s.Manifest, f) {
			if err != nil {
				yield(nil, magic.Explain(f.Path, err))
				return
			}
			if r.Stimulus == "" {
				r.Stimulus = f.Stimulus
			}
			s.Manifest.scale(r)
			for _, part := range s.Manifest.divide(r) {
				if s.prints != nil {
					part.print, part.printed = s.prints.of(part)
				}
				if said := part.unlikely(format); said != nil {
					part.Notes = append(slices.Clip(part.Notes), *said)
				}
				if !yield(part, nil) {
					return
				}
			}
		}
	}
}

// HasBaseline reports whether trials begin with a baseline that BaselineRemoval
// can take off, as DEAP's do.
func (s *Source) HasBaseline() bool { return s.Manifest.Signal.Baseline > 0 }

// Also has channels of these names read beside those of EEG, in recordings that have them: a
// mastoid that is to be the reference.
func (s *Source) Also(channels []string) {
	if len(channels) == 0 {
		return
	}
	m := *s.Manifest
	m.also = slices.Clone(channels)
	s.Manifest = &m
}

// Pick has only these electrodes read, in this order.
func (s *Source) Pick(electrodes []string) {
	m := *s.Manifest
	m.Channels.Pick = slices.Clone(electrodes)
	s.Manifest = &m
}
