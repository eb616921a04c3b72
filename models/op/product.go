package op

import (
	"math"
	"slices"
	"strings"
)

// productRules returns the rules of matrix products. An operand that is a parameter is a weight: its
// dimension that is summed over holds the columns of channels, its other one filters. If both operands
// are values, the dimension that is summed over stays whole.
func productRules() []rule {
	product := func(a, b string) Op {
		return Op{Weighs: Dense, MACs: func(c *Call) int64 {
			x := c.Shape(a)
			if len(x) == 0 {
				return 0
			}
			return perClip(c.Out) * perClip(x[len(x)-1:])
		}, Tie: func(t *Ties) { t.product(t.Ref(a), t.Ref(b)) }, ONNX: func(g *Graph) error { return productONNX(g, a, b) }}
	}
	biased := func(a, b string) Op {
		o := product(a, b)
		o.Tie = func(t *Ties) {
			t.product(t.Ref(a), t.Ref(b))
			t.Pass(t.Ref("self"), t.Values()[0])
		}
		return o
	}
	return []rule{
		{ops: "matmul", Op: product("self", "other")},
		{ops: "mm bmm", Op: product("self", "mat2")},
		{ops: "addmm", Op: biased("mat1", "mat2")},
		{ops: "baddbmm", Op: biased("batch1", "batch2")},
		{ops: "einsum", Op: Op{Weighs: Dense, Tie: tieEinsum, MACs: func(c *Call) int64 {
			sizes := map[rune]int{}
			operands, _, ok := c.equation()
			for i, letters := range operands {
				for k, letter := range letters {
					if ok {
						sizes[letter] = c.shapes[c.Refs("tensors")[i]][k]
					}
				}
			}
			macs := int64(1)
			for _, n := range sizes {
				macs *= perClip([]int{n})
			}
			return macs
		}, ONNX: func(g *Graph) error {
			equation := strings.ReplaceAll(g.Text("equation"), " ", "")
			g.Add("Einsum", g.listed("tensors", g.Result()), Attribute{"equation", equation})
			return nil
		}}},
		{ops: "cosine_similarity", Op: Op{ONNX: func(g *Graph) error {
			k, axes := g.computes(), []int{dimension(g.Int("dim"), len(g.Out)+1)}
			if len(g.Shape("x1")) != len(g.Out)+1 || len(g.Shape("x2")) != len(g.Out)+1 {
				return errNoONNX(g.Call, "")
			}
			scaled := func(arg string) string {
				x := k.arg(arg)
				return k.do("Div", x, k.do("Max", k.reduce("L2", x, axes, true), k.num(g.Float("eps"))))
			}
			k.give(0, k.reduce("Sum", k.do("Mul", scaled("x1"), scaled("x2")), axes, false))
			return nil
		}}},
		{ops: "outer", Op: Op{ONNX: func(g *Graph) error {
			x, y := g.Step("Unsqueeze", []string{g.In("self"), g.Numbers(1)}), g.Step("Unsqueeze", []string{g.In("vec2"), g.Numbers(0)})
			g.Add("Mul", []string{x, y})
			return nil
		}}},
		{ops: "scaled_dot_product_attention", Op: Op{Weighs: Dense, Tie: tieAttention, MACs: func(c *Call) int64 {
			q, k := c.Shape("query"), c.Shape("key")
			if len(q) < 2 || len(k) < 2 {
				return 0
			}
			return perClip(q)*perClip(k[len(k)-2:len(k)-1]) + perClip(c.Out)*perClip(k[len(k)-2:len(k)-1])
		}, ONNX: attentionONNX}},
	}
}

const contracted = "it is multiplied with another value, channel by channel"

// product ties [..., n, k] times [..., k, m].
func (t *Ties) product(a, b string) {
	x, y := t.shapes[a], t.shapes[b]
	if len(x) < 2 || len(y) < 2 {
		return
	}
	out := t.Values()[0]
	t.contract(t.of(a, -1), t.of(b, -2))
	t.carry(t.of(a, -2), t.of(out, -2))
	t.carry(t.of(b, -1), t.of(out, -1))
	for _, in := range []string{a, b} {
		for d := 3; d <= len(t.shapes[in]); d++ {
			if from, to := t.of(in, -d), t.of(out, -d); from.size == to.size {
				t.Same(from, to)
			}
		}
	}
}

// contract ties two dimensions whose products are summed.
func (t *Ties) contract(a, b Dim) {
	switch fixedA, fixedB := t.all.fixed[a.tensor], t.all.fixed[b.tensor]; {
	case fixedA == fixedB:
		t.Whole(a, contracted)
		t.Whole(b, contracted)
	case fixedA:
		t.all.roles[a], t.all.kinds[a] = Column, Dense
		t.Same(a, b)
	default:
		t.all.roles[b], t.all.kinds[b] = Column, Dense
		t.Same(a, b)
	}
}

// carry ties a dimension that a product keeps: of a parameter, it is filters.
func (t *Ties) carry(in, out Dim) {
	if t.all.fixed[in.tensor] && !t.all.fixed[out.tensor] {
		t.all.roles[in], t.all.kinds[in] = Filter, Dense
	}
	t.Same(in, out)
}

// equation divides einsum's: a letter for each dimension.
func (c *Call) equation() (operands []string, out string, ok bool) {
	text := strings.ReplaceAll(c.Text("equation"), " ", "")
	left, out, arrow := strings.Cut(text, "->")
	operands = strings.Split(left, ",")
	names := c.Refs("tensors")
	if !arrow || strings.Contains(text, ".") || len(operands) != len(names) || len(out) != len(c.Out) {
		return nil, "", false
	}
	for i, letters := range operands {
		if len(letters) != len(c.shapes[names[i]]) {
			return nil, "", false
		}
	}
	return operands, out, true
}

func tieEinsum(t *Ties) {
	operands, out, ok := t.equation()
	if !ok {
		return
	}
	names := t.Refs("tensors")
	places := map[rune][]Dim{}
	var order []rune
	for i, letters := range operands {
		for d, letter := range letters {
			if places[letter] == nil {
				order = append(order, letter)
			}
			places[letter] = append(places[letter], t.of(names[i], d))
		}
	}
	fixed := func(d Dim) bool { return t.all.fixed[d.tensor] }
	for _, letter := range order {
		dims := places[letter]
		at := strings.IndexRune(out, letter)
		switch {
		case at >= 0 && len(dims) == 1:
			t.carry(dims[0], t.Out(at))
		case at >= 0:
			for _, d := range dims {
				t.Same(d, t.Out(at))
			}
		case len(dims) == 2 && fixed(dims[0]) != fixed(dims[1]):
			t.contract(dims[0], dims[1])
		default:
			for _, d := range dims {
				t.Whole(d, contracted)
			}
		}
	}
}

// tieAttention passes heads, queries and the features of values; keys and the features that meet in their
// products stay whole.
func tieAttention(t *Ties) {
	out := t.Values()[0]
	for _, arg := range []string{"query", "key", "value"} {
		for d := 3; d <= len(t.Shape(arg)); d++ {
			if in := t.In(arg, -d); in.size == t.of(out, -d).size {
				t.Same(in, t.of(out, -d))
			}
		}
	}
	t.Same(t.In("query", -2), t.of(out, -2))
	t.Same(t.In("value", -1), t.of(out, -1))
	for _, d := range []Dim{t.In("query", -1), t.In("key", -1)} {
		t.Whole(d, contracted)
	}
	for _, d := range []Dim{t.In("key", -2), t.In("value", -2)} {
		t.Whole(d, "attention is shared among its elements")
	}
	if mask := t.Shape("attn_mask"); mask != nil {
		for d := 1; d <= len(mask); d++ {
			in := t.In("attn_mask", -d)
			t.touched[in] = true
			if to := t.of(out, -d); d > 1 && in.size == to.size && in.size > 1 {
				t.Same(in, to)
			}
		}
	}
}

// productONNX writes a matrix product, and the term that is added to it.
func productONNX(g *Graph, a, b string) error {
	k := g.computes()
	if g.op.param("out_dtype") != nil || isComplex(k.t) {
		return errNoONNX(g.Call, "")
	}
	y := k.do("MatMul", k.arg(a), k.arg(b))
	if g.op.param("beta") != nil {
		if g.Float("alpha") != 1 {
			y = k.do("Mul", y, k.arg("alpha"))
		}
		if beta := g.Float("beta"); beta != 0 {
			term := k.arg("self")
			if beta != 1 {
				term = k.do("Mul", term, k.arg("beta"))
			}
			y = k.do("Add", y, term)
		}
	}
	k.give(0, y)
	return nil
}

// linearONNX writes a linear layer, of features or of rows of them.
func linearONNX(g *Graph) error {
	in := g.weighed()
	if len(g.Shape("weight")) != 2 {
		return errNoONNX(g.Call, "its weight is no matrix")
	}
	if len(g.Shape("input")) == 2 {
		g.Add("Gemm", in, Attribute{"transB", 1})
		return nil
	}
	y := g.Step("MatMul", []string{in[0], g.Step("Transpose", []string{in[1]}, Attribute{"perm", []int{1, 0}})})
	if len(in) > 2 {
		y = g.Step("Add", []string{y, in[2]})
	}
	g.Give(0, y)
	return nil
}

// attentionONNX writes scaled_dot_product_attention as its products. A masked key has weight zero, even
// where all are masked.
func attentionONNX(g *Graph) error {
	q, key := g.Shape("query"), g.Shape("key")
	if len(q) < 2 || len(key) < 2 || len(g.Shape("value")) != len(key) {
		return errNoONNX(g.Call, "")
	}
	k, scale := g.computes(), 1/math.Sqrt(float64(q[len(q)-1]))
	if g.value("scale") != nil {
		scale = g.Float("scale")
	}
	order := make([]int, len(key))
	for d := range order {
		order[d] = d
	}
	order[len(key)-2], order[len(key)-1] = len(key)-1, len(key)-2
	keys, values := k.arg("key"), k.arg("value")
	if g.Bool("enable_gqa") && len(q) > 2 && len(key) > 2 {
		keys, values = k.shared(keys, "key", q[len(q)-3]), k.shared(values, "value", q[len(q)-3])
	}
	keys = k.Step("Transpose", []string{keys}, Attribute{"perm", order})
	scores := k.do("MatMul", k.do("Mul", k.arg("query"), k.num(scale)), keys)
	masked := ""
	if g.Bool("is_causal") {
		rows, columns := q[len(q)-2], key[len(key)-2]
		if many(rows, columns) {
			return errNoONNX(g.Call, "over the clips")
		}
		later := make([]float64, rows*columns)
		for i := range later {
			if i%columns > i/columns {
				later[i] = math.Inf(-1)
			}
		}
		masked = k.do("Add", scores, k.Constant(k.t, []int{rows, columns}, later...))
	}
	if g.Given("attn_mask") {
		if masked != "" {
			return errNoONNX(g.Call, "with two masks")
		}
		if g.Element(g.Ref("attn_mask")) == "bool" {
			masked = k.choose(g.In("attn_mask"), scores, k.num(math.Inf(-1)))
		} else {
			masked = k.do("Add", scores, k.arg("attn_mask"))
		}
	}
	shares := ""
	if masked == "" {
		shares = k.Step("Softmax", []string{scores}, Attribute{"axis", -1})
	} else {
		shares = k.Step("Softmax", []string{masked}, Attribute{"axis", -1})
		shares = k.choose(k.Step("IsInf", []string{masked}, Attribute{"detect_positive", 0}), k.num(0), shares)
	}
	k.give(0, k.do("MatMul", shares, values))
	return nil
}

// shared repeats keys or values that several heads share for each.
func (k calculation) shared(x, arg string, heads int) string {
	shape := slices.Clone(k.Shape(arg))
	at := len(shape) - 3
	if shape[at] < 1 || heads <= shape[at] {
		return x
	}
	times := slices.Repeat([]int{1}, len(shape)+1)
	times[at+1] = heads / shape[at]
	x = k.do("Tile", k.reshape(x, slices.Insert(slices.Clone(shape), at+1, 1)), k.Numbers(times...))
	shape[at] = heads
	return k.reshape(x, shape)
}
