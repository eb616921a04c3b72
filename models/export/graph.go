package export

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/eegprune/eegprune/internal/onnxpb"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// graphBuilder adds one node's operations at a time: see [op.Builder].
type graphBuilder struct {
	network   *models.Network
	constants *models.Constants
	int8      bool
	values    map[string]string    // the nodes' outputs, by their names in the graph
	types     map[string]op.Choice // of the elements of values and tensors
	initials  map[string]string    // constants of the graph, by their content
	taken     map[string]bool      // names
	bytes     int                  // of initialisers
	memory    map[string]string    // the value whose memory a value may share
	views     map[string]*op.Call  // the nodes whose outputs may share memory with an input
	before    map[string]bool      // values that are there
	g         onnxpb.GraphProto

	node *op.Node
	err  error // of the node's tensors
	// steps counts the node's intermediate results, and first is the place of its first operation.
	steps, first int
}

func newGraphBuilder(n *models.Network, int8 bool) *graphBuilder {
	b := &graphBuilder{network: n, constants: n.Constants(), int8: int8, values: map[string]string{models.Input: models.Input},
		types: map[string]op.Choice{models.Input: "float32"}, initials: map[string]string{}, views: map[string]*op.Call{}, before: map[string]bool{models.Input: true}, taken: map[string]bool{models.Input: true, Output: true}}
	for i := range n.Arch.Tensors {
		t := &n.Arch.Tensors[i]
		b.types[t.Name], b.before[t.Name] = t.Element(), true
	}
	return b
}

// add adds a node; later are those after it.
func (b *graphBuilder) add(c *op.Call, later []*op.Call) error {
	b.node, b.steps, b.first, b.err = c.Node, 0, len(b.g.Node), nil
	for _, v := range c.Gives {
		b.types[v.Name] = v.Element()
	}
	if c.Gives == nil {
		b.types[c.Name] = "float32"
	}
	if c.Name == models.ClipNode {
		b.values[c.Name] = models.Input
		return nil
	}
	defer func() {
		for _, v := range c.Values() {
			b.before[v] = true
			if c.Shares() != "" && !c.InPlace() {
				b.views[v] = c
			}
		}
	}()
	constant, err := b.constants.Add(c)
	if err != nil {
		return err
	}
	if constant {
		if c.InPlace() {
			b.forget()
		}
		return nil
	}
	g := &op.Graph{Call: c, Builder: b}
	if err := g.Write(); err != nil {
		return err
	}
	if b.err == nil && c.InPlace() {
		return b.written(g, later)
	}
	return b.err
}

// written updates the values in whose memory an in-place node wrote, or says why they are
// not known: a graph of ONNX has no memory.
func (b *graphBuilder) written(g *op.Graph, later []*op.Call) error {
	self := g.Ref("self")
	x, known := b.values[g.Values()[0]], map[string]bool{}
	for {
		b.values[self], known[self] = x, true
		b.constants.Vary(self)
		view := b.views[self]
		if view == nil {
			break
		}
		of := view.Ref("self")
		if of == "" || b.memory[of] == of && of != b.network.Arch.Logits() && !taken(later, of) {
			break
		}
		y, ok := g.Written(view, b.Value(of), x)
		if !ok {
			break
		}
		self, x = of, y
	}
	last := []string{b.network.Arch.Logits()}
	for _, next := range later {
		last = append(last, next.Inputs()...)
	}
	for _, in := range last {
		if !known[in] && b.memory[in] == b.memory[self] && b.before[in] {
			return fmt.Errorf("it writes over memory that is read later as %s: let forward write x = x + y in the place of x += y, or clone x before", in)
		}
	}
	return b.err
}

// taken reports whether a value is an input of some nodes.
func taken(by []*op.Call, value string) bool {
	return slices.ContainsFunc(by, func(c *op.Call) bool { return slices.Contains(c.Inputs(), value) })
}

// forget has constants that were written be added anew: those of before may have been over them.
func (b *graphBuilder) forget() {
	for name := range b.values {
		if b.constants.Tensor(name) != nil {
			delete(b.values, name)
		}
	}
}

// unused is a name that the graph does not have.
func (b *graphBuilder) unused(name string) string {
	own := name
	for i := 1; b.taken[own]; i++ {
		own = fmt.Sprintf("%s.%d", name, i)
	}
	b.taken[own] = true
	return own
}

// Element is the type of the elements of a value, parameter or buffer.
func (b *graphBuilder) Element(name string) op.Choice { return b.types[name] }

// Value is the name in the graph of a value of the network, a parameter or buffer.
func (b *graphBuilder) Value(name string) string {
	own, known := b.values[name]
	if !known && name != "" {
		own = b.tensor(name)
		b.values[name] = own
	}
	return own
}

func (b *graphBuilder) operation(name, operation string, in, out []string, attributes []op.Attribute) {
	n := &onnxpb.NodeProto{Name: proto.String(name), OpType: proto.String(operation), Input: in, Output: out}
	for _, a := range attributes {
		n.Attribute = append(n.Attribute, encoded(a))
	}
	b.g.Node = append(b.g.Node, n)
}

// Step adds an operation of one output.
func (b *graphBuilder) Step(operation string, in []string, attributes ...op.Attribute) string {
	return b.Steps(operation, 1, in, attributes...)[0]
}

// Steps adds one of several outputs.
func (b *graphBuilder) Steps(operation string, outputs int, in []string, attributes ...op.Attribute) []string {
	var out []string
	for range outputs {
		out = append(out, b.unused(fmt.Sprintf("%s.%d", b.node.Name, b.steps)))
		b.steps++
	}
	b.operation(out[0], operation, in, out, attributes)
	return out
}

// Give makes the output of an operation, or another value, an output of the node. The node's last
// operation takes the value's name.
func (b *graphBuilder) Give(place int, x string) {
	value := b.node.Values()[place]
	if value == "" {
		return
	}
	b.values[value] = x
	if last := len(b.g.Node) - 1; last >= b.first && slices.Contains(b.g.Node[last].Output, x) {
		b.values[value] = b.unused(value)
		named(b.g.Node[last:], x, b.values[value])
	}
}

// named renames an output.
func named(nodes []*onnxpb.NodeProto, from, to string) bool {
	given := false
	for _, n := range nodes {
		for i := range n.Output {
			if n.Output[i] == from {
				n.Output[i], given = to, true
				if i == 0 {
					n.Name = proto.String(to)
				}
			}
		}
		for i := range n.Input {
			if n.Input[i] == from && given {
				n.Input[i] = to
			}
		}
	}
	return given
}

// logits gives the network's output its name.
func (b *graphBuilder) logits() {
	if x := b.Value(b.network.Arch.Logits()); !named(b.g.Node, x, Output) {
		b.operation(Output, "Identity", []string{x}, []string{Output}, nil)
	}
}

// initial adds an initialiser.
func (b *graphBuilder) initial(name string, kind int, shape []int, raw []byte) string {
	if b.bytes += len(raw); b.bytes > maxFile && b.err == nil {
		b.err = fmt.Errorf("with it the network has %d bytes of weights and constants, more than the 2 GiB that an ONNX file can hold: prune it further", b.bytes)
		return name
	}
	name = b.unused(name)
	t := &onnxpb.TensorProto{Name: proto.String(name), DataType: proto.Int32(int32(kind)), RawData: raw}
	for _, d := range shape {
		t.Dims = append(t.Dims, int64(d))
	}
	b.g.Initializer = append(b.g.Initializer, t)
	return name
}

// raw are the elements of a parameter, buffer or constant as a file has them, and its shape.
func (b *graphBuilder) raw(name string) (raw []byte, shape []int, err error) {
	t := b.constants.Tensor(name)
	if t == nil {
		return nil, nil, fmt.Errorf("the graph has no %s", name)
	}
	if b.types[name] == "complex64" {
		o, err := torch.NewOperation("aten.view_as_real.default", torch.Arguments{"self": torch.Operand(0)}, torch.CPU)
		if err != nil {
			return nil, nil, err
		}
		s := torch.NewScope(torch.NoGrad)
		defer s.Close()
		t = s.Run(o, []*torch.Tensor{t}, 0, nil)[0]
		if s.Err() != nil {
			return nil, nil, s.Err()
		}
	}
	a, err := torch.ArrayOf(t)
	return a.Data, a.Shape, err
}

// tensor adds a parameter, buffer or constant unchanged.
func (b *graphBuilder) tensor(name string) string {
	raw, shape, err := b.raw(name)
	if err != nil && b.err == nil {
		b.err = err
	}
	t := b.types[name]
	if t == "complex64" {
		t = "float32"
	}
	return b.initial(name, op.ElementTypes()[t], shape, raw)
}

// Numbers is a list of whole numbers.
func (b *graphBuilder) Numbers(v ...int) string {
	key := fmt.Sprint("list ", v)
	if b.initials[key] == "" {
		var raw []byte
		for _, n := range v {
			raw = binary.LittleEndian.AppendUint64(raw, uint64(n))
		}
		b.initials[key] = b.initial(b.node.Name+".list", int(onnxpb.TensorProto_INT64), []int{len(v)}, raw)
	}
	return b.initials[key]
}

// Constant is a tensor of numbers.
func (b *graphBuilder) Constant(t op.Choice, shape []int, v ...float64) string {
	var raw []byte
	for _, x := range v {
		switch t {
		case "float64":
			raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(x))
		case "int64":
			raw = binary.LittleEndian.AppendUint64(raw, uint64(int64(x)))
		case "int32":
			raw = binary.LittleEndian.AppendUint32(raw, uint32(int32(x)))
		case "int16":
			raw = binary.LittleEndian.AppendUint16(raw, uint16(int16(x)))
		case "bool", "uint8", "int8":
			raw = append(raw, byte(int(x)))
		default:
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(x)))
		}
	}
	key := fmt.Sprint(t, shape, string(raw))
	if b.initials[key] == "" {
		b.initials[key] = b.initial(b.node.Name+".number", op.ElementTypes()[t], shape, raw)
	}
	return b.initials[key]
}

// Clips is how many clips there are, in a list.
func (b *graphBuilder) Clips() string {
	const key = "clips"
	if b.initials[key] == "" {
		shape := b.Step("Shape", []string{models.Input})
		b.initials[key] = b.Step("Slice", []string{shape, b.Numbers(0), b.Numbers(1)})
	}
	return b.initials[key]
}

// Weight is a weight [filters, ...], unchanged or as 8-bit integers.
func (b *graphBuilder) Weight(name string) string {
	t := b.constants.Tensor(name)
	if !b.int8 || t == nil || b.types[name] != "float32" || len(t.Shape()) < 2 {
		return b.Value(name)
	}
	if own := b.values[name]; own != "" {
		return own
	}
	v, err := torch.ToSlice[float32](t)
	if err != nil && b.err == nil {
		b.err = err
	}
	shape := t.Shape()
	if len(v) == 0 || shape[0] < 1 {
		return b.Value(name)
	}
	q, scales := quantize(v, shape[0])
	filters := shape[:1]
	own := b.unused(name)
	b.operation(own+".dequantize", "DequantizeLinear", []string{b.initial(name+".int8", int(onnxpb.TensorProto_INT8), shape, q),
		b.initial(name+".scale", int(onnxpb.TensorProto_FLOAT), filters, floatBytes(scales)),
		b.initial(name+".zero", int(onnxpb.TensorProto_INT8), filters, make([]byte, len(scales)))}, []string{own},
		[]op.Attribute{{Name: "axis", Value: 0}})
	b.values[name] = own
	return own
}

// prune leaves out nodes that the logits do not need.
func (b *graphBuilder) prune() {
	used := map[string]bool{Output: true}
	for i := len(b.g.Node) - 1; i >= 0; i-- {
		n := b.g.Node[i]
		if !slices.ContainsFunc(n.Output, func(out string) bool { return used[out] }) {
			b.g.Node[i] = nil
			continue
		}
		for _, in := range n.Input {
			used[in] = true
		}
	}
	b.g.Node = slices.DeleteFunc(b.g.Node, func(n *onnxpb.NodeProto) bool { return n == nil })
	b.g.Initializer = slices.DeleteFunc(b.g.Initializer, func(t *onnxpb.TensorProto) bool { return !used[t.GetName()] })
}
