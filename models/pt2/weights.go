package pt2

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch/ptfile"
)

// weights reads tensors' numbers.
type weights struct {
	*archive
	reader *reader
	most   int               // bytes that arrays may still have
	read   map[string][]byte // records
	named  map[string]string // tensors by where they are and how they are laid out
	spans  []span            // of parameters
}

// A span is the part of a record that a parameter has.
type span struct {
	path     string
	from, to int
	name     string
}

// tensors reads the parameters, buffers and constants of the graph, and those that lie beside them
// and that the graph has no use for.
func (a *archive) tensors(e *exported, r *reader) ([]Tensor, error) {
	var stored, constants payloadConfig
	if err := a.decode(weightFolder+a.model+weightConfig, &stored); err != nil {
		return nil, err
	}
	if err := a.decode(constantFolder+a.model+constantConfig, &constants); err != nil {
		return nil, err
	}
	w := &weights{archive: a, reader: r, most: 8*a.size + 1<<20, read: map[string][]byte{}, named: map[string]string{}}
	entries := slices.Clone(r.tensors)
	for _, rest := range []struct {
		payloadConfig
		constant bool
	}{{stored, false}, {constants, true}} {
		known := map[string]bool{}
		for _, t := range r.tensors {
			known[t.name] = known[t.name] || t.extra == rest.constant
		}
		for _, name := range slices.Sorted(maps.Keys(rest.Config)) {
			if known[name] {
				continue
			}
			if r.names.taken[name] || name == "" {
				return nil, fmt.Errorf("two of its tensors are named %.80q: the file is damaged", name)
			}
			r.names.taken[name] = true
			entries = append(entries, entry{name: name, parameter: rest.Config[name].IsParam, constant: rest.constant, extra: rest.constant})
		}
	}
	var all []Tensor
	for _, t := range entries {
		config, folder := stored, weightFolder
		if t.extra {
			config, folder = constants, constantFolder
		}
		p, ok := config.Config[t.name]
		if !ok {
			return nil, fmt.Errorf("its tensor %.80s has no numbers in the archive: the file is damaged", t.name)
		}
		read, err := w.tensor(t, p, folder)
		if err != nil {
			return nil, fmt.Errorf("its tensor %.80s: %w", t.name, err)
		}
		if read.Same != "" && t.graph != "" {
			r.refs[t.graph] = op.Ref(read.Same)
		}
		all = append(all, *read)
	}
	return all, w.apart()
}

// tensor reads one tensor.
func (w *weights) tensor(e entry, p payload, folder string) (*Tensor, error) {
	if p.Pickle || p.Meta == nil {
		return nil, errors.New("it is an object of a class of its own: make it a plain tensor, and " + exportAgain)
	}
	kind := typeNames[p.Meta.DType]
	if kind == "" || isNarrow(kind) {
		return nil, fmt.Errorf("its numbers are of %s: make it float32 (net.float()), and %s", cmp.Or(kind, "a type that is not known here"), exportAgain)
	}
	shape, err := w.whole(p.Meta.Sizes)
	if err != nil {
		return nil, err
	}
	strides, err := w.whole(p.Meta.Strides)
	if err != nil {
		return nil, err
	}
	offset, err := w.whole([]union{p.Meta.Offset})
	if err != nil {
		return nil, err
	}
	if err := w.agrees(e, p.Meta, shape); err != nil {
		return nil, err
	}
	t := &Tensor{Tensor: op.Tensor{Name: e.name, Shape: shape, Buffer: !e.parameter, Constant: e.extra}, Lifted: e.constant}
	switch {
	case kind == "int64" && len(shape) == 0 && !e.extra && counting(e.name):
		t.Counts = true
	case kind != "float32":
		t.Type = op.Choice(kind)
	}
	if e.parameter && !p.Meta.RequiresGrad {
		t.Frozen, t.Buffer = true, true
	}
	path := folder + p.Path
	data, ok := w.read[path]
	if !ok {
		if data, err = w.record(path); err != nil {
			return nil, err
		}
		w.read[path] = data
	}
	if len(data) == 0 {
		// PyTorch writes nothing for a tensor without elements, or one that has no memory.
		for _, n := range shape {
			if n == 0 {
				t.Data, err = ptfile.View(kind, shape, strides, offset[0], nil, w.most)
				return t, err
			}
		}
		return nil, errors.New("it has no numbers, as it was exported under a FakeTensorMode or on the meta device: export it on the CPU")
	}
	if t.Data, err = ptfile.View(kind, shape, strides, offset[0], data, w.most); err != nil {
		return nil, err
	}
	w.most -= len(t.Data.Data)
	w.share(t, fmt.Sprint(path, kind, shape, strides, offset), path, offset[0], strides)
	return t, nil
}

// share notes where a tensor's numbers are, and finds whether it is another name of an earlier one.
func (w *weights) share(t *Tensor, key, path string, offset int, strides []int) {
	if first := w.named[key]; first != "" {
		t.Same = first
		return
	}
	w.named[key] = t.Name
	if t.Buffer || t.Data.Len() == 0 {
		return
	}
	s := span{path, offset, offset + 1, t.Name}
	for i, n := range t.Shape {
		s.to += (n - 1) * strides[i]
	}
	w.spans = append(w.spans, s)
}

// apart refuses parameters that overlap: training one would change the other.
func (w *weights) apart() error {
	slices.SortFunc(w.spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.from, b.from)) })
	for i := 1; i < len(w.spans); i++ {
		if a, b := w.spans[i-1], w.spans[i]; a.path == b.path && b.from < a.to {
			return fmt.Errorf("its parameters %.80s and %.80s are parts of the same numbers, so that training one would change the other: give each its own, and %s", a.name, b.name, exportAgain)
		}
	}
	return nil
}

// counting says whether a name belongs to batch normalization's count of batches.
func counting(name string) bool {
	return name == "num_batches_tracked" || strings.HasSuffix(name, ".num_batches_tracked")
}

// agrees compares the archive's metadata of a tensor with the graph's.
func (w *weights) agrees(e entry, meta *tensorMeta, shape []int) error {
	if meta.Layout != layoutStrided {
		return errors.New("it is sparse, or of another layout than that of plain tensors: make it dense, and " + exportAgain)
	}
	if e.graph == "" {
		return nil
	}
	v, err := w.reader.value(e.graph)
	if err != nil {
		return err
	}
	if !slices.Equal(v.Shape, shape) || v.Type != valueType(typeNames[meta.DType]) {
		return fmt.Errorf("it has the shape %v (%s) in the graph and %v (%s) in the archive: the file is damaged",
			v.Shape, cmp.Or(v.Type, "float32"), shape, typeNames[meta.DType])
	}
	return nil
}

// whole are sizes that no batch changes.
func (w *weights) whole(sizes []union) ([]int, error) {
	if len(sizes) > maxDims {
		return nil, fmt.Errorf("it has %d dimensions: the file is damaged", len(sizes))
	}
	return each(sizes, func(u union) (int, error) {
		v, err := w.reader.size(u)
		if err == nil && (v.Clips || v.N < 0) {
			err = fmt.Errorf("it has a size (%.40s) that is no number: the file is damaged", u.value)
		}
		return v.N, err
	})
}
