package op

import (
	"reflect"
	"strings"

	"github.com/eegprune/eegprune/torch"
)

// Values holds the outputs of the nodes of one pass so far.
type Values struct {
	Clips     int
	At        []*torch.Tensor // by the places that a [Binding] gives
	Training  bool
	Generator *torch.Generator // for random operations, in training
}

// A Kernel computes a node.
type Kernel func(s *torch.Scope, v *Values) *torch.Tensor

// A Source finds an input of a node.
type Source func(v *Values) *torch.Tensor

// A Binding holds all that a node's kernel is made from.
type Binding struct {
	*Call
	Tensors map[string]*torch.Tensor // parameters and buffers by name
	Places  map[string]int           // of values in [Values]
	Device  torch.Device
	// Over says that the kernel may overwrite its input.
	Over bool
	// Plain says that the kernel takes values in PyTorch's layout, whichever node computed them.
	Plain bool
	// Innermost says that maps may lie in memory with the clips of a point side by side.
	Innermost bool
}

// Source finds the tensor of an argument; it returns nil where there is none.
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

// Kernel makes the node's kernel.
func (b *Binding) Kernel() (Kernel, error) {
	k, err := b.kernel()
	if err != nil || !b.Innermost || !b.op.EachChannel {
		return k, err
	}
	at := b.Places[b.Ref(b.first())]
	return func(s *torch.Scope, v *Values) *torch.Tensor {
		x := v.At[at]
		defer func() { v.At[at] = x }()
		return s.EachChannel(x, func(x *torch.Tensor) *torch.Tensor {
			v.At[at] = x
			return k(s, v)
		})
	}, nil
}

func (b *Binding) kernel() (Kernel, error) {
	if b.known && b.op.Bind != nil {
		if k := b.op.Bind(b); k != nil {
			if !b.Plain {
				return k, nil
			}
			return func(s *torch.Scope, v *Values) *torch.Tensor {
				defer b.layOut(s, v)()
				return k(s, v)
			}, nil
		}
	}
	all, err := b.Kernels()
	if err != nil {
		return nil, err
	}
	return func(s *torch.Scope, v *Values) *torch.Tensor { return all(s, v)[0] }, nil
}

// layOut replaces the node's input values by contiguous ones, until the function that it returns is called.
func (b *Binding) layOut(s *torch.Scope, v *Values) (back func()) {
	taken := map[int]*torch.Tensor{}
	for _, name := range b.Inputs() {
		at, given := b.Places[name]
		if _, done := taken[at]; !given || done || b.Tensors[name] != nil {
			continue
		}
		taken[at] = v.At[at]
		v.At[at] = s.Contiguous(v.At[at])
	}
	return func() {
		for at, x := range taken {
			s.Release(v.At[at])
			v.At[at] = x
		}
	}
}

// Several computes a node of several outputs.
type Several func(s *torch.Scope, v *Values) []*torch.Tensor

// Kernels has libtorch's dispatcher compute the node.
func (b *Binding) Kernels() (Several, error) {
	var sources []Source
	operand := func(name string) torch.Operand {
		if name == "" {
			return torch.None
		}
		sources = append(sources, b.named(name))
		return torch.Operand(len(sources) - 1)
	}
	trained, evaluated := torch.Arguments{}, torch.Arguments{}
	for arg, value := range b.Args {
		switch v := value.(type) {
		case Ref:
			value = operand(string(v))
		case []Ref:
			all := make([]torch.Operand, len(v))
			for i, r := range v {
				all[i] = operand(string(r))
			}
			value = all
		case Choice:
			value = string(v)
		}
		trained[arg], evaluated[arg] = value, b.evaluating(arg, value)
	}
	training, err := b.operation(b.Op, trained)
	if err != nil {
		return nil, err
	}
	evaluation := training
	switch mean := b.expected(evaluated); {
	case b.updates(): // only a training does
		evaluated = nil
	case mean != b.Op || !reflect.DeepEqual(trained, evaluated):
		if evaluation, err = b.operation(mean, evaluated); err != nil {
			return nil, err
		}
	}
	return func(s *torch.Scope, v *Values) []*torch.Tensor {
		if b.Plain {
			defer b.layOut(s, v)()
		}
		var few [6]*torch.Tensor
		operands := few[:0]
		for _, source := range sources {
			operands = append(operands, source(v))
		}
		switch {
		case v.Training:
			return s.Run(training, operands, v.Clips, v.Generator)
		case evaluated == nil:
			return []*torch.Tensor{s.Clone(operands[0])}
		}
		return s.Run(evaluation, operands, v.Clips, v.Generator)
	}, nil
}

// expected returns the operation that computes the mean of a random one, and adapts its arguments: so
// a network's own dropout, such as stochastic depth, is switched off in evaluation.
func (b *Binding) expected(arguments torch.Arguments) string {
	p := arguments["p"]
	if strings.HasPrefix(b.Op, "aten.bernoulli") {
		delete(arguments, "p")
	}
	switch b.Op {
	case "aten.bernoulli.default":
		return "aten.clone.default"
	case "aten.bernoulli.p":
		arguments["fill_value"] = p
		return "aten.full_like.default"
	case "aten.bernoulli_.float":
		arguments["value"] = p
		return "aten.fill_.Scalar"
	case "aten.bernoulli_.Tensor":
		arguments["src"] = p
		return "aten.copy_.default"
	}
	return b.Op
}

func (b *Binding) operation(name string, arguments torch.Arguments) (*torch.Operation, error) {
	o, err := torch.NewOperation(name, arguments, b.Device)
	if err == nil {
		o.Results = len(b.Gives)
	}
	return o, err
}

// evaluating returns an argument's value in evaluation: a graph that was exported for training has
// dropout and batch statistics switched on.
func (b *Binding) evaluating(arg string, value any) any {
	switch arg {
	case "training", "train", "use_input_stats":
		if b.Ref("running_mean") == "" && b.hasStatistics() {
			return value // there are no others than the batch's
		}
		if value == true {
			return false
		}
	case "dropout_p":
		return 0.0
	}
	return value
}

// hasStatistics reports whether an operation normalises by statistics that it may have kept.
func (n *Node) hasStatistics() bool {
	_, batch := n.Args["running_mean"]
	return batch || strings.HasPrefix(n.Op, "aten.batch_norm.") || strings.HasPrefix(n.Op, "aten.instance_norm.")
}

// InPlace reports whether an operation writes over its first argument.
func (n *Node) InPlace() bool {
	base, _, _ := strings.Cut(strings.TrimPrefix(n.Op, "aten."), ".")
	return strings.HasSuffix(base, "_") && !strings.HasSuffix(base, "__")
}

// Pure reports whether an operation is known to have no effect but its output: it draws nothing and
// writes nothing.
func (n *Node) Pure() bool {
	const pure = " mean sum view reshape flatten unflatten unsqueeze squeeze transpose permute select slice contiguous detach "
	base, _, _ := strings.Cut(strings.TrimPrefix(n.Op, "aten."), ".")
	return strings.Contains(pure, " "+base+" ")
}

// Fixed reports whether a node whose inputs are the same for all clips has an output that is: it draws no numbers, and
// has no size that is of the number of clips.
func (n *Node) Fixed() bool {
	for _, drawn := range []string{"rand", "bernoulli", "normal", "dropout", "multinomial", "poisson", "uniform", "exponential"} {
		if strings.Contains(n.Op, drawn) {
			return false
		}
	}
	for _, v := range n.Args {
		switch v.(type) {
		case Size, []Size:
			return false
		}
	}
	return true
}

// updates reports whether the node changes a buffer, such as a count of batches.
func (b *Binding) updates() bool { return b.InPlace() && b.Tensors[b.Ref("self")] != nil }

// elementwise are the functions of an operation on one tensor.
func elementwise(arg string) func(t *Ties) { return func(t *Ties) { t.Elementwise(arg) } }

// unary makes a kernel of a function of one tensor.
func unary(arg string, f func(s *torch.Scope, x *torch.Tensor) *torch.Tensor) func(b *Binding) Kernel {
	return func(b *Binding) Kernel {
		x := b.Source(arg)
		return func(s *torch.Scope, v *Values) *torch.Tensor { return f(s, x(v)) }
	}
}
