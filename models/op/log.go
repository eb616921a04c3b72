package op

import "github.com/eegprune/eegprune/torch"

// Log is the natural logarithm.
const Log = "aten.log.default"

func log() Op {
	return Op{
		Schema:      "log(Tensor self) -> Tensor",
		Shape:       same("self"),
		Tie:         elementwise("self"),
		Bind:        unary("self", (*torch.Scope).Log),
		ONNX:        elementwiseONNX,
		Python:      func(_ *Call, in func(string) string) string { return in("self") + ".log()" },
		Elementwise: true,
	}
}

// Log adds a [Log].
func (n *Net) Log(name string) Layer { return n.layer(name, Log, "self", nil) }
