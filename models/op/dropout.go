package op

import (
	"fmt"

	"github.com/eegprune/eegprune/torch"
)

// Dropout sets elements to zero with probability p in training and divides the others by 1-p
// (Srivastava 2014).
const Dropout = "aten.dropout.default"

func dropout() Op {
	return Op{
		Schema: "dropout(Tensor input, float p, bool train) -> Tensor",
		Shape:  dropping,
		Tie:    elementwise("input"),
		Passes: func(c *Call, training bool) bool { return !training || c.Float("p") == 0 },
		Bind:   drop(false),
		ONNX:   elementwiseONNX,
		Module: module("nn.Dropout", "p"),
		Python: func(c *Call, in func(string) string) string {
			return "F.dropout(" + in("input") + ", " + number(c.Float("p")) + ", self.training)"
		},
		AnyLayout: true,
		EachRow:   true,
	}
}

// Dropout adds a [Dropout].
func (n *Net) Dropout(name string, p float64) Layer {
	return n.layer(name, Dropout, "input", Args{"p": p, "train": true})
}

func dropping(c *Call) ([]int, error) {
	if p := c.Float("p"); !(p >= 0 && p < 1) {
		return nil, fmt.Errorf("a dropout probability of %g is outside [0, 1)", p)
	}
	return same("input")(c)
}

func drop(perChannel bool) func(b *Binding) Kernel {
	return func(b *Binding) Kernel {
		if b.Gives != nil && !b.Device.IsCUDA() { // libtorch draws in the order in which its input lies in memory
			return nil
		}
		x, p := b.Source("input"), b.Float("p")
		return func(s *torch.Scope, v *Values) *torch.Tensor {
			if !v.Training || p == 0 {
				return x(v)
			}
			return s.Dropout(x(v), p, perChannel, v.Generator)
		}
	}
}
