package pt2

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/models/op"
)

const schemaMajor = 8

// A reader turns the description of a network into a program.
type reader struct {
	graph   *graph
	symbols *symbols
	refs    map[string]op.Ref // by the graph's names of tensors
	names   names             // of the program
	tensors []entry           // in the signature's order
	changed []mutation        // buffers that the graph gives new values of
	input   string            // the graph's name of it
	output  string            // the graph's name of it
}

// An entry is a parameter, buffer or constant of the signature.
type entry struct {
	graph, name                string
	parameter, constant, extra bool // extra: it lies beside the constants, not the weights
}

// A mutation is a buffer and the graph's name of its final value.
type mutation struct{ buffer, value string }

func newReader(e *exported) (*reader, error) {
	if e.SchemaVersion.Major != schemaMajor {
		return nil, fmt.Errorf("it has version %d of torch.export's format and %d is known, that of PyTorch 2.9 to 2.15: in one of these, %s",
			e.SchemaVersion.Major, schemaMajor, exportAgain)
	}
	g := &e.GraphModule.Graph
	r := &reader{graph: g, refs: map[string]op.Ref{}, names: newNames()}
	if err := r.inputs(e.GraphModule.Signature.Inputs); err != nil {
		return nil, err
	}
	if err := r.outputs(e.GraphModule.Signature.Outputs); err != nil {
		return nil, err
	}
	if err := called(e.GraphModule.ModuleCallGraph); err != nil {
		return nil, err
	}
	return r, r.batch(e.RangeConstraints)
}

// inputs reads which of the graph's inputs is which tensor.
func (r *reader) inputs(specs []union) error {
	if len(specs) != len(r.graph.Inputs) {
		return fmt.Errorf("its graph has %d inputs and its signature names %d: the file is damaged", len(r.graph.Inputs), len(specs))
	}
	var given []string
	for _, u := range specs {
		t := entry{}
		switch u.kind {
		case "user_input":
			spec := userSpec{}
			if err := u.into(&spec); err != nil {
				return err
			}
			arg := name{}
			if spec.Arg.kind != "as_tensor" {
				return fmt.Errorf("it takes an input that is no tensor (%.20s): let forward take one tensor alone, and %s", spec.Arg.kind, exportAgain)
			}
			if err := spec.Arg.into(&arg); err != nil {
				return err
			}
			given = append(given, arg.Name)
			continue
		case "parameter", "buffer", "tensor_constant":
			spec := inputSpec{}
			if err := u.into(&spec); err != nil {
				return err
			}
			t.graph = spec.Arg.Name
			switch u.kind {
			case "parameter":
				t.name, t.parameter = spec.Parameter, true
			case "buffer":
				t.name, t.extra = spec.Buffer, spec.Persistent != nil && !*spec.Persistent
			default:
				t.name, t.constant, t.extra = spec.Constant, true, true
			}
		case "constant_input":
			return errors.New("it takes an input that is no tensor: let forward take one tensor alone, and " + exportAgain)
		case "custom_obj":
			return errors.New("it holds an object of a class of its own, which is no tensor: leave it out of the network, and " + exportAgain)
		default:
			return fmt.Errorf("it takes an input of the kind %.40q, which is not known here: %s", u.kind, exportAgain)
		}
		switch _, twice := r.refs[t.graph]; {
		case twice || t.graph == "":
			return errTwice(t.graph)
		case t.name == "" || r.names.taken[t.name]:
			return fmt.Errorf("two of its tensors are named %.80q: the file is damaged", t.name)
		case t.name == InputName:
			return fmt.Errorf("one of its tensors is named %q, as its input is here: rename that attribute, and %s", InputName, exportAgain)
		}
		r.refs[t.graph], r.names.taken[t.name] = op.Ref(t.name), true
		r.tensors = append(r.tensors, t)
	}
	if len(given) != 1 {
		return fmt.Errorf("it takes %d inputs, and a network takes one tensor, the recordings: let forward take that alone, and %s", len(given), exportAgain)
	}
	r.input = given[0]
	if _, twice := r.refs[r.input]; twice || r.input == "" {
		return errTwice(r.input)
	}
	r.refs[r.input], r.names.taken[InputName] = InputName, true
	return nil
}

func errTwice(name string) error {
	return fmt.Errorf("its graph has two values %.80q: the file is damaged", name)
}

// outputs reads which of the graph's outputs are the logits and which are buffers' new values.
func (r *reader) outputs(specs []union) error {
	if len(specs) != len(r.graph.Outputs) {
		return fmt.Errorf("its graph has %d outputs and its signature names %d: the file is damaged", len(r.graph.Outputs), len(specs))
	}
	given := 0
	for _, u := range specs {
		switch u.kind {
		case "user_output":
			spec := userSpec{}
			if err := u.into(&spec); err != nil {
				return err
			}
			if given++; given > 1 || spec.Arg.kind != "as_tensor" {
				continue
			}
			arg := name{}
			if err := spec.Arg.into(&arg); err != nil {
				return err
			}
			r.output = arg.Name
		case "buffer_mutation":
			spec := inputSpec{}
			if err := u.into(&spec); err != nil {
				return err
			}
			r.changed = append(r.changed, mutation{spec.Buffer, spec.Arg.Name})
		case "parameter_mutation":
			return errors.New("it changes a parameter in its forward pass other than by training it: take that out (scripts/export_network.py does for weights that are rescaled), and " + exportAgain)
		case "user_input_mutation":
			return errors.New("it changes its input: let forward work on a copy, and " + exportAgain)
		default:
			return fmt.Errorf("it gives an output of the kind %.40q, and a network gives its logits alone: %s", u.kind, exportAgain)
		}
	}
	if given != 1 || r.output == "" {
		return fmt.Errorf("it gives %d outputs, or one that is no tensor, and a network gives one tensor, the logits: let forward return that alone, and %s", given, exportAgain)
	}
	return nil
}

// batch finds the symbol of the batch's size and its range.
func (r *reader) batch(ranges map[string]rangeConstraint) error {
	meta, ok := r.graph.TensorValues[r.input]
	if !ok {
		return fmt.Errorf("its graph has no shape of its input %.80q: the file is damaged", r.input)
	}
	r.symbols = &symbols{min: 1, max: Unbounded, known: map[string]size{}}
	dynamic := 0
	for _, u := range meta.Sizes {
		if u.kind == "as_expr" {
			dynamic++
		}
	}
	if len(meta.Sizes) < 2 {
		return fmt.Errorf("its input has %d dimensions, and one of clips has a batch of at least one more: %s", len(meta.Sizes), exportAgain)
	}
	if dynamic == 0 {
		return fmt.Errorf("it takes batches of one size alone (%.40s), as it was exported without dynamic_shapes: %s", meta.Sizes[0].value, exportAgain)
	}
	e := expression{}
	if u := meta.Sizes[0]; u.kind != "as_expr" || dynamic > 1 {
		return errors.New("it has a size other than the batch's that may change: name the first dimension alone in dynamic_shapes, and " + exportAgain)
	} else if err := u.into(&e); err != nil {
		return err
	}
	inner, isSymbol := strings.CutPrefix(e.Text, "Symbol(")
	symbol, _, _ := strings.Cut(inner, ",")
	symbol = strings.Trim(symbol, `'" )`)
	if !isSymbol || symbol == "" {
		return fmt.Errorf("its batch's size is computed (%.80s): %s", e.Text, exportAgain)
	}
	r.symbols.batch = symbol
	for name, c := range ranges {
		if name != symbol {
			continue
		}
		if c.Min != nil {
			r.symbols.min = int(min(max(number(string(*c.Min)), 1), math.MaxInt32))
		}
		if c.Max != nil {
			if n := number(string(*c.Max)); n < math.MaxInt32 {
				r.symbols.max = int(n)
			}
		}
	}
	if r.symbols.max < r.symbols.min {
		return fmt.Errorf("its batches have %d to %d clips: the file is damaged", r.symbols.min, r.symbols.max)
	}
	return nil
}

// read reads the graph into a program that has its tensors.
func (r *reader) read(p *Program) error {
	p.MinClips, p.MaxClips = r.symbols.min, r.symbols.max
	if err := r.rename(); err != nil {
		return err
	}
	var err error
	if p.Input, err = r.value(r.input); err != nil {
		return err
	}
	if kind := string(p.Input.Type); isNarrow(kind) {
		return fmt.Errorf("its input is of %s: let it take float32, and %s", kind, exportAgain)
	}
	defined := map[string]bool{r.input: true}
	for _, t := range r.tensors {
		defined[t.graph] = true
	}
	for i := range r.graph.Nodes {
		n := &r.graph.Nodes[i]
		read, err := r.node(n, defined)
		if err != nil {
			return fmt.Errorf("its operation %.80s (%.80s): %w", n.Target, nameOf(n), err)
		}
		if read != nil {
			p.Nodes = append(p.Nodes, *read)
		}
	}
	if !defined[r.output] {
		return fmt.Errorf("it gives %.80q, which no operation gives: the file is damaged", r.output)
	}
	p.Output = string(r.refs[r.output])
	if err := r.mutate(p, defined); err != nil {
		return err
	}
	return trained(p)
}

// rename gives the graph's values their names in the program.
func (r *reader) rename() error {
	var again []string
	for i := range r.graph.Nodes {
		for _, name := range gives(&r.graph.Nodes[i]) {
			if _, twice := r.refs[name]; twice || name == "" {
				return errTwice(name)
			}
			r.refs[name] = op.Ref(name)
			if r.names.taken[name] {
				again = append(again, name)
			}
			r.names.taken[name] = true
		}
	}
	for _, name := range again {
		r.refs[name] = op.Ref(r.names.unused(name))
	}
	return nil
}

// names are those that are taken.
type names struct {
	taken map[string]bool
	next  map[string]int
}

func newNames() names { return names{map[string]bool{}, map[string]int{}} }

// unused is a name that nothing has yet, and takes it.
func (n *names) unused(name string) string {
	free := name
	for n.taken[free] {
		n.next[name]++
		free = fmt.Sprintf("%s_%d", name, n.next[name])
	}
	n.taken[free] = true
	return free
}

// mutate appends the nodes that copy buffers' new values into them.
func (r *reader) mutate(p *Program, defined map[string]bool) error {
	tensors := map[string]*Tensor{}
	for i := range p.Tensors {
		tensors[p.Tensors[i].Name] = &p.Tensors[i]
	}
	for _, m := range r.changed {
		t := tensors[m.buffer]
		if t == nil || !defined[m.value] {
			return fmt.Errorf("it gives %.80q as the new %.80q, and one of them is not there: the file is damaged", m.value, m.buffer)
		}
		if t.Same != "" {
			t = tensors[t.Same]
		}
		give := op.Value{Name: r.names.unused("copy_"), Shape: slices.Clone(t.Shape), Type: valueType(elementType(&t.Tensor))}
		p.Nodes = append(p.Nodes, op.Node{Name: give.Name, Op: "aten.copy_.default",
			Args: op.Args{"self": op.Ref(t.Name), "src": r.refs[m.value]}, Gives: []op.Value{give}})
	}
	return nil
}

// trained refuses a network that was exported in evaluation mode: one that has layers which
// training changes, and none of them as in training.
func trained(p *Program) error {
	evaluated := ""
	for i := range p.Nodes {
		n := &p.Nodes[i]
		for _, arg := range []string{"train", "training"} {
			switch on, ok := n.Args[arg].(bool); {
			case ok && on:
				return nil
			case ok:
				evaluated = n.Op
			}
		}
	}
	if evaluated != "" {
		return fmt.Errorf("it was exported in evaluation mode (its %s is not in training): call net.train() first, and %s", evaluated, exportAgain)
	}
	return nil
}

// value is the value of the graph that has a name.
func (r *reader) value(name string) (op.Value, error) {
	meta, ok := r.graph.TensorValues[name]
	if !ok {
		return op.Value{}, fmt.Errorf("its graph has no shape of the value %.80q: the file is damaged", name)
	}
	shape, err := r.shape(&meta)
	if err != nil {
		return op.Value{}, fmt.Errorf("its value %.80s: %w", name, err)
	}
	kind, ok := typeNames[meta.DType]
	if !ok {
		return op.Value{}, fmt.Errorf("its value %.80s has elements of a type that is not known here (%d)", name, meta.DType)
	}
	return op.Value{Name: string(r.refs[name]), Shape: shape, Type: valueType(kind)}, nil
}

// maxDims is PyTorch's limit of dimensions.
const maxDims = 64

// shape is the shape of a tensor of the graph.
func (r *reader) shape(meta *tensorMeta) ([]int, error) {
	if meta.Layout != layoutStrided {
		return nil, errors.New("it is sparse, or of another layout than that of plain tensors: make it dense, and " + exportAgain)
	}
	if len(meta.Sizes) > maxDims {
		return nil, fmt.Errorf("it has %d dimensions: the file is damaged", len(meta.Sizes))
	}
	shape, elements := make([]int, len(meta.Sizes)), 1
	for i, u := range meta.Sizes {
		v, err := r.size(u)
		if err != nil {
			return nil, err
		}
		switch {
		case v.Clips:
			shape[i] = op.Batch * v.N
		case v.N < 0:
			return nil, fmt.Errorf("it has the size %d: the file is damaged", v.N)
		default:
			shape[i] = v.N
		}
		if v.N > maxSize/elements {
			return nil, fmt.Errorf("it has more than %d elements a clip: the file is damaged", maxSize)
		}
		elements *= max(v.N, 1)
	}
	return shape, nil
}

// size is a number that may be a multiple of the batch's size.
func (r *reader) size(u union) (op.Size, error) {
	switch u.kind {
	case "as_int":
		n := 0
		if err := u.into(&n); err != nil {
			return op.Size{}, err
		}
		return op.Size{N: n}, nil
	case "as_expr":
		e := expression{}
		if err := u.into(&e); err != nil {
			return op.Size{}, err
		}
		v, err := r.symbols.eval(e.Text)
		switch {
		case errors.Is(err, errOther):
			return op.Size{}, fmt.Errorf("%w: let no operation's size depend on the data, name the first dimension alone in dynamic_shapes, and %s", err, exportAgain)
		case err != nil:
			return op.Size{}, fmt.Errorf("%w: a size may be a number, or a multiple of the batch's; let forward treat each clip alike, and %s", err, exportAgain)
		case v.times == 0:
			return op.Size{N: v.plus}, nil
		case v.times > 0 && v.plus == 0:
			return op.Size{N: v.times, Clips: true}, nil
		}
		return op.Size{}, fmt.Errorf("the size %.200s is no multiple of the batch's: let forward treat each clip alike, and %s", e.Text, exportAgain)
	}
	return op.Size{}, fmt.Errorf("a size is %.40q, which is not known here", u.kind)
}

// number is a number of JSON as near as int64 comes.
func number(text string) int64 {
	var f float64
	var n int64
	if _, err := fmt.Sscan(text, &n); err == nil {
		return n
	}
	if _, err := fmt.Sscan(text, &f); err == nil && f < 0 {
		return math.MinInt64
	}
	return math.MaxInt64
}
