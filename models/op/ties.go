package op

import (
	"cmp"
	"slices"
)

// maxFollowed is the largest dimension whose elements are followed, and maxElementsFollowed how
// many are in all: a network from a file may be of any size.
const (
	maxFollowed         = 1 << 20
	maxElementsFollowed = 1 << 24
)

// A Dim is a dimension of a value, parameter or buffer.
type Dim struct {
	tensor string
	dim    int
	size   int
	// clips says that each clip has so many elements of it, one clip's after another's.
	clips bool
}

// dimOf is a dimension of a size that may be a multiple of the number of clips.
func dimOf(tensor string, dim, size int) Dim { return Dim{tensor, dim, max(size, -size), size < 0} }

// batch reports whether a dimension is the clips' alone.
func (d Dim) batch() bool { return d.clips && d.size == 1 }

// Ties collect from an operation which elements of dimensions can only be removed together. An element
// is one index of a dimension: a channel, a filter, a column.
type Ties struct {
	*Call
	all     *trace
	touched map[Dim]bool
}

// trace joins the elements of all dimensions into sets.
type trace struct {
	start  map[Dim]int // the first element of a dimension that is followed
	parent []int
	why    map[int]string // by a set's root: why it stays
	whole  map[Dim]string // of dimensions that are not followed: why they stay
	roles  map[Dim]Role
	kinds  map[Dim]Kind // of filters: the kind of their layer
	// Weights may be computed from parameters: fixed are the tensors that are the same for all clips,
	// and links their dimensions that are one, which give parameters the roles of those weights.
	fixed map[string]bool
	links map[Dim][]Dim
	later []func() // choices to make once all else is known
}

// link notes that dimensions of tensors that are the same for all clips are one.
func (t *trace) link(a, b Dim) {
	if t.fixed[a.tensor] && t.fixed[b.tensor] {
		t.links[a], t.links[b] = append(t.links[a], b), append(t.links[b], a)
	}
}

// spreadRoles gives parameters the roles of the weights that are computed from them. Filters come before
// any other role computed from the same numbers.
func (t *trace) spreadRoles() {
	for _, role := range []Role{Filter, Column, Scale, Shift, Bias, Statistic} {
		var queue []Dim
		for d, r := range t.roles {
			if r == role {
				queue = append(queue, d)
			}
		}
		slices.SortFunc(queue, func(a, b Dim) int { return cmp.Or(cmp.Compare(a.tensor, b.tensor), cmp.Compare(a.dim, b.dim)) })
		for len(queue) > 0 {
			d := queue[0]
			queue = queue[1:]
			for _, next := range t.links[d] {
				switch has := t.roles[next]; {
				case has == "":
					t.roles[next], t.kinds[next] = role, t.kinds[d]
					queue = append(queue, next)
				case has == Filter && role == Column || has == Column && role == Filter:
					t.keep(next, "it makes channels and takes them")
				}
			}
		}
	}
}

// In is a dimension of an argument; Out is one of the node's output. Dimensions count the batch as 0.
func (t *Ties) In(arg string, dim int) Dim { return t.of(t.Ref(arg), dim) }

// Out is a dimension of the node's first output.
func (t *Ties) Out(dim int) Dim { return t.of(t.Values()[0], dim) }

func (t *Ties) of(tensor string, dim int) Dim {
	shape := t.shapes[tensor]
	if dim = dimension(dim, len(shape)); dim < 0 || dim >= len(shape) {
		return Dim{}
	}
	return dimOf(tensor, dim, shape[dim])
}

// Tensor is a dimension of a parameter or buffer, or of a tensor computed from them; its elements get the
// role.
func (t *Ties) Tensor(arg string, dim int, role Role) Dim {
	d := t.In(arg, dim)
	if t.all.fixed[d.tensor] {
		t.all.roles[d], t.all.kinds[d] = role, t.op.Weighs
	} else {
		t.Whole(d, "it is a weight that depends on the clip")
	}
	return d
}

// Pass says that the last dimensions of two values are one each, and those before them too.
func (t *Ties) Pass(a, b string) {
	x, y := t.shapes[a], t.shapes[b]
	for d := 1; d <= min(len(x), len(y)); d++ {
		if in, out := t.of(a, -d), t.of(b, -d); in.size == out.size && in.clips == out.clips {
			t.Same(in, out)
		}
	}
}

// Later runs choose once all operations have tied their dimensions.
func (t *Ties) Later(choose func()) { t.all.later = append(t.all.later, choose) }

// Same says that dimensions of one size are one.
func (t *Ties) Same(a Dim, others ...Dim) {
	for _, b := range others {
		t.Spread(a, b, 1)
	}
}

// Spread says that the elements of few go with those of many, block by block: element j of many
// with element j/inner of few, which is counted through again and again.
func (t *Ties) Spread(few, many Dim, inner int) {
	if (few.clips || many.clips) && few.size != many.size {
		const why = "its elements are several clips"
		t.Whole(few, why)
		t.Whole(many, why)
		return
	}
	t.spread(few, many, inner)
}

func (t *Ties) spread(few, many Dim, inner int) {
	t.touched[few], t.touched[many] = true, true
	a, okA := t.all.follow(few)
	b, okB := t.all.follow(many)
	if few.batch() && many.batch() || few.size < 1 || many.size < 1 {
		return
	}
	t.all.link(few, many)
	if !okA || !okB || inner < 1 || many.size%(inner*few.size) != 0 {
		t.Whole(few, "it goes into a dimension whose size is no multiple of its own")
		t.Whole(many, "it is made of a dimension whose size does not divide its own")
		return
	}
	for j := range many.size {
		t.all.join(a+j/inner%few.size, b+j)
	}
}

// Part says that few are the elements of many from offset on.
func (t *Ties) Part(few, many Dim, offset int) {
	t.touched[few], t.touched[many] = true, true
	a, okA := t.all.follow(few)
	b, okB := t.all.follow(many)
	t.all.link(few, many)
	if few.size == 1 && many.size > 1 { // of which nothing would be left
		t.Whole(few, "it is all that there is of a part")
	}
	if !okA || !okB || offset < 0 || offset+few.size > many.size || few.clips || many.clips {
		t.Whole(few, "what it becomes a part of is too large to be followed")
		t.Whole(many, "what it is a part of is too large to be followed")
		return
	}
	for j := range few.size {
		t.all.join(a+j, b+offset+j)
	}
}

// Repeat says that of every so many elements of a dimension the first go together, the second,
// and so on.
func (t *Ties) Repeat(d Dim, period int) {
	t.touched[d] = true
	if at, ok := t.all.follow(d); ok && period > 0 {
		for j := period; j < d.size; j++ {
			t.all.join(at+j%period, at+j)
		}
	}
}

// Block says that every so many elements of a dimension go together.
func (t *Ties) Block(d Dim, size int) {
	t.touched[d] = true
	if at, ok := t.all.follow(d); ok && size > 0 {
		for j := range d.size {
			t.all.join(at+j/size*size, at+j)
		}
	}
}

// Whole says that a dimension must keep its size, and why.
func (t *Ties) Whole(d Dim, why string) {
	t.touched[d] = true
	t.all.keep(d, why)
}

// Elementwise ties the elements of each argument to the output's; an argument that has only one element
// along a dimension, or lacks it, is broadcast.
func (t *Ties) Elementwise(args ...string) {
	for _, arg := range args {
		names := t.Refs(arg)
		if name := t.Ref(arg); name != "" {
			names = append(names, name)
		}
		for _, name := range names {
			t.Pass(name, t.Values()[0])
		}
	}
	t.touchOut()
}

// free reports whether some element of a dimension may go, as far as is known.
func (t *Ties) free(d Dim) bool {
	if d.size < 1 || d.batch() || t.all.whole[d] != "" {
		return false
	}
	at, ok := t.all.follow(d)
	for j := 0; ok && j < d.size; j++ {
		if t.all.why[t.all.root(at+j)] == "" {
			return true
		}
	}
	return false
}

// follow gives a dimension's elements places, unless there are too many.
func (t *trace) follow(d Dim) (start int, ok bool) {
	if start, ok := t.start[d]; ok {
		return start, true
	}
	if d.size < 0 || d.size > maxFollowed || len(t.parent)+d.size > maxElementsFollowed {
		return 0, false
	}
	start = len(t.parent)
	t.start[d] = start
	for j := range d.size {
		t.parent = append(t.parent, start+j)
		if why := t.whole[d]; why != "" {
			t.why[start+j] = why
		}
	}
	return start, true
}

// root is an element that stands for the set of another. It only writes where the way is long, so
// that a trace that is complete may be read by several goroutines.
func (t *trace) root(e int) int {
	r := e
	for t.parent[r] != r {
		r = t.parent[r]
	}
	for t.parent[e] != r {
		t.parent[e], e = r, t.parent[e]
	}
	return r
}

// complete makes all ways short.
func (t *trace) complete() {
	for e := range t.parent {
		t.root(e)
	}
}

func (t *trace) join(a, b int) {
	a, b = t.root(a), t.root(b)
	if a == b {
		return
	}
	a, b = min(a, b), max(a, b)
	t.parent[b] = a
	if why := t.why[b]; why != "" && t.why[a] == "" {
		t.why[a] = why
	}
}

// keep keeps all elements of a dimension.
func (t *trace) keep(d Dim, why string) {
	if t.whole[d] == "" {
		t.whole[d] = why
	}
	if at, ok := t.start[d]; ok {
		for j := range d.size {
			if r := t.root(at + j); t.why[r] == "" {
				t.why[r] = why
			}
		}
	}
}
