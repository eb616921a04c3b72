package op

import "strings"

// sizeRules returns the rules of operations that fill a tensor with one number: any part of it is as good
// as another.
func sizeRules() []rule {
	return []rule{
		{ops: "zeros ones full empty new_zeros new_ones new_full new_empty", Op: Op{
			Tie: func(t *Ties) {
				t.touchOut()
				for _, in := range t.Inputs() {
					for d := range t.shapes[in] {
						t.touched[t.of(in, d)] = true // of which it takes the type alone
					}
				}
			},
			Fit: func(c *Call) {
				if c.before != nil {
					c.Args["size"] = sizes(c.Out)
				}
			},
			ONNX: func(g *Graph) error {
				k, v := g.computes(), ""
				switch base := g.function(); {
				case strings.HasSuffix(base, "zeros"):
					v = k.num(0)
				case strings.HasSuffix(base, "ones"):
					v = k.num(1)
				case strings.HasSuffix(base, "full"):
					v = k.arg("fill_value")
				default:
					return errNoONNX(g.Call, "its numbers are any")
				}
				k.give(0, k.do("Expand", v, g.dims(g.Out)))
				return nil
			},
		}},
		{ops: "arange", Op: Op{ONNX: func(g *Graph) error {
			k := g.computes()
			bound := func(arg string, missing float64) string {
				if g.op.param(arg) == nil {
					return k.num(missing)
				}
				return k.arg(arg)
			}
			k.give(0, k.do("Range", bound("start", 0), bound("end", 0), bound("step", 1)))
			return nil
		}}},
	}
}
