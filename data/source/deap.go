package source

import (
	"context"
	"fmt"
	"iter"
	"strconv"

	"eegprune/data/label"
	"eegprune/data/ndarray"
	"eegprune/data/pickle"
	"eegprune/internal/mapped"
)

// deap is DEAP's data_preprocessed_python (Koelstra et al., IEEE Trans Affective Computing 2012,
// 3:18).
func deap() dataset {
	return dataset{
		manifest: `
name: deap
format: deap
files: '(^|/)s(?<subject>\d{2})\.dat$'
signal: {rate: 128, electrodes: [deap], baseline: 3}
`,
		format:  format{name: "deap", about: "DEAP's data_preprocessed_python (sNN.dat)", labels: deapLabels(), streams: true, read: readDEAP},
		whole:   census{counted("%02d", 1, 32), 0, 40},
		differs: deapDiffers,
	}
}

const deapDiffers = "ratings of 5 are high here and in torcheeg and EEGain; LibEER's scripts take them for low (--tie '>')"

// deapLabels are the ratings, and torcheeg's threshold.
func deapLabels() []label.Scale { return ratings(1, 9, 5, "valence", "arousal", "dominance", "liking") }

// readDEAP reads a file of DEAP's data_preprocessed_python: a pickled dict of
// data [trials, 40, samples], whose first rows are the EEG, and labels [trials,
// 4]. Each trial begins with its baseline.
func readDEAP(ctx context.Context, m *Manifest, f File) iter.Seq2[*Recording, error] {
	return eachTrial(ctx, f, func(file *mapped.File) (manyTrials, error) {
		d, err := openDEAP(m, f, file.Bytes())
		if err != nil {
			return manyTrials{}, err
		}
		return manyTrials{d.data.Shape[0], d.trial}, nil
	})
}

// A deapFile is an opened file of DEAP.
type deapFile struct {
	data, labels *ndarray.Array
	rows         []int // of the electrodes
	base         Recording
	baseline     int // samples
}

func openDEAP(m *Manifest, f File, b []byte) (*deapFile, error) {
	v, err := pickle.Load(b)
	if err != nil {
		return nil, err
	}
	dict, ok := v.(*pickle.Dict)
	if !ok {
		return nil, fmt.Errorf("it holds no dict with the arrays data and labels, as DEAP's files do")
	}
	d := &deapFile{}
	if d.data, err = arrayOf(dict, "data", 3); err != nil {
		return nil, err
	}
	if d.labels, err = arrayOf(dict, "labels", 2); err != nil {
		return nil, err
	}
	electrodes, err := m.Signal.electrodes()
	if err != nil {
		return nil, err
	}
	shape, want := d.data.Shape, d.labels.Shape
	switch {
	case shape[0] != want[0]:
		return nil, fmt.Errorf("it has %d trials and labels for %d: the file is damaged", shape[0], want[0])
	case shape[0] == 0:
		return nil, fmt.Errorf("it has no trials")
	case want[1] < len(deapLabels()):
		return nil, fmt.Errorf("its labels have %d columns and %d are needed (%v)", want[1], len(deapLabels()), label.Keys(deapLabels()))
	case shape[1] < len(electrodes):
		return nil, fmt.Errorf("its data have %d channels and the first %d must be the EEG: name those that there are by signal.electrodes in a manifest", shape[1], len(electrodes))
	}
	if d.baseline = samples(m.Signal.Baseline, m.Signal.Rate); d.baseline >= shape[2] {
		return nil, fmt.Errorf("its trials have %d samples, no more than the baseline of %g s: the file is damaged", shape[2], m.Signal.Baseline)
	}
	d.base = Recording{File: f.Path, Subject: f.Subject, Session: f.Session, Rate: m.Signal.Rate}
	d.rows, d.base.Channels, d.base.Notes, err = m.pickChannels(electrodes)
	return d, err
}

func arrayOf(d *pickle.Dict, key string, dims int) (*ndarray.Array, error) {
	a, err := pickle.Array(d, key)
	if err == nil && len(a.Shape) != dims {
		err = fmt.Errorf("its %q has %d dimensions and needs %d", key, len(a.Shape), dims)
	}
	return a, err
}

// trial returns one trial, counted from 0.
func (d *deapFile) trial(t int) (*Recording, error) {
	r := d.base
	r.Trial = t + 1
	r.Stimulus = strconv.Itoa(r.Trial) // trials are in the order of the videos, whatever order they were seen in
	r.Offset = d.baseline
	r.Labels = map[string]float64{}
	ratings := make([]float64, d.labels.Shape[1])
	if err := d.labels.Line(ratings, t); err != nil {
		return nil, err
	}
	for i, s := range deapLabels() {
		if v := ratings[i]; !s.Has(v) {
			return nil, fmt.Errorf("its %s is %g and DEAP's ratings go from %g to %g: the file is damaged", s.Key, v, s.Low, s.High)
		}
		r.Labels[s.Key] = ratings[i]
	}
	for _, row := range d.rows {
		x := make([]float64, d.data.Shape[2])
		if err := d.data.Line(x, t, row); err != nil {
			return nil, err
		}
		if d.baseline > 0 {
			r.Baseline = append(r.Baseline, x[:d.baseline])
		}
		r.Samples = append(r.Samples, x[d.baseline:])
	}
	return &r, nil
}
