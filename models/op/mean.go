package op

import (
	"fmt"

	"github.com/eegprune/eegprune/torch"
)

// Mean averages over dimensions.
const Mean = "aten.mean.dim"

func mean() Op {
	over := func(c *Call) map[int]bool {
		dims := map[int]bool{}
		for _, d := range c.Ints("dim") {
			dims[dimension(d, len(c.Shape("self")))] = true
		}
		return dims
	}
	return Op{
		Schema: "mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
		Shape: func(c *Call) ([]int, error) {
			x := c.Shape("self")
			if len(x) < 3 {
				return nil, fmt.Errorf("a mean over the last dimension of %v", unbatched(x))
			}
			var out []int
			for d, size := range x {
				switch gone := over(c)[d]; {
				case gone && d == 0:
					return nil, fmt.Errorf("a mean over clips: each has its own")
				case !gone:
					out = append(out, size)
				case c.Bool("keepdim"):
					out = append(out, 1)
				}
			}
			return out, nil
		},
		Tie: func(t *Ties) {
			at := 0
			for d := range t.Shape("self") {
				gone := over(t.Call)[d]
				if gone {
					t.Whole(t.In("self", d), t.Name+" averages over it")
				} else {
					t.Same(t.In("self", d), t.Out(at))
				}
				if !gone || t.Bool("keepdim") {
					at++
				}
			}
		},
		Bind: func(b *Binding) Kernel {
			dims := b.Ints("dim")
			if b.Bool("keepdim") || len(dims) == 0 {
				return nil
			}
			return unary("self", func(s *torch.Scope, x *torch.Tensor) *torch.Tensor { return s.Mean(x, dims...) })(b)
		},
		ONNX: reducedONNX,
		Python: func(c *Call, in func(string) string) string {
			dims := list(c.Ints("dim"))
			if len(c.Ints("dim")) > 1 {
				dims = "(" + dims + ")"
			}
			if c.Bool("keepdim") {
				dims += ", keepdim=True"
			}
			return in("self") + ".mean(" + dims + ")"
		},
	}
}

// Mean averages over the last dimension.
func (n *Net) Mean(name string) Layer {
	return n.layer(name, Mean, "self", Args{"dim": []int{-1}})
}
