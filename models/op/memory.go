package op

import (
	"slices"
	"strings"
)

// sharing lists operations whose output may share memory with their first input, in evaluation.
const sharing = " alias alpha_dropout atleast_1d atleast_2d atleast_3d broadcast_to chunk conj contiguous detach diagonal dropout expand expand_as " +
	"feature_alpha_dropout feature_dropout flatten imag lift_fresh mT matrix_H movedim moveaxis narrow native_dropout permute positive ravel real " +
	"reshape reshape_as resolve_conj resolve_neg select slice split split_with_sizes squeeze swapaxes swapdims t tensor_split to transpose type_as " +
	"unbind unflatten unfold unsqueeze view view_as view_as_complex view_as_real _conj _unsafe_view adjoint "

// Shares returns the value that the node's output may share memory with, "" for none.
func (c *Call) Shares() string {
	if c.InPlace() || strings.Contains(sharing, " "+c.op.base()+" ") {
		return c.Ref(c.first())
	}
	return ""
}

// Written returns a value after x was written over a part of it, or over all of it in another shape: view
// is the node that took that part. It reports whether the result is known: some operations return a view
// in one case and a copy in another.
func (g *Graph) Written(view *Call, value, x string) (string, bool) {
	v := &Graph{view, g.Builder}
	t, own := g.Element(view.Ref("self")), view.Shape("self")
	if view.Gives == nil || len(view.Gives) != 1 || g.Element(view.Gives[0].Name) != t {
		return "", false
	}
	switch name := view.function(); name {
	case "alias", "detach", "dropout", "feature_dropout", "alpha_dropout":
		return x, true
	case "view", "view_as", "squeeze", "unsqueeze", "unflatten":
		return v.reshape(x, whole(own, t)), true
	case "transpose", "swapaxes", "swapdims", "t", "mT", "movedim", "moveaxis", "permute":
		order := view.order()
		if name == "permute" {
			order = slices.Clone(view.Ints("dims"))
		}
		back := make([]int, len(own))
		for i, d := range order {
			if d = dimension(d, len(own)); d < 0 || d >= len(back) {
				return "", false
			}
			back[d] = i
		}
		return v.transposed(x, back, t), true
	case "select", "slice", "narrow":
		if name != "select" && slices.Equal(own, view.Out) { // all clips, of which the number is not known
			return x, true
		}
		return v.replaced(value, x)
	}
	return "", false
}

// replaced returns a value with x in place of the part that the node selects along a dimension.
func (g *Graph) replaced(value, x string) (string, bool) {
	axis := g.axis("dim", "self")
	size := g.size("self", axis)
	var start, end int
	var all bool
	if g.function() == "select" {
		index, whole := g.value("index").(int)
		start, all = dimension(index, size), whole
		end = start + 1
		x = g.Step("Unsqueeze", []string{x, g.Numbers(axis)})
	} else {
		axis, start, end, all = g.slice()
	}
	if !all || size < 1 || start < 0 || start >= end || end > size {
		return "", false
	}
	parts := []string{x}
	if start > 0 {
		parts = []string{g.sliced(value, axis, 0, start), x}
	}
	if end < size {
		parts = append(parts, g.sliced(value, axis, end, size))
	}
	return g.Step("Concat", parts, Attribute{"axis", axis}), true
}
