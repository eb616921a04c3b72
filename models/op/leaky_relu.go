package op

import "github.com/eegprune/eegprune/torch"

// LeakyReLU is x where that is positive and a part of it elsewhere (Maas 2013).
const LeakyReLU = "aten.leaky_relu.default"

func leakyReLU() Op {
	return Op{
		Schema: "leaky_relu(Tensor self, Scalar negative_slope=0.01) -> Tensor",
		Shape:  same("self"),
		Tie:    elementwise("self"),
		Bind: func(b *Binding) Kernel {
			f, slope := (*torch.Scope).LeakyReLU, b.Float("negative_slope")
			if b.Over {
				f = (*torch.Scope).LeakyReLUInPlace
			}
			return unary("self", func(s *torch.Scope, x *torch.Tensor) *torch.Tensor { return f(s, x, slope) })(b)
		},
		Activation: func(c *Call) torch.Activation {
			return torch.Activation{Positive: 1, Negative: c.Float("negative_slope")}
		},
		ONNX:      elementwiseONNX,
		Module:    module("nn.LeakyReLU", "negative_slope"),
		Python:    function("F.leaky_relu", "self", "negative_slope"),
		AnyLayout: true,
		EachRow:   true,
	}
}

// LeakyReLU adds a [LeakyReLU].
func (n *Net) LeakyReLU(name string, slope float64) Layer {
	return n.layer(name, LeakyReLU, "self", Args{"negative_slope": slope})
}
