package pt2

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch/ptfile"
)

// schemaMinor is the minor version that PyTorch 2.9 writes.
const schemaMinor = 14

// node adds an operation, whose name in the graph is given where it is not that of its value.
func (w *writer) node(n *op.Node, called string) error {
	if !strings.HasPrefix(n.Op, "aten.") {
		return errors.New("it is no operation of ATen")
	}
	out := node{Target: atenPrefix + n.Op, Inputs: []namedArgument{}, Name: called}
	for _, arg := range slices.Sorted(maps.Keys(n.Args)) { // which PyTorch orders by the operation's schema
		u, err := w.argument(n.Args[arg])
		if err != nil {
			return fmt.Errorf("its argument %.40s: %w", arg, err)
		}
		out.Inputs = append(out.Inputs, namedArgument{Name: arg, Arg: u})
	}
	var all []name
	for _, v := range n.Gives {
		if v.Name == "" && v.Shape == nil {
			all = append(all, name{})
			continue
		}
		arg := name{w.refs[v.Name]}
		if v.Name == "" {
			arg.Name = w.names.unused(called + "_unused")
		}
		meta, err := w.meta(v)
		if err != nil {
			return fmt.Errorf("its value %.80s: %w", v.Name, err)
		}
		w.graph.TensorValues[arg.Name] = *meta
		all = append(all, arg)
	}
	switch {
	case len(all) == 0:
		return errors.New("it gives nothing")
	case givesList(n.Op):
		out.Outputs = []union{one("as_tensors", all)}
	default:
		for _, arg := range all {
			if arg.Name == "" {
				out.Outputs = append(out.Outputs, one("as_none", true))
			} else {
				out.Outputs = append(out.Outputs, one("as_tensor", arg))
			}
		}
	}
	if out.Name == "" {
		out.Name = all[0].Name
	}
	w.graph.Nodes = append(w.graph.Nodes, out)
	return nil
}

// argument writes an argument of an operation.
func (w *writer) argument(v any) (union, error) {
	switch v := v.(type) {
	case nil:
		return one("as_none", true), nil
	case op.Ref:
		arg, err := w.ref(v)
		return one("as_tensor", arg), err
	case []op.Ref:
		if slices.Contains(v, "") {
			list, err := each(v, func(r op.Ref) (union, error) {
				if r == "" {
					return one("as_none", true), nil
				}
				arg, err := w.ref(r)
				return one("as_tensor", arg), err
			})
			return one("as_optional_tensors", list), err
		}
		list, err := each(v, w.ref)
		return one("as_tensors", list), err
	case int:
		return one("as_int", v), nil
	case []int:
		return one("as_ints", slices.Concat([]int{}, v)), nil
	case op.Size:
		if !v.Clips {
			return one("as_int", v.N), nil
		}
		count, err := w.count(v)
		return one("as_sym_int", count), err
	case []op.Size:
		list, err := each(v, w.count)
		return one("as_sym_ints", list), err
	case float64:
		return one("as_float", number64(v)), nil
	case []float64:
		list := []any{}
		for _, f := range v {
			list = append(list, number64(f))
		}
		return one("as_floats", list), nil
	case bool:
		return one("as_bool", v), nil
	case []bool:
		return one("as_bools", slices.Concat([]bool{}, v)), nil
	case string:
		if !utf8.ValidString(v) {
			return union{}, fmt.Errorf("%.40q is not UTF-8 text", v)
		}
		return one("as_string", v), nil
	case op.Choice:
		if n, ok := code(typeNames, string(v)); ok {
			return one("as_scalar_type", n), nil
		}
		if n, ok := code(formatNames, string(v)); ok {
			return one("as_memory_format", n), nil
		}
		return union{}, fmt.Errorf("%.40q is neither an element type nor a memory format of PyTorch", v)
	}
	return union{}, fmt.Errorf("%.40v is no argument of an operation", v)
}

// ref is the graph's name of a value.
func (w *writer) ref(r op.Ref) (name, error) {
	n, ok := w.refs[string(r)]
	if !ok {
		return name{}, fmt.Errorf("it is %.80q, which is no value of the network", r)
	}
	if _, before := w.graph.TensorValues[n]; !before {
		return name{}, fmt.Errorf("it is %.80q, which is not there before it", r)
	}
	return name{n}, nil
}

// count is a number, or the graph's name of a multiple of the batch's size.
func (w *writer) count(v op.Size) (union, error) {
	if !v.Clips || v.N == 0 {
		return one("as_int", v.N), nil
	}
	if v.N < 0 || v.N > maxSize {
		return union{}, fmt.Errorf("%d times the batch is no size", v.N)
	}
	if w.counts[v.N] == "" {
		w.counts[v.N] = w.names.unused(map[bool]string{true: "sym_size_int", false: "mul"}[v.N == 1])
	}
	return one("as_name", w.counts[v.N]), nil
}

// size puts the nodes that the batch's size comes from before all others.
func (w *writer) size() {
	if len(w.counts) == 0 {
		return
	}
	if w.counts[1] == "" {
		w.counts[1] = w.names.unused("sym_size_int")
	}
	batch := one("as_name", w.counts[1])
	first := []node{{Target: atenPrefix + "aten.sym_size.int", Name: w.counts[1], Outputs: []union{one("as_sym_int", batch)},
		Inputs: []namedArgument{{Name: "self", Arg: one("as_tensor", name{w.refs[InputName]})}, {Name: "dim", Arg: one("as_int", 0)}}}}
	for _, times := range slices.Sorted(maps.Keys(w.counts)) {
		w.graph.SymIntValues[w.counts[times]] = w.times(times, 1)
		if times == 1 {
			continue
		}
		first = append(first, node{Target: "_operator.mul", Name: w.counts[times], Outputs: []union{one("as_sym_int", one("as_name", w.counts[times]))},
			Inputs: []namedArgument{{Name: "a", Arg: one("as_int", times)}, {Name: "b", Arg: one("as_sym_int", batch)}}})
	}
	w.graph.Nodes = append(first, w.graph.Nodes...)
}

// times is n times a power of the batch's size, with an example of it.
func (w *writer) times(n, power int) union {
	text := fmt.Sprintf("Symbol('%s', positive=True, integer=True)", w.symbol)
	if power > 1 {
		text = fmt.Sprintf("Pow(%s, Integer(%d))", text, power)
	}
	if n != 1 {
		text = fmt.Sprintf("Mul(Integer(%d), %s)", n, text)
	}
	// PyTorch takes a size of 1 for one that is never another.
	batch := min(max(2, w.program.MinClips), w.program.MaxClips)
	for range power {
		if n > math.MaxInt/batch { // an example that no program runs
			break
		}
		n *= batch
	}
	hint := one("as_int", n)
	return one("as_expr", expression{text, &hint})
}

// meta describes a value: contiguous, on the CPU.
func (w *writer) meta(v op.Value) (*tensorMeta, error) {
	kind := string(v.Type)
	if kind == "" {
		kind = "float32"
	}
	dtype, ok := code(typeNames, kind)
	if !ok {
		return nil, fmt.Errorf("its elements are of %.40q, which PyTorch does not have", kind)
	}
	m := &tensorMeta{DType: dtype, Device: device{Type: "cpu"}, Layout: layoutStrided, Offset: one("as_int", 0),
		Sizes: make([]union, len(v.Shape)), Strides: make([]union, len(v.Shape))}
	step, batched := 1, 0
	for i, n := range slices.Backward(v.Shape) {
		if abs(n) > maxSize || step > maxSize/max(abs(n), 1) {
			return nil, fmt.Errorf("its shape %v is too large", v.Shape)
		}
		m.Sizes[i], m.Strides[i] = one("as_int", n), one("as_int", step)
		if batched > 0 {
			m.Strides[i] = w.times(step, batched)
		}
		if n < 0 {
			m.Sizes[i] = w.times(-n, 1)
			batched++
		}
		step *= max(abs(n), 1)
	}
	return m, nil
}

// number64 is a number as torch.export writes it: a text where JSON has none.
func number64(f float64) any {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case math.IsNaN(f):
		return "NaN"
	case f == math.Trunc(f) && math.Abs(f) < 1e15:
		return json.RawMessage(fmt.Sprintf("%.1f", f)) // Python reads a number without a point as whole
	}
	return f
}

// narrowed is an array whose elements have the type of a name.
func narrowed(a *ptfile.Array, kind string) (ptfile.Array, error) {
	width, signed := 0, true
	wants := ptfile.Int64
	switch kind {
	case "float32":
		wants = ptfile.Float32
	case "float64":
		wants = ptfile.Float64
	case "bool":
		wants = ptfile.Bool
	case "int64":
	case "int32":
		width = 4
	case "int16":
		width = 2
	case "int8":
		width = 1
	case "uint8":
		width, signed = 1, false
	case "uint16":
		width, signed = 2, false
	case "uint32":
		width, signed = 4, false
	default:
		return ptfile.Array{}, fmt.Errorf("its elements are of %.40q, which no tensor is written of", kind)
	}
	if a.Type != wants || len(a.Data)%a.Type.Size() != 0 {
		return ptfile.Array{}, fmt.Errorf("its elements are said to be of %s, and its numbers are of another type", kind)
	}
	if width == 0 {
		return *a, nil
	}
	low, high := int64(0), int64(1)<<(8*width)-1
	if signed {
		low, high = -(int64(1) << (8*width - 1)), int64(1)<<(8*width-1)-1
	}
	out := ptfile.Array{Type: a.Type, Shape: a.Shape}
	for i := 0; i < len(a.Data); i += 8 {
		v := int64(binary.LittleEndian.Uint64(a.Data[i:]))
		if v < low || v > high {
			return ptfile.Array{}, fmt.Errorf("%d is out of the range of %s", v, kind)
		}
		out.Data = append(out.Data, binary.LittleEndian.AppendUint64(nil, uint64(v))[:width]...)
	}
	return out, nil
}
