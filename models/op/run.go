package op

import (
	"maps"
	"slices"

	"eegprune/torch"
)

// Values are what the nodes of one pass have given so far.
type Values struct {
	At        []*torch.Tensor // by the places that a [Binding] gives
	Training  bool
	Generator *torch.Generator // of what draws, in training
}

// A Kernel computes a node.
type Kernel func(s *torch.Scope, v *Values) *torch.Tensor

// A Source finds a tensor that a node takes.
type Source func(v *Values) *torch.Tensor

// A Binding is what a node's kernel is made of.
type Binding struct {
	*Call
	Tensors map[string]*torch.Tensor // parameters and buffers by name
	Places  map[string]int           // of values in [Values]
	// InPlace says that the kernel may write over what it takes.
	InPlace bool
}

// Source finds the tensor of an argument; it gives nil where there is none.
func (b *Binding) Source(arg string) Source { return b.named(b.Ref(arg)) }

func (b *Binding) named(name string) Source {
	if t := b.Tensors[name]; t != nil || name == "" {
		return func(*Values) *torch.Tensor { return t }
	}
	at := b.Places[name]
	return func(v *Values) *torch.Tensor { return v.At[at] }
}

// Sources find the tensors of an argument of several.
func (b *Binding) Sources(arg string) func(v *Values) []*torch.Tensor {
	var all []Source
	for _, name := range b.Refs(arg) {
		all = append(all, b.named(name))
	}
	return func(v *Values) []*torch.Tensor {
		tensors := make([]*torch.Tensor, len(all))
		for i, source := range all {
			tensors[i] = source(v)
		}
		return tensors
	}
}

// Kernel makes what computes the node.
func (b *Binding) Kernel() Kernel {
	if b.op.Bind != nil {
		return b.op.Bind(b)
	}
	return b.dispatched()
}

// dispatched has libtorch's dispatcher compute the node.
func (b *Binding) dispatched() Kernel {
	fixed := torch.Arguments{}
	one, several := map[string]Source{}, map[string]func(*Values) []*torch.Tensor{}
	for arg, value := range b.Args {
		switch value.(type) {
		case Ref:
			one[arg] = b.Source(arg)
		case []Ref:
			several[arg] = b.Sources(arg)
		default:
			fixed[arg] = value
		}
	}
	byMode := slices.IndexFunc(b.op.params, func(p param) bool { return p.name == "training" || p.name == "train" })
	return func(s *torch.Scope, v *Values) *torch.Tensor {
		arguments := maps.Clone(fixed)
		for arg, source := range one {
			arguments[arg] = source(v)
		}
		for arg, sources := range several {
			arguments[arg] = sources(v)
		}
		if byMode >= 0 {
			arguments[b.op.params[byMode].name] = v.Training
		}
		return s.Call(b.op.name, arguments, v.Generator)
	}
}

// elementwise are the functions of an operation on one tensor.
func elementwise(arg string) func(t *Ties) { return func(t *Ties) { t.Elementwise(arg) } }

// unary makes a kernel of a function of one tensor.
func unary(arg string, f func(s *torch.Scope, x *torch.Tensor) *torch.Tensor) func(b *Binding) Kernel {
	return func(b *Binding) Kernel {
		x := b.Source(arg)
		return func(s *torch.Scope, v *Values) *torch.Tensor { return f(s, x(v)) }
	}
}
