package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/mat"
	"github.com/eegprune/eegprune/internal/cite"
)

// seed is SEED's Preprocessed_EEG (Zheng & Lu, IEEE Trans Autonomous Mental Development 2015,
// 7:162): the labels (-1 negative, 0 neutral, 1 positive) are in label.mat beside the recordings.
func seed() dataset {
	v := variables{name: seedTrial, example: "_eeg%d", known: knownOfSEED,
		none: "it may hold features, as SEED's ExtractedFeatures do, or be cut off; give the data set's directory Preprocessed_EEG"}
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
signal: {rate: 200, electrodes: [seed]}
`,
		format: format{name: "seed", about: "SEED's Preprocessed_EEG (MAT files)", beside: []string{seedLabelFile, "readme.txt"}, streams: true, read: trialReader(v.read).read,
			labels: []label.Scale{{Key: "emotion", Classes: []label.ClassOf{{Value: -1, Class: "negative"}, {Value: 0, Class: "neutral"}, {Value: 1, Class: "positive"}}}}},
		features: regexp.MustCompile(`(^|/)ExtractedFeatures[^/]*/`), raw: "Preprocessed_EEG",
		whole: census{counted("%d", 1, 15), 3, 15},
	}
}

// seedLabelFile holds the label of every trial, for all files beside it.
const seedLabelFile = "label.mat"

// seedTrial finds the number of a trial in the name of its matrix, which begins
// with the subject's initials.
var seedTrial = regexp.MustCompile(`_eeg(\d+)$`)

// knownOfSEED reads the labels. All sessions are of the same films.
func knownOfSEED(ctx context.Context, _ *Manifest, f File) ([]trial, error) {
	path := filepath.Join(filepath.Dir(f.Path), seedLabelFile)
	var labels []float64
	err := eachArray(ctx, path, mat.Only("label"), func(x *mat.Array) (err error) {
		labels, err = x.Vector(ctx)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the labels of its trials are missing: put SEED's %s beside it, which is in the data set's directory Preprocessed_EEG (of SEED-IV give the directory eeg_raw_data, whose folders are its sessions)", seedLabelFile)
	}
	if err == nil && len(labels) == 0 {
		err = errors.New("it has no matrix label: put SEED's file of labels beside its recordings")
	}
	if err != nil {
		return nil, inFile(path, err)
	}
	list := make([]trial, len(labels))
	for i, v := range labels {
		list[i] = trial{number: i + 1, stimulus: strconv.Itoa(i + 1), labels: map[string]float64{"emotion": v}}
	}
	return list, nil
}
