package op

import (
	"fmt"
	"slices"
	"strings"
)

// A Graph writes a node as ONNX. ONNX has no complex numbers: a tensor of them has a last dimension of
// two in the graph, which no shape of the network counts.
type Graph struct {
	*Call
	Builder
}

// A Builder adds to an ONNX graph. Its functions return names in the graph. An error of a tensor is kept
// until the node is written.
type Builder interface {
	// Value is a value of the network, parameter or buffer; Weight is one [filters, ...], which may
	// be stored as 8-bit integers if it is the same for all clips.
	Value(name string) string
	Weight(name string) string
	// Element is the type of a value's elements, parameter's or buffer's.
	Element(name string) Choice
	// Numbers is a list of whole numbers, Constant a tensor of a type and shape; nil is one number.
	Numbers(v ...int) string
	Constant(t Choice, shape []int, v ...float64) string
	// Clips is a list of one number, how many clips there are.
	Clips() string
	// Step adds an operation of one output, Steps one of several.
	Step(operation string, in []string, attributes ...Attribute) string
	Steps(operation string, outputs int, in []string, attributes ...Attribute) []string
	// Give sets the node's output at a place among its values.
	Give(place int, name string)
}

// An Attribute of an ONNX operation: an int, a float64, []int, string or []string.
type Attribute struct {
	Name  string
	Value any
}

// ElementTypes are ONNX's numbers of the types of elements that it has.
func ElementTypes() map[Choice]int {
	return map[Choice]int{"float32": 1, "uint8": 2, "int8": 3, "int16": 5, "int32": 6, "int64": 7, "bool": 9, "float64": 11}
}

// Element is the type of a value's elements.
func (v Value) Element() Choice {
	if v.Type == "" {
		return "float32"
	}
	return v.Type
}

// Element is the type of a tensor's elements.
func (t *Tensor) Element() Choice {
	if t.Type == "" && t.Counts {
		return "int64"
	}
	return Value{Type: t.Type}.Element()
}

// isComplex reports whether a type is of complex numbers.
func isComplex(t Choice) bool { return strings.HasPrefix(string(t), "complex") }

// errNoONNX says that an operation, or one with these arguments, can't be written.
func errNoONNX(c *Call, why string) error {
	if why != "" {
		why = ": " + why
	}
	return fmt.Errorf("operation %q has no counterpart in ONNX that this version knows%s", c.Op, why)
}

// maxNumbers is how many numbers an operation may add to a graph.
const maxNumbers = 1 << 26

// Write writes the node in evaluation, or says why that is impossible. Arguments of a graph from a file
// may be of any number and size: if they do not fit, that is an error too.
func (g *Graph) Write() (err error) {
	defer func() {
		if recover() != nil {
			err = errNoONNX(g.Call, "its arguments do not fit what it takes")
		}
	}()
	if g.op.ONNX == nil {
		return errNoONNX(g.Call, "")
	}
	types := []Choice{}
	for _, in := range g.Inputs() {
		types = append(types, g.Element(in))
	}
	for _, v := range g.Gives {
		types = append(types, v.Element())
	}
	for _, t := range types {
		switch {
		case t == "complex64" && strings.Contains(ofComplex, " "+g.function()+" "):
		case isComplex(t):
			return errNoONNX(g.Call, "of complex numbers")
		case ElementTypes()[t] == 0:
			return errNoONNX(g.Call, "of elements of "+string(t))
		}
	}
	return g.op.ONNX(g)
}

// function is the operation's name without overload, and without the mark of one that writes over
// its first argument.
func (c *Call) function() string {
	if c.InPlace() {
		return strings.TrimSuffix(c.op.base(), "_")
	}
	return c.op.base()
}

// In is the name in the graph of an argument's tensor.
func (g *Graph) In(arg string) string { return g.Value(g.Ref(arg)) }

// Add adds an operation whose output is the node's.
func (g *Graph) Add(operation string, in []string, attributes ...Attribute) {
	g.Give(0, g.Step(operation, in, attributes...))
}

// Result is the element type of the node's first output.
func (g *Graph) Result() Choice {
	if g.Gives == nil {
		return "float32"
	}
	return g.Gives[0].Element()
}

// cast makes a tensor of one type another.
func (g *Graph) cast(x string, from, to Choice) string {
	if from == to {
		return x
	}
	return g.Step("Cast", []string{x}, Attribute{"to", ElementTypes()[to]})
}

// as is an argument, a tensor or a number, in a type.
func (g *Graph) as(arg string, t Choice) string {
	if name := g.Ref(arg); name != "" {
		return g.cast(g.Value(name), g.Element(name), t)
	}
	switch v := g.value(arg).(type) {
	case Size:
		return g.cast(g.Step("Squeeze", []string{g.length(v), g.Numbers(0)}), "int64", t)
	case bool:
		if v {
			return g.Constant(t, nil, 1)
		}
		return g.Constant(t, nil, 0)
	}
	return g.Constant(t, nil, g.Float(arg))
}

// listed are the tensors of an argument of several, in a type.
func (g *Graph) listed(arg string, t Choice) []string {
	var all []string
	for _, name := range g.Refs(arg) {
		all = append(all, g.cast(g.Value(name), g.Element(name), t))
	}
	return all
}

// dims is a shape as a list of numbers of the graph.
func (g *Graph) dims(shape []int) string {
	var parts []string
	for len(shape) > 0 {
		n := slices.IndexFunc(shape, func(size int) bool { return size < 0 })
		switch {
		case n < 0:
			n = len(shape)
			fallthrough
		case n > 0:
			parts, shape = append(parts, g.Numbers(shape[:n]...)), shape[n:]
		case shape[0] == Batch:
			parts, shape = append(parts, g.Clips()), shape[1:]
		default:
			parts, shape = append(parts, g.Step("Mul", []string{g.Clips(), g.Numbers(-shape[0])})), shape[1:]
		}
	}
	switch len(parts) {
	case 0:
		return g.Numbers()
	case 1:
		return parts[0]
	}
	return g.Step("Concat", parts, Attribute{"axis", 0})
}

// length is a whole number, or a multiple of the number of clips, as a list of one.
func (g *Graph) length(v any) string {
	switch v := v.(type) {
	case Size:
		if v.Clips {
			return g.dims([]int{-v.N})
		}
		return g.Numbers(v.N)
	case int:
		return g.Numbers(v)
	}
	return ""
}

// reshape adds a Reshape of a tensor to a shape of which at most the clips are not known.
func (g *Graph) reshape(x string, shape []int) string {
	unknown, none := 0, slices.Contains(shape, 0)
	for _, size := range shape {
		if size < 0 {
			unknown++
		}
	}
	switch {
	case none:
		return g.Step("Reshape", []string{x, g.dims(shape)}, Attribute{"allowzero", 1})
	case unknown == 1:
		shape = slices.Clone(shape)
		shape[slices.IndexFunc(shape, func(size int) bool { return size < 0 })] = -1
		return g.Step("Reshape", []string{x, g.Numbers(shape...)})
	}
	return g.Step("Reshape", []string{x, g.dims(shape)})
}

// whole returns a shape with the extra dimension of complex numbers.
func whole(shape []int, t Choice) []int {
	if isComplex(t) {
		return append(slices.Clone(shape), 2)
	}
	return shape
}

// axis is a dimension of an argument's tensor, counted from the front.
func (g *Graph) axis(arg, of string) int { return dimension(g.Int(arg), len(g.Shape(of))) }

// sliced returns the elements from start to end along a dimension.
func (g *Graph) sliced(x string, axis, start, end int) string {
	return g.Step("Slice", []string{x, g.Numbers(start), g.Numbers(end), g.Numbers(axis)})
}

// many reports whether the product of some sizes is more numbers than a graph may get, or none.
func many(sizes ...int) bool { return tooMany(sizes...) || product(sizes) > maxNumbers }

// transposed has the dimensions in another order, those of complex numbers last.
func (g *Graph) transposed(x string, order []int, t Choice) string {
	if isComplex(t) {
		order = append(slices.Clone(order), len(order))
	}
	return g.Step("Transpose", []string{x}, Attribute{"perm", order})
}

// truth is an attribute of ONNX that says yes or no.
func truth(name string, v bool) Attribute {
	if v {
		return Attribute{name, 1}
	}
	return Attribute{name, 0}
}

// A calculation is arithmetic in one type, written to a graph.
type calculation struct {
	*Graph
	t Choice
}

// computing is the type in which ONNX's operations compute for a type that they do not support.
func computing(t Choice) Choice {
	switch t {
	case "bool", "uint8", "int8", "int16":
		return "int32"
	}
	return t
}

// computes is arithmetic in the type of the node's output.
func (g *Graph) computes() calculation { return calculation{g, computing(g.Result())} }

// arg is an argument of the node.
func (k calculation) arg(name string) string { return k.as(name, k.t) }

// num is a number.
func (k calculation) num(v float64) string { return k.Constant(k.t, nil, v) }

func (k calculation) do(operation string, in ...string) string { return k.Step(operation, in) }

// give makes a result the node's output.
func (k calculation) give(place int, x string) {
	t := Choice("float32")
	if k.Gives != nil {
		t = k.Gives[place].Element()
	}
	k.Give(place, k.cast(x, k.t, t))
}

// choose adds a Where: one of two by a condition.
func (k calculation) choose(condition, yes, no string) string {
	return k.do("Where", condition, yes, no)
}

// arg is the first of some names that the operation has for an argument.
func (g *Graph) arg(names ...string) string {
	i := slices.IndexFunc(names, func(name string) bool { return g.op.param(name) != nil })
	return names[max(i, 0)]
}
