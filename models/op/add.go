package op

import (
	"fmt"
	"slices"
)

// Add adds two values, element by element: a residual connection (He 2016). Channels that are added
// go together.
const Add = "aten.add.Tensor"

func add() Op {
	return Op{
		Schema: "add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor",
		Shape: func(c *Call) ([]int, error) {
			if c.Float("alpha") != 1 {
				return nil, fmt.Errorf("a sum with %g times the second: only 1 is known", c.Float("alpha"))
			}
			return broadcast(c, "self", "other")
		},
		Tie:         func(t *Ties) { t.Elementwise("self", "other") },
		ONNX:        arithmeticONNX,
		Python:      func(c *Call, in func(string) string) string { return in("self") + " + " + in("other") },
		Elementwise: true,
	}
}

// broadcast is the shape of two values, element by element: where one has but one element along a
// dimension, that is for all of the other's.
func broadcast(c *Call, a, b string) ([]int, error) {
	x, y := c.Shape(a), c.Shape(b)
	if len(x) != len(y) {
		return nil, fmt.Errorf("shapes %v and %v have other numbers of dimensions", unbatched(x), unbatched(y))
	}
	out := slices.Clone(x)
	for d := range out {
		switch {
		case x[d] == y[d] || y[d] == 1:
		case x[d] == 1:
			out[d] = y[d]
		default:
			return nil, fmt.Errorf("shapes %v and %v do not go together", unbatched(x), unbatched(y))
		}
	}
	return out, nil
}

// pair adds an operation on two values.
func (n *Net) pair(name, op string) Layer {
	return n.adds(name, op, nil, func(a Args, values []string) {
		if len(values) == 2 {
			a["self"], a["other"] = Ref(values[0]), Ref(values[1])
		}
	})
}

// Add adds the sum of two values.
func (n *Net) Add(name string) Layer { return n.pair(name, Add) }
