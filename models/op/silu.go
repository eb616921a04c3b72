package op

import "github.com/eegprune/eegprune/torch"

// SiLU multiplies x with its sigmoid (Hendrycks 2016).
const SiLU = "aten.silu.default"

func silu() Op {
	return Op{
		Schema:      "silu(Tensor self) -> Tensor",
		Shape:       same("self"),
		Tie:         elementwise("self"),
		Activation:  func(*Call) torch.Activation { return torch.Activation{Gate: torch.LogisticGate} },
		ONNX:        elementwiseONNX,
		Module:      module("nn.SiLU"),
		Python:      function("F.silu", "self"),
		Elementwise: true,
		EachRow:     true,
	}
}

// SiLU adds a [SiLU].
func (n *Net) SiLU(name string) Layer { return n.layer(name, SiLU, "self", nil) }
