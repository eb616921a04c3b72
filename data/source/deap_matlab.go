package source

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/eegprune/eegprune/data/mat"
)

// deapMATLAB is DEAP's data_preprocessed_matlab: the samples of data_preprocessed_python, as
// variables data [trials, 40, samples] and labels [trials, 4].
func deapMATLAB() dataset {
	return dataset{
		cite: deap().cite,
		manifest: `
name: deap-matlab
format: deap-matlab
files: '(^|/)s(?<subject>\d{2})\.mat$'
signal: {rate: 128, electrodes: [deap], baseline: 3}
`,
		format:  format{name: "deap-matlab", about: "DEAP's data_preprocessed_matlab (sNN.mat)", labels: deapLabels(), read: trialReader(readDEAPMATLAB).read},
		is:      variable("data", "labels"),
		whole:   census{counted("%02d", 1, 32), 0, 40},
		differs: deapDiffers,
	}
}

func readDEAPMATLAB(ctx context.Context, m *Manifest, f File, yield func(trial) error) error {
	return withArrays(ctx, f.Path, mat.Only("data", "labels"), func(v map[string]*mat.Array) error {
		data, labels := v["data"], v["labels"]
		if data == nil || labels == nil || len(labels.Dims) != 2 || len(data.Dims) != 3 {
			return errors.New("it has no variables data [trials, channels, samples] and labels [trials, ratings], as DEAP's files have")
		}
		n := labels.Dims[0]
		if data.Dims[0] != n || labels.Dims[1] < len(deapLabels()) || labels.Len() > maxRows {
			return fmt.Errorf("its data are %s and its labels %s, which don't belong together: the file is damaged", data.Shape(), labels.Shape())
		}
		if data.Dims[1] < 32 {
			return fmt.Errorf("its trials have %d channels, and those of DEAP's data_preprocessed_matlab have 40, of which 32 are EEG: the file is not whole, or of another set", data.Dims[1])
		}
		rated := make([]float64, labels.Len())
		if err := labels.Floats(ctx, rated, 0); err != nil {
			return err
		}
		blocks, err := matBlocks(ctx, data, matAxes{trials: 0, channels: 1, samples: 2}, nil)
		if err != nil {
			return err
		}
		for i, b := range blocks {
			t := trial{number: i + 1, stimulus: strconv.Itoa(i + 1), samples: b}
			t.labels = named(deapLabels(), []float64{rated[i], rated[n+i], rated[2*n+i], rated[3*n+i]})
			if err := yield(t); err != nil {
				return err
			}
		}
		return nil
	})
}
