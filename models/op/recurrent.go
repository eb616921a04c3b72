package op

import "slices"

// recurrentRules returns the rules of recurrent networks: their input has columns in the weights of the
// first layer; the hidden channels all meet at the next time step and stay.
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
	}, ONNX: recurrentONNX}}}
}

// A cell is the computation of a recurrent network at each time step: its gates as PyTorch has them, in
// ONNX's order.
type cell struct {
	operation  string
	gates      []int
	attributes []Attribute
}

var cells = map[string]cell{
	"lstm":     {"LSTM", []int{0, 3, 1, 2}, nil},
	"gru":      {"GRU", []int{1, 0, 2}, []Attribute{{"linear_before_reset", 1}}},
	"rnn_tanh": {"RNN", []int{0}, nil},
	"rnn_relu": {"RNN", []int{0}, nil},
}

// recurrentONNX writes a recurrent network, a layer an operation.
func recurrentONNX(g *Graph) error {
	directions, each := 1, 2
	if g.Bool("bidirectional") {
		directions = 2
	}
	if g.Bool("has_biases") {
		each = 4
	}
	layers, params, states := g.Int("num_layers"), g.Refs("params"), g.Refs("hx")
	if len(states) == 0 {
		states = []string{g.Ref("hx")}
	}
	c := cells[g.function()]
	if len(g.Shape("input")) != 3 || layers < 1 || len(params) != layers*directions*each || len(g.shapes[params[1]]) != 2 {
		return errNoONNX(g.Call, "but of batches, without projections")
	}
	k, hidden := g.computes(), g.shapes[params[1]][1]
	turned := func(x string) string { return k.Step("Transpose", []string{x}, Attribute{"perm", []int{1, 0, 2}}) }
	x := k.arg("input")
	if g.Bool("batch_first") {
		x = turned(x)
	}
	ends := make([][]string, len(states))
	for layer := range layers {
		var sets [4][]string // of the tensors of each direction
		for d := range directions {
			for i := range each {
				sets[i] = append(sets[i], k.gated(params[(layer*directions+d)*each+i], c.gates))
			}
		}
		stacked := func(all []string) string { return k.Step("Concat", all, Attribute{"axis", 0}) }
		in := []string{x, stacked(sets[0]), stacked(sets[1]), "", ""}
		if each == 4 {
			in[3] = k.Step("Concat", []string{stacked(sets[2]), stacked(sets[3])}, Attribute{"axis", 1})
		}
		for _, state := range states {
			in = append(in, k.sliced(g.Value(state), 0, layer*directions, (layer+1)*directions))
		}
		attributes := append([]Attribute{{"hidden_size", hidden}}, c.attributes...)
		if directions == 2 {
			attributes = append(attributes, Attribute{"direction", "bidirectional"})
		}
		if g.function() == "rnn_relu" {
			attributes = append(attributes, Attribute{"activations", slices.Repeat([]string{"Relu"}, directions)})
		}
		out := g.Steps(c.operation, 1+len(states), in, attributes...)
		for i := range states {
			ends[i] = append(ends[i], out[1+i])
		}
		// [time, directions, clips, hidden] as [time, clips, directions*hidden]
		x = k.do("Reshape", k.Step("Transpose", out[:1], Attribute{"perm", []int{0, 2, 1, 3}}), g.Numbers(0, 0, directions*hidden))
	}
	for i, all := range ends {
		if len(g.Values()) > i+1 {
			k.give(i+1, k.Step("Concat", all, Attribute{"axis", 0}))
		}
	}
	if g.Bool("batch_first") {
		x = turned(x)
	}
	k.give(0, x)
	return nil
}

// gated is a tensor of a recurrent network with its gates in another order, as one of a list.
func (k calculation) gated(name string, order []int) string {
	x, rows := k.Value(name), sizeAt(k.shapes[name], 0)/len(order)
	if len(order) > 1 {
		var parts []string
		for _, gate := range order {
			parts = append(parts, k.sliced(x, 0, gate*rows, (gate+1)*rows))
		}
		x = k.Step("Concat", parts, Attribute{"axis", 0})
	}
	return k.do("Unsqueeze", x, k.Numbers(0))
}
