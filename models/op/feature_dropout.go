package op

// FeatureDropout is [Dropout] of whole channels: PyTorch's Dropout2d (Tompson 2015).
const FeatureDropout = "aten.feature_dropout.default"

func featureDropout() Op {
	// Of features nn.Dropout2d drops the same, and warns that it will cease to.
	flat := func(c *Call) bool { return len(c.Shape("input")) == 2 }
	return Op{
		Schema: "feature_dropout(Tensor input, float p, bool train) -> Tensor",
		Shape:  dropping,
		Tie:    elementwise("input"),
		Passes: dropout().Passes,
		Bind:   drop(true),
		ONNX:   elementwiseONNX,
		Module: func(c *Call) string {
			if flat(c) {
				return dropout().Module(c)
			}
			return module("nn.Dropout2d", "p")(c)
		},
		Python: func(c *Call, in func(string) string) string {
			if flat(c) {
				return dropout().Python(c, in)
			}
			return "F.dropout2d(" + in("input") + ", " + number(c.Float("p")) + ", self.training)"
		},
		AnyLayout: true,
	}
}

// Dropout2d adds a [FeatureDropout].
func (n *Net) Dropout2d(name string, p float64) Layer {
	return n.layer(name, FeatureDropout, "input", Args{"p": p, "train": true})
}
