package op

import "slices"

// normRules returns the rules of normalizations that have no file of their own.
func normRules() []rule {
	macs := func(c *Call) int64 { // fvcore's estimate, which has none of rms_norm
		switch {
		case c.op.base() == "rms_norm":
			return 0
		case c.Given("weight"):
			return 5 * perClip(c.Out)
		}
		return 4 * perClip(c.Out)
	}
	return []rule{
		{ops: "layer_norm rms_norm", Op: Op{Weighs: Norm, MACs: macs, Tie: func(t *Ties) {
			over := len(t.Call.Out) - len(t.Ints("normalized_shape"))
			for d := range t.Call.Out {
				if d < over {
					t.Same(t.In("input", d), t.Out(d))
					continue
				}
				const why = "a normalisation over all of its channels changes with each"
				t.Whole(t.In("input", d), why)
				t.Whole(t.Out(d), why)
			}
		}, ONNX: layerNormONNX}},
		{ops: "instance_norm", Op: Op{Weighs: Norm, MACs: macs, Tie: func(t *Ties) {
			t.Same(t.In("input", 0), t.Out(0))
			t.Same(t.In("input", 1), t.Out(1))
			for arg, role := range map[string]Role{"weight": Scale, "bias": Shift, "running_mean": Statistic, "running_var": Statistic} {
				if t.Given(arg) {
					t.Same(t.In("input", 1), t.Tensor(arg, 0, role))
				}
			}
		}, ONNX: batchNormONNX}},
	}
}

// or is an argument's tensor, or one of a shape with one number where there is none.
func (g *Graph) or(arg string, v float64, shape ...int) string {
	if g.Given(arg) {
		return g.In(arg)
	}
	return g.Constant("float32", shape, slices.Repeat([]float64{v}, product(shape))...)
}

// layerNormONNX writes normalisations over the last dimensions.
func layerNormONNX(g *Graph) error {
	shape := g.Ints("normalized_shape")
	if len(shape) == 0 || many(shape...) {
		return errNoONNX(g.Call, "")
	}
	if g.function() == "layer_norm" {
		in := []string{g.In("input"), g.or("weight", 1, shape...)}
		if g.Given("bias") {
			in = append(in, g.In("bias"))
		}
		g.Add("LayerNormalization", in, Attribute{"axis", -len(shape)}, Attribute{"epsilon", g.Float("eps")})
		return nil
	}
	k, eps := g.computes(), 0x1p-23 // of single precision
	if g.value("eps") != nil {
		eps = g.Float("eps")
	}
	var axes []int
	for d := range shape {
		axes = append(axes, d-len(shape))
	}
	x := g.In("input")
	mean := k.Step("ReduceMean", []string{k.do("Mul", x, x)}, Attribute{"axes", axes})
	x = k.do("Div", x, k.do("Sqrt", k.do("Add", mean, k.num(eps))))
	if g.Given("weight") {
		x = k.do("Mul", x, g.In("weight"))
	}
	k.give(0, x)
	return nil
}

// batchNormONNX writes a BatchNorm or an InstanceNorm in evaluation: by its running statistics, if it has
// any, or else by those of its input.
func batchNormONNX(g *Graph) error {
	dims, channels := len(g.Out), sizeAt(g.Out, 1)
	if dims < 2 || many(channels) || g.Given("running_mean") != g.Given("running_var") {
		return errNoONNX(g.Call, "")
	}
	in := []string{g.In("input"), g.or("weight", 1, channels), g.or("bias", 0, channels)}
	eps := Attribute{"epsilon", g.Float("eps")}
	switch {
	case g.Given("running_mean"):
		g.Add("BatchNormalization", append(in, g.In("running_mean"), g.In("running_var")), eps)
		return nil
	case g.function() == "instance_norm" && dims > 2:
		g.Add("InstanceNormalization", in, eps)
		return nil
	case g.function() != "batch_norm":
		return errNoONNX(g.Call, "")
	}
	k := g.computes()
	axes, each := []int{0}, []int{channels}
	for d := 2; d < dims; d++ {
		axes, each = append(axes, d), append(each, 1)
	}
	x := k.do("Sub", in[0], k.Step("ReduceMean", in[:1], Attribute{"axes", axes}))
	variance := k.Step("ReduceMean", []string{k.do("Mul", x, x)}, Attribute{"axes", axes})
	x = k.do("Div", x, k.do("Sqrt", k.do("Add", variance, k.num(g.Float("eps")))))
	x = k.do("Mul", x, g.reshape(in[1], each))
	k.give(0, k.do("Add", x, g.reshape(in[2], each)))
	return nil
}

// groupNormONNX writes one of groups of channels as one of each of as many channels.
func groupNormONNX(g *Graph) error {
	groups, dims := g.Int("num_groups"), len(g.Out)
	if many(groups) || dims < 2 {
		return errNoONNX(g.Call, "")
	}
	k, clips := g.computes(), g.Out[0]
	x := g.reshape(g.In("input"), []int{clips, groups, product(g.Out[1:]) / groups})
	one, none := slices.Repeat([]float64{1}, groups), make([]float64, groups)
	x = g.Step("InstanceNormalization", []string{x, g.Constant("float32", []int{groups}, one...), g.Constant("float32", []int{groups}, none...)},
		Attribute{"epsilon", g.Float("eps")})
	x = g.reshape(x, g.Out)
	each := append([]int{1, g.Out[1]}, slices.Repeat([]int{1}, dims-2)...)
	for i, arg := range []string{"weight", "bias"} {
		if g.Given(arg) {
			x = k.do([]string{"Mul", "Add"}[i], x, g.reshape(g.In(arg), each))
		}
	}
	k.give(0, x)
	return nil
}
