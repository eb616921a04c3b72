package simulate

import (
	"bytes"
	"fmt"
	"io"

	"github.com/eegprune/eegprune/data/npy"
	"github.com/eegprune/eegprune/data/pickle"
	"github.com/eegprune/eegprune/data/transform"
)

// seedVFeaturesFormat is EEG_DE_features: the differential entropy of five bands in windows of 4 s,
// as it is, where the set's own is smoothed.
func seedVFeaturesFormat() fileFormat {
	of := seedVFormat()
	return fileFormat{name: "seed-v-features", gap: 3, window: 4, subject: of.subject, electrodes: of.electrodes, rate: 200, classes: of.classes, subjects: of.subjects, trials: of.trials, sessions: of.sessions, class: of.class,
		files: func(c Config, s int, made *session) []file {
			return []file{{fmt.Sprintf("%d_123.npz", s+1), func(w io.Writer) error { return writeFeatures(w, c, made) }}}
		}}
}

func seedBands() transform.Bands {
	return transform.Bands{{Name: "delta", Low: 1, High: 4}, {Name: "theta", Low: 4, High: 8}, {Name: "alpha", Low: 8, High: 14}, {Name: "beta", Low: 14, High: 31}, {Name: "gamma", Low: 31, High: 50}}
}

// windows are the features of a trial, [windows, electrodes x bands].
func windows(c Config, rows [][]float64) ([][]float64, error) {
	n := int(4 * c.Rate)
	p, err := transform.Pipeline{transform.NewBandDifferentialEntropy(seedBands())}.Prepare(transform.Form{Shape: []int{len(rows), n}, Electrodes: c.Electrodes, Rate: c.Rate, Time: true}, nil)
	if err != nil {
		return nil, err
	}
	var list [][]float64
	for at := 0; at+n <= len(rows[0]); at += n {
		x := transform.NewArray(len(rows), n)
		for e, row := range rows {
			copy(x.Data[e*n:(e+1)*n], row[at:at+n])
		}
		list = append(list, p.Apply(x, nil).Data)
	}
	return list, nil
}

func writeFeatures(w io.Writer, c Config, made *session) error {
	var data, labels []pickle.Named
	for _, t := range made.trials {
		all, err := windows(c, made.rows(t, 0))
		if err != nil {
			return err
		}
		class := make([]float64, len(all))
		for i := range class {
			class[i] = float64(t.class)
		}
		data = append(data, pickle.Named{Shape: []int{len(all), len(all[0])}, Lines: func(yield func([]float64) bool) {
			for _, line := range all {
				if !yield(line) {
					return
				}
			}
		}})
		labels = append(labels, pickle.Named{Shape: []int{len(all)}, Lines: func(yield func([]float64) bool) { yield(class) }})
	}
	var d, l bytes.Buffer
	if err := pickle.WriteNumbered(&d, data); err != nil {
		return err
	}
	if err := pickle.WriteNumbered(&l, labels); err != nil {
		return err
	}
	return npy.WriteArchive(w, []npy.Named{{Name: "data", Values: d.Bytes()}, {Name: "label", Values: l.Bytes()}})
}
