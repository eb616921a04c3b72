package export

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/eegprune/eegprune/internal/onnxpb"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
)

// The versions that are written: operators of opset 17, in the form of ONNX 1.12, which
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

// ONNX writes the network as it computes in an evaluation, for batches of any size. The input of a
// network that PyTorch exported has the shape that it had there.
func ONNX(w io.Writer, n *models.Network, o ONNXOptions) error {
	if err := n.Arch.Check(); err != nil {
		return err
	}
	b := newGraphBuilder(n, o.Int8)
	defer b.constants.Free()
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

func (b *graphBuilder) graph() (*onnxpb.GraphProto, error) {
	arch := b.network.Arch
	b.g.Name = proto.String(arch.Model)
	b.g.Input = []*onnxpb.ValueInfoProto{value(models.Input, b.clip()...)}
	b.g.Output = []*onnxpb.ValueInfoProto{value(Output, arch.Classes)}
	var calls []*op.Call
	if err := arch.Walk(func(c *op.Call) { calls = append(calls, c) }); err != nil {
		return nil, err
	}
	b.memory = memory(calls)
	needed := live(calls, b.memory, arch.Logits())
	for i, c := range calls {
		if !needed[i] {
			continue
		}
		if err := b.add(c, calls[i+1:]); err != nil {
			return nil, fmt.Errorf("%s: layer %q: %w", arch.Model, c.Name, err)
		}
	}
	b.logits()
	b.prune()
	return &b.g, b.err
}

// clip is the shape of the graph's input, without the clips.
func (b *graphBuilder) clip() []int {
	if e := b.network.Arch.Exported; e != nil {
		return e.Input[1:]
	}
	return b.network.Arch.Input[:]
}

// live says which nodes the logits depend on. A node that overwrites a value is needed where that value
// is, or another that may share its memory.
func live(calls []*op.Call, root map[string]string, logits string) []bool {
	needed, names, written := make([]bool, len(calls)), map[string]bool{logits: true}, map[string]bool{root[logits]: true}
	for i := len(calls) - 1; i >= 0; i-- {
		c := calls[i]
		needed[i] = c.InPlace() && written[root[c.Ref("self")]]
		for _, v := range c.Values() {
			needed[i] = needed[i] || names[v]
		}
		if !needed[i] {
			continue
		}
		for _, in := range c.Inputs() {
			names[in], written[root[in]] = true, true
		}
	}
	return needed
}

// memory says of each value in whose memory it may lie.
func memory(calls []*op.Call) map[string]string {
	root := map[string]string{}
	of := func(name string) string {
		if r, ok := root[name]; ok {
			return r
		}
		root[name] = name
		return name
	}
	for _, c := range calls {
		for _, in := range c.Inputs() {
			of(in)
		}
		for _, v := range c.Values() {
			of(v)
			if in := c.Shares(); in != "" {
				root[v] = of(in)
			}
		}
	}
	return root
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
	case []string:
		p.Type = onnxpb.AttributeProto_STRINGS.Enum()
		for _, text := range v {
			p.Strings = append(p.Strings, []byte(text))
		}
	case []int:
		p.Type = onnxpb.AttributeProto_INTS.Enum()
		for _, n := range v {
			p.Ints = append(p.Ints, int64(n))
		}
	}
	return p
}
