package op

import (
	"fmt"
	"strconv"
	"strings"
)

// A Graph is what a node is written to as ONNX.
type Graph struct {
	*Call
	Builder
}

// A Builder adds to an ONNX graph.
type Builder interface {
	// Value is the name in the graph of what a node of the network gave.
	Value(name string) string
	// Tensor adds a parameter or buffer as it is, once; Weight adds one [filters, ...], which may
	// be stored as 8-bit integers; Numbers adds a list of whole numbers, Floats one of others. Each
	// returns its name.
	Tensor(name string) (string, error)
	Weight(name string) (string, error)
	Numbers(name string, v ...int) string
	Floats(name string, v ...float64) string
	// Step adds an operation that gives something in between, whose name it returns.
	Step(operation string, in []string, attributes ...Attribute) string
	// Add adds an operation that gives what the node gives.
	Add(operation string, in []string, attributes ...Attribute)
	// Pass says that the node gives what it takes.
	Pass(in string)
}

// An Attribute of an ONNX operation: an int, a float64, []int or string.
type Attribute struct {
	Name  string
	Value any
}

// In is the name in the graph of an argument's tensor.
func (g *Graph) In(arg string) string { return g.Value(g.Ref(arg)) }

// onnx makes an operation of ONNX of one that takes one tensor.
func onnx(operation, arg string, attributes ...func(c *Call) Attribute) func(g *Graph) error {
	return func(g *Graph) error {
		var all []Attribute
		for _, a := range attributes {
			all = append(all, a(g.Call))
		}
		g.Add(operation, []string{g.In(arg)}, all...)
		return nil
	}
}

// attribute is an attribute whose value is an argument that is a number.
func attribute(name, arg string) func(c *Call) Attribute {
	return func(c *Call) Attribute { return Attribute{name, c.Float(arg)} }
}

// number prints v as a number of Python, to the last bit.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// tuple prints numbers as a tuple of Python.
func tuple(v []int) string { return "(" + list(v) + ")" }

func list(v []int) string {
	texts := make([]string, len(v))
	for i, n := range v {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ", ")
}

// function is the expression of a function of one tensor and some numbers.
func function(name, arg string, numbers ...string) func(c *Call, in func(string) string) string {
	return func(c *Call, in func(string) string) string {
		text := name + "(" + in(arg)
		for _, n := range numbers {
			text += ", " + number(c.Float(n))
		}
		return text + ")"
	}
}

// module is the constructor of a module that takes some numbers.
func module(name string, numbers ...string) func(c *Call) string {
	return func(c *Call) string {
		var texts []string
		for _, n := range numbers {
			texts = append(texts, number(c.Float(n)))
		}
		return fmt.Sprintf("%s(%s)", name, strings.Join(texts, ", "))
	}
}
