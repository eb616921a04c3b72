package op

// convolutionRules are those of convolutions that have no file of their own.
func convolutionRules() []rule {
	return []rule{
		{ops: "conv1d conv2d conv3d", Op: Op{Weighs: Conv, Tie: tieConvolution, Fit: fitConvolution, MACs: convolutionMACs}},
		{ops: "conv_transpose1d conv_transpose2d conv_transpose3d", Op: Op{Weighs: Conv, Tie: func(t *Ties) {
			channels := t.channels()
			if t.Int("groups") != 1 || channels < 0 {
				return
			}
			t.Same(t.In("input", channels), t.Tensor("weight", 0, Column))
			t.Same(t.Out(channels), t.Tensor("weight", 1, Filter))
			if t.Given("bias") {
				t.Same(t.Out(channels), t.Tensor("bias", 0, Bias))
			}
			if channels > 0 {
				t.Same(t.In("input", 0), t.Out(0))
			}
		}, MACs: func(c *Call) int64 {
			w := c.Shape("weight")
			if len(w) < 2 || w[0] < 1 {
				return 0
			}
			return perClip(w) * perClip(c.Shape("input")) / int64(w[0])
		}}},
	}
}

// convolutionMACs are one for each weight at each place of a map.
func convolutionMACs(c *Call) int64 {
	w := c.Shape("weight")
	if len(w) < 2 || w[0] < 1 {
		return 0
	}
	return perClip(w) * perClip(c.Out) / int64(w[0])
}
