package source

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"strings"

	"eegprune/data/bids"
	"eegprune/data/brainvision"
	"eegprune/data/eeglab"
	"eegprune/data/montage"
	"eegprune/internal/mapped"
)

// A format reads one kind of file.
type format struct {
	name, about string
	// labels names those that are in the files, so that a manifest need not say
	// where they are found; nil where there are none.
	labels []string
	// suffixes are those of files that can be read without a manifest.
	suffixes []string
	// beside are names of files that belong to the recordings without being any.
	beside []string
	// companions are the endings of files that belong to one of the same format.
	companions []string
	// mark is a file by which a directory is known to be read so.
	mark string
	// parts returns the files that hold the rest of a recording, nil where all is in one.
	parts func(path string) []string
	// events, where files may have annotations, gives those of one.
	events func(ctx context.Context, path string) ([]event, error)
	// places, where files may say it, gives where the channels of one lie, and nil where it
	// doesn't.
	places func(path string) (*montage.Positions, error)
	// units says that files say the units of their samples, so that signal.scale can't.
	units bool
	// streams says that a file is read piece by piece, or mapped, and never held whole.
	streams bool
	// read gives the recordings of one file in order. Trials are numbered from 1
	// within the file where the file's name doesn't number them.
	read func(ctx context.Context, m *Manifest, f File) iter.Seq2[*Recording, error]
}

// formats lists all kinds of files. A new one is a file and a line here.
func formats() []format {
	return []format{
		{name: "edf", about: "EDF and EDF+", suffixes: []string{".edf"}, units: true, events: edfEvents, read: readEDF},
		{name: "bdf", about: "BioSemi's BDF and BDF+", suffixes: []string{".bdf"}, units: true, events: edfEvents, read: readEDF},
		{name: "brainvision", about: "BrainVision's .vhdr, with its .eeg and .vmrk", suffixes: []string{".vhdr"}, units: true, companions: []string{".eeg", ".vmrk", ".dat"}, streams: true, parts: brainvision.Parts, events: brainVisionEvents, read: readBrainVision},
		{name: "eeglab", about: "EEGLAB's .set, with its .fdt", suffixes: []string{".set"}, companions: []string{".fdt", ".dat"}, parts: eeglab.Parts, events: eeglabFileEvents, places: eeglabPlaces, read: readEEGLAB},
		{name: bidsFormat, about: "a data set laid out by BIDS", mark: bids.Description, units: true, beside: []string{"README", "README.md", "README.rst", "README.txt", "CHANGES", "LICENSE", "CITATION.cff"},
			companions: []string{".tsv", ".json", ".eeg", ".vmrk", ".dat", ".fdt"}, read: readBIDS},
		{name: "deap", about: "DEAP's data_preprocessed_python (sNN.dat)", labels: deapLabels(), streams: true, read: readDEAP},
		{name: "seed", about: "SEED's Preprocessed_EEG (MAT files)", labels: []string{"emotion"}, beside: []string{seedLabelFile, "readme.txt"}, streams: true, read: readSEED},
		{name: "mat", about: "arrays in MAT files of any version, by a manifest", read: readMAT},
		{name: "npy", about: "NumPy's .npy and .npz", suffixes: []string{".npy", ".npz"}, read: readNPY},
	}
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
	return format{}, fmt.Errorf("no format %q: there are %s", name, strings.Join(Formats(), ", "))
}

// failed is the sequence of recordings of a file that can't be read.
func failed(err error) iter.Seq2[*Recording, error] {
	return func(yield func(*Recording, error) bool) { yield(nil, err) }
}

// manyTrials are those of a file.
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

// annotatedFormats are those whose files may have annotations.
func annotatedFormats() []string {
	var names []string
	for _, f := range formats() {
		if f.events != nil || f.name == bidsFormat {
			names = append(names, f.name)
		}
	}
	return names
}
