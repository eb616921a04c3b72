package op

import (
	"fmt"
	"math"
)

// Clamp brings elements to between two numbers, of which one may be left out.
const Clamp = "aten.clamp.default"

func clamp() Op {
	bounds := func(c *Call) (low, high float64) {
		low, high = math.Inf(-1), math.Inf(1)
		if c.Args["min"] != nil {
			low = c.Float("min")
		}
		if c.Args["max"] != nil {
			high = c.Float("max")
		}
		return low, high
	}
	return Op{
		Schema: "clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor",
		Shape:  same("self"),
		Tie:    elementwise("self"),
		ONNX:   elementwiseONNX,
		Python: func(c *Call, in func(string) string) string {
			text := in("self") + ".clamp("
			if low, high := bounds(c); math.IsInf(high, 0) {
				return text + fmt.Sprintf("min=%s)", number(low))
			} else if math.IsInf(low, 0) {
				return text + fmt.Sprintf("max=%s)", number(high))
			} else {
				return text + fmt.Sprintf("%s, %s)", number(low), number(high))
			}
		},
		Elementwise: true,
	}
}

// AtLeast brings elements below a number to it.
func (n *Net) AtLeast(name string, low float64) Layer {
	return n.layer(name, Clamp, "self", Args{"min": low})
}
