package op

// normRules are those of normalisations that have no file of their own.
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
		}}},
		{ops: "instance_norm", Op: Op{Weighs: Norm, MACs: macs, Tie: func(t *Ties) {
			t.Same(t.In("input", 0), t.Out(0))
			t.Same(t.In("input", 1), t.Out(1))
			for arg, role := range map[string]Role{"weight": Scale, "bias": Shift, "running_mean": Statistic, "running_var": Statistic} {
				if t.Given(arg) {
					t.Same(t.In("input", 1), t.Tensor(arg, 0, role))
				}
			}
		}}},
	}
}
