package source

import (
	"context"
	"fmt"
	"strconv"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/ndarray"
	"github.com/eegprune/eegprune/data/pickle"
	"github.com/eegprune/eegprune/internal/cite"
)

// deap is DEAP's data_preprocessed_python (Koelstra et al., IEEE Trans Affective Computing 2012,
// 3:18): a pickled dict of data [trials, 40, samples], whose first rows are the EEG, and labels
// [trials, 4]. Each trial begins with its baseline. Trials are in the order of the videos, whatever
// order they were seen in.
func deap() dataset {
	return dataset{
		cite: cite.Paper{
			Key:     "koelstra2012",
			Authors: []string{"Koelstra, Sander", "Muhl, Christian", "Soleymani, Mohammad", "Lee, Jong-Seok", "Yazdani, Ashkan", "Ebrahimi, Touradj", "Pun, Thierry", "Nijholt, Anton", "Patras, Ioannis"},
			Title:   "DEAP: A Database for Emotion Analysis using Physiological Signals",
			Journal: "IEEE Transactions on Affective Computing", Year: 2012, Volume: "3", Number: "1", Pages: "18--31", DOI: "10.1109/T-AFFC.2011.15",
		},
		manifest: `
name: deap
format: deap
files: '(^|/)s(?<subject>\d{2})\.dat$'
signal: {rate: 128, electrodes: [deap], baseline: 3}
`,
		format:  format{name: "deap", about: "DEAP's data_preprocessed_python (sNN.dat)", labels: deapLabels(), streams: true, read: trialReader(readDEAP).read},
		whole:   census{counted("%02d", 1, 32), 0, 40},
		differs: deapDiffers,
	}
}

const deapDiffers = "ratings of 5 are high here and in torcheeg and EEGain; LibEER's scripts take them for low (--tie '>')"

// deapLabels are the ratings, and torcheeg's threshold.
func deapLabels() []label.Scale { return ratings(1, 9, 5, "valence", "arousal", "dominance", "liking") }

func readDEAP(_ context.Context, m *Manifest, f File, yield func(trial) error) error {
	return withPickle(f.Path, func(v any, intact func() error) error {
		dict, ok := v.(*pickle.Dict)
		if !ok {
			return fmt.Errorf("it holds no dict with the arrays data and labels, as DEAP's files do")
		}
		data, err := arrayOf(dict, "data", 3)
		if err != nil {
			return err
		}
		labels, err := arrayOf(dict, "labels", 2)
		if err != nil {
			return err
		}
		n, columns := data.Shape[0], labels.Shape[1]
		switch {
		case n != labels.Shape[0]:
			return fmt.Errorf("it has %d trials and labels for %d: the file is damaged", n, labels.Shape[0])
		case columns < len(deapLabels()):
			return fmt.Errorf("its labels have %d columns and %d are needed (%v)", columns, len(deapLabels()), label.Keys(deapLabels()))
		}
		rated := make([]float64, columns)
		for t := range n {
			if err := labels.Line(rated, t); err != nil {
				return err
			}
			if err := yield(trial{number: t + 1, stimulus: strconv.Itoa(t + 1), labels: named(deapLabels(), rated), samples: arrayBlock(data, t, intact)}); err != nil {
				return err
			}
		}
		return nil
	})
}

func arrayOf(d *pickle.Dict, key string, dims int) (*ndarray.Array, error) {
	a, err := pickle.Array(d, key)
	if err == nil && len(a.Shape) != dims {
		err = fmt.Errorf("its %q has %d dimensions and needs %d", key, len(a.Shape), dims)
	}
	return a, err
}
