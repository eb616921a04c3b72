package op

import (
	"math"
	"slices"
	"strings"
)

// Contiguous is its input, laid out in memory as PyTorch lays maps out.
const Contiguous = "aten.contiguous.default"

// elementwiseRules returns the rules of functions of each element alone: channels stay apart.
func elementwiseRules() []rule {
	return []rule{
		{ops: "abs acos acosh alias alpha_dropout arccos arcsin arctan asin asinh atan atanh ceil celu clamp clamp_max clamp_min clip clone " +
			"conj contiguous cos cosh deg2rad detach dropout elu erf erfc exp exp2 expm1 fill floor frac gelu hardshrink hardsigmoid hardswish " +
			"hardtanh imag isfinite isinf isnan leaky_relu lgamma log log10 log1p log2 log_sigmoid logical_not logit mish nan_to_num neg " +
			"negative ones_like positive rad2deg real reciprocal relu relu6 resolve_conj resolve_neg round rrelu rsqrt selu sigmoid sign " +
			"silu sin sinc sinh softplus softshrink sqrt square tan tanh threshold to trunc zeros_like full_like zero _to_copy _conj angle " +
			"bitwise_not sgn type_as special_erf special_expit rand_like randn_like feature_dropout bernoulli lift_fresh_copy native_dropout",
			Op: Op{Tie: broadcasts, ONNX: elementwiseONNX, AnyLayout: true}},
		// Of a channel with its twin in the other half.
		{ops: "glu", Op: Op{Tie: func(t *Ties) {
			dim := dimension(t.Int("dim"), len(t.Call.Out))
			for d := range t.Call.Out {
				in, out := t.In("self", d), t.Out(d)
				if d != dim {
					t.Same(in, out)
					continue
				}
				t.Part(out, in, 0)
				t.Part(out, in, out.size)
			}
		}, ONNX: func(g *Graph) error {
			axis := g.axis("dim", "self")
			half := g.size("self", axis) / 2
			if half < 1 {
				return errNoONNX(g.Call, "")
			}
			x := g.In("self")
			gate := g.Step("Sigmoid", []string{g.sliced(x, axis, half, 2*half)})
			g.Add("Mul", []string{g.sliced(x, axis, 0, half), gate})
			return nil
		}, AnyLayout: true}},
		{ops: "prelu", Op: Op{Tie: func(t *Ties) {
			t.Pass(t.Ref("self"), t.Values()[0])
			if slope := t.In("weight", 0); slope.size > 1 {
				t.Same(t.In("self", 1), t.Tensor("weight", 0, Scale))
			} else {
				t.touched[slope] = true
			}
		}, ONNX: func(g *Graph) error {
			slope := g.In("weight")
			if n := g.size("weight", 0); n > 1 {
				slope = g.reshape(slope, append([]int{n}, slices.Repeat([]int{1}, max(len(g.Out)-2, 0))...))
			}
			g.Add("PRelu", []string{g.In("self"), slope})
			return nil
		}, AnyLayout: true}},
	}
}

// passing are functions that return their input in evaluation.
const passing = " alias alpha_dropout bernoulli clone contiguous detach dropout feature_dropout lift_fresh_copy native_dropout positive " +
	"resolve_conj resolve_neg "

// counterparts are functions that ONNX has under another name, or by the same one.
var counterparts = map[string]string{"abs": "Abs", "acos": "Acos", "acosh": "Acosh", "arccos": "Acos", "arcsin": "Asin", "arctan": "Atan",
	"asin": "Asin", "asinh": "Asinh", "atan": "Atan", "atanh": "Atanh", "ceil": "Ceil", "cos": "Cos", "cosh": "Cosh", "erf": "Erf", "exp": "Exp",
	"floor": "Floor", "hardswish": "HardSwish", "log": "Log", "neg": "Neg", "negative": "Neg", "reciprocal": "Reciprocal", "relu": "Relu",
	"selu": "Selu", "sigmoid": "Sigmoid", "sign": "Sign", "sgn": "Sign", "sin": "Sin", "sinh": "Sinh", "special_expit": "Sigmoid",
	"special_erf": "Erf", "sqrt": "Sqrt", "tan": "Tan", "tanh": "Tanh"}

// compositions are functions that ONNX has as several operations.
var compositions = map[string]func(k calculation, x string) string{
	"celu": func(k calculation, x string) string {
		return k.Step("Celu", []string{x}, Attribute{"alpha", k.Float("alpha")})
	},
	"clamp":     clipped("min", "max"),
	"clip":      clipped("min", "max"),
	"clamp_min": clipped("min", ""),
	"clamp_max": clipped("", "max"),
	"deg2rad":   func(k calculation, x string) string { return k.do("Mul", x, k.num(math.Pi/180)) },
	"rad2deg":   func(k calculation, x string) string { return k.do("Mul", x, k.num(180/math.Pi)) },
	"elu":       scaledELU,
	"erfc":      func(k calculation, x string) string { return k.do("Sub", k.num(1), k.do("Erf", x)) },
	"exp2":      func(k calculation, x string) string { return k.do("Pow", k.num(2), x) },
	"expm1":     func(k calculation, x string) string { return k.do("Sub", k.do("Exp", x), k.num(1)) },
	"frac":      func(k calculation, x string) string { return k.do("Sub", x, k.truncated(x)) },
	"gelu":      calculation.gelu,
	"hardshrink": func(k calculation, x string) string {
		return k.Step("Shrink", []string{x}, Attribute{"lambd", k.Float("lambd")})
	},
	"hardsigmoid": func(k calculation, x string) string {
		return k.Step("HardSigmoid", []string{x}, Attribute{"alpha", 1.0 / 6})
	},
	"hardtanh":    clipped("min_val", "max_val"),
	"leaky_relu":  func(k calculation, x string) string { return k.leaky(x, k.Float("negative_slope")) },
	"log10":       func(k calculation, x string) string { return k.do("Mul", k.do("Log", x), k.num(1/math.Ln10)) },
	"log1p":       func(k calculation, x string) string { return k.do("Log", k.do("Add", x, k.num(1))) },
	"log2":        func(k calculation, x string) string { return k.do("Mul", k.do("Log", x), k.num(1/math.Ln2)) },
	"log_sigmoid": func(k calculation, x string) string { return k.do("Neg", k.do("Softplus", k.do("Neg", x))) },
	"logit":       calculation.logit,
	"mish":        func(k calculation, x string) string { return k.do("Mul", x, k.do("Tanh", k.do("Softplus", x))) },
	"relu6":       func(k calculation, x string) string { return k.do("Clip", x, k.num(0), k.num(6)) },
	"rrelu":       func(k calculation, x string) string { return k.leaky(x, (k.Float("lower")+k.Float("upper"))/2) },
	"rsqrt":       func(k calculation, x string) string { return k.do("Reciprocal", k.do("Sqrt", x)) },
	"silu":        func(k calculation, x string) string { return k.do("Mul", x, k.do("Sigmoid", x)) },
	"sinc":        calculation.sinc,
	"softplus":    calculation.softplus,
	"softshrink": func(k calculation, x string) string {
		return k.Step("Shrink", []string{x}, Attribute{"lambd", k.Float("lambd")}, Attribute{"bias", k.Float("lambd")})
	},
	"square": func(k calculation, x string) string { return k.do("Mul", x, x) },
	"threshold": func(k calculation, x string) string {
		return k.choose(k.do("Greater", x, k.num(k.Float("threshold"))), x, k.num(k.Float("value")))
	},
	"trunc": calculation.truncated,
}

// elementwiseONNX writes a function of one tensor.
func elementwiseONNX(g *Graph) error {
	name, from := g.function(), g.Element(g.Ref(g.first()))
	if isComplex(from) || isComplex(g.Result()) {
		return complexFunction(g, name)
	}
	k := g.computes()
	arg := func() string { return g.as(g.first(), k.t) }
	whole := k.t == "int32" || k.t == "int64"
	switch {
	case name == "bernoulli" && g.op.param("p") != nil: // in the mean
		k.give(0, k.do("Expand", k.arg("p"), g.dims(g.Out)))
	case strings.Contains(passing, " "+name+" ") || strings.HasPrefix(g.Op, "aten.to.") || name == "_to_copy" || name == "type_as":
		g.Give(0, g.cast(g.In(g.first()), from, g.Result()))
	case whole && strings.Contains(" ceil floor round trunc ", " "+name+" "):
		k.give(0, arg())
	case counterparts[name] != "":
		k.give(0, k.do(counterparts[name], arg()))
	case compositions[name] != nil && !g.Given("min") && !g.Given("max"):
		if name == "gelu" && g.Text("approximate") != "none" && g.Text("approximate") != "tanh" {
			return errNoONNX(g.Call, "its approximation is "+g.Text("approximate"))
		}
		k.give(0, compositions[name](k, arg()))
	default:
		return elementwiseOther(g, name, from)
	}
	return nil
}

// elementwiseOther writes functions that return elements of another type, or have tensors beside the first.
func elementwiseOther(g *Graph, name string, from Choice) error {
	k := g.computes()
	x := g.In(g.first())
	switch name {
	case "clamp", "clip", "clamp_min", "clamp_max": // by tensors
		y := g.as("self", k.t)
		if g.Given("min") {
			y = k.do("Max", y, g.as("min", k.t))
		}
		if g.Given("max") {
			y = k.do("Min", y, g.as("max", k.t))
		}
		k.give(0, y)
	case "round":
		if g.Int("decimals") != 0 {
			return errNoONNX(g.Call, "it rounds to decimals")
		}
		k.give(0, k.do("Round", g.as("self", k.t)))
	case "logical_not", "bitwise_not":
		if name == "bitwise_not" && from != "bool" {
			return errNoONNX(g.Call, "of whole numbers")
		}
		g.Add("Not", []string{g.cast(x, from, "bool")})
	case "isnan", "isinf", "isfinite":
		if from != "float64" {
			x = g.cast(x, from, "float32")
		}
		never, infinite := g.Step("IsNaN", []string{x}), ""
		switch name {
		case "isnan":
			g.Give(0, never)
		case "isinf":
			g.Add("IsInf", []string{x})
		default:
			infinite = g.Step("IsInf", []string{x})
			g.Add("Not", []string{g.Step("Or", []string{never, infinite})})
		}
	case "nan_to_num":
		k.give(0, k.finite(g.as("self", k.t)))
	case "ones_like", "zeros_like", "full_like", "fill", "zero":
		v := g.Constant(k.t, nil, 0)
		switch name {
		case "ones_like":
			v = g.Constant(k.t, nil, 1)
		case "full_like":
			v = g.as("fill_value", k.t)
		case "fill":
			v = g.as("value", k.t)
		}
		k.give(0, k.do("Expand", v, g.dims(g.Out)))
	default:
		return errNoONNX(g.Call, "")
	}
	return nil
}

// clipped brings elements to between two numbers, either of which may be none.
func clipped(low, high string) func(k calculation, x string) string {
	return func(k calculation, x string) string {
		in := []string{x, "", ""}
		for i, arg := range []string{low, high} {
			if arg != "" && k.value(arg) != nil {
				in[i+1] = k.arg(arg)
			}
		}
		for len(in) > 1 && in[len(in)-1] == "" {
			in = in[:len(in)-1]
		}
		return k.Step("Clip", in)
	}
}

func (k calculation) truncated(x string) string {
	return k.do("Mul", k.do("Sign", x), k.do("Floor", k.do("Abs", x)))
}

func (k calculation) leaky(x string, slope float64) string {
	return k.Step("LeakyRelu", []string{x}, Attribute{"alpha", slope})
}

func scaledELU(k calculation, x string) string {
	alpha, scale, within := k.Float("alpha"), k.Float("scale"), k.Float("input_scale")
	y := ""
	if within == 1 {
		y = k.Step("Elu", []string{x}, Attribute{"alpha", alpha})
	} else {
		below := k.do("Mul", k.do("Sub", k.do("Exp", k.do("Mul", x, k.num(within))), k.num(1)), k.num(alpha))
		y = k.choose(k.do("Greater", x, k.num(0)), x, below)
	}
	if scale != 1 {
		y = k.do("Mul", y, k.num(scale))
	}
	return y
}

func (k calculation) gelu(x string) string {
	share := ""
	if k.Text("approximate") == "tanh" {
		cube := k.do("Mul", k.do("Mul", k.do("Mul", x, x), x), k.num(0.044715))
		share = k.do("Tanh", k.do("Mul", k.do("Add", x, cube), k.num(math.Sqrt(2/math.Pi))))
	} else {
		share = k.do("Erf", k.do("Mul", x, k.num(1/math.Sqrt2)))
	}
	return k.do("Mul", k.do("Mul", x, k.do("Add", share, k.num(1))), k.num(0.5))
}

// logit is the logit of numbers, clamped to between eps and 1-eps where eps is given.
func (k calculation) logit(x string) string {
	if k.value("eps") != nil {
		eps := k.Float("eps")
		x = k.do("Clip", x, k.num(eps), k.num(1-eps))
	}
	return k.do("Log", k.do("Div", x, k.do("Sub", k.num(1), x)))
}

func (k calculation) sinc(x string) string {
	x = k.do("Mul", x, k.num(math.Pi))
	return k.choose(k.do("Equal", x, k.num(0)), k.num(1), k.do("Div", k.do("Sin", x), x))
}

func (k calculation) softplus(x string) string {
	beta, threshold := k.Float("beta"), k.Float("threshold")
	scaled := x
	if beta != 1 {
		scaled = k.do("Mul", x, k.num(beta))
	}
	y := k.do("Softplus", scaled)
	if beta != 1 {
		y = k.do("Div", y, k.num(beta))
	}
	return k.choose(k.do("Greater", scaled, k.num(threshold)), x, y)
}

// finite puts numbers in the place of those that are none, or infinite.
func (k calculation) finite(x string) string {
	largest := math.MaxFloat32
	if k.t == "float64" {
		largest = math.MaxFloat64
	}
	instead := func(arg string, v float64) string {
		if k.value(arg) != nil {
			v = k.Float(arg)
		}
		return k.num(v)
	}
	above := k.Step("IsInf", []string{x}, Attribute{"detect_negative", 0})
	below := k.Step("IsInf", []string{x}, Attribute{"detect_positive", 0})
	y := k.choose(k.do("IsNaN", x), instead("nan", 0), x)
	return k.choose(below, instead("neginf", -largest), k.choose(above, instead("posinf", largest), y))
}
