package op

import (
	"fmt"
	"slices"

	"github.com/eegprune/eegprune/torch"
)

// Flatten makes one dimension of several.
const Flatten = "aten.flatten.using_ints"

func flatten() Op {
	span := func(c *Call) (from, to int) {
		dims := len(c.Shape("self"))
		return dimension(c.Int("start_dim"), dims), dimension(c.Int("end_dim"), dims)
	}
	return Op{
		Schema: "flatten.using_ints(Tensor self, int start_dim=0, int end_dim=-1) -> Tensor",
		Shape: func(c *Call) ([]int, error) {
			x := c.Shape("self")
			from, to := span(c)
			if from < 1 || to < from || to >= len(x) {
				return nil, fmt.Errorf("dimensions %d to %d of %v can't be made one", from, to, unbatched(x))
			}
			return slices.Concat(x[:from], []int{product(x[from : to+1])}, x[to+1:]), nil
		},
		Tie: func(t *Ties) { t.Regroup(t.Ref("self"), t.Values()[0]) },
		Bind: func(b *Binding) Kernel {
			from, to := span(b.Call)
			if to != len(b.Shape("self"))-1 {
				return nil
			}
			return unary("self", func(s *torch.Scope, x *torch.Tensor) *torch.Tensor { return s.Flatten(x, from) })(b)
		},
		ONNX: func(g *Graph) error {
			if from, to := span(g.Call); from == 1 && to == len(g.Shape("self"))-1 && g.Out[0] == Batch && !isComplex(g.Result()) {
				g.Add("Flatten", []string{g.In("self")}, Attribute{"axis", 1})
				return nil
			}
			return reshapedONNX(g)
		},
		Module: func(c *Call) string {
			from, to := span(c)
			if to == len(c.Shape("self"))-1 {
				return fmt.Sprintf("nn.Flatten(%d)", from)
			}
			return fmt.Sprintf("nn.Flatten(%d, %d)", from, to)
		},
		Python: func(c *Call, in func(string) string) string {
			from, to := span(c)
			if to == len(c.Shape("self"))-1 {
				return fmt.Sprintf("%s.flatten(%d)", in("self"), from)
			}
			return fmt.Sprintf("%s.flatten(%d, %d)", in("self"), from, to)
		},
	}
}

// Flatten makes features of everything but the batch.
func (n *Net) Flatten(name string) Layer {
	return n.layer(name, Flatten, "self", Args{"start_dim": 1})
}
