package op

// lookupRules are those of what takes elements by numbers.
func lookupRules() []rule {
	return []rule{
		{ops: "embedding", Op: Op{Tie: func(t *Ties) {
			t.Same(t.Out(-1), t.Tensor("weight", 1, Filter))
			for d := range t.Shape("indices") {
				t.Same(t.In("indices", d), t.Out(d))
			}
		}}},
		{ops: "index_select", Op: Op{Tie: func(t *Ties) {
			dim := dimension(t.Int("dim"), len(t.Shape("self")))
			for d := range t.Call.Out {
				if d != dim {
					t.Same(t.In("self", d), t.Out(d))
				}
			}
		}}},
		// Of one list of indices, which stands where the dimension did.
		{ops: "index.Tensor", Op: Op{Tie: func(t *Ties) {
			at, lists := -1, 0
			for i, name := range t.Refs("indices") {
				if name != "" {
					at, lists = i, lists+1
				}
			}
			if lists != 1 {
				return
			}
			more := len(t.shapes[t.Refs("indices")[at]])
			for d := range t.Shape("self") {
				switch {
				case d < at:
					t.Same(t.In("self", d), t.Out(d))
				case d > at:
					t.Same(t.In("self", d), t.Out(d-1+more))
				}
			}
		}}},
	}
}
