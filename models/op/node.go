package op

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Ref is the name of a tensor: of an earlier value, a parameter or a buffer.
type Ref string

// Args are arguments by libtorch's names: a Ref, []Ref, int, []int, float64, bool, string, or nil
// for none. Those that are left out have libtorch's defaults.
type Args map[string]any

// A Node is one operation of a network.
type Node struct {
	Name string `json:"name"` // of what it gives: PyTorch's path of the module
	Op   string `json:"op"`   // libtorch's name, as torch.export writes it: "aten.conv2d.default"
	Args Args   `json:"args"`
}

// A Tensor is a parameter or buffer of a network.
type Tensor struct {
	Name   string  `json:"name"` // PyTorch's
	Shape  []int   `json:"shape"`
	Buffer bool    `json:"buffer,omitempty"` // saved, but not trained
	Counts bool    `json:"counts,omitempty"` // of int64, a count of batches
	Fill   float64 `json:"fill,omitempty"`   // what it starts from where it is not drawn
	// Xavier says that the PyTorch class draws it anew, after all tensors are made, as
	// xavier_uniform_ does (Glorot 2010); Zeroed that it then sets it to zero.
	Xavier bool `json:"xavier,omitempty"`
	Zeroed bool `json:"zeroed,omitempty"`
	// MaxNorm is the largest Euclidean norm that each of its rows may have; zero means any. A
	// training brings rows back to it after each step.
	MaxNorm float64 `json:"max_norm,omitempty"`
	// Probe says that before it is drawn the PyTorch class sends a clip of zeros through the
	// network as far as this value, in training, to find how many inputs a layer has. That draws
	// random numbers and moves running statistics, so the same seed gives the same network only
	// with it.
	Probe string `json:"probe,omitempty"`
}

// Layer is the path of the module that a tensor belongs to: "block1.0" of "block1.0.weight".
func (t *Tensor) Layer() string { return LayerOf(t.Name) }

// LayerOf is the path of the module that the tensor of a name belongs to.
func LayerOf(tensor string) string {
	if i := strings.LastIndexByte(tensor, '.'); i >= 0 {
		return tensor[:i]
	}
	return tensor
}

// Clone returns a copy that shares nothing with n.
func (n Node) Clone() Node {
	args := n.Args
	n.Args = Args{}
	maps.Copy(n.Args, args)
	for name, v := range args {
		switch v := v.(type) {
		case []int:
			n.Args[name] = slices.Clone(v)
		case []Ref:
			n.Args[name] = slices.Clone(v)
		}
	}
	return n
}

// Ref is an argument that is a tensor, "" where it is not given.
func (n *Node) Ref(arg string) string {
	r, _ := n.Args[arg].(Ref)
	return string(r)
}

// Refs is an argument of several tensors.
func (n *Node) Refs(arg string) []string {
	refs, _ := n.Args[arg].([]Ref)
	names := make([]string, len(refs))
	for i, r := range refs {
		names[i] = string(r)
	}
	return names
}

// Inputs are the names of all tensors that it takes, in the order of its arguments.
func (n *Node) Inputs() []string {
	var names []string
	add := func(arg string) {
		if r, ok := n.Args[arg].(Ref); ok {
			names = append(names, string(r))
		}
		names = append(names, n.Refs(arg)...)
	}
	if o := Of(n.Op); o != nil {
		for _, p := range o.params {
			add(p.name)
		}
		return names
	}
	for _, arg := range slices.Sorted(maps.Keys(n.Args)) {
		add(arg)
	}
	return names
}

// In JSON a Ref is its name after a %, as in the graphs that PyTorch prints; a number that is not
// whole by its type has a point.

// MarshalJSON writes the arguments as one object.
func (a Args) MarshalJSON() ([]byte, error) {
	m := map[string]any{}
	for name, v := range a {
		switch v := v.(type) {
		case Ref:
			m[name] = "%" + string(v)
		case []Ref:
			texts := make([]string, len(v))
			for i, r := range v {
				texts[i] = "%" + string(r)
			}
			m[name] = texts
		case float64:
			text := strconv.FormatFloat(v, 'g', -1, 64)
			if !strings.ContainsAny(text, ".eIN") {
				text += ".0"
			}
			m[name] = json.RawMessage(text)
		default:
			m[name] = v
		}
	}
	return json.Marshal(m)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (a *Args) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return err
	}
	*a = Args{}
	for name, v := range m {
		value, err := decoded(v)
		if err != nil {
			return fmt.Errorf("argument %q: %w", name, err)
		}
		(*a)[name] = value
	}
	return nil
}

func decoded(v any) (any, error) {
	switch v := v.(type) {
	case string:
		if r, ok := strings.CutPrefix(v, "%"); ok {
			return Ref(r), nil
		}
		return v, nil
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return v.Float64()
		}
		n, err := v.Int64()
		return int(n), err
	case []any:
		ints, refs := []int{}, []Ref{}
		for _, e := range v {
			switch e, err := decoded(e); e := e.(type) {
			case int:
				ints = append(ints, e)
			case Ref:
				refs = append(refs, e)
			default:
				return nil, fmt.Errorf("%v is neither a whole number nor a tensor (%v)", e, err)
			}
		}
		if len(refs) > 0 && len(ints) > 0 {
			return nil, fmt.Errorf("a list has both numbers and tensors")
		}
		if len(refs) > 0 {
			return refs, nil
		}
		return ints, nil
	case bool, nil:
		return v, nil
	}
	return nil, fmt.Errorf("%v is no argument of an operation", v)
}
