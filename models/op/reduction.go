package op

import (
	"maps"
	"math"
	"slices"
	"strings"
)

// reductionRules returns the rules of operations that reduce a dimension to one number, or move along
// it: it stays whole, and the others pass.
func reductionRules() []rule {
	return []rule{
		{ops: "amax amin all any argmax argmin logsumexp max.dim min.dim median.dim kthvalue nansum norm.ScalarOpt_dim norm.ScalarOpt_dim_dtype " +
			"linalg_vector_norm prod.dim_int std std.correction std.dim std_mean std_mean.correction sum.dim_IntList var var.correction var.dim " +
			"var_mean var_mean.correction var_mean.dim std_mean.dim nanmean frobenius_norm.dim quantile quantile.scalar",
			Op: Op{Tie: func(t *Ties) { t.over(t.Name + " makes one of it") }, ONNX: reducedONNX}},
		{ops: "softmax log_softmax _softmax _log_softmax cumsum cumprod logcumsumexp cummax cummin sort flip roll topk diff",
			Op: Op{Tie: func(t *Ties) { t.along(t.Name + " goes over it") }, ONNX: alongONNX}},
		// Each row by its norm: a column that is zero adds nothing to it.
		{ops: "renorm", Op: Op{Tie: func(t *Ties) { t.Pass(t.Ref("self"), t.Values()[0]) }}},
		{ops: "_weight_norm", Op: Op{Tie: func(t *Ties) {
			t.Pass(t.Ref("v"), t.Values()[0])
			for d := range t.Shape("g") {
				if g := t.In("g", d); g.size == t.Out(d).size {
					t.Same(g, t.Out(d))
				}
			}
		}}},
	}
}

// overDims are the dimensions that an operation is about, by its argument dim or dims: all where
// that names none.
func (c *Call) overDims() map[int]bool {
	dims, over := len(c.Shape(c.first())), map[int]bool{}
	named := append(c.Ints("dim"), c.Ints("dims")...)
	if len(named) == 0 && (c.value("dim") == nil || c.value("dims") != nil) {
		for d := range dims {
			named = append(named, d)
		}
	}
	for _, d := range named {
		over[dimension(d, dims)] = true
	}
	return over
}

// first is the argument of the node's first input tensor.
func (c *Call) first() string {
	for _, p := range c.op.params {
		if c.Given(p.name) {
			return p.name
		}
	}
	return ""
}

// over has the dimensions that an operation makes one number of whole, and the others pass.
func (t *Ties) over(why string) {
	in, gone := t.first(), t.overDims()
	for _, v := range t.Values() {
		at := 0
		kept := len(t.shapes[v]) == len(t.Shape(in))
		for d := range t.Shape(in) {
			switch {
			case gone[d]:
				t.Whole(t.In(in, d), why)
			default:
				t.Same(t.In(in, d), t.of(v, at))
			}
			if !gone[d] || kept {
				at++
			}
		}
	}
}

// along has the dimensions that an operation goes over whole, and the others pass.
func (t *Ties) along(why string) {
	in, whole := t.first(), t.overDims()
	for _, v := range t.Values() {
		for d := range t.shapes[v] {
			if whole[d] || t.In(in, d).size != t.of(v, d).size {
				t.Whole(t.In(in, d), why)
				t.Whole(t.of(v, d), why)
				continue
			}
			t.Same(t.In(in, d), t.of(v, d))
		}
	}
}

// reductions are those that ONNX has.
var reductions = map[string]string{"amax": "Max", "amin": "Min", "max": "Max", "min": "Min", "sum": "Sum", "mean": "Mean", "prod": "Prod",
	"logsumexp": "LogSumExp", "all": "Min", "any": "Max"}

// axes are the dimensions that an operation is about, in order.
func (g *Graph) axes() []int { return slices.Sorted(maps.Keys(g.overDims())) }

// reduce makes one of the elements along dimensions.
func (k calculation) reduce(operation, x string, axes []int, keep bool) string {
	if operation == "Sum" {
		return k.Step("ReduceSum", []string{x, k.Numbers(axes...)}, truth("keepdims", keep))
	}
	return k.Step("Reduce"+operation, []string{x}, Attribute{"axes", axes}, truth("keepdims", keep))
}

// reducedONNX writes a reduction along dimensions.
func reducedONNX(g *Graph) error {
	name, keep, axes := g.function(), g.Bool("keepdim"), g.axes()
	k := g.computes()
	if isComplex(g.Element(g.Ref(g.first()))) || isComplex(k.t) || len(axes) == 0 {
		return errNoONNX(g.Call, "")
	}
	switch name {
	case "amax", "amin", "sum", "mean", "prod", "logsumexp":
		k.give(0, k.reduce(reductions[name], k.arg("self"), axes, keep))
	case "all", "any":
		x := g.cast(g.as("self", "bool"), "bool", k.t)
		k.give(0, k.reduce(reductions[name], x, axes, keep))
	case "max", "min", "argmax", "argmin":
		operation := map[string]string{"max": "ArgMax", "min": "ArgMin", "argmax": "ArgMax", "argmin": "ArgMin"}[name]
		if len(axes) != 1 {
			return errNoONNX(g.Call, "over all dimensions")
		}
		t := computing(g.Element(g.Ref("self")))
		x := g.as("self", t)
		place := calculation{g, "int64"}
		index := g.Step(operation, []string{x}, Attribute{"axis", axes[0]}, truth("keepdims", keep))
		if reductions[name] == "" {
			place.give(0, index)
			return nil
		}
		place.give(1, index)
		k.give(0, k.reduce(reductions[name], x, axes, keep))
	case "median", "kthvalue":
		at := (g.size("self", axes[0]) + 1) / 2
		if name == "kthvalue" {
			at = g.Int("k")
		}
		if at < 1 || len(axes) > 1 {
			return errNoONNX(g.Call, "along the clips")
		}
		for i, x := range g.Steps("TopK", 2, []string{k.arg("self"), g.Numbers(at)}, Attribute{"axis", axes[0]}, truth("largest", false)) {
			x = g.sliced(x, axes[0], at-1, at)
			if !keep {
				x = g.Step("Squeeze", []string{x, g.Numbers(axes[0])})
			}
			calculation{g, []Choice{k.t, "int64"}[i]}.give(i, x)
		}
	case "norm", "linalg_vector_norm", "frobenius_norm":
		k.give(0, k.norm(k.arg("self"), g.normOrder(), axes, keep))
	case "var", "std", "var_mean", "std_mean":
		return varianceONNX(k, axes, keep)
	default:
		return errNoONNX(g.Call, "")
	}
	return nil
}

// normOrder is which norm an operation computes: the Euclidean one where it does not say.
func (g *Graph) normOrder() float64 {
	for _, arg := range []string{"ord", "p"} {
		if g.value(arg) != nil {
			return g.Float(arg)
		}
	}
	return 2
}

// norm is the norm of an order.
func (k calculation) norm(x string, order float64, axes []int, keep bool) string {
	switch {
	case order == 1 || order == 2:
		return k.reduce(map[float64]string{1: "L1", 2: "L2"}[order], x, axes, keep)
	case order == 0:
		some := k.cast(k.cast(x, k.t, "bool"), "bool", k.t)
		return k.reduce("Sum", some, axes, keep)
	case math.IsInf(order, 0):
		return k.reduce(map[bool]string{true: "Max", false: "Min"}[order > 0], k.do("Abs", x), axes, keep)
	}
	sum := k.reduce("Sum", k.do("Pow", k.do("Abs", x), k.num(order)), axes, keep)
	return k.do("Pow", sum, k.num(1/order))
}

// varianceONNX writes variances and standard deviations, with the mean where that is given too.
func varianceONNX(k calculation, axes []int, keep bool) error {
	count, correction := 1, 1.0
	for _, d := range axes {
		if count *= k.size("self", d); count < 1 {
			return errNoONNX(k.Call, "over the clips")
		}
	}
	switch {
	case k.op.param("correction") != nil && k.value("correction") != nil:
		correction = k.Float("correction")
	case k.op.param("unbiased") != nil && !k.Bool("unbiased"):
		correction = 0
	}
	x := k.arg("self")
	mean := k.reduce("Mean", x, axes, true)
	away := k.do("Sub", x, mean)
	y := k.do("Div", k.reduce("Sum", k.do("Mul", away, away), axes, keep), k.num(max(0, float64(count)-correction)))
	name := k.function()
	if strings.HasPrefix(name, "std") {
		y = k.do("Sqrt", y)
	}
	k.give(0, y)
	if strings.HasSuffix(name, "_mean") {
		if !keep {
			mean = k.do("Squeeze", mean, k.Numbers(axes...))
		}
		k.give(1, mean)
	}
	return nil
}

// alongONNX writes an operation that goes along a dimension, such as softmax.
func alongONNX(g *Graph) error {
	k, axes := g.computes(), g.axes()
	if isComplex(k.t) || len(axes) == 0 {
		return errNoONNX(g.Call, "")
	}
	axis := Attribute{"axis", axes[0]}
	switch name := strings.TrimPrefix(g.function(), "_"); name {
	case "softmax", "log_softmax":
		k.give(0, k.Step(map[string]string{"softmax": "Softmax", "log_softmax": "LogSoftmax"}[name], []string{k.arg("self")}, axis))
	case "cumsum":
		k.give(0, k.do("CumSum", k.arg("self"), k.Constant("int64", nil, float64(axes[0]))))
	case "flip":
		from, to := slices.Repeat([]int{-1}, len(axes)), slices.Repeat([]int{math.MinInt64}, len(axes))
		k.give(0, k.do("Slice", k.arg("self"), g.Numbers(from...), g.Numbers(to...), g.Numbers(axes...), g.Numbers(from...)))
	case "roll":
		return rolledONNX(k)
	case "sort", "topk":
		size, largest := g.size("self", axes[0]), g.Bool("descending")
		if name == "topk" {
			size, largest = g.Int("k"), g.Bool("largest")
		}
		if size < 1 {
			return errNoONNX(g.Call, "along the clips")
		}
		out := g.Steps("TopK", 2, []string{k.arg("self"), g.Numbers(size)}, axis, truth("largest", largest))
		k.give(0, out[0])
		calculation{g, "int64"}.give(1, out[1])
	default:
		return errNoONNX(g.Call, "")
	}
	return nil
}

// rolledONNX moves elements along dimensions; those at the end come first.
func rolledONNX(k calculation) error {
	shifts, dims := k.Ints("shifts"), k.Ints("dims")
	if len(dims) == 0 || len(shifts) != len(dims) {
		return errNoONNX(k.Call, "over all dimensions")
	}
	x := k.arg("self")
	for i, d := range dims {
		d = dimension(d, len(k.Out))
		size := sizeAt(k.Out, d)
		if size < 1 {
			return errNoONNX(k.Call, "along the clips")
		}
		if by := (shifts[i]%size + size) % size; by > 0 {
			x = k.Step("Concat", []string{k.sliced(x, d, size-by, size), k.sliced(x, d, 0, size-by)}, Attribute{"axis", d})
		}
	}
	k.give(0, x)
	return nil
}
