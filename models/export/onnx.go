package export

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"google.golang.org/protobuf/proto"

	"eegprune/internal/onnxpb"
	"eegprune/models"
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
	b := &graphBuilder{arch: n.Arch, int8: o.Int8, state: map[string]*torch.Tensor{}, values: map[string]string{models.Input: models.Input}}
	size := 0
	for _, p := range n.State() {
		b.state[p.Name] = p.Tensor
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

type graphBuilder struct {
	arch   *models.Arch
	int8   bool
	state  map[string]*torch.Tensor
	values map[string]string // what each layer gives, by its name in the graph
	g      onnxpb.GraphProto
}

func (b *graphBuilder) graph() (*onnxpb.GraphProto, error) {
	order, err := b.arch.Order()
	if err != nil {
		return nil, err
	}
	in := b.arch.Input
	b.g.Name = proto.String(b.arch.Model)
	b.g.Input = []*onnxpb.ValueInfoProto{value(models.Input, in[0], in[1], in[2])}
	b.g.Output = []*onnxpb.ValueInfoProto{value(Output, b.arch.Classes)}
	for at, i := range order {
		l := &b.arch.Layers[i]
		out := l.Name
		if at == len(order)-1 {
			out = Output
		} else if out == Output {
			return nil, fmt.Errorf("%s: a layer before the last is called %q, the name of the network's output in ONNX: rename it", b.arch.Model, out)
		}
		if err := b.layer(l, out); err != nil {
			return nil, fmt.Errorf("%s: layer %q: %w", b.arch.Model, l.Name, err)
		}
	}
	return &b.g, nil
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

// layer adds the node that computes l. Layers that do nothing in an evaluation have none.
func (b *graphBuilder) layer(l *models.Layer, out string) error {
	var in []string
	for _, name := range l.Inputs {
		in = append(in, b.values[name])
	}
	b.values[l.Name] = out
	node := func(op string, attributes ...*onnxpb.AttributeProto) {
		b.g.Node = append(b.g.Node, &onnxpb.NodeProto{Name: proto.String(l.Name), OpType: proto.String(op), Input: in, Output: []string{out}, Attribute: attributes})
	}
	left, right, top, bottom := l.Pad[0], l.Pad[1], l.Pad[2], l.Pad[3]
	switch l.Op {
	case models.Conv2d, models.Linear:
		weight, err := b.weight(l.Name + ".weight")
		if err != nil {
			return err
		}
		in = append(in, weight)
		if !l.NoBias {
			bias, err := b.float(l.Name + ".bias")
			if err != nil {
				return err
			}
			in = append(in, bias)
		}
		if l.Op == models.Linear {
			node("Gemm", integer("transB", 1))
			break
		}
		s := l.Strides()
		node("Conv", list("kernel_shape", l.Kernel[0], l.Kernel[1]), list("strides", s[0], s[1]), list("pads", top, left, bottom, right), integer("group", max(l.Groups, 1)))
	case models.BatchNorm2d:
		for _, p := range []string{".weight", ".bias", ".running_mean", ".running_var"} {
			name, err := b.float(l.Name + p)
			if err != nil {
				return err
			}
			in = append(in, name)
		}
		eps := l.Eps
		if eps == 0 {
			eps = 1e-5
		}
		node("BatchNormalization", float("epsilon", eps))
	case models.ReLU:
		node("Relu")
	case models.SELU:
		node("Selu")
	case models.ELU:
		node("Elu", float("alpha", l.Slope))
	case models.LeakyReLU:
		node("LeakyRelu", float("alpha", l.Slope))
	case models.ZeroPad2d:
		in = append(in, b.int64s(l.Name+".pads", 0, 0, top, left, 0, 0, bottom, right))
		node("Pad")
	case models.AvgPool2d:
		s := l.Strides()
		node("AveragePool", list("kernel_shape", l.Kernel[0], l.Kernel[1]), list("strides", s[0], s[1]))
	case models.Flatten:
		node("Flatten", integer("axis", 1))
	case models.Mean:
		node("ReduceMean", list("axes", -1), integer("keepdims", 0))
	case models.Cat:
		node("Concat", integer("axis", l.Dim))
	case models.Dropout, models.Dropout2d:
		if out == Output {
			node("Identity")
		} else {
			b.values[l.Name] = in[0]
		}
	default:
		return fmt.Errorf("operation %q has no counterpart in ONNX that this version knows", l.Op)
	}
	return nil
}

// read returns a parameter or buffer of float32.
func (b *graphBuilder) read(name string) (v []float32, shape []int64, err error) {
	t := b.state[name]
	if t == nil {
		return nil, nil, fmt.Errorf("the network has no %s", name)
	}
	for _, d := range t.Shape() {
		shape = append(shape, int64(d))
	}
	v, err = torch.ToSlice[float32](t)
	return v, shape, err
}

func (b *graphBuilder) add(name string, kind onnxpb.TensorProto_DataType, shape []int64, raw []byte) string {
	b.g.Initializer = append(b.g.Initializer, &onnxpb.TensorProto{Name: proto.String(name), DataType: proto.Int32(int32(kind)), Dims: shape, RawData: raw})
	return name
}

// float adds a tensor as it is.
func (b *graphBuilder) float(name string) (string, error) {
	v, shape, err := b.read(name)
	if err != nil {
		return "", err
	}
	return b.add(name, onnxpb.TensorProto_FLOAT, shape, floatBytes(v)), nil
}

func (b *graphBuilder) int64s(name string, v ...int) string {
	var raw []byte
	for _, n := range v {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(n))
	}
	return b.add(name, onnxpb.TensorProto_INT64, []int64{int64(len(v))}, raw)
}

// weight adds a weight [filters, ...] as it is or as 8-bit integers.
func (b *graphBuilder) weight(name string) (string, error) {
	if !b.int8 {
		return b.float(name)
	}
	v, shape, err := b.read(name)
	if err != nil {
		return "", err
	}
	q, scales := quantize(v, int(shape[0]))
	filters := shape[:1]
	b.g.Node = append(b.g.Node, &onnxpb.NodeProto{Name: proto.String(name + ".dequantize"), OpType: proto.String("DequantizeLinear"), Output: []string{name},
		Input: []string{b.add(name+".int8", onnxpb.TensorProto_INT8, shape, q), b.add(name+".scale", onnxpb.TensorProto_FLOAT, filters, floatBytes(scales)),
			b.add(name+".zero", onnxpb.TensorProto_INT8, filters, make([]byte, len(scales)))},
		Attribute: []*onnxpb.AttributeProto{integer("axis", 0)}})
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

func integer(name string, v int) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_INT.Enum(), I: proto.Int64(int64(v))}
}

func list(name string, v ...int) *onnxpb.AttributeProto {
	a := &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_INTS.Enum()}
	for _, n := range v {
		a.Ints = append(a.Ints, int64(n))
	}
	return a
}

func float(name string, v float64) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_FLOAT.Enum(), F: proto.Float32(float32(v))}
}
