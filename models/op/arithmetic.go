package op

import (
	"slices"
	"strings"
)

// arithmeticRules returns the rules of functions of the elements of several tensors, or of a tensor and
// a number: channels stay apart.
func arithmeticRules() []rule {
	return []rule{
		{ops: "add sub subtract rsub mul multiply div divide true_divide floor_divide remainder fmod pow float_power atan2 maximum minimum fmax " +
			"fmin addcmul addcdiv lerp where eq ne lt le gt ge greater less logical_and logical_or logical_xor __and__ __or__ __xor__ " +
			"bitwise_and bitwise_or bitwise_xor max.other min.other masked_fill copy copysign hypot xlogy logaddexp heaviside complex polar",
			Op: Op{Tie: broadcasts, ONNX: arithmeticONNX, AnyLayout: true}},
	}
}

// counterpartsOfPairs are functions of two tensors that ONNX has, of elements of the result's type.
var counterpartsOfPairs = map[string]string{"add": "Add", "sub": "Sub", "subtract": "Sub", "mul": "Mul", "multiply": "Mul", "div": "Div",
	"divide": "Div", "true_divide": "Div", "pow": "Pow", "float_power": "Pow", "maximum": "Max", "minimum": "Min",
	"max": "Max", "min": "Min"}

// comparisons are ONNX's comparisons of two tensors, by PyTorch's names.
var comparisons = map[string]string{"eq": "Equal", "lt": "Less", "less": "Less", "le": "LessOrEqual", "gt": "Greater", "greater": "Greater", "ge": "GreaterOrEqual"}

// connectives are functions of truth values.
var connectives = map[string]string{"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor", "__and__": "And", "__or__": "Or", "__xor__": "Xor",
	"bitwise_and": "And", "bitwise_or": "Or", "bitwise_xor": "Xor"}

// arithmeticONNX writes a function of several tensors.
func arithmeticONNX(g *Graph) error {
	name := g.function()
	if isComplex(g.Result()) || slices.ContainsFunc(g.Inputs(), func(in string) bool { return isComplex(g.Element(in)) }) {
		return complexFunction(g, name)
	}
	a, b := g.op.params[0].name, g.op.params[1].name
	k := g.computes()
	switch {
	case connectives[name] != "":
		if g.Result() != "bool" {
			return errNoONNX(g.Call, "of whole numbers")
		}
		g.Add(connectives[name], []string{g.as(a, "bool"), g.as(b, "bool")})
	case comparisons[name] != "":
		k.t = computing(g.promoted(a, b))
		g.Add(comparisons[name], []string{k.arg(a), k.arg(b)})
	case name == "ne":
		k.t = computing(g.promoted(a, b))
		g.Add("Not", []string{k.do("Equal", k.arg(a), k.arg(b))})
	case strings.HasPrefix(name, "div") && g.value("rounding_mode") != nil:
		quotient := k.quotient
		if g.Text("rounding_mode") == "trunc" {
			quotient = k.truncatedQuotient
		}
		k.give(0, quotient(k.arg(a), k.arg(b)))
	case counterpartsOfPairs[name] != "":
		x, y := k.arg(a), k.arg(b)
		switch {
		case g.op.param("alpha") != nil && g.Float("alpha") != 1:
			y = k.do("Mul", y, k.arg("alpha"))
		case name == "pow" && !g.Given(b) && g.Float(b) == 2:
			k.give(0, k.do("Mul", x, x))
			return nil
		}
		k.give(0, k.do(counterpartsOfPairs[name], x, y))
	default:
		return arithmeticOther(g, k, name)
	}
	return nil
}

// arithmeticOther writes functions that are several operations of ONNX.
func arithmeticOther(g *Graph, k calculation, name string) error {
	out := ""
	switch name {
	case "rsub":
		x := k.arg("self")
		if g.Float("alpha") != 1 {
			x = k.do("Mul", x, k.arg("alpha"))
		}
		out = k.do("Sub", k.arg("other"), x)
	case "floor_divide":
		out = k.quotient(k.arg("self"), k.arg("other"))
	case "remainder":
		out = k.remainder(k.arg("self"), k.arg("other"))
	case "fmod":
		out = k.Step("Mod", []string{k.arg("self"), k.arg("other")}, Attribute{"fmod", 1})
	case "addcmul", "addcdiv":
		operation := map[string]string{"addcmul": "Mul", "addcdiv": "Div"}[name]
		term := k.do(operation, k.arg("tensor1"), k.arg("tensor2"))
		if g.Float("value") != 1 {
			term = k.do("Mul", term, k.arg("value"))
		}
		out = k.do("Add", k.arg("self"), term)
	case "lerp":
		x := k.arg("self")
		out = k.do("Add", x, k.do("Mul", k.arg("weight"), k.do("Sub", k.arg("end"), x)))
	case "where":
		if g.op.param("self") == nil { // which returns the indices where it holds
			return errNoONNX(g.Call, "")
		}
		out = k.choose(g.as("condition", "bool"), k.arg("self"), k.arg("other"))
	case "masked_fill":
		out = k.choose(g.as("mask", "bool"), k.arg("value"), k.arg("self"))
	case "copy":
		out = k.do("Expand", g.as("src", k.t), g.dims(g.Out))
	case "atan2":
		out = k.angle(k.arg("self"), k.arg("other"))
	case "fmax", "fmin": // of which neither number may be none
		x, y := k.arg("self"), k.arg("other")
		out = k.do(map[string]string{"fmax": "Max", "fmin": "Min"}[name], x, y)
		out = k.choose(k.do("IsNaN", x), y, k.choose(k.do("IsNaN", y), x, out))
	case "xlogy":
		x := k.arg("self")
		out = k.choose(k.do("Equal", x, k.num(0)), k.num(0), k.do("Mul", x, k.do("Log", k.arg("other"))))
	case "heaviside":
		x := k.arg("self")
		out = k.choose(k.do("Equal", x, k.num(0)), k.arg("values"), k.do("Max", k.do("Sign", x), k.num(0)))
	case "hypot":
		x, y := k.arg("self"), k.arg("other")
		out = k.do("Sqrt", k.do("Add", k.do("Mul", x, x), k.do("Mul", y, y)))
	case "logaddexp":
		x, y := k.arg("self"), k.arg("other")
		least := k.do("Neg", k.do("Abs", k.do("Sub", x, y)))
		out = k.do("Add", k.do("Max", x, y), k.do("Log", k.do("Add", k.num(1), k.do("Exp", least))))
	default:
		return errNoONNX(g.Call, "")
	}
	k.give(0, out)
	return nil
}

// remainder has the sign of the divisor.
func (k calculation) remainder(x, y string) string {
	if k.t == "int32" || k.t == "int64" {
		return k.do("Mod", x, y)
	}
	r := k.Step("Mod", []string{x, y}, Attribute{"fmod", 1})
	zero := k.num(0)
	unlike := k.do("Xor", k.do("Less", r, zero), k.do("Less", y, zero))
	wrong := k.do("And", k.do("Not", k.do("Equal", r, zero)), unlike)
	return k.choose(wrong, k.do("Add", r, y), r)
}

// quotient is rounded down.
func (k calculation) quotient(x, y string) string {
	q := k.do("Div", k.do("Sub", x, k.remainder(x, y)), y)
	if k.t == "int32" || k.t == "int64" {
		return q
	}
	return k.do("Round", q)
}

// truncatedQuotient is rounded towards zero.
func (k calculation) truncatedQuotient(x, y string) string {
	q := k.do("Div", x, y)
	if k.t == "int32" || k.t == "int64" {
		return q
	}
	return k.truncated(q)
}

// angle returns the angle of the point (x, y).
func (k calculation) angle(y, x string) string {
	const pi = 3.141592653589793
	zero := k.num(0)
	below := k.do("Or", k.do("Less", y, zero), k.do("Less", k.do("Reciprocal", y), zero)) // negative zero too
	half := k.choose(below, k.num(-pi), k.num(pi))
	left := k.do("Less", x, zero)
	inclined := k.do("Atan", k.do("Div", y, x))
	upright := k.choose(k.do("Equal", y, zero), y, k.do("Mul", half, k.num(0.5)))
	return k.choose(k.do("Equal", x, zero), upright, k.choose(left, k.do("Add", inclined, half), inclined))
}

// kindOf orders element types by kind: bool, whole numbers, the others. The later kind of two decides the
// type of a result before their sizes do.
func kindOf(t Choice) int {
	switch {
	case t == "bool":
		return 0
	case strings.Contains(string(t), "int"):
		return 1
	}
	return 2
}

// wider is the type that two of one kind become, or the one of the later kind.
func wider(a, b Choice) Choice {
	switch {
	case a == "":
		return b
	case b == "" || a == b || kindOf(a) > kindOf(b):
		return a
	case kindOf(b) > kindOf(a):
		return b
	}
	for _, t := range []Choice{"float64", "float32", "int64", "int32", "int16"} {
		if a == t || b == t {
			return t
		}
	}
	return "int16" // of int8 and uint8
}

// promoted is the type in which arguments are compared: that of tensors, unless one of no dimensions
// or a number is of a later kind.
func (g *Graph) promoted(args ...string) Choice {
	var tensors, single, numbers Choice
	for _, arg := range args {
		switch v := g.value(arg).(type) {
		case Ref:
			if t := g.Element(string(v)); len(g.shapes[string(v)]) > 0 {
				tensors = wider(tensors, t)
			} else {
				single = wider(single, t)
			}
		case bool:
			numbers = wider(numbers, "bool")
		case int:
			numbers = wider(numbers, "int64")
		case float64:
			numbers = wider(numbers, "float32")
		}
	}
	t := tensors
	for _, next := range []Choice{single, numbers} {
		if t == "" || next != "" && kindOf(next) > kindOf(t) {
			t = wider(t, next)
		}
	}
	return t
}
