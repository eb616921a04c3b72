package source

import (
	"context"
	"fmt"
	"iter"
	"regexp"
	"slices"

	"eegprune/data/ndarray"
	"eegprune/data/pickle"
	"eegprune/internal/cite"
	"eegprune/internal/mapped"
)

// deap is DEAP's data_preprocessed_python (Koelstra et al., IEEE Trans Affective Computing 2012,
// 3:18).
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
label:
  transforms:
    - name: Select
      args: {key: [valence]}
    - name: Binary
      args: {threshold: 5}
signal: {rate: 128, electrodes: [deap], baseline: 3}
`,
		format:   format{name: "deap", about: "DEAP's data_preprocessed_python (sNN.dat)", labels: deapLabels(), streams: true, read: readDEAP},
		mistaken: deapOfMATLAB,
	}
}

var deapMATLABName = regexp.MustCompile(`(^|/)s\d\d\.mat$`)

// deapOfMATLAB tells data_preprocessed_matlab.
func deapOfMATLAB(names []string) string {
	if slices.ContainsFunc(names, func(n string) bool { return !deapMATLABName.MatchString(n) }) {
		return ""
	}
	return fmt.Sprintf("its files (%s, ...) are DEAP's copy for MATLAB, data_preprocessed_matlab: give the one for Python, data_preprocessed_python (s01.dat, ...)", names[0])
}

// deapLabels are the ratings, each from 1 to 9.
func deapLabels() []string { return []string{"valence", "arousal", "dominance", "liking"} }

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
		return nil, fmt.Errorf("its labels have %d columns and %d are needed (%v)", want[1], len(deapLabels()), deapLabels())
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
	r.Offset = d.baseline
	r.Labels = map[string]float64{}
	ratings := make([]float64, d.labels.Shape[1])
	if err := d.labels.Line(ratings, t); err != nil {
		return nil, err
	}
	for i, name := range deapLabels() {
		if v := ratings[i]; !(v >= 1 && v <= 9) {
			return nil, fmt.Errorf("its %s is %g and DEAP's ratings go from 1 to 9: the file is damaged", name, v)
		}
		r.Labels[name] = ratings[i]
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
