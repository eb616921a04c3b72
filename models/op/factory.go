package op

// sizeRules are those of what makes tensors of one number: any part of them is as good as another.
func sizeRules() []rule {
	return []rule{
		{ops: "zeros ones full empty new_zeros new_ones new_full new_empty", Op: Op{
			Tie: func(t *Ties) {
				t.touchOut()
				for _, in := range t.Inputs() {
					for d := range t.shapes[in] {
						t.touched[t.of(in, d)] = true // of which it takes the type alone
					}
				}
			},
			Fit: func(c *Call) {
				if c.before != nil {
					c.Args["size"] = sizes(c.Out)
				}
			},
		}},
	}
}
