package op

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Role says how elements of a tensor serve a channel.
type Role string

// The roles.
const (
	Filter    Role = "filter"    // the row of a weight that computes the channel
	Bias      Role = "bias"      // the number added to it
	Scale     Role = "scale"     // the factor of a normalization for the channel,
	Shift     Role = "shift"     // the number that it adds,
	Statistic Role = "statistic" // and its running statistics
	Column    Role = "column"    // the weights that a later layer multiplies the channel with
	Through   Role = "through"   // any other tensor that the channel meets on its way
)

// A Part holds the indices of a group's channels along one dimension of a tensor.
type Part struct {
	Tensor string `json:"tensor"`
	Dim    int    `json:"dim"`
	Role   Role   `json:"role"`
	// Index has, for each channel, its indices along the dimension, in rising order: 81 columns
	// of the first linear layer after a 9x9 map, D rows of a depthwise convolution.
	Index [][]int `json:"-"`
}

// Layer is the path of the module whose tensor it is.
func (p Part) Layer() string { return LayerOf(p.Tensor) }

// Rows are the indices of some channels, in rising order.
func (p Part) Rows(channels []int) []int {
	var rows []int
	for _, c := range channels {
		rows = append(rows, p.Index[c]...)
	}
	slices.Sort(rows)
	return rows
}

// A Group is a set of channels, each of which can be removed on its own, with all that belongs to it:
// its rows of filters, its elements of normalizations, its columns in the layers that take it.
// Channel i of the group is the same in all of its parts.
type Group struct {
	Name     string `json:"name"`
	Channels int    `json:"channels"`
	Parts    []Part `json:"parts"` // in the tensors' order
	// Kept holds, after pruning, which channels of the unpruned network are left.
	Kept []int `json:"kept,omitempty"`
}

// Of are the group's parts of a role.
func (g *Group) Of(roles ...Role) []Part {
	var parts []Part
	for _, p := range g.Parts {
		if slices.Contains(roles, p.Role) {
			parts = append(parts, p)
		}
	}
	return parts
}

// Layers are the layers that have a part of one of the roles, in order.
func (g *Group) Layers(roles ...Role) []string {
	var layers []string
	for _, p := range g.Of(roles...) {
		if !slices.Contains(layers, p.Layer()) {
			layers = append(layers, p.Layer())
		}
	}
	return layers
}

// A Whole is a layer whose channels all stay, and why.
type Whole struct {
	Layer string `json:"layer"`
	Why   string `json:"why"`
}

// A Trace is which elements of all dimensions of a network's values and tensors go together.
type Trace struct {
	trace
	tensors []Tensor
	shapes  Shapes
}

// Follow finds which channels of a network go together, and which dimensions stay whole: from the ties
// of each operation, never from equal sizes. The shapes must include all of the network's values and
// tensors.
func Follow(nodes []Node, tensors []Tensor, shapes Shapes, logits string) *Trace {
	t := &Trace{trace{start: map[Dim]int{}, why: map[int]string{}, whole: map[Dim]string{}, roles: map[Dim]Role{}, kinds: map[Dim]Kind{},
		fixed: map[string]bool{}, links: map[Dim][]Dim{}}, tensors, Shapes{}}
	for name, shape := range shapes {
		t.shapes[name] = slices.Clone(shape)
	}
	for i := range tensors {
		t.fixed[tensors[i].Name] = true
	}
	keepAll := func(name, why string) {
		for dim, size := range shapes[name] {
			t.keep(dimOf(name, dim, size), why)
		}
	}
	keepAll(Input, "it takes the network's input")
	for i := range nodes {
		n := &nodes[i]
		inputs, values := n.Inputs(), n.Values()
		if len(inputs) > 0 && !slices.ContainsFunc(inputs, func(in string) bool { return !t.fixed[in] }) {
			for _, v := range values { // unless it is repeated for each clip
				t.fixed[v] = !slices.ContainsFunc(shapes[v], func(size int) bool { return size < 0 })
			}
		}
		c, err := shapes.Call(n)
		var ties *Ties
		if err == nil && c.op.Tie != nil {
			ties = &Ties{Call: c, all: &t.trace, touched: map[Dim]bool{}}
			c.op.Tie(ties)
		}
		for _, name := range slices.Concat(inputs, values) {
			for dim, size := range shapes[name] {
				switch d := dimOf(name, dim, size); {
				case ties == nil:
					t.keep(d, "how "+n.Op+" passes channels on is not known")
				case !ties.touched[d]:
					t.keep(d, fmt.Sprintf("%s does not treat each of its channels alone", n.Name))
				}
			}
		}
	}
	keepAll(logits, "it gives the network's output")
	for _, choose := range t.later {
		choose()
	}
	t.later = nil
	t.spreadRoles()
	t.complete()
	return t
}

// Shapes returns the shapes of the values and tensors that were followed.
func (t *Trace) Shapes() Shapes { return t.shapes }

func (t *Trace) dim(tensor string, dim int) Dim {
	if shape := t.shapes[tensor]; dim < len(shape) {
		return dimOf(tensor, dim, shape[dim])
	}
	return Dim{}
}

// Kind returns the kind of layer that a tensor's filters belong to, "" for tensors that have none.
func (t *Trace) Kind(tensor string) Kind {
	for dim := range t.shapes[tensor] {
		if t.Role(tensor, dim) == Filter {
			return t.kinds[t.dim(tensor, dim)]
		}
	}
	return ""
}

// Role returns the role of a tensor's dimension, "" for none.
func (t *Trace) Role(tensor string, dim int) Role { return t.roles[t.dim(tensor, dim)] }

// Without returns a function that lists the elements left of a dimension, nil for all, when of each group
// that keep names only those channels stay.
func (t *Trace) Without(groups []Group, keep map[string][]int) func(tensor string, dim int) []int {
	gone := map[int]bool{} // sets by their roots
	for i := range groups {
		g := &groups[i]
		kept, named := keep[g.Name]
		if !named {
			continue
		}
		stays := make([]bool, g.Channels)
		for c := range stays {
			stays[c] = slices.Contains(kept, c)
		}
		for _, p := range g.Parts {
			start := t.start[t.dim(p.Tensor, p.Dim)]
			for c, index := range p.Index {
				for _, j := range index {
					if !stays[c] {
						gone[t.root(start+j)] = true
					}
				}
			}
		}
	}
	return func(tensor string, dim int) []int {
		d := t.dim(tensor, dim)
		start, followed := t.start[d]
		if !followed {
			return nil
		}
		kept := []int{}
		for j := range d.size {
			if !gone[t.root(start+j)] {
				kept = append(kept, j)
			}
		}
		if len(kept) == d.size {
			return nil
		}
		return kept
	}
}

// set is one channel: its elements by the tensors' dimensions.
type set struct {
	parts []Part // each with one Index
}

// Groups are the sets that can be removed: those that have equal shares of the same tensors are
// channels of one group. Wholes are the layers that stay as they are.
func (t *Trace) Groups() ([]Group, []Whole) {
	tensors := t.tensors
	byRoot := map[int]*set{}
	var order []int
	kept := map[string]string{} // by layer
	var wholes []Whole
	for i := range tensors {
		for dim, size := range tensors[i].Shape {
			d := dimOf(tensors[i].Name, dim, size)
			role, at := cmp.Or(t.roles[d], Through), t.start[d]
			if _, followed := t.start[d]; !followed {
				continue
			}
			for j := range size {
				r := t.root(at + j)
				if why := t.why[r]; why != "" {
					if layer := tensors[i].Layer(); role == Filter && kept[layer] == "" {
						kept[layer] = why
						wholes = append(wholes, Whole{layer, why})
					}
					continue
				}
				s := byRoot[r]
				if s == nil {
					s = &set{}
					byRoot[r], order = s, append(order, r)
				}
				if n := len(s.parts); n == 0 || s.parts[n-1].Tensor != d.tensor || s.parts[n-1].Dim != dim {
					s.parts = append(s.parts, Part{Tensor: d.tensor, Dim: dim, Role: role, Index: [][]int{nil}})
				}
				last := &s.parts[len(s.parts)-1]
				last.Index[0] = append(last.Index[0], j)
			}
		}
	}
	var groups []Group
	alike := map[string]int{} // which group sets of a kind are
	for _, r := range order {
		s := byRoot[r]
		if !slices.ContainsFunc(s.parts, func(p Part) bool { return p.Role == Filter }) {
			continue
		}
		kind := ""
		for _, p := range s.parts {
			kind += fmt.Sprintln(p.Tensor, p.Dim, len(p.Index[0]))
		}
		i, ok := alike[kind]
		if !ok {
			i = len(groups)
			alike[kind] = i
			groups = append(groups, Group{Name: nameOf(s), Parts: s.parts, Channels: 1})
			continue
		}
		g := &groups[i]
		g.Channels++
		for k := range g.Parts {
			g.Parts[k].Index = append(g.Parts[k].Index, s.parts[k].Index[0])
		}
	}
	// All channels of a layer in one set can't go.
	groups = slices.DeleteFunc(groups, func(g Group) bool {
		first := g.Of(Filter)[0]
		if g.Channels > 1 || len(first.Index[0]) == 1 {
			return false
		}
		wholes = append(wholes, Whole{first.Layer(), "its channels can only go all together"})
		return true
	})
	distinct(groups)
	return groups, wholes
}

// nameOf names a group: by its normalisation where that is no part of a block, else by the first
// layer that makes its channels.
func nameOf(s *set) string {
	for _, p := range s.parts {
		if layer := p.Layer(); p.Role == Scale && !strings.Contains(layer, ".") {
			return layer
		}
	}
	i := slices.IndexFunc(s.parts, func(p Part) bool { return p.Role == Filter })
	return s.parts[i].Layer()
}

// distinct gives groups of one layer, as where its filters go two ways, names of their own.
func distinct(groups []Group) {
	used := map[string]int{}
	for i := range groups {
		g := &groups[i]
		if used[g.Name]++; used[g.Name] > 1 {
			g.Name = fmt.Sprintf("%s/%d", g.Name, used[g.Name])
		}
	}
}
