package op

import (
	"fmt"
	"slices"
	"strings"
)

// Batch stands in shapes for the number of clips, which is any.
const Batch = -1

// maxElements bounds the elements of one operation's output in a network from a file.
const maxElements = 1 << 40

// A Call is a node with the shapes of its inputs and outputs. Those of values begin with [Batch].
type Call struct {
	*Node
	Out    []int // of the first output; nil until it is known
	op     *Op
	shapes map[string][]int
	known  bool
	// Of a network that is made smaller, for Fit: the shapes before, and the elements left of each
	// dimension, nil for all.
	before Shapes
	kept   func(value string, dim int) []int
}

// Shapes are the shapes of a network's values and tensors by their names.
type Shapes map[string][]int

// Call prepares a node whose inputs have these shapes.
func (s Shapes) Call(n *Node) (*Call, error) {
	o := Of(n.Op)
	if n.Gives != nil && len(n.Gives) == 0 {
		return nil, fmt.Errorf("it gives nothing")
	}
	if o == nil && n.Gives != nil {
		return nil, fmt.Errorf("operation %q has no place in a network here: export the module by torch.export.export alone, without run_decompositions and operations of other libraries", n.Op)
	}
	if o == nil || o.Shape == nil && n.Gives == nil {
		return nil, fmt.Errorf("operation %q is not known to this version", n.Op)
	}
	c := &Call{Node: n, Out: s[n.Values()[0]], op: o, shapes: s}
	err := o.check(n)
	switch {
	case err != nil && n.Gives == nil:
		return nil, err
	case err != nil: // of another version of libtorch
		c.op = &Op{name: n.Op}
	case n.Gives == nil:
		c.known = true
	}
	if n.Gives != nil {
		c.Out = n.Gives[0].Shape
	}
	if n.Gives != nil && c.op.Shape != nil && o.typical(c) {
		out, err := o.Shape(c)
		given := n.Gives[0].Shape
		c.known = err == nil && len(out) == len(given) && slices.Equal(unbatched(out), unbatched(given))
	}
	return c, nil
}

// typical reports whether the node's one output, of float32, and its first input begin with the clips, or alike
// with several rows of each where that is the same to the operation, and no argument is a [Size]: the case that the
// Shape and kernel of an [Op] are written for.
func (o *Op) typical(c *Call) bool {
	for _, v := range c.Args {
		switch v.(type) {
		case Size, []Size:
			return false
		}
	}
	in := c.Inputs()
	if len(c.Gives) != 1 || len(in) == 0 {
		return false
	}
	from, to := c.shapes[in[0]], c.Gives[0]
	return len(from) > 0 && len(to.Shape) > 0 && from[0] == to.Shape[0] && (from[0] == Batch || o.EachRow && from[0] < 0) && to.Type == ""
}

// Inputs are the names of all the node's input tensors, in the order of its arguments.
func (c *Call) Inputs() []string { return c.inputs(c.op) }

// Operation is the node's: one of no properties where it has no file.
func (c *Call) Operation() *Op { return c.op }

// Known reports whether the operation's own kernel can compute this node: graphs of other programs have
// nodes that only libtorch can.
func (c *Call) Known() bool { return c.known }

// Smaller sets, for Fit, the shapes from before a network was made smaller, and the elements left of
// each dimension: nil for all.
func (c *Call) Smaller(before Shapes, kept func(value string, dim int) []int) {
	c.before, c.kept = before, kept
}

// Fit resizes parameters and arguments to the shapes of the inputs. Tensors are resized in the memory of
// their shapes.
func (c *Call) Fit() {
	for _, in := range c.Inputs() {
		if c.shapes[in] == nil {
			return // which Infer says
		}
	}
	if c.op.Fit != nil && (len(c.clip()) > 0 || c.Gives != nil) {
		c.op.Fit(c)
	}
}

// Infer finds the shape of the node's output and adds it to s.
func (s Shapes) Infer(n *Node) (*Call, error) {
	c, err := s.Call(n)
	if err != nil {
		return nil, err
	}
	for _, in := range n.Inputs() {
		if s[in] == nil {
			return nil, fmt.Errorf("it takes its input from %q, which is not there before it", in)
		}
	}
	if n.Gives != nil {
		return c, s.given(c)
	}
	if !slices.ContainsFunc(n.Inputs(), func(in string) bool { return len(s[in]) > 0 && s[in][0] == Batch }) {
		return nil, fmt.Errorf("it takes only %s, of which nothing comes from the clips", strings.Join(n.Inputs(), ", "))
	}
	if c.Out, err = c.op.Shape(c); err != nil {
		return nil, err
	}
	size := 1
	for _, n := range unbatched(c.Out) {
		if n < 1 || n > maxElements/size {
			return nil, fmt.Errorf("it makes %v of %v: the network's input is too small or too large for it", unbatched(c.Out), c.clip())
		}
		size *= n
	}
	s[n.Name] = c.Out
	return c, nil
}

// given adds the outputs that a node states.
func (s Shapes) given(c *Call) error {
	for i, v := range c.Gives {
		size := 1
		for _, n := range v.Shape {
			if n < 0 {
				n = -n
			}
			if n > maxElements/size {
				return fmt.Errorf("it makes a tensor of shape %v", v.Shape)
			}
			size *= max(n, 1)
		}
		if v.Name != "" {
			if s[v.Name] != nil {
				return fmt.Errorf("the name %q of what it gives is used twice", v.Name)
			}
			s[v.Name] = append([]int{}, v.Shape...)
		}
		if i == 0 {
			c.Out = v.Shape
		}
	}
	return nil
}

// clip is the shape of the first input without the batch.
func (c *Call) clip() []int {
	if in := c.Inputs(); len(in) > 0 {
		return unbatched(c.shapes[in[0]])
	}
	return nil
}

// unbatched is a shape without the batch: nothing of a single number.
func unbatched(shape []int) []int { return shape[min(1, len(shape)):] }

// Shape is the shape of an argument's tensor, nil where it is not given.
func (c *Call) Shape(arg string) []int { return c.shapes[c.Ref(arg)] }

// size is the size of a dimension of an argument's tensor, 0 where there is none.
func (c *Call) size(arg string, dim int) int { return sizeAt(c.Shape(arg), dim) }

// sizeAt is a size of a shape, the last being -1; 0 where there is none.
func sizeAt(shape []int, dim int) int {
	if dim = dimension(dim, len(shape)); dim < 0 || dim >= len(shape) {
		return 0
	}
	return shape[dim]
}

// ShapesOf are the shapes of an argument of several tensors.
func (c *Call) ShapesOf(arg string) [][]int {
	var all [][]int
	for _, name := range c.Refs(arg) {
		all = append(all, c.shapes[name])
	}
	return all
}

// resize gives dimension dim of an argument's tensor another size.
func (c *Call) resize(arg string, dim, size int) {
	if s := c.Shape(arg); dim < len(s) {
		s[dim] = size
	}
}

// Map returns the shape [channels, ...] of a map of that many dimensions, without the batch, or
// says that it is none.
func (c *Call) Map(arg string, what string, dims int) ([]int, error) {
	s := c.Shape(arg)
	if len(s) != dims+1 {
		form := "[channels, height, width]"
		if dims == 2 {
			form = "[channels, length]"
		}
		return nil, fmt.Errorf("a %s needs %s, got %v", what, form, unbatched(s))
	}
	return s[1:], nil
}

// batched is the shape of a value for any number of clips.
func batched(clip ...int) []int { return append([]int{Batch}, clip...) }

// same returns the output shape of an operation that works element by element: its input's.
func same(arg string) func(c *Call) ([]int, error) {
	return func(c *Call) ([]int, error) { return slices.Clone(c.Shape(arg)), nil }
}

// tooMany says whether the product of positive numbers passes maxElements.
func tooMany(factors ...int) bool {
	n := 1
	for _, f := range factors {
		if f < 1 || f > maxElements/n {
			return true
		}
		n *= f
	}
	return false
}

func product(v []int) int {
	n := 1
	for _, x := range v {
		n *= x
	}
	return n
}

// PerClip is the number of elements of the first output, of one clip.
func (c *Call) PerClip() int64 { return perClip(c.Out) }

// perClip is how many elements of a shape are one clip's.
func perClip(shape []int) int64 {
	n := int64(1)
	for _, x := range shape {
		n *= int64(max(x, -x))
	}
	return n
}

// sizes are a shape as an argument.
func sizes(shape []int) any {
	if !slices.ContainsFunc(shape, func(n int) bool { return n < 0 }) {
		return slices.Clone(shape)
	}
	all := make([]Size, len(shape))
	for i, n := range shape {
		all[i] = Size{N: max(n, -n), Clips: n < 0}
	}
	return all
}

// dimension is an index that may count from the end, as one that does not.
func dimension(dim, dims int) int {
	if dim < 0 {
		return dim + dims
	}
	return dim
}
