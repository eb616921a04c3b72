package op

import (
	"fmt"
)

// Permute puts dimensions in another order.
const Permute = "aten.permute.default"

func permute() Op {
	order := func(c *Call) []int {
		dims := append([]int{}, c.Ints("dims")...)
		for i := range dims {
			dims[i] = dimension(dims[i], len(c.Shape("self")))
		}
		return dims
	}
	return Op{
		Schema: "permute(Tensor self, int[] dims) -> Tensor",
		Shape: func(c *Call) ([]int, error) {
			x, dims := c.Shape("self"), order(c)
			seen := map[int]bool{}
			var out []int
			for _, d := range dims {
				if d < 0 || d >= len(x) || seen[d] {
					return nil, fmt.Errorf("dimensions %v are no order of those of %v", dims, unbatched(x))
				}
				seen[d] = true
				out = append(out, x[d])
			}
			if len(out) != len(x) || out[0] != Batch {
				return nil, fmt.Errorf("dimensions %v are no order of those of %v with the clips first", dims, unbatched(x))
			}
			return out, nil
		},
		Tie: func(t *Ties) {
			for i, d := range order(t.Call) {
				t.Same(t.In("self", d), t.Out(i))
			}
		},
		ONNX: func(g *Graph) error {
			g.Give(0, g.transposed(g.In("self"), order(g.Call), g.Result()))
			return nil
		},
		Python: func(c *Call, in func(string) string) string {
			return in("self") + ".permute(" + list(order(c)) + ")"
		},
		View: true,
	}
}

// Permute puts dimensions in another order; the batch, dimension 0, stays the first.
func (n *Net) Permute(name string, dims ...int) Layer {
	return n.layer(name, Permute, "self", Args{"dims": dims})
}
