package op

import (
	"fmt"
	"slices"
)

// GroupNorm normalises groups of channels of each clip (Wu 2018).
const GroupNorm = "aten.group_norm.default"

func groupNorm() Op {
	return Op{
		Schema: "group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnn_enabled=True) -> Tensor",
		Weighs: Norm,
		Shape: func(c *Call) ([]int, error) {
			x, groups := c.Shape("input"), c.Int("num_groups")
			if len(x) < 2 || groups < 1 || x[1]%groups != 0 {
				return nil, fmt.Errorf("a GroupNorm of %d groups gets %v", groups, unbatched(x))
			}
			for _, arg := range []string{"weight", "bias"} {
				if err := c.rows(arg, x[1]); err != nil {
					return nil, err
				}
			}
			return slices.Clone(x), nil
		},
		// Groups go whole, so that each keeps its size.
		Fit: func(c *Call) {
			channels, before := c.size("input", 1), 0
			switch was := c.before[c.Ref("input")]; {
			case was != nil:
				before = sizeAt(was, 1)
			case c.Given("weight") && c.Gives == nil:
				before = c.Shape("weight")[0]
				c.resize("weight", 0, channels)
				c.resize("bias", 0, channels)
			}
			if groups := c.Int("num_groups"); before > 0 && groups > 0 && before/groups > 0 {
				c.Args["num_groups"] = channels / (before / groups)
			}
		},
		// A channel counts in the mean and variance of its group: it goes with it.
		Tie: func(t *Ties) {
			in := t.In("input", 1)
			t.Same(t.In("input", 0), t.Out(0))
			t.Same(in, t.Out(1))
			t.Block(in, in.size/max(t.Int("num_groups"), 1))
			for arg, role := range map[string]Role{"weight": Scale, "bias": Shift} {
				if t.Given(arg) {
					t.Same(in, t.Tensor(arg, 0, role))
				}
			}
		},
		// fvcore's estimate.
		MACs: func(c *Call) int64 {
			if c.Given("weight") {
				return 5 * perClip(c.Out)
			}
			return 4 * perClip(c.Out)
		},
		ONNX: groupNormONNX,
		Module: func(c *Call) string {
			return fmt.Sprintf("nn.GroupNorm(%d, %d, eps=%s)", c.Int("num_groups"), c.Shape("input")[1], number(c.Float("eps")))
		},
		Rewritable: true,
	}
}

// GroupNorm adds a [GroupNorm] of maps with so many channels in so many groups.
func (n *Net) GroupNorm(name string, groups, channels int) Layer {
	return n.layer(name, GroupNorm, "input", Args{"num_groups": groups,
		"weight": n.tensor(Tensor{Name: name + ".weight", Shape: []int{channels}, Fill: 1}),
		"bias":   n.tensor(Tensor{Name: name + ".bias", Shape: []int{channels}})})
}
