package op

import (
	"fmt"
	"slices"
	"strings"
)

// Batch stands in shapes for the number of clips, which is any.
const Batch = -1

// maxElements bounds what one operation of a network from a file may ask for.
const maxElements = 1 << 40

// A Call is a node with the shapes of what it takes and gives. Those of values begin with
// [Batch].
type Call struct {
	*Node
	Out    []int // nil until it is known
	op     *Op
	shapes map[string][]int
}

// Shapes are those of a network's values and tensors by their names.
type Shapes map[string][]int

// Call prepares a node whose inputs have these shapes.
func (s Shapes) Call(n *Node) (*Call, error) {
	o := Of(n.Op)
	if o == nil {
		return nil, fmt.Errorf("operation %q is not known to this version", n.Op)
	}
	if err := o.check(n); err != nil {
		return nil, err
	}
	return &Call{Node: n, Out: s[n.Name], op: o, shapes: s}, nil
}

// Operation is the node's.
func (c *Call) Operation() *Op { return c.op }

// Fit makes parameters and arguments fit what comes in. Tensors are resized in the memory of their
// shapes.
func (c *Call) Fit() {
	for _, in := range c.Inputs() {
		if c.shapes[in] == nil {
			return // which Infer says
		}
	}
	if c.op.Fit != nil && len(c.clip()) > 0 {
		c.op.Fit(c)
	}
}

// Infer finds the shape of what the node gives and adds it to s.
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
	if n.Gives == nil && !slices.ContainsFunc(n.Inputs(), func(in string) bool { return len(s[in]) > 0 && s[in][0] == Batch }) {
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

// clip is the shape of the first input without the batch.
func (c *Call) clip() []int {
	if in := c.Inputs(); len(in) > 0 {
		return unbatched(c.shapes[in[0]])
	}
	return nil
}

// unbatched is a shape without the batch: nothing of a single number.
func unbatched(shape []int) []int { return shape[min(1, len(shape)):] }

// Shape is that of the tensor of an argument, nil where it is not given.
func (c *Call) Shape(arg string) []int { return c.shapes[c.Ref(arg)] }

// ShapesOf are those of an argument of several tensors.
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

// same is the shape of what gives what it takes, element by element.
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

// dimension is an index that may count from the end, as one that does not.
func dimension(dim, dims int) int {
	if dim < 0 {
		return dim + dims
	}
	return dim
}
