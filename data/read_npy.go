package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"

	"eegprune/data/ndarray"
	"eegprune/data/npy"
)

// readNPY reads .npy and .npz files: an array [channels, samples] of one
// recording or [trials, channels, samples] of many. The manifest says what the
// numbers are: signal.rate, signal.electrodes and, for .npz, the names of the
// arrays. The label is in the file's name, or in an array of one number for
// each trial.
func readNPY(ctx context.Context, m *Manifest, f File) iter.Seq2[*Recording, error] {
	return eachTrial(ctx, f, func() (int, func(int) (*Recording, error), error) {
		n, err := openNPY(m, f)
		if err != nil {
			return 0, nil, err
		}
		return n.trials, n.trial, nil
	})
}

// An npyFile is an opened file of arrays.
type npyFile struct {
	manifest *Manifest
	data     *ndarray.Array
	labels   []float64 // nil where the file's name has the label
	class    int       // where it has
	trials   int
	rows     []int
	base     Recording
	baseline int
}

func openNPY(m *Manifest, f File) (*npyFile, error) {
	n := &npyFile{manifest: m, class: f.class, trials: 1}
	var err error
	if n.data, n.labels, err = npyArrays(m, f.Path); err != nil {
		return nil, err
	}
	electrodes, err := m.Signal.electrodes()
	if err != nil {
		return nil, err
	}
	shape := n.data.Shape
	switch len(shape) {
	case 3:
		n.trials = shape[0]
		shape = shape[1:]
	case 2:
	default:
		return nil, fmt.Errorf("its array has the shape %v and must be [channels, samples] or [trials, channels, samples]", shape)
	}
	n.baseline = samples(m.Signal.Baseline, m.Signal.Rate)
	switch {
	case shape[0] != len(electrodes):
		return nil, fmt.Errorf("its array has %d channels and signal.electrodes names %d: correct the manifest", shape[0], len(electrodes))
	case n.labels != nil && len(n.labels) != n.trials:
		return nil, fmt.Errorf("it has %d trials and labels for %d", n.trials, len(n.labels))
	case n.baseline > 0 && n.baseline >= shape[1]:
		return nil, fmt.Errorf("it has %d samples, no more than the baseline of %g s", shape[1], m.Signal.Baseline)
	}
	n.base = Recording{File: f.Path, Subject: f.Subject, Session: f.Session, Rate: m.Signal.Rate}
	n.rows, n.base.Channels, n.base.Notes, err = m.pickChannels(electrodes)
	return n, err
}

// npyArrays reads the samples, and the labels where the manifest asks for an
// array of them.
func npyArrays(m *Manifest, path string) (data *ndarray.Array, labels []float64, err error) {
	if !strings.HasSuffix(strings.ToLower(path), ".npz") {
		if m.Label.Array != "" {
			return nil, nil, errors.New("it holds one array, and label.array asks for another: keep both in one .npz file")
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, err
		}
		data, err = npy.Parse(b)
		return data, nil, err
	}
	err = withArchive(path, func(z *npy.Archive) error {
		name := m.Signal.Array
		if names := z.Names(); name == "" && len(names) == 1 {
			name = names[0]
		} else if name == "" {
			return fmt.Errorf("it has the arrays %s: say which holds the samples by signal.array in the manifest", strings.Join(names, ", "))
		}
		if data, err = z.Array(name); err != nil || m.Label.Array == "" {
			return err
		}
		l, err := z.Array(m.Label.Array)
		if err != nil {
			return err
		}
		if len(l.Shape) != 1 {
			return fmt.Errorf("array %q has the shape %v and must have one label for each trial", m.Label.Array, l.Shape)
		}
		labels = make([]float64, l.Shape[0])
		return l.Line(labels)
	})
	return data, labels, err
}

func withArchive(path string, do func(*npy.Archive) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	work := func(r io.ReaderAt) error {
		info, err := file.Stat()
		if err != nil {
			return err
		}
		z, err := npy.OpenArchive(r, info.Size())
		if err != nil {
			return err
		}
		return do(z)
	}
	return errors.Join(work(file), file.Close())
}

// trial returns one trial, counted from 0, or nil if its label has no class.
func (n *npyFile) trial(t int) (*Recording, error) {
	r := n.base
	r.Trial, r.Offset = t+1, n.baseline
	class := n.class
	if n.labels != nil {
		var ok bool
		if class, ok = n.manifest.Label.Classes.index(strconv.FormatFloat(n.labels[t], 'g', -1, 64)); !ok {
			return nil, nil
		}
	}
	r.Labels = map[string]float64{"label": float64(class)}
	length := n.data.Shape[len(n.data.Shape)-1]
	for _, row := range n.rows {
		x := make([]float64, length)
		index := []int{t, row}
		if len(n.data.Shape) == 2 {
			index = index[1:]
		}
		if err := n.data.Line(x, index...); err != nil {
			return nil, err
		}
		if n.baseline > 0 {
			r.Baseline = append(r.Baseline, x[:n.baseline])
		}
		r.Samples = append(r.Samples, x[n.baseline:])
	}
	return &r, nil
}
