package op

import "github.com/eegprune/eegprune/torch"

// SELU is the self-normalising exponential unit (Klambauer 2017).
const SELU = "aten.selu.default"

func selu() Op {
	return Op{
		Schema: "selu(Tensor self) -> Tensor",
		Shape:  same("self"),
		Tie:    elementwise("self"),
		Bind:   unary("self", (*torch.Scope).SELU),
		Activation: func(*Call) torch.Activation {
			const scale, alpha = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
			return torch.Activation{Positive: scale, Negative: scale * alpha, Exponent: 1}
		},
		ONNX:        elementwiseONNX,
		Module:      module("nn.SELU"),
		Python:      function("F.selu", "self"),
		Elementwise: true,
		EachRow:     true,
	}
}

// SELU adds a [SELU].
func (n *Net) SELU(name string) Layer { return n.layer(name, SELU, "self", nil) }
