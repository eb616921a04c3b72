package op

// recurrentRules are those of recurrent networks: what they take has columns in the weights of the
// first layer; all channels within meet at the next moment and stay.
func recurrentRules() []rule {
	return []rule{{ops: "lstm.input gru.input rnn_tanh.input rnn_relu.input", Op: Op{Weighs: Dense, Tie: func(t *Ties) {
		params := t.Refs("params")
		layer := 2 // tensors of one direction
		if t.Bool("has_biases") {
			layer = 4
		}
		directions := 1
		if t.Bool("bidirectional") {
			directions = 2
		}
		in := t.In("input", -1)
		for k := range directions {
			if k*layer >= len(params) || !t.all.fixed[params[k*layer]] {
				return
			}
			column := t.of(params[k*layer], 1)
			t.all.roles[column], t.all.kinds[column] = Column, Dense
			t.Same(in, column)
		}
	}, MACs: func(c *Call) int64 {
		x := c.Shape("input")
		if len(x) < 2 {
			return 0
		}
		steps := perClip(x[:len(x)-1])
		macs := int64(0)
		for _, name := range c.Refs("params") {
			if w := c.shapes[name]; len(w) == 2 {
				macs += steps * perClip(w)
			}
		}
		return macs
	}}}}
}
