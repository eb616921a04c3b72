package op

import "github.com/eegprune/eegprune/torch"

// ReLU is max(x, 0).
const ReLU = "aten.relu.default"

func relu() Op {
	return Op{
		Schema: "relu(Tensor self) -> Tensor",
		Shape:  same("self"),
		Tie:    elementwise("self"),
		Bind: func(b *Binding) Kernel {
			if b.Over {
				return unary("self", (*torch.Scope).ReLUInPlace)(b)
			}
			return unary("self", (*torch.Scope).ReLU)(b)
		},
		Activation: func(*Call) torch.Activation { return torch.Activation{Positive: 1} },
		ONNX:       elementwiseONNX,
		Module:     module("nn.ReLU"),
		Python:     function("F.relu", "self"),
		AnyLayout:  true,
		EachRow:    true,
	}
}

// ReLU adds a [ReLU].
func (n *Net) ReLU(name string) Layer { return n.layer(name, ReLU, "self", nil) }
