package op

import (
	"fmt"

	"github.com/eegprune/eegprune/torch"
)

// GELU multiplies x with the normal distribution's probability of a number below it (Hendrycks
// 2016).
const GELU = "aten.gelu.default"

func gelu() Op {
	return Op{
		Schema: `gelu(Tensor self, *, str approximate="none") -> Tensor`,
		Shape: func(c *Call) ([]int, error) {
			if a := c.Text("approximate"); a != "none" && a != "tanh" {
				return nil, fmt.Errorf("a GELU approximated by %q: none and tanh are known", a)
			}
			return same("self")(c)
		},
		Tie: elementwise("self"),
		Activation: func(c *Call) (none torch.Activation) {
			if c.Text("approximate") != "none" {
				return none
			}
			return torch.Activation{Gate: torch.NormalGate}
		},
		ONNX:   elementwiseONNX,
		Module: func(c *Call) string { return fmt.Sprintf("nn.GELU(%q)", c.Text("approximate")) },
		Python: func(c *Call, in func(string) string) string {
			return fmt.Sprintf("F.gelu(%s, approximate=%q)", in("self"), c.Text("approximate"))
		},
		Elementwise: true,
		EachRow:     true,
	}
}

// GELU adds a [GELU].
func (n *Net) GELU(name string) Layer { return n.layer(name, GELU, "self", nil) }
