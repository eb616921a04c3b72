package op

import (
	"fmt"
	"slices"

	"github.com/eegprune/eegprune/torch"
)

// Pad adds elements of one value at both ends of the last dimensions; of the last one first.
const Pad = "aten.pad.default"

func pad() Op {
	return Op{
		Schema: `pad(Tensor self, int[] pad, str mode="constant", float? value=None) -> Tensor`,
		Shape: func(c *Call) ([]int, error) {
			x, sides := c.Shape("self"), c.Ints("pad")
			if len(sides) == 4 && len(x) != 4 {
				_, err := c.Map("self", "zero padding", 2)
				if len(x) < 3 {
					return nil, err
				}
			}
			if c.Text("mode") != "constant" || c.Float("value") != 0 || len(sides)%2 != 0 || len(sides)/2 > len(x)-1 {
				return nil, fmt.Errorf("a padding of %v in mode %s with %g: zeros at both ends of dimensions are known", sides, c.Text("mode"), c.Float("value"))
			}
			out := slices.Clone(x)
			for i, n := range sides {
				if n < 0 || n > maxElements {
					return nil, fmt.Errorf("padding %v: each side must be from 0 to %d", sides, maxElements)
				}
				out[len(out)-1-i/2] += n
			}
			return out, nil
		},
		Tie: tiePad,
		Fit: fitPad,
		Bind: func(b *Binding) Kernel {
			sides := b.Ints("pad")
			if len(sides) != 4 {
				return nil
			}
			return unary("self", func(s *torch.Scope, x *torch.Tensor) *torch.Tensor { return s.ZeroPad2d(x, [4]int(sides)) })(b)
		},
		ONNX: paddedONNX,
		Module: func(c *Call) string {
			if len(c.Ints("pad")) != 4 {
				return ""
			}
			return "nn.ZeroPad2d(" + tuple(c.Ints("pad")) + ")"
		},
		Python: func(c *Call, in func(string) string) string {
			return "F.pad(" + in("self") + ", " + tuple(c.Ints("pad")) + ")"
		},
		AnyLayout: true,
	}
}

// ZeroPad2d adds zeros to the left, right, top and bottom of maps.
func (n *Net) ZeroPad2d(name string, sides [4]int) Layer {
	return n.layer(name, Pad, "self", Args{"pad": sides[:]})
}
