package op

import "slices"

// shapeRules returns the rules of operations that only rearrange elements.
func shapeRules() []rule {
	regroup := func(t *Ties) { t.Regroup(t.Ref(t.first()), t.Values()[0]) }
	fit := func(arg string) func(c *Call) {
		return func(c *Call) { c.Args[arg] = sizes(c.Out) }
	}
	return []rule{
		{ops: "view _unsafe_view", Op: Op{Tie: regroup, Fit: fit("size"), ONNX: reshapedONNX}},
		{ops: "view.dtype", Op: Op{}}, // of other elements
		{ops: "reshape", Op: Op{Tie: regroup, Fit: fit("shape"), ONNX: reshapedONNX, AnyLayout: true}},
		{ops: "view_as reshape_as ravel atleast_1d atleast_2d atleast_3d", Op: Op{Tie: regroup, ONNX: reshapedONNX}},
		{ops: "squeeze unsqueeze", Op: Op{Tie: regroup, ONNX: reshapedONNX, AnyLayout: true}},
		{ops: "unflatten", Op: Op{Tie: regroup, ONNX: reshapedONNX, Fit: func(c *Call) {
			dim, dims := dimension(c.Int("dim"), len(c.Shape("self"))), len(c.Shape("self"))
			if made := len(c.Out) - dims + 1; dim >= 0 && made > 0 && dim+made <= len(c.Out) {
				c.Args["sizes"] = sizes(c.Out[dim : dim+made])
			}
		}}},
		{ops: "transpose swapaxes swapdims t mT adjoint movedim moveaxis", Op: Op{Tie: func(t *Ties) {
			for i, d := range t.order() {
				t.Same(t.In("self", d), t.Out(i))
			}
		}, ONNX: func(g *Graph) error {
			g.Give(0, g.transposed(g.In("self"), g.order(), g.Result()))
			return nil
		}, AnyLayout: true}},
		{ops: "expand", Op: Op{Tie: broadcasts, Fit: fit("size"), ONNX: expandedONNX}},
		{ops: "broadcast_to", Op: Op{Tie: broadcasts, Fit: fit("size"), ONNX: expandedONNX}},
		{ops: "expand_as", Op: Op{Tie: broadcasts, ONNX: expandedONNX}},
		{ops: "repeat tile", Op: Op{Tie: func(t *Ties) {
			for d := 1; d <= len(t.Shape("self")); d++ {
				t.Spread(t.In("self", -d), t.of(t.Values()[0], -d), 1)
			}
			t.touchOut()
		}, ONNX: repeatedONNX}},
		{ops: "repeat_interleave.self_int", Op: Op{Tie: func(t *Ties) {
			over := t.overDims()
			for d := range t.Call.Out {
				t.Spread(t.In("self", d), t.Out(d), 1)
				if over[d] {
					t.Spread(t.In("self", d), t.Out(d), t.Int("repeats"))
				}
			}
		}, ONNX: func(g *Graph) error {
			axis, t := g.axis("dim", "self"), g.Result()
			if g.value("dim") == nil {
				return errNoONNX(g.Call, "over all dimensions")
			}
			x, times := g.Shape("self"), slices.Repeat([]int{1}, len(g.Out)+1)
			times[axis+1] = g.Int("repeats")
			y := g.reshape(g.In("self"), whole(slices.Insert(slices.Clone(x), axis+1, 1), t))
			if isComplex(t) {
				times = append(times, 1)
			}
			g.Give(0, g.reshape(g.Step("Tile", []string{y, g.Numbers(times...)}), whole(g.Out, t)))
			return nil
		}}},
		{ops: "channel_shuffle pixel_shuffle pixel_unshuffle", Op: Op{ONNX: shuffledONNX}},
		{ops: "unfold", Op: Op{Tie: func(t *Ties) {
			dim := dimension(t.Int("dimension"), len(t.Shape("self")))
			for d := range t.Shape("self") {
				if d == dim {
					t.Whole(t.In("self", d), t.Name+" moves along it")
				} else {
					t.Same(t.In("self", d), t.Out(d))
				}
			}
		}, ONNX: func(g *Graph) error {
			axis, dims := g.axis("dimension", "self"), len(g.Shape("self"))
			windows := sizeAt(g.Out, axis)
			if dims == 0 || isComplex(g.Result()) || many(windows, g.Int("size")) {
				return errNoONNX(g.Call, "along the clips")
			}
			var index []float64
			for w := range windows {
				for i := range g.Int("size") {
					index = append(index, float64(w*g.Int("step")+i))
				}
			}
			x := g.Step("Gather", []string{g.In("self"), g.Constant("int64", []int{windows, g.Int("size")}, index...)}, Attribute{"axis", axis})
			order := make([]int, 0, dims+1)
			for d := range dims + 1 {
				if d != axis+1 {
					order = append(order, d)
				}
			}
			g.Add("Transpose", []string{x}, Attribute{"perm", append(order, axis+1)})
			return nil
		}}},
	}
}

// reshapedONNX writes an operation that only changes the shape: the elements keep their order.
func reshapedONNX(g *Graph) error {
	x := g.In(g.first())
	if slices.Equal(g.Shape(g.first()), g.Out) {
		g.Give(0, x)
		return nil
	}
	g.Give(0, g.reshape(x, whole(g.Out, g.Result())))
	return nil
}

func expandedONNX(g *Graph) error {
	x := g.In("self")
	if !slices.Equal(g.Shape("self"), g.Out) {
		x = g.Step("Expand", []string{x, g.dims(whole(g.Out, g.Result()))})
	}
	g.Give(0, x)
	return nil
}

// shuffledONNX writes operations that reorder channels and points of maps [clips, channels, ...].
func shuffledONNX(g *Graph) error {
	x := g.Shape("self")
	if len(x) < 3 || len(x) != 4 && g.function() != "channel_shuffle" {
		return errNoONNX(g.Call, "")
	}
	var parts, order []int
	switch n := g.Int(g.arg("groups", "upscale_factor", "downscale_factor")); {
	case n < 1:
		return errNoONNX(g.Call, "")
	case g.function() == "channel_shuffle":
		parts, order = append([]int{x[0], n, x[1] / n}, x[2:]...), []int{0, 2, 1}
		for d := 3; d < len(parts); d++ {
			order = append(order, d)
		}
	case g.function() == "pixel_shuffle":
		parts, order = []int{x[0], x[1] / (n * n), n, n, x[2], x[3]}, []int{0, 1, 4, 2, 5, 3}
	default:
		parts, order = []int{x[0], x[1], x[2] / n, n, x[3] / n, n}, []int{0, 1, 3, 5, 2, 4}
	}
	y := g.Step("Transpose", []string{g.reshape(g.In("self"), parts)}, Attribute{"perm", order})
	g.Give(0, g.reshape(y, g.Out))
	return nil
}

func repeatedONNX(g *Graph) error {
	var times []int // as a shape has the number of clips
	switch v := g.value(g.arg("repeats", "dims")).(type) {
	case []int:
		times = slices.Clone(v)
	case []Size:
		for _, n := range v {
			if n.Clips {
				n.N = -n.N
			}
			times = append(times, n.N)
		}
	}
	t, own := g.Result(), g.Shape("self")
	for len(times) < len(own) { // of tile
		times = slices.Insert(times, 0, 1)
	}
	x := g.In("self")
	if more := len(times) - len(own); more > 0 {
		x = g.reshape(x, whole(append(slices.Repeat([]int{1}, more), own...), t))
	}
	if isComplex(t) {
		times = append(times, 1)
	}
	g.Add("Tile", []string{x, g.dims(times)})
	return nil
}

// order is which dimension of the input each of a transposition's is.
func (c *Call) order() []int {
	n := len(c.Out)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	swap := func(a, b int) {
		if a, b = dimension(a, n), dimension(b, n); a >= 0 && b >= 0 && a < n && b < n {
			order[a], order[b] = order[b], order[a]
		}
	}
	switch base := c.op.base(); base {
	case "t":
		if n == 2 {
			swap(0, 1)
		}
	case "mT", "adjoint":
		swap(-2, -1)
	case "movedim", "moveaxis":
		from, to := c.Ints("source"), c.Ints("destination")
		moved := make([]int, n)
		taken, placed := map[int]bool{}, map[int]bool{}
		for i := range min(len(from), len(to)) {
			f, t := dimension(from[i], n), dimension(to[i], n)
			if f < 0 || t < 0 || f >= n || t >= n {
				return nil
			}
			moved[t], taken[f], placed[t] = f, true, true
		}
		at := 0
		for d := range n {
			if placed[d] {
				continue
			}
			for taken[at] {
				at++
			}
			moved[d] = at
			at++
		}
		return moved
	default:
		first, second := "dim0", "dim1"
		if c.value(first) == nil {
			first, second = "axis0", "axis1"
		}
		swap(c.Int(first), c.Int(second))
	}
	return order
}

// broadcasts passes the dimensions of all inputs, element by element, but those along which
// one element is repeated.
func broadcasts(t *Ties) {
	for _, in := range t.Inputs() {
		t.Pass(in, t.Values()[0])
	}
	t.touchOut()
}

// touchOut marks all dimensions of the output as handled, so that those tied to no input do not stay whole.
func (t *Ties) touchOut() {
	for d := range t.Call.Out {
		t.touched[t.Out(d)] = true
	}
}

// Regroup ties two values that have the same elements in the same order, in other dimensions. Where
// one dimension has become several, or several one, only one of them can pass: the first of which
// something may go.
func (t *Ties) Regroup(from, to string) {
	x, y := t.shapes[from], t.shapes[to]
	abs := func(n int) int { return max(n, -n) }
	for d := range x {
		t.touched[t.of(from, d)] = true
	}
	for d := range y {
		t.touched[t.of(to, d)] = true
	}
	for i, j := 0, 0; i < len(x) && j < len(y); {
		startI, startJ := i, j
		a, b := x[i], y[j]
		i, j = i+1, j+1
		for a != b {
			switch {
			case i < len(x) && (abs(a) < abs(b) || abs(a) == abs(b) && (a > 0 || j == len(y))): // the clips are still to come
				a *= x[i]
				i++
			case j < len(y):
				b *= y[j]
				j++
			default:
				t.wholeSpan(from, 0, len(x))
				t.wholeSpan(to, 0, len(y))
				return
			}
		}
		t.regroup(from, startI, i, to, startJ, j)
	}
}

func (t *Ties) wholeSpan(value string, start, end int) {
	for d := start; d < end; d++ {
		t.Whole(t.of(value, d), t.Name+" puts its elements in another order")
	}
}

// span returns the dimensions of a value that have more than one element; of a network of this program
// the others too, so that a channel that is left alone still has its features. The clips themselves are
// left out; they come first or not at all.
func (t *Ties) span(value string, start, end int) (dims []Dim, first bool) {
	first = true
	for d := start; d < end; d++ {
		dim := t.of(value, d)
		if dim.clips && len(dims) > 0 {
			first = false
		}
		if dim.size != 1 || t.Gives == nil && end-start > 1 && !dim.batch() {
			dims = append(dims, dim)
		}
	}
	return dims, first
}

func (t *Ties) regroup(from string, i, iEnd int, to string, j, jEnd int) {
	x, inOrder := t.span(from, i, iEnd)
	y, outOrder := t.span(to, j, jEnd)
	switch {
	case len(x) == 0 || len(y) == 0:
		if t.Gives == nil {
			t.Same(t.of(from, i), t.of(to, j))
		}
	case len(x) > 1 && len(y) > 1 || !inOrder || !outOrder:
		t.Later(func() {
			if !t.heads(x, y) && !t.heads(y, x) {
				t.wholeSpan(from, i, iEnd)
				t.wholeSpan(to, j, jEnd)
			}
		})
	case len(x) == 1 && len(y) == 1 && x[0].size == y[0].size:
		t.Same(x[0], y[0])
	case len(x) == 1:
		t.Later(func() { t.divide(x[0], y) })
	default:
		t.Later(func() { t.divide(y[0], x) })
	}
}

// heads has heads pass between [..., n * heads, inner] and [..., heads * inner], as attention over several
// sequences has them: n may hold the clips. It reports whether they can.
func (t *Ties) heads(split, joined []Dim) bool {
	if len(split) < 2 || len(joined) < 1 {
		return false
	}
	sequences, inner, all := split[len(split)-2], split[len(split)-1], joined[len(joined)-1]
	if all.clips || inner.clips || inner.size < 1 || all.size <= inner.size || all.size%inner.size != 0 {
		return false
	}
	heads := all.size / inner.size
	if sequences.size%heads != 0 || !t.free(sequences) || !t.free(all) || t.all.wouldLeave(all, heads, inner.size) < 2 {
		return false
	}
	a, okA := t.all.follow(sequences)
	b, okB := t.all.follow(all)
	if !okA || !okB {
		return false
	}
	for _, d := range slices.Concat(split[:len(split)-2], joined[:len(joined)-1], []Dim{inner}) {
		t.Whole(d, t.Name+" makes it one dimension with others")
	}
	t.all.link(sequences, all)
	for j := range all.size {
		t.all.join(a+j/inner.size, b+j)
	}
	t.Repeat(sequences, heads)
	return true
}

// divide has one dimension, which is several others together, pass as one of them.
func (t *Ties) divide(one Dim, parts []Dim) {
	through, inner := -1, 0
	for k, part := range parts {
		within := 1
		for _, later := range parts[k+1:] {
			within *= later.size
		}
		if !t.free(part) || !t.free(one) {
			continue
		}
		better := through < 0 || parts[through].size == 1 && part.size > 1
		if better && (part.size == 1 || t.all.wouldLeave(one, part.size, within) > 1) {
			through, inner = k, within
		}
	}
	for k, part := range parts {
		if k != through {
			t.Whole(part, t.Name+" makes it one dimension with others")
		}
	}
	if through < 0 {
		t.Whole(one, t.Name+" makes it of dimensions of which nothing may go")
		return
	}
	t.spread(parts[through], one, inner)
}

// wouldLeave is how many sets the elements of a dimension would be if those went together of which
// j/inner%size is the same.
func (t *trace) wouldLeave(one Dim, size, inner int) int {
	at, ok := t.follow(one)
	if !ok {
		return 0
	}
	parent := make([]int, size)
	for i := range parent {
		parent[i] = i
	}
	find := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	first := map[int]int{} // by sets, the part that one of their elements is of
	sets := size
	for j := range one.size {
		part, root := j/inner%size, t.root(at+j)
		other, seen := first[root]
		if !seen {
			first[root] = part
			continue
		}
		if a, b := find(part), find(other); a != b {
			parent[a] = b
			sets--
		}
	}
	return sets
}
