package data

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"strings"

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
	// streams says that a file is read piece by piece, or mapped, and never held whole.
	streams bool
	// read gives the recordings of one file in order. Trials are numbered from 1
	// within the file where the file's name doesn't number them.
	read func(ctx context.Context, m *Manifest, f File) iter.Seq2[*Recording, error]
}

// formats lists all kinds of files. A new one is a file and a line here.
func formats() []format {
	return []format{
		{name: "edf", about: "EDF and EDF+", suffixes: []string{".edf"}, read: readEDF},
		{name: "bdf", about: "BioSemi's BDF and BDF+", suffixes: []string{".bdf"}, read: readEDF},
		{name: "brainvision", about: "BrainVision's .vhdr, with its .eeg and .vmrk", suffixes: []string{".vhdr"}, companions: []string{".eeg", ".vmrk", ".dat"}, read: readBrainVision},
		{name: "deap", about: "DEAP's data_preprocessed_python (sNN.dat)", labels: deapLabels(), streams: true, read: readDEAP},
		{name: "seed", about: "SEED's Preprocessed_EEG (MAT of version 5)", labels: []string{"emotion"}, beside: []string{seedLabelFile, "readme.txt"}, streams: true, read: readSEED},
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
