package op

import (
	"fmt"

	"github.com/eegprune/eegprune/torch"
)

// Linear multiplies features with a weight [out, in] and adds a bias [out].
const Linear = "aten.linear.default"

func linear() Op {
	return Op{
		Schema: "linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor",
		Weighs: Dense,
		Shape: func(c *Call) ([]int, error) {
			x, w := c.Shape("input"), c.Shape("weight")
			if len(w) != 2 {
				return nil, fmt.Errorf("a linear layer with a weight %v: it is [out, in]", w)
			}
			if len(x) != 2 || x[1] != w[1] || w[0] < 1 {
				return nil, fmt.Errorf("a linear layer of %d features to %d gets %v", w[1], w[0], unbatched(x))
			}
			if tooMany(w...) {
				return nil, fmt.Errorf("a linear layer of %d features to %d has too many weights", w[1], w[0])
			}
			if err := c.rows("bias", w[0]); err != nil {
				return nil, err
			}
			return batched(w[0]), nil
		},
		Fit: func(c *Call) {
			if c.Gives != nil {
				return
			}
			c.resize("weight", 1, c.Shape("input")[1])
			c.resize("bias", 0, c.Shape("weight")[0])
		},
		Draw: byFanIn,
		Tie: func(t *Ties) {
			t.Same(t.In("input", -1), t.Tensor("weight", 1, Column))
			t.made(-1)
			for d := range len(t.Call.Out) - 1 {
				t.Same(t.In("input", d), t.Out(d))
			}
		},
		MACs: func(c *Call) int64 { return perClip(c.Shape("weight")) * perClip(c.Out[:max(len(c.Out)-1, 0)]) },
		Bind: func(b *Binding) Kernel {
			x, weight, bias := b.Source("input"), b.Source("weight"), b.Source("bias")
			return func(s *torch.Scope, v *Values) *torch.Tensor { return s.Linear(x(v), weight(v), bias(v)) }
		},
		ONNX: linearONNX,
		Module: func(c *Call) string {
			w := c.Shape("weight")
			if !c.Given("bias") {
				return fmt.Sprintf("nn.Linear(%d, %d, bias=False)", w[1], w[0])
			}
			return fmt.Sprintf("nn.Linear(%d, %d)", w[1], w[0])
		},
		Rewritable: true,
	}
}

// Linear adds a [Linear] layer with a bias.
func (n *Net) Linear(name string, in, out int) Layer {
	return n.weighs(name, Linear, Args{}, true, out, in)
}

// LinearNoBias adds a [Linear] layer without one.
func (n *Net) LinearNoBias(name string, in, out int) Layer {
	return n.weighs(name, Linear, Args{}, false, out, in)
}
