package op

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A param is an argument that a schema names.
type param struct {
	name, kind string // kind: Tensor, int, float, bool, str
	list       bool
	optional   bool
	size       int // of a list that one number may stand for
	missing    any // its default; nil where it has none or None
	needed     bool
}

// parse reads a schema as libtorch writes them. Schemas are part of the program, so a bad one panics in
// the first test.
func parse(schema string) (name string, params []param) {
	name, rest, _ := strings.Cut(schema, "(")
	if !strings.Contains(name, ".") {
		name += ".default"
	}
	inner, _, _ := strings.Cut(rest, ") ->")
	for _, text := range arguments(inner) {
		if text == "*" || text == "" { // by name only
			continue
		}
		kind, decl, _ := strings.Cut(text, " ")
		p := param{}
		p.name, text, p.needed = decl, "", true
		if n, value, ok := strings.Cut(decl, "="); ok {
			p.name, text, p.needed = n, value, false
		}
		kind, p.optional = strings.CutSuffix(kind, "?")
		if base, size, ok := strings.Cut(kind, "["); ok {
			kind, p.list = base, true
			p.size, _ = strconv.Atoi(strings.TrimSuffix(size, "]"))
		}
		switch kind {
		case "Scalar":
			kind = "float"
		case "SymInt":
			kind = "int"
		case "ScalarType", "MemoryFormat":
			kind = "choice"
		}
		p.kind = kind
		if !p.needed && text != "None" {
			p.missing = p.value(text)
		}
		params = append(params, p)
	}
	return "aten." + name, params
}

// base is the operation's name without its overload: "max_pool2d".
func (o *Op) base() string {
	base, _, _ := strings.Cut(strings.TrimPrefix(o.name, "aten."), ".")
	return base
}

// arguments divides those of a schema, of which a default may be a list: "int[2] stride=[1, 1]".
func arguments(text string) []string {
	var all []string
	for _, part := range strings.Split(text, ", ") {
		if n := len(all); n > 0 && strings.Count(all[n-1], "[") > strings.Count(all[n-1], "]") {
			all[n-1] += ", " + part
			continue
		}
		all = append(all, part)
	}
	return all
}

// value is a default as a schema writes it.
func (p param) value(text string) any {
	if p.list {
		ints := []int{}
		for _, s := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("[], ", r) }) {
			n, _ := strconv.Atoi(s)
			ints = append(ints, n)
		}
		return ints
	}
	switch p.kind {
	case "int":
		n, _ := strconv.Atoi(text)
		return n
	case "float":
		f, _ := strconv.ParseFloat(text, 64)
		return f
	case "bool":
		return text == "True"
	}
	return strings.Trim(text, `'"`)
}

// param is an argument's, nil where the schema has none of the name.
func (o *Op) param(arg string) *param {
	i := slices.IndexFunc(o.params, func(p param) bool { return p.name == arg })
	if i < 0 {
		return nil
	}
	return &o.params[i]
}

// check says what is wrong with a node's arguments.
func (o *Op) check(n *Node) error {
	for name := range n.Args {
		if o.param(name) == nil {
			return fmt.Errorf("%s has no argument %q", n.Op, name)
		}
	}
	for _, p := range o.params {
		v, given := n.Args[p.name]
		if !given && !p.needed {
			continue
		}
		if !given || !p.takes(v) {
			return fmt.Errorf("the argument %s of %s must be a %s, not %v", p.name, n.Op, p.kind, v)
		}
	}
	return nil
}

// takes reports whether an argument can be v.
func (p param) takes(v any) bool {
	switch v.(type) {
	case nil:
		return p.optional
	case Choice:
		return p.kind == "choice"
	case Size:
		return (p.kind == "int" || p.kind == "float") && !p.list
	case []Size:
		return p.kind == "int" && p.list
	case []float64:
		return p.kind == "float" && p.list
	case []bool:
		return p.kind == "bool" && p.list
	case Ref:
		return p.kind == "Tensor" && !p.list
	case []Ref:
		return strings.HasPrefix(p.kind, "Tensor") && p.list
	case int:
		return (p.kind == "float" || p.kind == "Tensor") && !p.list || p.kind == "int" && (!p.list || p.size > 0)
	case []int:
		return p.kind == "int" && p.list
	case float64:
		return (p.kind == "float" || p.kind == "Tensor") && !p.list
	case bool:
		return (p.kind == "bool" || p.kind == "float" || p.kind == "Tensor") && !p.list
	case string:
		return p.kind == "str"
	}
	return false
}

// value is a node's argument or its default.
func (c *Call) value(arg string) any {
	p := c.op.param(arg)
	if p == nil {
		return nil
	}
	if v, ok := c.Args[arg]; ok {
		return v
	}
	return p.missing
}

// Int is an argument that is a whole number.
func (c *Call) Int(arg string) int {
	n, _ := c.value(arg).(int)
	return n
}

// Ints is an argument of whole numbers; one stands for as many as the schema has.
func (c *Call) Ints(arg string) []int {
	v := c.value(arg)
	ints, _ := v.([]int)
	if one, ok := v.(int); ok {
		ints = []int{one}
	}
	if len(ints) == 1 {
		return slices.Repeat(ints, max(c.op.param(arg).size, 1))
	}
	return ints
}

// Float is an argument that is a number.
func (c *Call) Float(arg string) float64 {
	switch v := c.value(arg).(type) {
	case float64:
		return v
	case int:
		return float64(v)
	}
	return 0
}

// Bool is an argument that is a truth value.
func (c *Call) Bool(arg string) bool {
	b, _ := c.value(arg).(bool)
	return b
}

// Text is an argument that is a text.
func (c *Call) Text(arg string) string {
	s, _ := c.value(arg).(string)
	return s
}

// Given reports whether an argument is a tensor that is there.
func (c *Call) Given(arg string) bool { return c.Ref(arg) != "" }
