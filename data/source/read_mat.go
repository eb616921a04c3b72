package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/data/mat"
	"github.com/eegprune/eegprune/internal/natural"
	"github.com/eegprune/eegprune/internal/note"
)

func matFormat() format {
	return format{name: "mat", about: "arrays in MAT files of any version, by a manifest", arrays: true, axes: true, unsaid: unsaidMAT, read: readMAT}
}

// readMAT reads MAT files of any version: a matrix [channels, samples] of one recording, a
// three-dimensional array [channels, samples, trials], or a cell array or a field of an array
// of structures with a matrix for each trial. In the manifest, signal.array is the variable,
// or the path of a field ("EEG.data"), signal.axes its axes where they are others,
// label.array the labels. Variables rate and channels are the defaults of the manifest's
// settings.
func readMAT(ctx context.Context, m *Manifest, f File) iter.Seq2[*Recording, error] {
	return func(yield func(*Recording, error) bool) {
		x := &matFile{manifest: m, file: f}
		arrays, closer, err := openMAT(ctx, f.Path, m)
		if err != nil {
			yield(nil, err)
			return
		}
		stopped := false
		err = func() error {
			if err := x.open(ctx, arrays); err != nil {
				return err
			}
			for t := range x.trials {
				r, err := x.trial(ctx, t)
				if err != nil {
					return fmt.Errorf("trial %d: %w", t+1, err)
				}
				if r != nil && !yield(r, nil) {
					stopped = true
					return nil
				}
			}
			return nil
		}()
		if err = errors.Join(err, closer.Close()); err != nil && !stopped {
			yield(nil, fmt.Errorf("%s: %w", f.Path, err))
		}
	}
}

// Variables for settings that the manifest lacks, as the arrays of an .npz file.
const (
	rateVariable     = "rate"
	channelsVariable = "channels"
)

// openMAT returns the variables of a file that a manifest asks for. Their values are read
// later, while the file is open.
func openMAT(ctx context.Context, path string, m *Manifest) (map[string]*mat.Array, io.Closer, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("reading a recording: %w", err)
	}
	arrays, err := matArrays(ctx, file, m)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, errors.Join(err, file.Close()))
	}
	return arrays, file, nil
}

func matArrays(ctx context.Context, file *os.File, m *Manifest) (map[string]*mat.Array, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	asked := slices.DeleteFunc([]string{m.Signal.Array, m.Label.Array, rateVariable, channelsVariable}, func(p string) bool { return p == "" })
	only := mat.Only(asked...)
	var names []string
	want := func(path string) bool {
		if !strings.ContainsAny(path, ".{") {
			names = append(names, path)
		}
		// Without a name it is the variable that is the only one of samples.
		return m.Signal.Array == "" || only(strings.ReplaceAll(path, "{}", ""))
	}
	arrays := map[string]*mat.Array{}
	for a, err := range mat.Arrays(ctx, file, info.Size(), want) {
		if err != nil {
			return nil, err
		}
		arrays[a.Name] = a
	}
	slices.SortFunc(names, natural.Compare)
	for _, path := range []string{m.Signal.Array, m.Label.Array} {
		if name, _, _ := strings.Cut(path, "."); path != "" && arrays[name] == nil {
			return nil, fmt.Errorf("it has no variable %s: it has %s", name, note.Some(names, 12))
		}
	}
	return arrays, nil
}

// A matFile is an opened file of arrays.
type matFile struct {
	manifest *Manifest
	file     File
	parts    []*mat.Array // of each trial, or one of all
	axes     matAxes
	whole    []float64 // of an array whose axes aren't in the order in which they are read
	labels   []string  // nil where the file's name has the label
	trials   int
	rows     []int
	base     Recording
	baseline int
}

// matAxes are the places of the axes of an array; trials is -1 where it holds one.
type matAxes struct{ channels, samples, trials int }

// Names of axes in a manifest.
const (
	channelAxis = "channels"
	sampleAxis  = "samples"
	trialAxis   = "trials"
)

func (x *matFile) open(ctx context.Context, arrays map[string]*mat.Array) error {
	s := x.manifest.Signal
	x.base = Recording{File: x.file.Path, Subject: x.file.Subject, Session: x.file.Session, Rate: s.Rate}
	if rate, ok := arrays[rateVariable].Number(); ok && s.Rate == 0 {
		x.base.Rate = rate
	}
	if list := arrays[channelsVariable]; list != nil && len(s.Electrodes) == 0 {
		s.Electrodes, _ = list.Texts()
	}
	if !(x.base.Rate > 0) {
		return errors.New("nothing says how many samples a second there are: give signal.rate in the manifest, or save it as the variable rate")
	}
	name := s.Array
	if name == "" {
		var err error
		if name, err = onlySamples(arrays, x.manifest.Label.Array); err != nil {
			return err
		}
	}
	var err error
	if x.parts, err = resolve(arrays, name); err != nil {
		return err
	}
	s.Rate = x.base.Rate
	electrodes, err := s.electrodes()
	if err != nil {
		return err
	}
	if err := x.shape(name, len(electrodes)); err != nil {
		return err
	}
	if x.rows, x.base.Channels, x.base.Notes, err = x.manifest.pickChannels(electrodes); err != nil {
		return err
	}
	x.baseline = samples(s.Baseline, x.base.Rate)
	if l := x.manifest.Label.Array; l != "" {
		if x.labels, err = matLabels(ctx, arrays, l); err != nil {
			return err
		}
		if len(x.labels) != x.trials {
			return fmt.Errorf("it has %d trials in %s and %d labels in %s", x.trials, name, len(x.labels), l)
		}
		notes, err := x.manifest.otherLabels(x.labels)
		if err != nil {
			return err
		}
		x.base.Notes = append(x.base.Notes, notes...)
	}
	return nil
}

// onlySamples is the name of the only variable that may hold samples.
func onlySamples(arrays map[string]*mat.Array, label string) (string, error) {
	var may []string
	for _, name := range slices.SortedFunc(maps.Keys(arrays), natural.Compare) {
		a := arrays[name]
		if name == label || name == rateVariable || name == channelsVariable || strings.HasPrefix(label, name+".") {
			continue
		}
		if a.Class == "cell" && a.Len() > 0 && a.Cells()[0].Numeric() || a.Numeric() && a.Len() > slices.Max(a.Dims) {
			may = append(may, name)
		}
	}
	if len(may) != 1 {
		all := slices.SortedFunc(maps.Keys(arrays), natural.Compare)
		return "", fmt.Errorf("it has the variables %s: say which holds the samples by signal.array in the manifest", note.Some(all, 12))
	}
	return may[0], nil
}

// resolve returns the arrays at a path: one, or one for each cell or structure.
func resolve(arrays map[string]*mat.Array, path string) ([]*mat.Array, error) {
	name, rest, _ := strings.Cut(path, ".")
	list := []*mat.Array{arrays[name]}
	levels := 0 // at which there are several
	open := func() {
		var inner []*mat.Array
		for _, c := range list {
			if c.Class == "cell" {
				inner = append(inner, c.Cells()...)
			} else {
				inner = append(inner, c)
			}
		}
		if len(inner) > len(list) {
			levels++
		}
		list = inner
	}
	open()
	for rest != "" {
		name, rest, _ = strings.Cut(rest, ".")
		var inner []*mat.Array
		for _, s := range list {
			if err := s.Readable(); err != nil {
				return nil, err
			}
			for i := range s.Len() {
				field := s.Field(i, name)
				if field == nil {
					return nil, fmt.Errorf("%s: there is no field %s: there are %s", path, name, note.Some(s.Fields, 12))
				}
				inner = append(inner, field)
			}
		}
		if len(inner) > len(list) {
			levels++
		}
		list = inner
		open()
	}
	if levels > 1 {
		return nil, fmt.Errorf("%s: there are several of several (cells or structures in cells or structures), and one list of trials is needed: save a file for each recording", path)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s is empty", path)
	}
	return list, nil
}

// shape finds out the axes and the number of trials.
func (x *matFile) shape(name string, electrodes int) error {
	axes := x.manifest.Signal.Axes
	if len(axes) == 0 {
		axes = []string{channelAxis, sampleAxis, trialAxis}
	}
	if len(x.parts) > 1 { // each is a trial
		axes = slices.DeleteFunc(slices.Clone(axes), func(a string) bool { return a == trialAxis })
	}
	x.axes = matAxes{slices.Index(axes, channelAxis), slices.Index(axes, sampleAxis), slices.Index(axes, trialAxis)}
	for _, a := range x.parts {
		if err := a.Readable(); err != nil {
			return err
		}
		if !a.Numeric() {
			return fmt.Errorf("%s is %s of class %s and numbers are needed", name, a.Shape(), a.Class)
		}
		if a.Len() == 0 {
			return fmt.Errorf("%s is %s and has no samples", name, a.Shape())
		}
		if len(a.Dims) > len(axes) {
			return fmt.Errorf("%s is %s and needs the axes %s (say others by signal.axes in the manifest)", name, a.Shape(), strings.Join(axes, ", "))
		}
		if have := sizeOf(a, x.axes.channels); have != electrodes {
			return fmt.Errorf("%s is %s, so that it has %d channels by its axes %s, and %d electrodes are named: correct signal.electrodes in the manifest, or signal.axes, such as [trials, channels, samples]", name, a.Shape(), have, strings.Join(axes, ", "), electrodes)
		}
	}
	if x.trials = len(x.parts); x.trials == 1 && x.axes.trials >= 0 {
		x.trials = sizeOf(x.parts[0], x.axes.trials)
	}
	return nil
}

// sizeOf is that of an axis; MATLAB leaves out axes of one element at the end.
func sizeOf(a *mat.Array, axis int) int {
	if axis < len(a.Dims) {
		return a.Dims[axis]
	}
	return 1
}

// trial returns one trial, counted from 0, or nil if its label has no class.
func (x *matFile) trial(ctx context.Context, t int) (*Recording, error) {
	r := x.base
	r.Trial, r.Offset = t+1, x.baseline
	class := x.file.class
	if x.labels != nil {
		var ok bool
		if class, ok = x.manifest.Label.Classes.index(x.labels[t]); !ok {
			return nil, nil
		}
	}
	if !x.manifest.Unlabelled() {
		r.Labels = map[string]float64{"label": float64(class)}
	}
	a, inside := x.parts[0], t
	if len(x.parts) > 1 {
		a, inside = x.parts[t], 0
	}
	n := sizeOf(a, x.axes.samples)
	if x.baseline > 0 && x.baseline >= n {
		return nil, fmt.Errorf("it has %d samples, no more than the baseline of %g s", n, x.manifest.Signal.Baseline)
	}
	all := matrix(len(x.rows), n)
	var err error
	if x.axes.channels == 0 && x.axes.samples == 1 {
		err = a.Rows(ctx, all, x.rows, inside*n)
	} else {
		err = x.gather(ctx, all, a, inside)
	}
	for _, row := range all {
		if x.baseline > 0 {
			r.Baseline = append(r.Baseline, row[:x.baseline])
		}
		r.Samples = append(r.Samples, row[x.baseline:])
	}
	return &r, err
}

// mostGathered bounds the numbers of an array that is read whole for its axes.
const mostGathered = 1 << 28

// gather reads a trial of an array whose samples do not lie one after another.
func (x *matFile) gather(ctx context.Context, dst [][]float64, a *mat.Array, trial int) error {
	if n := a.Len(); n > mostGathered {
		return fmt.Errorf("it has %d numbers, too many for axes in this order: save it as [channels, samples, trials], by permute", n)
	}
	if x.whole == nil || len(x.parts) > 1 {
		x.whole = make([]float64, a.Len())
		if err := a.Floats(ctx, x.whole, 0); err != nil {
			return err
		}
	}
	stride := func(axis int) int {
		n := 1
		for i := range max(0, axis) {
			n *= sizeOf(a, i)
		}
		return n
	}
	channel, sample, first := stride(x.axes.channels), stride(x.axes.samples), trial*stride(x.axes.trials)
	for k, r := range x.rows {
		for i := range dst[k] {
			dst[k][i] = x.whole[first+r*channel+i*sample]
		}
	}
	return nil
}

// matLabels are the labels at a path: numbers, texts, or a matrix with a row or a column for
// each trial of which one element is 1.
func matLabels(ctx context.Context, arrays map[string]*mat.Array, path string) ([]string, error) {
	list, err := resolve(arrays, path)
	if err != nil {
		return nil, err
	}
	if len(list) == 1 {
		a := list[0]
		if texts, ok := a.Texts(); ok {
			return texts, nil
		}
		if a.Numeric() && len(a.Dims) == 2 && min(a.Dims[0], a.Dims[1]) > 1 {
			return oneHotLabels(ctx, path, a)
		}
		numbers, err := a.Vector(ctx)
		var labels []string
		for _, v := range numbers {
			labels = append(labels, strconv.FormatFloat(v, 'g', -1, 64))
		}
		return labels, err
	}
	var labels []string
	for i, a := range list {
		if err := a.Readable(); err != nil {
			return nil, err
		}
		text, ok := a.Text()
		if v, isNumber := a.Number(); isNumber {
			text, ok = strconv.FormatFloat(v, 'g', -1, 64), true
		}
		if !ok {
			return nil, fmt.Errorf("label %d in %s is %s of class %s and a text or a number is needed", i+1, path, a.Shape(), a.Class)
		}
		labels = append(labels, strings.TrimSpace(text))
	}
	return labels, nil
}

// oneHotLabels are the numbers, from 0, of the elements that are 1 in each row, or in each
// column where rows aren't such.
func oneHotLabels(ctx context.Context, path string, a *mat.Array) ([]string, error) {
	rows, columns := a.Dims[0], a.Dims[1]
	if a.Len() > mostGathered {
		return nil, fmt.Errorf("%s is %s: labels are needed", path, a.Shape())
	}
	x := make([]float64, a.Len())
	if err := a.Floats(ctx, x, 0); err != nil {
		return nil, err
	}
	try := func(n, classes, step, stride int) []string {
		var labels []string
		for i := range n {
			label, ones := 0, 0
			for k := range classes {
				switch x[i*step+k*stride] {
				case 1:
					label, ones = k, ones+1
				case 0:
				default:
					return nil
				}
			}
			if ones != 1 {
				return nil
			}
			labels = append(labels, strconv.Itoa(label))
		}
		return labels
	}
	if labels := try(rows, columns, 1, rows); labels != nil {
		return labels, nil
	}
	if labels := try(columns, rows, rows, 1); labels != nil {
		return labels, nil
	}
	return nil, fmt.Errorf("%s is %s: one row or column of labels is needed, or rows of which one element is 1 and the others are 0", path, a.Shape())
}

// exampleOfMAT is a manifest of arrays in MAT files.
const exampleOfMAT = `{format: mat, files: '(?<subject>[^/]+)\.mat$', signal: {array: eeg, rate: 128, electrodes: [Fp1, Fp2]}, label: {array: label, classes: {0: negative, 1: positive}}}`

// unsaidMAT says which variables the first of the MAT files has.
func unsaidMAT(dir string, names []string) (holds, example string) {
	i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(path.Ext(n), ".mat") })
	if i < 0 {
		return "", ""
	}
	var list []string
	err := eachArray(context.Background(), filepath.Join(dir, filepath.FromSlash(names[i])), func(path string) bool { return !strings.ContainsAny(path, ".{") }, func(a *mat.Array) error {
		list = append(list, fmt.Sprintf("%s (%s %s)", a.Name, a.Class, a.Shape()))
		return nil
	})
	if err != nil || len(list) == 0 {
		return fmt.Sprintf("%s is a file of MATLAB's", names[i]), exampleOfMAT
	}
	slices.SortFunc(list, natural.Compare)
	return fmt.Sprintf("%s has %s", names[i], note.Some(list, 12)), exampleOfMAT
}
