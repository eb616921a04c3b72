package pt2

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/eegprune/eegprune/internal/atomicfile"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch/ptfile"
)

// root is the folder of all records of a file that is written here.
const root = "archive/"

// writtenModel is the name that torch.export.save gives a network.
const writtenModel = "model"

// Write writes a program as torch.export.save does, so that torch.export.load of PyTorch 2.9 or
// later loads it, runs it and trains it. The same program gives the same bytes. On an error nothing
// is left, and a file that was at path before is unchanged.
//
// Tensors are written contiguous and on the CPU. Nodes that [Read] leaves out of a graph and PyTorch
// needs are made anew: the batch's size and its multiples.
// Nodes that change a buffer in place, including those that [Read] made of a buffer's new value, are
// written as they are, in PyTorch's dialect of graphs that can be trained.
func Write(path string, p *Program) error {
	w, err := newWriter(p)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return atomicfile.Write(path, w.write)
}

// A writer makes the description of a program.
type writer struct {
	program *Program
	graph   graph
	names   names             // of the graph
	refs    map[string]string // the graph's names of the program's values and tensors
	symbol  string
	counts  map[int]string // the graph's names of multiples of the batch's size
	specs   signature
	configs [2]payloadConfig // of weights and of constants
	records []ptfile.Named   // names of the files of Data
}

func newWriter(p *Program) (*writer, error) {
	w := &writer{program: p, names: newNames(), refs: map[string]string{}, symbol: "s0", counts: map[int]string{}}
	w.graph.TensorValues, w.graph.SymIntValues = bounded[tensorMeta]{}, bounded[union]{}
	for i := range w.configs {
		w.configs[i].Config = bounded[payload]{}
	}
	// Values and nodes keep their names, so they get them before the nodes that are made here.
	for i := range p.Nodes {
		for _, v := range p.Nodes[i].Gives {
			if _, twice := w.refs[v.Name]; twice {
				return nil, fmt.Errorf("two values are named %.80q", v.Name)
			}
			if v.Name != "" {
				w.refs[v.Name] = w.names.unused(identifier(v.Name))
			}
		}
	}
	nodes := make([]string, len(p.Nodes))
	for i := range p.Nodes {
		if n := &p.Nodes[i]; namedApart(n) {
			nodes[i] = w.names.unused(identifier(n.Name))
		}
	}
	for i := range p.Tensors {
		if err := w.tensor(&p.Tensors[i]); err != nil {
			return nil, fmt.Errorf("tensor %.80s: %w", p.Tensors[i].Name, err)
		}
	}
	if err := w.input(); err != nil {
		return nil, err
	}
	for i := range p.Nodes {
		if err := w.node(&p.Nodes[i], nodes[i]); err != nil {
			return nil, fmt.Errorf("operation %.80s (%.80s): %w", p.Nodes[i].Op, p.Nodes[i].Name, err)
		}
	}
	w.size()
	return w, w.output()
}

// namedApart says whether a node of PyTorch's graph has another name than its output.
func namedApart(n *op.Node) bool {
	return len(n.Gives) != 1 || givesList(n.Op) || n.Gives[0].Name == ""
}

// identifier makes a name of Python's of one that may have other signs.
func identifier(name string) string {
	b := []byte(name)
	for i, c := range b {
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			b[i] = '_'
		}
	}
	if len(b) == 0 || b[0] >= '0' && b[0] <= '9' {
		return "_" + string(b)
	}
	return string(b)
}

// tensor adds a parameter, buffer or constant.
func (w *writer) tensor(t *Tensor) error {
	if _, twice := w.refs[t.Name]; twice || t.Name == "" || t.Name == InputName || !utf8.ValidString(t.Name) {
		return errors.New("its name is used twice, reserved or not UTF-8")
	}
	kind := elementType(&t.Tensor)
	data, err := narrowed(&t.Data, kind)
	if err != nil {
		return err
	}
	elements := 1
	for _, n := range t.Shape {
		if n < 0 || n > maxSize || n > 0 && elements > maxSize/n {
			return fmt.Errorf("its shape %v is too large", t.Shape)
		}
		elements *= n
	}
	if !slices.Equal(t.Shape, t.Data.Shape) || elements != t.Data.Len() {
		return fmt.Errorf("its shape is %v, and its numbers are %d of the shape %v", t.Shape, t.Data.Len(), t.Data.Shape)
	}
	parameter := t.Frozen || !t.Buffer && !t.Lifted
	spec, prefix := inputSpec{Parameter: t.Name}, "p_"
	specKind := "parameter"
	switch {
	case t.Lifted:
		spec, specKind, prefix = inputSpec{Constant: t.Name}, "tensor_constant", "c_"
	case !parameter:
		persistent := !t.Constant
		spec, specKind, prefix = inputSpec{Buffer: t.Name, Persistent: &persistent}, "buffer", "b_"
	}
	spec.Arg.Name = w.names.unused(prefix + identifier(t.Name))
	meta, err := w.meta(op.Value{Shape: t.Shape, Type: op.Choice(kind)})
	if err != nil {
		return err
	}
	meta.RequiresGrad = parameter && !t.Frozen
	w.refs[t.Name] = spec.Arg.Name
	w.graph.TensorValues[spec.Arg.Name] = *meta
	w.graph.Inputs = append(w.graph.Inputs, one("as_tensor", spec.Arg))
	w.specs.Inputs = append(w.specs.Inputs, one(specKind, spec))
	return w.payload(t, payload{IsParam: parameter, Meta: meta}, data)
}

// payload adds where a tensor's numbers are.
func (w *writer) payload(t *Tensor, p payload, data ptfile.Array) error {
	config, folder, file := w.configs[0].Config, weightFolder, "weight_"
	if t.Lifted || t.Constant {
		config, folder, file = w.configs[1].Config, constantFolder, "tensor_"
	}
	if t.Same != "" {
		first, ok := config[t.Same]
		if !ok || !slices.EqualFunc(first.Meta.Sizes, p.Meta.Sizes, func(a, b union) bool { return string(a.value) == string(b.value) }) || first.Meta.DType != p.Meta.DType {
			return fmt.Errorf("it is another name of %.80s, which is not before it, or of another shape or kind", t.Same)
		}
		p.Path = first.Path
		config[t.Name] = p
		return nil
	}
	p.Path = fmt.Sprint(file, len(w.records))
	config[t.Name] = p
	w.records = append(w.records, ptfile.Named{Name: folder + p.Path, Array: data})
	return nil
}

// input adds the input.
func (w *writer) input() error {
	in := w.program.Input
	if in.Name != InputName || len(in.Shape) < 2 || in.Shape[0] != op.Batch {
		return fmt.Errorf("the input %q has the shape %v, and %q with any number of clips is due", in.Name, in.Shape, InputName)
	}
	for _, n := range in.Shape[1:] {
		if n < 0 {
			return fmt.Errorf("the input has the shape %v, of which the first size alone may be any", in.Shape)
		}
	}
	arg := name{w.names.unused("x")}
	meta, err := w.meta(in)
	if err != nil {
		return fmt.Errorf("the input: %w", err)
	}
	w.refs[InputName] = arg.Name
	w.graph.TensorValues[arg.Name] = *meta
	w.graph.Inputs = append(w.graph.Inputs, one("as_tensor", arg))
	w.specs.Inputs = append(w.specs.Inputs, one("user_input", userSpec{one("as_tensor", arg)}))
	return nil
}

// output adds the output.
func (w *writer) output() error {
	out, ok := w.refs[w.program.Output]
	if !ok {
		return fmt.Errorf("the output %.80q is no value of the network", w.program.Output)
	}
	w.graph.Outputs = []union{one("as_tensor", name{out})}
	w.specs.Outputs = []union{one("user_output", userSpec{w.graph.Outputs[0]})}
	return nil
}

// exported is the description of the program.
func (w *writer) exported() (*exported, error) {
	p := w.program
	if p.MinClips < 1 || p.MaxClips < p.MinClips {
		return nil, fmt.Errorf("batches of %d to %d clips are none", p.MinClips, p.MaxClips)
	}
	bounds := rangeConstraint{Min: new(json.Number)}
	*bounds.Min = json.Number(fmt.Sprint(p.MinClips))
	if p.MaxClips < Unbounded {
		most := json.Number(fmt.Sprint(p.MaxClips))
		bounds.Max = &most
	}
	e := &exported{
		GraphModule: graphModule{Graph: w.graph, Signature: w.specs, ModuleCallGraph: []moduleCall{{Signature: &callSignature{
			Inputs: []union{}, Outputs: []union{}, InSpec: inSpec, OutSpec: outSpec, Names: []string{w.refs[InputName]}}}}},
		OpsetVersion:     map[string]int{"aten": 10},
		RangeConstraints: map[string]rangeConstraint{w.symbol: bounds},
		SchemaVersion:    schemaVersion{schemaMajor, schemaMinor},
		Verifiers:        []string{"TRAINING"},
		TorchVersion:     p.Torch,
		GuardsCode:       []string{},
	}
	return e, nil
}

// write writes the archive.
func (w *writer) write(out io.Writer) error {
	e, err := w.exported()
	if err != nil {
		return err
	}
	z := ptfile.NewRecordWriter(out)
	add := func(name string, content []byte) error { return z.Add(root+name, content) }
	for _, r := range w.records {
		if err := add(r.Name, r.Data); err != nil {
			return err
		}
	}
	for _, r := range []struct {
		name    string
		content any
	}{
		{weightFolder + writtenModel + weightConfig, w.configs[0]},
		{constantFolder + writtenModel + constantConfig, w.configs[1]},
		{modelFolder + writtenModel + modelSuffix, e},
	} {
		b, err := json.Marshal(r.content)
		if err != nil {
			return err
		}
		if err := add(r.name, b); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.program.Extra)) {
		if text := w.program.Extra[name]; !utf8.ValidString(name) || !utf8.ValidString(text) {
			return fmt.Errorf("its extra file %.80q is not UTF-8 text", name)
		}
		if err := add(extraFolder+name, []byte(w.program.Extra[name])); err != nil {
			return err
		}
	}
	for _, r := range [][2]string{
		{inputFolder + writtenModel + oldWeightSuffix, ""}, // sample inputs: none
		{formatRecord, archiveFormat},
		{"archive_version", "0"},
		{orderRecord, "little"},
		{".data/version", "6\n"},
	} {
		if err := add(r[0], []byte(r[1])); err != nil {
			return err
		}
	}
	return z.Close()
}
