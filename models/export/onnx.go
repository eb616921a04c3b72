package export

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"google.golang.org/protobuf/proto"

	"eegprune/internal/onnxpb"
	"eegprune/models"
	"eegprune/models/op"
	"eegprune/torch"
)

// The versions of what is written: operators of opset 17, in the form of ONNX 1.12, which
// was the first to have it.
const (
	opset     = 17
	irVersion = 8
)

// Output is the name of the logits in an ONNX file; the clips are [models.Input].
const Output = "logits"

// maxFile is the largest message that protocol buffers allow.
const maxFile = 1<<31 - 1

// ONNXOptions say how a network is written.
type ONNXOptions struct {
	// Int8 stores the weights of convolutions and linear layers as 8-bit integers, one
	// scale for each filter, symmetric about zero: DequantizeLinear makes the weights of
	// them. Everything else stays in single precision.
	Int8     bool
	Version  string            // of the program that writes
	Metadata map[string]string // to be kept in the file
}

// ONNX writes the network as it computes in an evaluation, for batches of any size.
func ONNX(w io.Writer, n *models.Network, o ONNXOptions) error {
	if err := n.Arch.Check(); err != nil {
		return err
	}
	b := &graphBuilder{network: n, int8: o.Int8, values: map[string]string{models.Input: models.Input}, there: map[string]bool{}}
	size := 0
	for _, p := range n.State() {
		size += p.Tensor.Len() * p.Tensor.Info().DType.Size()
	}
	if size > maxFile {
		return fmt.Errorf("%s has %d bytes of weights, more than the 2 GiB that an ONNX file can hold: prune it further", n.Arch.Model, size)
	}
	graph, err := b.graph()
	if err != nil {
		return err
	}
	m := &onnxpb.ModelProto{
		IrVersion: proto.Int64(irVersion), ProducerName: proto.String("eegprune"), ProducerVersion: proto.String(o.Version),
		OpsetImport: []*onnxpb.OperatorSetIdProto{{Domain: proto.String(""), Version: proto.Int64(opset)}},
		Graph:       graph,
	}
	for _, key := range slices.Sorted(maps.Keys(o.Metadata)) {
		m.MetadataProps = append(m.MetadataProps, &onnxpb.StringStringEntryProto{Key: proto.String(key), Value: proto.String(o.Metadata[key])})
	}
	content, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return fmt.Errorf("%s as ONNX: %w", n.Arch.Model, err)
	}
	_, err = w.Write(content)
	return err
}

// graphBuilder adds one node's operations at a time: see [op.Builder].
type graphBuilder struct {
	network *models.Network
	int8    bool
	values  map[string]string // what each node gives, by its name in the graph
	there   map[string]bool   // initialisers
	g       onnxpb.GraphProto

	node *op.Node
	out  string // what it is called in the graph
	// steps counts what the node's operations give in between.
	steps int
}

func (b *graphBuilder) graph() (*onnxpb.GraphProto, error) {
	arch := b.network.Arch
	in := arch.Input
	b.g.Name = proto.String(arch.Model)
	b.g.Input = []*onnxpb.ValueInfoProto{value(models.Input, in[0], in[1], in[2])}
	b.g.Output = []*onnxpb.ValueInfoProto{value(Output, arch.Classes)}
	var wrong error
	err := arch.Walk(func(c *op.Call) {
		if wrong == nil {
			if wrong = b.add(c); wrong != nil {
				wrong = fmt.Errorf("%s: layer %q: %w", arch.Model, c.Name, wrong)
			}
		}
	})
	return &b.g, errors.Join(err, wrong)
}

// add adds a node.
func (b *graphBuilder) add(c *op.Call) error {
	last := c.Name == b.network.Arch.Nodes[len(b.network.Arch.Nodes)-1].Name
	b.node, b.out, b.steps = c.Node, c.Name, 0
	if last {
		b.out = Output
	} else if c.Name == Output {
		return fmt.Errorf("its name %q is that of the network's output in ONNX: rename it", Output)
	}
	write := c.Operation().ONNX
	if write == nil {
		return fmt.Errorf("operation %q has no counterpart in ONNX that this version knows", c.Op)
	}
	b.values[c.Name] = b.out
	return write(&op.Graph{Call: c, Builder: b})
}

// Value is the name in the graph of what a node gave.
func (b *graphBuilder) Value(name string) string { return b.values[name] }

// Add adds an operation that gives what the node gives.
func (b *graphBuilder) Add(operation string, in []string, attributes ...op.Attribute) {
	b.operation(b.node.Name, b.out, operation, in, attributes)
}

func (b *graphBuilder) operation(name, out, operation string, in []string, attributes []op.Attribute) {
	n := &onnxpb.NodeProto{Name: proto.String(name), OpType: proto.String(operation), Input: in, Output: []string{out}}
	for _, a := range attributes {
		n.Attribute = append(n.Attribute, encoded(a))
	}
	b.g.Node = append(b.g.Node, n)
}

// Step adds an operation that gives something in between.
func (b *graphBuilder) Step(operation string, in []string, attributes ...op.Attribute) string {
	name := fmt.Sprintf("%s.%d", b.node.Name, b.steps)
	b.steps++
	b.operation(name, name, operation, in, attributes)
	return name
}

// Pass says that the node gives what it takes: it is then none of the graph's, unless it gives the
// logits.
func (b *graphBuilder) Pass(in string) {
	if b.out == Output {
		b.Add("Identity", []string{in})
		return
	}
	b.values[b.node.Name] = in
}

// value declares an input or output: a batch of any size of float32.
func value(name string, shape ...int) *onnxpb.ValueInfoProto {
	dims := []*onnxpb.TensorShapeProto_Dimension{{Value: &onnxpb.TensorShapeProto_Dimension_DimParam{DimParam: "batch"}}}
	for _, d := range shape {
		dims = append(dims, &onnxpb.TensorShapeProto_Dimension{Value: &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: int64(d)}})
	}
	return &onnxpb.ValueInfoProto{Name: proto.String(name), Type: &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{TensorType: &onnxpb.TypeProto_Tensor{
		ElemType: proto.Int32(int32(onnxpb.TensorProto_FLOAT)), Shape: &onnxpb.TensorShapeProto{Dim: dims}}}}}
}

// read returns a parameter or buffer of float32.
func (b *graphBuilder) read(name string) (v []float32, shape []int64, err error) {
	t := b.network.Tensor(name)
	if t == nil {
		return nil, nil, fmt.Errorf("the network has no %s", name)
	}
	for _, d := range t.Shape() {
		shape = append(shape, int64(d))
	}
	v, err = torch.ToSlice[float32](t)
	return v, shape, err
}

// initial adds an initialiser, once.
func (b *graphBuilder) initial(name string, kind onnxpb.TensorProto_DataType, shape []int64, raw []byte) string {
	if b.there[name] {
		return name
	}
	b.there[name] = true
	b.g.Initializer = append(b.g.Initializer, &onnxpb.TensorProto{Name: proto.String(name), DataType: proto.Int32(int32(kind)), Dims: shape, RawData: raw})
	return name
}

// Tensor adds a parameter or buffer as it is.
func (b *graphBuilder) Tensor(name string) (string, error) {
	v, shape, err := b.read(name)
	if err != nil {
		return "", err
	}
	return b.initial(name, onnxpb.TensorProto_FLOAT, shape, floatBytes(v)), nil
}

// Numbers adds a list of whole numbers.
func (b *graphBuilder) Numbers(name string, v ...int) string {
	var raw []byte
	for _, n := range v {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(n))
	}
	return b.initial(name, onnxpb.TensorProto_INT64, []int64{int64(len(v))}, raw)
}

// Floats adds a list of numbers.
func (b *graphBuilder) Floats(name string, v ...float64) string {
	values := make([]float32, len(v))
	for i, x := range v {
		values[i] = float32(x)
	}
	return b.initial(name, onnxpb.TensorProto_FLOAT, []int64{int64(len(v))}, floatBytes(values))
}

// Weight adds a weight [filters, ...] as it is or as 8-bit integers.
func (b *graphBuilder) Weight(name string) (string, error) {
	if !b.int8 {
		return b.Tensor(name)
	}
	if b.there[name+".int8"] {
		return name, nil
	}
	v, shape, err := b.read(name)
	if err != nil {
		return "", err
	}
	q, scales := quantize(v, int(shape[0]))
	filters := shape[:1]
	b.g.Node = append(b.g.Node, &onnxpb.NodeProto{Name: proto.String(name + ".dequantize"), OpType: proto.String("DequantizeLinear"), Output: []string{name},
		Input: []string{b.initial(name+".int8", onnxpb.TensorProto_INT8, shape, q), b.initial(name+".scale", onnxpb.TensorProto_FLOAT, filters, floatBytes(scales)),
			b.initial(name+".zero", onnxpb.TensorProto_INT8, filters, make([]byte, len(scales)))},
		Attribute: []*onnxpb.AttributeProto{encoded(op.Attribute{Name: "axis", Value: 0})}})
	return name, nil
}

// quantize returns v/scale rounded to integers of -127 to 127, and a scale for each of so
// many filters of equal size.
func quantize(v []float32, filters int) (q []byte, scales []float32) {
	const most = math.MaxInt8
	size := len(v) / filters
	q, scales = make([]byte, len(v)), make([]float32, filters)
	for f := range filters {
		filter := v[f*size : (f+1)*size]
		largest := float32(0)
		for _, w := range filter {
			largest = max(largest, float32(math.Abs(float64(w))))
		}
		scales[f] = largest / most
		if scales[f] == 0 { // all zeros, for which any scale does
			scales[f] = 1
		}
		for i, w := range filter {
			r := math.RoundToEven(float64(w) / float64(scales[f]))
			q[f*size+i] = byte(int8(min(max(r, -most), most)))
		}
	}
	return q, scales
}

func floatBytes(v []float32) []byte {
	raw := make([]byte, 0, 4*len(v))
	for _, f := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(f))
	}
	return raw
}

func encoded(a op.Attribute) *onnxpb.AttributeProto {
	p := &onnxpb.AttributeProto{Name: proto.String(a.Name)}
	switch v := a.Value.(type) {
	case int:
		p.Type, p.I = onnxpb.AttributeProto_INT.Enum(), proto.Int64(int64(v))
	case float64:
		p.Type, p.F = onnxpb.AttributeProto_FLOAT.Enum(), proto.Float32(float32(v))
	case string:
		p.Type, p.S = onnxpb.AttributeProto_STRING.Enum(), []byte(v)
	case []int:
		p.Type = onnxpb.AttributeProto_INTS.Enum()
		for _, n := range v {
			p.Ints = append(p.Ints, int64(n))
		}
	}
	return p
}
