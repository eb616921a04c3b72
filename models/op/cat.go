package op

import (
	"fmt"
	"slices"

	"github.com/eegprune/eegprune/torch"
)

// Cat joins tensors along a dimension.
const Cat = "aten.cat.default"

func cat() Op {
	along := func(c *Call) int { return dimension(c.Int("dim"), len(c.Out)) }
	return Op{
		Schema: "cat(Tensor[] tensors, int dim=0) -> Tensor",
		Shape:  catShape,
		Tie:    (*Ties).joined,
		Bind: func(b *Binding) Kernel {
			parts, dim := b.Sources("tensors"), along(b.Call)
			return func(s *torch.Scope, v *Values) *torch.Tensor { return s.Cat(dim, parts(v)...) }
		},
		ONNX: joinedONNX,
		Python: func(c *Call, in func(string) string) string {
			return fmt.Sprintf("torch.cat([%s], %d)", in("tensors"), c.Int("dim"))
		},
		AnyLayout: true,
	}
}

func catShape(c *Call) ([]int, error) {
	all := c.ShapesOf("tensors")
	if len(all) == 0 {
		return nil, fmt.Errorf("it has 0 inputs")
	}
	out := slices.Clone(all[0])
	dim := dimension(c.Int("dim"), len(out))
	if dim < 1 || dim >= len(out) {
		return nil, fmt.Errorf("tensors of shape %v can't be joined along dimension %d", unbatched(out), dim)
	}
	for _, s := range all[1:] {
		if len(s) != len(out) {
			return nil, fmt.Errorf("shapes %v and %v can't be joined", unbatched(out), unbatched(s))
		}
		for d := range out {
			switch {
			case d == dim:
				out[d] += s[d]
			case s[d] != out[d]:
				return nil, fmt.Errorf("shapes %v and %v can't be joined along dimension %d", unbatched(out), unbatched(s), dim)
			}
		}
	}
	return out, nil
}

// Cat joins values along a dimension; the batch is dimension 0.
func (n *Net) Cat(name string, dim int) Layer {
	return n.adds(name, Cat, Args{"dim": dim}, func(a Args, values []string) {
		refs := make([]Ref, len(values))
		for i, v := range values {
			refs[i] = Ref(v)
		}
		a["tensors"] = refs
	})
}
