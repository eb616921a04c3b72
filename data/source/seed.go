package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"eegprune/data/mat"
	"eegprune/internal/cite"
)

// seed is SEED's Preprocessed_EEG (Zheng & Lu, IEEE Trans Autonomous Mental Development 2015,
// 7:162).
func seed() dataset {
	return dataset{
		cite: cite.Paper{
			Key:     "zheng2015",
			Authors: []string{"Zheng, Wei-Long", "Lu, Bao-Liang"},
			Title:   "Investigating Critical Frequency Bands and Channels for EEG-based Emotion Recognition with Deep Neural Networks",
			Journal: "IEEE Transactions on Autonomous Mental Development", Year: 2015, Volume: "7", Number: "3", Pages: "162--175", DOI: "10.1109/TAMD.2015.2431497",
		},
		manifest: `
name: seed
format: seed
files: '(^|/)(?<subject>\d+)_(?<session>\d{8})\.mat$'
label:
  transforms:
    - name: Mapping
      args:
        classes:
          - {value: -1, class: negative}
          - {value: 0, class: neutral}
          - {value: 1, class: positive}
signal: {rate: 200, electrodes: [seed]}
`,
		format: format{name: "seed", about: "SEED's Preprocessed_EEG (MAT files)", labels: []string{"emotion"}, beside: []string{seedLabelFile, "readme.txt"}, streams: true, read: readSEED},
	}
}

// seedLabelFile holds the label of every trial, for all files beside it.
const seedLabelFile = "label.mat"

// seedTrial finds the number of a trial in the name of its matrix, which begins
// with the subject's initials.
var seedTrial = regexp.MustCompile(`_eeg(\d+)$`)

// readSEED reads a file of SEED's Preprocessed_EEG: a matrix [electrodes, samples] for each trial, named by its number. The labels (-1 negative, 0 neutral, 1
// positive) are in label.mat beside it.
func readSEED(ctx context.Context, m *Manifest, f File) iter.Seq2[*Recording, error] {
	return func(yield func(*Recording, error) bool) {
		s, err := openSEED(ctx, m, f)
		if err != nil {
			yield(nil, err)
			return
		}
		stopped := false
		err = eachArray(ctx, f.Path, seedTrial.MatchString, func(x *mat.Array) error {
			r, err := s.trial(ctx, x)
			if err == nil && !yield(r, nil) {
				stopped = true
				return errStop
			}
			return err
		})
		if err == nil {
			err = s.missing()
		}
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}

// A seedFile is an opened file of SEED.
type seedFile struct {
	labels []float64
	names  []string // of all rows
	rows   []int    // of the electrodes
	base   Recording
	seen   []int
}

func openSEED(ctx context.Context, m *Manifest, f File) (*seedFile, error) {
	s := &seedFile{base: Recording{File: f.Path, Subject: f.Subject, Session: f.Session, Rate: m.Signal.Rate}}
	path := filepath.Join(filepath.Dir(f.Path), seedLabelFile)
	err := eachArray(ctx, path, mat.Only("label"), func(x *mat.Array) (err error) {
		s.labels, err = x.Vector(ctx)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s: the labels of its trials are missing: put SEED's label.mat beside it, which is in the data set's directory Preprocessed_EEG", f.Path)
	}
	if err == nil && len(s.labels) == 0 {
		err = fmt.Errorf("%s has no matrix label: put SEED's file of labels beside its recordings", path)
	}
	if err != nil {
		return nil, err
	}
	if s.names, err = m.Signal.electrodes(); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	if s.rows, s.base.Channels, s.base.Notes, err = m.pickChannels(s.names); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return s, nil
}

func (s *seedFile) trial(ctx context.Context, x *mat.Array) (*Recording, error) {
	n, err := strconv.Atoi(seedTrial.FindStringSubmatch(x.Name)[1])
	if err != nil || n < 1 || n > len(s.labels) {
		return nil, fmt.Errorf("matrix %q is trial %d and %s has labels for %d", x.Name, n, seedLabelFile, len(s.labels))
	}
	if slices.Contains(s.seen, n) {
		return nil, fmt.Errorf("it has trial %d twice", n)
	}
	if len(x.Dims) != 2 || x.Dims[0] != len(s.names) {
		return nil, fmt.Errorf("matrix %q is %s and %d electrodes are named, which its rows must be: correct signal.electrodes in a manifest", x.Name, x.Shape(), len(s.names))
	}
	s.seen = append(s.seen, n)
	r := s.base
	r.Trial = n
	r.Labels = map[string]float64{"emotion": s.labels[n-1]}
	r.Samples = matrix(len(s.rows), x.Dims[1])
	if err := x.Rows(ctx, r.Samples, s.rows, 0); err != nil {
		return nil, err
	}
	return &r, nil
}

// missing is an error if a trial that has a label has no recording.
func (s *seedFile) missing() error {
	if len(s.seen) == 0 {
		return fmt.Errorf("%s: trial 1 of %d is missing, as all others are (no matrix ends in _eeg1): it may hold features, as SEED's ExtractedFeatures do, or be cut off; give the data set's directory Preprocessed_EEG", s.base.File, len(s.labels))
	}
	for n := 1; n <= len(s.labels); n++ {
		if !slices.Contains(s.seen, n) {
			return fmt.Errorf("%s: trial %d of %d is missing (no matrix ending in _eeg%d): the file is damaged or another's; get it again, or leave it out", s.base.File, n, len(s.labels), n)
		}
	}
	return nil
}
