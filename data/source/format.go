package source

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/internal/mapped"
	"github.com/eegprune/eegprune/internal/spelling"
)

// A format reads one kind of file.
type format struct {
	name, about string
	// labels are the labels in the files, the default one first, so that a manifest need not say
	// where they are found; nil where there are none.
	labels []label.Scale
	// suffixes are those of files that can be read without a manifest.
	suffixes []string
	// beside are names of files that belong to the recordings without being any.
	beside []string
	// companions are the endings of files that belong to one of the same format.
	companions []string
	// mark is a file that tells a directory of this format, and pattern the default of a manifest's
	// files.
	mark, pattern string
	// open, where a data set is laid out by more than the names of its recordings, looks at
	// how, and may complete the manifest.
	open func(s *Source, names []string) (structure, error)
	// describe, where files may hold the settings of a manifest themselves, reads those of a source
	// without a manifest.
	describe func(s *Source)
	// unsaid, where files can't be read without a manifest, describes the contents of the first of
	// them and gives an example of a manifest; nothing where there is none.
	unsaid func(dir string, names []string) (holds, example string)
	// tables says that recordings are files of other formats with tables of events and
	// subjects around them, so that task, label.column and label.participant may be asked for.
	tables bool
	// arrays says that files hold named arrays, so that label.array may be asked for, and axes
	// that their axes may be in any order.
	arrays, axes bool
	// parts returns the files that hold the rest of a recording, nil where all is in one.
	parts func(path string) []string
	// events, where files may have annotations, gives those of one.
	events func(ctx context.Context, path string) ([]event, error)
	// places, where files may say it, gives where the channels of one lie, and nil where it
	// doesn't.
	places func(path string) (*montage.Positions, error)
	// features says that files hold features that were made of recordings.
	features bool
	// aside returns files elsewhere that the labels of one depend on, those too that are not there.
	aside func(f File) []string
	// units says that files say the units of their samples, so that signal.scale can't.
	units bool
	// streams says that a file is read piece by piece, or mapped, and never held whole.
	streams bool
	// read gives the recordings of one file in order. Trials are numbered from 1
	// within the file where the file's name doesn't number them.
	read func(ctx context.Context, m *Manifest, f File) iter.Seq2[*Recording, error]
}

// A structure is how a data set is laid out by more than the names of its recordings.
type structure interface {
	// narrow returns the names that may be recordings or go with them. It notes those that lie
	// apart or are ignored.
	narrow(s *Source, names []string) []string
	// settle keeps the source's files that will be read, each with its sidecar.
	settle(s *Source) error
	// participant returns a subject's row of participants.tsv, nil without one.
	participant(subject string) map[string]string
	// inputs are the files that labels depend on beside those of each recording.
	inputs(m *Manifest) []string
	// start is a manifest to begin with.
	start(s *Source) Manifest
}

// formats lists all kinds of files: a new one is a file and a line here. Those of one data set
// are in its own file.
func formats() []format {
	tables.kinds.Do(func() {
		tables.formats = []format{edfFormat(), bdfFormat(), brainVisionFormat(), eeglabFormat(), bidsFormat()}
		for _, d := range datasets() {
			if d.format.name != "" {
				tables.formats = append(tables.formats, d.format)
			}
		}
		tables.formats = append(tables.formats, matFormat(), npyFormat())
	})
	return tables.formats
}

// Formats returns the names that a manifest's format can have.
func Formats() []string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.name)
	}
	return names
}

func formatNamed(name string) (format, error) {
	for _, f := range formats() {
		if f.name == name {
			return f, nil
		}
	}
	if name == "" {
		return format{}, fmt.Errorf("format is missing: one of %s", strings.Join(Formats(), ", "))
	}
	return format{}, spelling.Unknown("format", name, Formats())
}

// format is that of the recordings; one without a name where the manifest has none that is
// known, which is never so once it was read.
func (m *Manifest) format() format {
	f, _ := formatNamed(m.Format)
	return f
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

// failed is the sequence of recordings of a file that can't be read.
func failed(err error) iter.Seq2[*Recording, error] {
	return func(yield func(*Recording, error) bool) { yield(nil, err) }
}

// manyTrials are the trials of a file.
type manyTrials struct {
	n    int
	read func(int) (*Recording, error) // counted from 0; it gives nil for one that is left out
}

// eachTrial is the sequence of the trials of a file, which lies in memory meanwhile.
func eachTrial(ctx context.Context, f File, open func(*mapped.File) (manyTrials, error)) iter.Seq2[*Recording, error] {
	return func(yield func(*Recording, error) bool) {
		file, err := mapped.Open(f.Path)
		if err != nil {
			yield(nil, err)
			return
		}
		defer file.Close()
		all, err := open(file)
		if err = cmp.Or(file.Err(), err); err != nil {
			yield(nil, fmt.Errorf("%s: %w", f.Path, err))
			return
		}
		for t := range all.n {
			r, err := all.read(t)
			if err = cmp.Or(ctx.Err(), file.Err(), err); err != nil {
				yield(nil, fmt.Errorf("%s: trial %d: %w", f.Path, t+1, err))
				return
			}
			if r != nil && !yield(r, nil) {
				return
			}
		}
	}
}

// mendScale says how a manifest multiplies numbers, where it can.
func (f format) mendScale(factor string) string {
	if f.units {
		return ""
	}
	return fmt.Sprintf(" (signal: {scale: %s} in %s)", factor, ManifestName)
}

// annotated reports whether files may have annotations.
func (f format) annotated() bool { return f.events != nil || f.tables }

// namesOf are the formats that are such.
func namesOf(such func(format) bool) []string {
	var names []string
	for _, f := range formats() {
		if such(f) {
			names = append(names, f.name)
		}
	}
	return names
}
