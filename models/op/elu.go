package op

import (
	"fmt"

	"github.com/eegprune/eegprune/torch"
)

// ELU is x where that is positive and alpha*(exp(x)-1) elsewhere (Clevert 2016).
const ELU = "aten.elu.default"

func elu() Op {
	return Op{
		Schema: "elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor",
		Shape: func(c *Call) ([]int, error) {
			if c.Float("scale") != 1 || c.Float("input_scale") != 1 {
				return nil, fmt.Errorf("an ELU of scales %g and %g: only 1 is known", c.Float("scale"), c.Float("input_scale"))
			}
			return same("self")(c)
		},
		Tie: elementwise("self"),
		Bind: func(b *Binding) Kernel {
			alpha := b.Float("alpha")
			return unary("self", func(s *torch.Scope, x *torch.Tensor) *torch.Tensor { return s.ELU(x, alpha) })(b)
		},
		Activation: func(c *Call) torch.Activation {
			return torch.Activation{Positive: 1, Negative: c.Float("alpha"), Exponent: 1}
		},
		ONNX:        elementwiseONNX,
		Module:      module("nn.ELU", "alpha"),
		Python:      function("F.elu", "self", "alpha"),
		Elementwise: true,
		EachRow:     true,
	}
}

// ELU adds an [ELU].
func (n *Net) ELU(name string, alpha float64) Layer {
	return n.layer(name, ELU, "self", Args{"alpha": alpha})
}
