package op

// lookupRules returns the rules of operations that look up elements by index.
func lookupRules() []rule {
	return []rule{
		{ops: "embedding", Op: Op{Tie: func(t *Ties) {
			t.Same(t.Out(-1), t.Tensor("weight", 1, Filter))
			for d := range t.Shape("indices") {
				t.Same(t.In("indices", d), t.Out(d))
			}
		}, ONNX: func(g *Graph) error {
			g.Add("Gather", []string{g.In("weight"), g.In("indices")})
			return nil
		}}},
		{ops: "index_select", Op: Op{Tie: func(t *Ties) {
			dim := dimension(t.Int("dim"), len(t.Shape("self")))
			for d := range t.Call.Out {
				if d != dim {
					t.Same(t.In("self", d), t.Out(d))
				}
			}
		}, ONNX: func(g *Graph) error {
			g.Add("Gather", []string{g.In("self"), g.In("index")}, Attribute{"axis", g.axis("dim", "self")})
			return nil
		}}},
		{ops: "gather", Op: Op{ONNX: func(g *Graph) error {
			g.Add("GatherElements", []string{g.In("self"), g.In("index")}, Attribute{"axis", g.axis("dim", "self")})
			return nil
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
		}, ONNX: indexedONNX}},
	}
}

// indexedONNX takes elements by lists of whole numbers, one for each of some dimensions side by side.
func indexedONNX(g *Graph) error {
	names, dims := g.Refs("indices"), len(g.Shape("self"))
	var at []int
	most := 0 // dimensions of a list
	for i, name := range names {
		if name == "" {
			continue
		}
		if t := g.Element(name); t != "int64" && t != "int32" {
			return errNoONNX(g.Call, "by truth values")
		}
		at, most = append(at, i), max(most, len(g.shapes[name]))
	}
	switch {
	case len(at) == 0 || isComplex(g.Result()) || at[len(at)-1]-at[0] != len(at)-1:
		return errNoONNX(g.Call, "by lists for dimensions that are not side by side")
	case len(at) == 1:
		g.Add("Gather", []string{g.In("self"), g.Value(names[at[0]])}, Attribute{"axis", at[0]})
		return nil
	}
	first := at[0]
	shape := g.Out[first : first+most]
	var lists []string
	for _, i := range at {
		list := g.Step("Expand", []string{g.cast(g.Value(names[i]), g.Element(names[i]), "int64"), g.dims(shape)})
		lists = append(lists, g.Step("Unsqueeze", []string{list, g.Numbers(most)}))
	}
	// The indexed dimensions move to the front, and those of the lists then back to their place.
	var order, back []int
	for d := range dims {
		if d >= first && d < first+len(at) {
			order = append(order, d)
		}
	}
	for d := range dims {
		if d < first || d >= first+len(at) {
			order = append(order, d)
		}
	}
	for d := range first {
		back = append(back, most+d)
	}
	for d := range most {
		back = append(back, d)
	}
	for d := first; d < dims-len(at); d++ {
		back = append(back, most+d)
	}
	x := g.Step("Transpose", []string{g.In("self")}, Attribute{"perm", order})
	x = g.Step("GatherND", []string{x, g.Step("Concat", lists, Attribute{"axis", most})})
	g.Add("Transpose", []string{x}, Attribute{"perm", back})
	return nil
}
