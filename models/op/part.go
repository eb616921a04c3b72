package op

import (
	"math"
	"slices"
	"strings"
)

// Slice is a part of a dimension.
const Slice = "aten.slice.Tensor"

// partRules returns the rules of operations that join values along a dimension, or take part of one.
func partRules() []rule {
	return []rule{
		{ops: "concat concatenate", Op: Op{Tie: func(t *Ties) { t.joined() }, ONNX: joinedONNX}},
		{ops: "stack", Op: Op{Tie: func(t *Ties) {
			dim := dimension(t.Int("dim"), len(t.Call.Out))
			for _, in := range t.Refs("tensors") {
				for d := range t.shapes[in] {
					out := d
					if d >= dim {
						out++
					}
					t.Same(t.of(in, d), t.Out(out))
				}
			}
		}, ONNX: func(g *Graph) error {
			axis := dimension(g.Int("dim"), len(g.Out))
			in := g.listed("tensors", g.Result())
			for i := range in {
				in[i] = g.Step("Unsqueeze", []string{in[i], g.Numbers(axis)})
			}
			g.Add("Concat", in, Attribute{"axis", axis})
			return nil
		}}},
		{ops: "split split_with_sizes chunk tensor_split.sections", Op: Op{Tie: tieSplit, Fit: fitSplit, ONNX: splitONNX, View: true}},
		{ops: "unbind select.int", Op: Op{Tie: func(t *Ties) {
			dim := dimension(t.Int("dim"), len(t.Shape("self")))
			for _, v := range t.Values() {
				for d := range t.Shape("self") {
					switch {
					case d == dim:
						t.Whole(t.In("self", d), t.Name+" takes single elements of it")
					case d < dim:
						t.Same(t.In("self", d), t.of(v, d))
					default:
						t.Same(t.In("self", d), t.of(v, d-1))
					}
				}
			}
		}, ONNX: func(g *Graph) error {
			axis := g.axis("dim", "self")
			for place, v := range g.Values() {
				at := place
				if g.function() == "select" {
					index, whole := g.value("index").(int)
					if !whole {
						return errNoONNX(g.Call, "by the number of clips")
					}
					at = index
				}
				if v != "" {
					g.Give(place, g.Step("Gather", []string{g.In("self"), g.Constant("int64", nil, float64(at))}, Attribute{"axis", axis}))
				}
			}
			return nil
		}, View: true}},
		{ops: "slice.Tensor narrow", Op: Op{Tie: tieSlice, Fit: fitSlice, ONNX: sliceONNX, View: true,
			Passes: func(c *Call, _ bool) bool {
				if dim, start, end, all := c.slice(); all {
					return start == 0 && end == c.size("self", dim)
				}
				return c.op.base() == "slice" && c.value("start") == 0 && c.value("end") == math.MaxInt && c.Int("step") == 1
			}}},
		{ops: "tril triu", Op: Op{ONNX: func(g *Graph) error {
			k := g.computes()
			k.give(0, k.Step("Trilu", []string{k.arg("self"), g.Constant("int64", nil, float64(g.Int("diagonal")))}, truth("upper", g.function() == "triu")))
			return nil
		}}},
		{ops: "constant_pad_nd", Op: Op{Tie: tiePad, Fit: fitPad, ONNX: paddedONNX}},
		{ops: "reflection_pad1d replication_pad1d reflection_pad2d replication_pad2d", Op: Op{Tie: func(t *Ties) {
			for d := range t.Call.Out {
				if t.In("self", d).size == t.Out(d).size {
					t.Same(t.In("self", d), t.Out(d))
				}
			}
		}, ONNX: paddedONNX}},
	}
}

// joined ties the inputs of a concatenation to their parts of the output.
func (t *Ties) joined() {
	along, offset := dimension(t.Int("dim"), len(t.Call.Out)), 0
	for _, name := range t.Refs("tensors") {
		if len(t.shapes[name]) != len(t.Call.Out) { // an empty tensor of PyTorch's early days
			continue
		}
		for d := range t.Call.Out {
			if d != along {
				t.Same(t.of(name, d), t.Out(d))
			}
		}
		part := t.of(name, along)
		t.Part(part, t.Out(along), offset)
		offset += part.size
	}
}

func tieSplit(t *Ties) {
	along, offset := dimension(t.Int("dim"), len(t.Shape("self"))), 0
	for i, v := range t.Values() {
		for d := range t.Shape("self") {
			if d != along {
				t.Same(t.In("self", d), t.of(v, d))
			}
		}
		part := dimOf(v, along, sizeAt(t.Gives[i].Shape, along))
		if v != "" {
			t.Part(part, t.In("self", along), offset)
		}
		offset += part.size
	}
	t.touched[t.In("self", along)] = true
}

// fitSplit names the sizes of all parts, which need not be alike any more.
func fitSplit(c *Call) {
	along := dimension(c.Int("dim"), len(c.Shape("self")))
	if c.before == nil || slices.Equal(c.before[c.Ref("self")], c.Shape("self")) {
		return
	}
	all := make([]int, len(c.Gives))
	for i, v := range c.Gives {
		all[i] = sizeAt(v.Shape, along)
	}
	c.Op = "aten.split_with_sizes.default"
	c.Args = Args{"self": c.Args["self"], "split_sizes": sizes(all), "dim": along}
}

// Slice returns the part [start, end) of a dimension that a slice takes; ok is false of other operations and of
// parts that depend on the number of clips.
func (c *Call) Slice() (dim, start, end int, ok bool) {
	if c.op.name != Slice {
		return 0, 0, 0, false
	}
	return c.slice()
}

// slice is the dimension, the start and the end of a part, and whether it has all between.
func (c *Call) slice() (dim, start, end int, all bool) {
	dim = dimension(c.Int("dim"), len(c.Shape("self")))
	if dim < 0 || dim >= len(c.Shape("self")) {
		return 0, 0, 0, false
	}
	size := c.Shape("self")[dim]
	from := func(v any, missing int) (int, bool) {
		n, whole := v.(int)
		switch {
		case v == nil:
			return missing, true
		case !whole || size < 0:
			return 0, false
		case n < 0:
			n += size
		}
		return min(max(n, 0), size), true
	}
	start, known := from(c.value("start"), 0)
	end, also := from(c.value("end"), size)
	if c.op.base() == "narrow" {
		end = start + c.Int("length")
		return dim, start, end, known && size > 0
	}
	return dim, start, end, known && also && c.Int("step") == 1
}

func tieSlice(t *Ties) {
	dim, start, end, all := t.slice()
	for d := range t.Call.Out {
		in, out := t.In("self", d), t.Out(d)
		switch {
		case d != dim || start == 0 && end == in.size && all:
			t.Same(in, out)
		case all:
			t.Part(out, in, start)
		}
	}
}

func fitSlice(c *Call) {
	if c.before == nil {
		return
	}
	after := c.shapes
	c.shapes = c.before
	dim, start, _, all := c.slice()
	c.shapes = after
	kept := c.kept(c.Ref("self"), dim)
	if kept == nil || !all {
		return
	}
	first, _ := slices.BinarySearch(kept, start)
	c.Args["start"] = first
	if c.op.base() == "narrow" {
		c.Args["length"] = sizeAt(c.Out, dim)
	} else {
		c.Args["end"] = first + sizeAt(c.Out, dim)
	}
}

// sides are how many elements a padding adds before and after those of a dimension.
func (c *Call) sides(dim int) (before, after int) {
	all, at := c.Ints("pad"), 2*(len(c.Out)-1-dim)
	if at+1 >= len(all) {
		return 0, 0
	}
	return all[at], all[at+1]
}

// tiePad ties the input of a padding to its part of the output.
func tiePad(t *Ties) {
	constant := t.op.base() != "pad" || t.Text("mode") == "constant"
	for d := range t.Call.Out {
		switch before, after := t.sides(d); {
		case before == 0 && after == 0:
			t.Same(t.In("self", d), t.Out(d))
		case before >= 0 && after >= 0 && constant:
			t.Part(t.In("self", d), t.Out(d), before)
		}
	}
}

func fitPad(c *Call) {
	if c.before == nil {
		return
	}
	sides := slices.Clone(c.Ints("pad"))
	for d := range c.Out {
		before, _ := c.sides(d)
		kept := c.kept(c.Values()[0], d)
		if kept == nil || d >= len(c.before[c.Ref("self")]) {
			continue
		}
		if at := 2 * (len(c.Out) - 1 - d); at+1 < len(sides) {
			first, _ := slices.BinarySearch(kept, before)
			last, _ := slices.BinarySearch(kept, before+c.before[c.Ref("self")][d])
			sides[at], sides[at+1] = first, len(kept)-last
			c.Args["pad"] = sides
		}
	}
}

func joinedONNX(g *Graph) error {
	var in []string
	for i, x := range g.listed("tensors", g.Result()) {
		if s := g.shapes[g.Refs("tensors")[i]]; len(s) != 1 || s[0] != 0 || len(g.Out) == 1 { // which PyTorch passes over
			in = append(in, x)
		}
	}
	g.Add("Concat", in, Attribute{"axis", dimension(g.Int("dim"), len(g.Out))})
	return nil
}

func splitONNX(g *Graph) error {
	axis := g.axis("dim", "self")
	var lengths []int
	for _, v := range g.Gives {
		size := sizeAt(v.Shape, axis)
		if v.Shape == nil || size < 0 {
			return errNoONNX(g.Call, "along the clips")
		}
		lengths = append(lengths, size)
	}
	for i, part := range g.Steps("Split", len(lengths), []string{g.In("self"), g.Numbers(lengths...)}, Attribute{"axis", axis}) {
		g.Give(i, part)
	}
	return nil
}

func sliceONNX(g *Graph) error {
	axis := g.axis("dim", "self")
	start, end, step := g.value("start"), g.value("end"), 1
	if g.function() == "narrow" {
		from, whole := start.(int)
		if !whole || g.size("self", axis) < 0 {
			return errNoONNX(g.Call, "along the clips")
		}
		if from < 0 {
			from += g.size("self", axis)
		}
		start, end = from, from+g.Int("length")
	} else {
		step = g.Int("step")
	}
	if start == nil {
		start = 0
	}
	if end == nil {
		end = math.MaxInt64
	}
	g.Add("Slice", []string{g.In("self"), g.length(start), g.length(end), g.Numbers(axis), g.Numbers(step)})
	return nil
}

// paddedONNX writes paddings of any kind.
func paddedONNX(g *Graph) error {
	given, dims := g.arg("pad", "padding"), len(g.Shape("self"))
	sides := g.Ints(given)
	if len(sides) > 2*dims || len(sides)%2 > 0 || isComplex(g.Result()) {
		return errNoONNX(g.Call, "")
	}
	pads := make([]int, 2*dims)
	for i, n := range sides {
		pads[dims-1-i/2+i%2*dims] = n
	}
	mode, base := g.Text("mode"), g.function()
	switch {
	case base == "constant_pad_nd":
		mode = "constant"
	case strings.HasPrefix(base, "reflection"):
		mode = "reflect"
	case strings.HasPrefix(base, "replication"):
		mode = "replicate"
	}
	in := []string{g.In("self"), g.Numbers(pads...)}
	switch {
	case mode == "constant" && g.Float("value") == 0:
		g.Add("Pad", in)
	case mode == "constant":
		g.Add("Pad", append(in, g.Constant(g.Result(), nil, g.Float("value"))))
	case mode == "reflect":
		g.Add("Pad", in, Attribute{"mode", "reflect"})
	case mode == "replicate":
		g.Add("Pad", in, Attribute{"mode", "edge"})
	case mode == "circular":
		return circularONNX(g, pads)
	default:
		return errNoONNX(g.Call, "its mode is "+mode)
	}
	return nil
}

// circularONNX goes on with the elements at the other end.
func circularONNX(g *Graph, pads []int) error {
	x, dims := g.In("self"), len(pads)/2
	for d := range dims {
		before, after, size := pads[d], pads[dims+d], g.size("self", d)
		if before == 0 && after == 0 {
			continue
		}
		if min(before, after) < 0 || max(before, after) > size {
			return errNoONNX(g.Call, "it goes around more than once")
		}
		parts := []string{x}
		if before > 0 {
			parts = []string{g.sliced(x, d, size-before, size), x}
		}
		if after > 0 {
			parts = append(parts, g.sliced(x, d, 0, after))
		}
		x = g.Step("Concat", parts, Attribute{"axis", d})
	}
	g.Give(0, x)
	return nil
}
