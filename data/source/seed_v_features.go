package source

import (
	"context"
	"fmt"
	"slices"

	"github.com/eegprune/eegprune/data/ndarray"
	"github.com/eegprune/eegprune/data/npy"
	"github.com/eegprune/eegprune/data/pickle"
)

// seedVFeatures is SEED-V's EEG_DE_features: the differential entropy of five bands in windows of
// 4 s, an archive for each subject of two pickled dicts, data and label, whose keys count the
// trials of all sessions from 0: [windows, 62 x 5] each, the bands of an electrode side by side,
// and the class of each window.
func seedVFeatures() dataset {
	return dataset{
		cite: seedV().cite,
		manifest: `
name: seed-v-features
format: seed-v-features
files: '(^|/)(?<subject>\d+)_123\.npz$'
signal: {rate: 1.25, electrodes: [seed], bands: [delta, theta, alpha, beta, gamma]}
`,
		format: format{name: "seed-v-features", about: "SEED-V's EEG_DE_features (pickled dicts in .npz)", features: true, read: trialReader(readSEEDVFeatures).read, labels: seedV().format.labels},
		is: func(path string) (is bool, err error) {
			err = npy.WithArchive(path, func(z *npy.Archive) error {
				is = slices.Contains(z.Names(), "data") && slices.Contains(z.Names(), "label")
				return nil
			})
			return is, err
		},
		whole:   census{counted("%d", 1, 16), 3, seedVTrialsOfSession},
		differs: "the features are those of the set's owners, smoothed by a linear dynamic system over the windows of a trial; clips are windows, as in torcheeg, where sessions and trials count from 0",
	}
}

// seedVTrialsOfSession is how many trials a session has.
const seedVTrialsOfSession = 15

func readSEEDVFeatures(_ context.Context, m *Manifest, f File, yield func(trial) error) error {
	return npy.WithArchive(f.Path, func(z *npy.Archive) error {
		data, err := pickledArrays(z, "data")
		if err != nil {
			return err
		}
		labels, err := pickledArrays(z, "label")
		if err != nil {
			return err
		}
		if len(data) != len(labels) || len(data) > 3*seedVTrialsOfSession {
			return fmt.Errorf("it has %d trials and labels of %d, and SEED-V has %d: the file is damaged or another's", len(data), len(labels), 3*seedVTrialsOfSession)
		}
		names, err := m.Signal.electrodes()
		if err != nil {
			return err
		}
		for i, a := range data {
			session := fmt.Sprint(i/seedVTrialsOfSession + 1)
			t := seedVTrials(session)[i%seedVTrialsOfSession]
			t.session = session
			emotion, err := oneLabel(labels[i])
			if err != nil {
				return fmt.Errorf("session %s, trial %d: %w", session, t.number, err)
			}
			t.labels = map[string]float64{"emotion": emotion}
			if t.samples, err = windowBlock(a, len(names), len(m.Signal.Bands)); err != nil {
				return fmt.Errorf("session %s, trial %d: %w", session, t.number, err)
			}
			if windows := labels[i].Shape[0]; windows != a.Shape[0] {
				return fmt.Errorf("session %s, trial %d: it has %d windows and labels of %d: the file is damaged", session, t.number, a.Shape[0], windows)
			}
			if err := yield(t); err != nil {
				return err
			}
		}
		return nil
	})
}

// pickledArrays reads an array of an archive that is a pickled dict of arrays by number.
func pickledArrays(z *npy.Archive, name string) ([]*ndarray.Array, error) {
	b, err := z.Bytes(name)
	if err != nil {
		return nil, err
	}
	v, err := pickle.Load(b)
	if err != nil {
		return nil, fmt.Errorf("array %q: %w", name, err)
	}
	dict, ok := v.(*pickle.Dict)
	if !ok {
		return nil, fmt.Errorf("array %q holds no pickled dict, as SEED-V's EEG_DE_features do", name)
	}
	list, err := pickle.Numbered(dict)
	if err != nil {
		return nil, fmt.Errorf("array %q: %w", name, err)
	}
	return list, nil
}

// oneLabel is the label that all windows of a trial have.
func oneLabel(a *ndarray.Array) (float64, error) {
	if len(a.Shape) != 1 || a.Shape[0] == 0 {
		return 0, fmt.Errorf("its labels have the shape %v and there must be one for each window", a.Shape)
	}
	all := make([]float64, a.Shape[0])
	if err := a.Line(all); err != nil {
		return 0, err
	}
	for _, v := range all {
		if v != all[0] {
			return 0, fmt.Errorf("its windows have the labels %g and %g, and a trial has one", all[0], v)
		}
	}
	return all[0], nil
}

// windowBlock is features [windows, electrodes x bands], the bands of an electrode side by side.
func windowBlock(a *ndarray.Array, electrodes, bands int) (block, error) {
	if len(a.Shape) != 2 || a.Shape[0] == 0 || a.Shape[1] != electrodes*bands {
		return block{}, fmt.Errorf("its features have the shape %v and must be [windows, %d], %d bands for each of %d electrodes", a.Shape, electrodes*bands, bands, electrodes)
	}
	return block{electrodes, a.Shape[0] * bands, func(ctx context.Context, rows []int) ([][]float64, error) {
		x := matrix(len(rows), a.Shape[0]*bands)
		window := make([]float64, a.Shape[1])
		for w := range a.Shape[0] {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if err := a.Line(window, w); err != nil {
				return nil, err
			}
			for i, r := range rows {
				copy(x[i][w*bands:], window[r*bands:(r+1)*bands])
			}
		}
		return x, nil
	}}, nil
}
