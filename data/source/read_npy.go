package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/data/charset"
	"github.com/eegprune/eegprune/data/ndarray"
	"github.com/eegprune/eegprune/data/npy"
	"github.com/eegprune/eegprune/internal/mapped"
	"github.com/eegprune/eegprune/internal/note"
)

func npyFormat() format {
	return format{
		name: "npy", about: "NumPy's .npy and .npz", suffixes: []string{".npy", ".npz"}, arrays: true,
		describe: (*Source).describe, read: readNPY,
	}
}

// readNPY reads .npy and .npz files: an array [channels, samples] of one recording or
// [trials, channels, samples] of many. The manifest has signal.rate, signal.electrodes and,
// for .npz, the names of the arrays. The label is in the file's name, or in an array of one
// number for each trial. Without a manifest, or where it has no such setting, an .npz
// file's own arrays apply.
func readNPY(ctx context.Context, m *Manifest, f File) iter.Seq2[*Recording, error] {
	return eachTrial(ctx, f, func(file *mapped.File) (manyTrials, error) {
		n, err := openNPY(m, f, file.Bytes())
		if err != nil {
			return manyTrials{}, err
		}
		return manyTrials{n.trials, n.trial}, nil
	})
}

// An npyFile is an opened file of arrays.
type npyFile struct {
	manifest *Manifest
	data     *ndarray.Array
	index    []int        // of the first line; the trial and the channel are counted in it
	labels   []string     // nil where the file's name has the label
	class    int          // where it has
	says     *description // nil where the manifest says it
	trials   int
	rows     []int
	base     Recording
	baseline int
}

func openNPY(m *Manifest, f File, b []byte) (*npyFile, error) {
	n := &npyFile{manifest: m, class: f.class, says: f.described}
	var err error
	if n.data, n.labels, err = npyArrays(m, f, b); err != nil {
		return nil, err
	}
	shape := n.data.Shape
	switch dims := len(shape); {
	case dims == 2:
		n.trials, n.index = 1, []int{0}
	case dims == 3:
		n.trials, n.index = shape[0], []int{0, 0}
	case dims == 4 && shape[1] == 1: // clips as networks of signals take them
		n.trials, n.index = shape[0], []int{0, 0, 0}
	default:
		return nil, fmt.Errorf("its array has the shape %v and must be [channels, samples] or [trials, channels, samples]; of features, give the recordings that they were made of", shape)
	}
	shape = shape[len(shape)-2:]
	n.base = Recording{File: f.Path, Subject: f.Subject, Session: f.Session, ownTrial: n.says != nil && len(n.says.trial) > 0}
	seconds, err := n.signal(f, shape)
	if err != nil {
		return nil, err
	}
	n.baseline = samples(seconds, n.base.Rate)
	switch {
	case n.labels != nil && len(n.labels) != n.trials:
		return nil, fmt.Errorf("it has %d trials and labels for %d", n.trials, len(n.labels))
	case shape[1] == 0:
		return nil, fmt.Errorf("its array has the shape %v and no samples", n.data.Shape)
	case n.baseline > 0 && n.baseline >= shape[1]:
		return nil, fmt.Errorf("it has %d samples, no more than the baseline of %g s", shape[1], seconds)
	}
	notes, err := m.otherLabels(n.labels)
	if err != nil {
		return nil, err
	}
	n.base.Notes = append(n.base.Notes, notes...)
	if n.says != nil {
		return n, n.says.fits(n.trials)
	}
	return n, nil
}

// signal finds out the rate and the electrodes of the rows, from the manifest or from
// the file itself, and returns the seconds of the baseline.
func (n *npyFile) signal(f File, shape []int) (baseline float64, err error) {
	rows := shape[0]
	s := n.manifest.Signal
	if own := n.says; own != nil {
		s = SignalRule{Rate: own.rate, Electrodes: own.channels, Baseline: own.baseline}
	} else if s.Rate == 0 && len(s.Electrodes) == 0 {
		own := describe(f.Path)
		if own.err != nil {
			return 0, own.err
		}
		s = SignalRule{Rate: own.rate, Electrodes: own.channels, Baseline: cmp.Or(s.Baseline, own.baseline)}
	}
	if n.says != nil && (s.Rate == 0 || len(s.Electrodes) == 0) {
		if rows > maxRows {
			return 0, fmt.Errorf("its array has %d channels of %d samples: its axes look exchanged, and channels come before samples: save it as np.swapaxes(x, -1, -2)", rows, shape[1])
		}
		n.number(rows)
		return 0, nil
	}
	electrodes, err := s.electrodes()
	if err != nil {
		return 0, err
	}
	if rows != len(electrodes) && shape[1] == len(electrodes) {
		return 0, fmt.Errorf("its axes look exchanged: %d electrodes are named, its last axis has %d and the one before it %d, and channels come before samples: save it as np.swapaxes(x, -1, -2)", len(electrodes), shape[1], rows)
	}
	if rows != len(electrodes) {
		return 0, fmt.Errorf("its array has %d channels and %d electrodes are named: correct signal.electrodes in the manifest, or the file's array channels", rows, len(electrodes))
	}
	n.base.Rate = s.Rate
	n.rows, n.base.Channels, n.base.Notes, err = n.manifest.pickChannels(electrodes)
	return s.Baseline, err
}

// maxRows is more channels than any recording has.
const maxRows = 1 << 14

// number gives channels that nothing names their numbers.
func (n *npyFile) number(rows int) {
	for i := range rows {
		n.rows = append(n.rows, i)
		n.base.Channels = append(n.base.Channels, strconv.Itoa(i+1))
	}
}

// npyArrays reads the samples, and the labels where there is an array of them, from the
// contents of a file.
func npyArrays(m *Manifest, f File, b []byte) (data *ndarray.Array, labels []string, err error) {
	if d := f.described; d != nil && d.err != nil {
		return nil, nil, d.err
	}
	if !strings.HasSuffix(strings.ToLower(f.Path), ".npz") {
		if m.Label.Array != "" {
			return nil, nil, errors.New("it holds one array, and label.array asks for another: keep both in one .npz file")
		}
		data, err = npy.Parse(b)
		return data, nil, err
	}
	z, err := npy.OpenArchive(b)
	if err != nil {
		return nil, nil, err
	}
	name := m.Signal.Array
	switch names := z.Names(); {
	case name != "":
	case len(names) == 1:
		name = names[0]
	case f.described != nil && slices.Contains(names, "x"):
		name = "x"
	default:
		return nil, nil, fmt.Errorf("it has the arrays %s: say which holds the samples by signal.array in the manifest", strings.Join(names, ", "))
	}
	if data, err = z.Array(name); err != nil || m.Label.Array == "" {
		return data, nil, err
	}
	labels, _, err = z.Labels(m.Label.Array)
	return data, labels, err
}

// trial returns one trial, counted from 0, or nil if its label has no class.
func (n *npyFile) trial(t int) (*Recording, error) {
	r := n.base
	r.Trial, r.Offset = t+1, n.baseline
	class := n.class
	if n.labels != nil {
		var ok bool
		if class, ok = n.manifest.Label.Classes.index(n.labels[t]); !ok {
			return nil, nil
		}
	}
	if !n.manifest.Unlabelled() {
		r.Labels = map[string]float64{"label": float64(class)}
	}
	if n.says != nil {
		n.says.apply(&r, t)
	}
	index := slices.Clone(n.index)
	if len(index) > 1 {
		index[0] = t
	}
	for _, row := range n.rows {
		x := make([]float64, n.data.Shape[len(n.data.Shape)-1])
		index[len(index)-1] = row
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

// otherLabels says which labels of trials have no class, so that their trials are left out.
// It is an error if none has one.
func (m *Manifest) otherLabels(labels []string) ([]note.Note, error) {
	var others []event
	left := 0
	for _, l := range labels {
		if _, ok := m.Label.Classes.index(l); ok {
			continue
		}
		left++
		if !slices.ContainsFunc(m.Label.Ignore, func(t string) bool { return charset.Same(t, l) }) {
			others = append(others, event{text: l})
		}
	}
	switch {
	case left > 0 && left == len(labels):
		return nil, fmt.Errorf("none of the labels of its %d trials (%s) is among label.classes (%s)", len(labels), eventTexts(others), m.Label.Classes.labels())
	case len(others) == 0:
		return nil, nil
	}
	return []note.Note{note.New(note.LeftOut, "%d trial(s) have labels that are none of label.classes and are left out: %s.", len(others), eventTexts(others))}, nil
}
