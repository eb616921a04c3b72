package models

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// A mode is a way of running a network that steps are compiled for.
type mode struct {
	training bool
	// innermost: clips lie side by side, on a CPU and without gradients.
	innermost bool
	// few: too few clips for innermost, on a CPU and without gradients.
	few bool
	// each: the output of every node is visible, so that each is a step of its own.
	each bool
}

func (m mode) String() string {
	switch {
	case m.each:
		return "each node"
	case m.training:
		return "training"
	case m.innermost:
		return "evaluation of several clips"
	case m.few:
		return "evaluation of few clips"
	}
	return "evaluation"
}

// A step computes one node, or several together.
type step struct {
	rule  string     // that made it of several nodes, or replaced a node's kernel; "" for a node as it is
	nodes []*op.Node // the nodes that it computes, in order
	in    []string   // its inputs
	// What a step computes beside its first node.
	zeros   [4]int   // that it adds itself: left, right, top, bottom
	act     *op.Node // an activation
	pool    *op.Node // along rows
	norm    *op.Node
	inPlace bool   // overwrites its input
	variant string // of its operation, which makes its kernel
	// bind makes its kernel; nil for the node's own.
	bind func(st *step, at *binder) (op.Kernel, error)
}

// first and last are the nodes that take the step's inputs and return its output.
func (st *step) first() *op.Node { return st.nodes[0] }
func (st *step) last() *op.Node  { return st.nodes[len(st.nodes)-1] }

// out is the step's output, the first of several.
func (st *step) out() string { return st.last().Values()[0] }

// A plan is a list of steps that rules rewrite.
type plan struct {
	mode   mode
	device torch.Device
	calls  map[string]*op.Call // of nodes by name
	values map[string]bool     // by name: the input and the nodes' outputs
	laid   map[string]bool     // values that may lie in memory otherwise than PyTorch's
	steps  []*step
	output string
	// known says that the program knows all operations; rewrites that an operation of the graph itself
	// overwrites a value, so that steps must not change places.
	known, rewrites bool
}

// compile makes the steps of every mode.
func (n *Network) compile() (map[mode]*program, error) {
	all := map[mode]*program{}
	for _, m := range []mode{{}, {training: true}, {innermost: true}, {few: true}, {each: true}} {
		if (m.innermost || m.few) && n.device.IsCUDA() {
			continue
		}
		p, err := n.program(n.Arch, m)
		if err != nil {
			return nil, fmt.Errorf("%s: compiling for %v: %w", n.Arch.Model, m, err)
		}
		if m.innermost {
			if p.together, err = torch.HWCNTogether(); err != nil {
				return nil, err
			}
		}
		if !m.innermost || p.plan.known || p.plan.convolvesInnermost() {
			all[m] = p
		}
	}
	return all, nil
}

// program compiles a network's steps for one mode, by all rules but those whose names are given.
func (n *Network) program(a *Arch, m mode, without ...string) (*program, error) {
	p := &plan{mode: m, device: n.device, calls: map[string]*op.Call{}, laid: map[string]bool{Input: m.innermost}}
	p.known, p.output = true, a.Logits()
	var bad error
	p.values = map[string]bool{Input: true}
	err := a.Walk(func(c *op.Call) {
		p.calls[c.Name] = c
		for _, v := range c.Values() {
			p.values[v] = true
		}
		st := &step{nodes: []*op.Node{c.Node}, in: p.inputs(c.Node)}
		if same := c.Unpadded(); same != nil && !m.training && !m.each && !n.device.IsCUDA() {
			p.calls[c.Name] = same
			st.nodes, st.bind = []*op.Node{same.Node}, bindPadded
		}
		switch {
		case p.is(st.first(), op.Conv2d):
			before, after := c.Zeros()
			st.zeros = [4]int{before[1], after[1], before[0], after[0]}
		case p.is(st.first(), op.Conv1d):
			before, after := c.Zeros()
			st.zeros = [4]int{before[0], after[0]}
		}
		if m.training {
			bad = cmp.Or(bad, n.takeVariant(c, st))
		}
		p.steps = append(p.steps, st)
		p.known = p.known && c.Known()
		p.rewrites = p.rewrites || c.InPlace() && p.values[c.Ref("self")]
	})
	if err := cmp.Or(err, bad); err != nil {
		return nil, err
	}
	gpu := n.device.IsCUDA() || m.training && n.asGPU
	for _, r := range rules {
		if !m.each && r.fits(m, gpu) && !slices.Contains(without, r.name) && (p.known || !r.whole) && (!p.rewrites || r.name == leftOut) {
			r.apply(p)
		}
	}
	return p.bind(n)
}

// convolvesInnermost reports whether there is a convolution that gains by clips that lie side by side.
func (p *plan) convolvesInnermost() bool {
	return slices.ContainsFunc(p.steps, func(st *step) bool { return st.rule == "clips innermost" && st.convolution().Op != op.Linear })
}

// is reports whether a node is an operation of which the program knows more than its name.
func (p *plan) is(n *op.Node, name string) bool {
	return n.Op == name && p.calls[n.Name].Known()
}

// inputs are a node's inputs that are outputs of other nodes, or the network's input.
func (p *plan) inputs(n *op.Node) []string {
	return slices.DeleteFunc(n.Inputs(), func(in string) bool { return !p.values[in] })
}

// uses counts how many inputs of steps a value is, and whether it is the network's output.
func (p *plan) uses(value string) int {
	uses := 0
	if value == p.output {
		uses++
	}
	for _, st := range p.steps {
		for _, in := range st.in {
			if in == value {
				uses++
			}
		}
	}
	return uses
}

// from is the step whose output is a value, nil where there is none.
func (p *plan) from(value string) *step {
	i := slices.IndexFunc(p.steps, func(st *step) bool { return slices.Contains(st.last().Values(), value) })
	if i < 0 {
		return nil
	}
	return p.steps[i]
}

// before is the step whose output is st's only input, and no other step's; or nil.
func (p *plan) before(st *step) *step {
	if len(st.in) != 1 || p.uses(st.in[0]) > 1 {
		return nil
	}
	return p.from(st.in[0])
}

// after is the only step that takes st's output, if that is its only input; or nil.
func (p *plan) after(st *step) *step {
	if p.uses(st.out()) != 1 || len(st.last().Values()) > 1 {
		return nil
	}
	i := slices.IndexFunc(p.steps, func(next *step) bool { return slices.Equal(next.in, []string{st.out()}) })
	if i < 0 {
		return nil
	}
	return p.steps[i]
}

// merge joins first with the step that is the only one to take its output.
func (p *plan) merge(first, second *step, rule string) *step {
	second.nodes = append(slices.Clone(first.nodes), second.nodes...)
	second.in, second.rule = first.in, rule
	p.remove(first)
	return second
}

func (p *plan) remove(st *step) {
	p.steps = slices.DeleteFunc(p.steps, func(s *step) bool { return s == st })
}

// bypass removes a step whose output is its input.
func (p *plan) bypass(st *step) {
	for _, other := range p.steps {
		for i, in := range other.in {
			if in == st.out() {
				other.in = slices.Clone(other.in)
				other.in[i] = st.in[0]
			}
		}
	}
	if p.output == st.out() {
		p.output = st.in[0]
	}
	p.remove(st)
}

// A binder holds all that kernels are made from.
type binder struct {
	calls   map[string]*op.Call
	tensors map[string]*torch.Tensor
	places  map[string]int
	device  torch.Device
	known   bool // whether the program knows all operations, and how each takes another layout
	// innermost says that values may lie in memory with the clips innermost.
	innermost bool
	laid      map[string]bool // the plan's
}

func (b *binder) node(n *op.Node, inPlace bool) *op.Binding {
	// libtorch lays a BatchNorm's maps out itself, one number after the other.
	takes := b.known || b.passesLayout(n) && !(b.innermost && n.Op == op.BatchNorm)
	return &op.Binding{Call: b.calls[n.Name], Tensors: b.tensors, Places: b.places, Over: inPlace, Device: b.device, Innermost: b.innermost,
		Plain: !takes && b.anyLaid(n.Inputs())}
}

// passesLayout reports whether a node takes maps in any layout in memory. Its output may lie as they do.
func (b *binder) passesLayout(n *op.Node) bool {
	o := b.calls[n.Name].Operation()
	return o.AnyLayout || o.Elementwise || o.View || o.EachChannel
}

func (b *binder) anyLaid(values []string) bool {
	return slices.ContainsFunc(values, func(v string) bool { return b.laid[v] })
}

// layOut notes how a step's output may lie, after its kernel was made.
func (b *binder) layOut(st *step) {
	conv := st.convolution()
	ours := st.variant != "" || conv != nil && (st.rule == "clips innermost" || st.rule == "few clips" && conv.Op != op.Linear)
	for _, v := range st.last().Values() {
		b.laid[v] = b.laid[v] || ours || b.passesLayout(st.last()) && b.anyLaid(st.in)
	}
}

// A program is a plan's steps with all that they need.
type program struct {
	steps    []boundStep
	places   int // of values
	output   int
	plan     *plan
	largest  int64 // elements of the largest map of one clip
	together int   // clips that are best computed at once side by side
	// cuts[i] is the only value that the steps from i on take of those before, which may compute other clips at once.
	cuts []cut
}

type boundStep struct {
	node    *op.Node // whose output it computes
	run     op.Kernel
	several op.Several // instead, of a node of several outputs
	out     []int      // places
	release []int      // places whose values no later step needs
	fixed   bool       // whether it computes the same for all clips, as from a weight alone
	size    int64      // elements of a clip's output; none of a fixed step
}

// bind finds places for the values and makes the kernels.
func (p *plan) bind(n *Network) (*program, error) {
	b := &binder{calls: p.calls, tensors: n.tensors, places: map[string]int{Input: 0}, device: n.device, known: p.known,
		innermost: p.mode.innermost, laid: p.laid}
	prog := &program{places: 1, plan: p}
	last := map[string]int{} // the step that takes a value last
	fixed, evaluates := map[string]bool{}, (p.mode.innermost || p.mode.few) && !p.rewrites
	for i, st := range p.steps {
		for _, v := range st.last().Values() {
			b.places[v] = prog.places
			last[v] = i
			prog.places++
		}
		for _, in := range st.in {
			last[in] = i
		}
	}
	for i, st := range p.steps {
		// A node's inputs are its step's, even where steps between were left out.
		for k, value := range p.inputs(st.first()) {
			if k < len(st.in) && st.in[k] != value {
				b.places[value], b.laid[value] = b.places[st.in[k]], b.laid[st.in[k]]
			}
		}
		values := st.last().Values()
		bound := boundStep{node: st.last(), fixed: evaluates && !slices.ContainsFunc(st.in, func(in string) bool { return !fixed[in] }) &&
			!slices.ContainsFunc(st.nodes, func(n *op.Node) bool { return !n.Fixed() })}
		for _, v := range values {
			fixed[v] = bound.fixed
			bound.out = append(bound.out, b.places[v])
		}
		var err error
		switch {
		case st.bind != nil:
			bound.run, err = st.bind(st, b)
		case len(values) > 1:
			bound.several, err = b.node(st.first(), false).Kernels()
		default:
			bound.run, err = b.node(st.first(), st.inPlace).Kernel()
		}
		if err != nil {
			return nil, fmt.Errorf("layer %q: %w", st.last().Name, err)
		}
		b.layOut(st)
		for _, v := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(st.in, values)))) {
			if last[v] == i && v != Input && v != p.output && !p.mode.each && !fixed[v] {
				bound.release = append(bound.release, b.places[v])
			}
		}
		prog.steps = append(prog.steps, bound)
	}
	prog.output = b.places[p.output]
	for i, st := range p.steps {
		if !prog.steps[i].fixed {
			prog.steps[i].size = p.calls[st.last().Name].PerClip()
		}
		prog.largest = max(prog.largest, prog.steps[i].size)
	}
	last[p.output] = len(p.steps)
	prog.cuts = p.cuts(b, last, fixed)
	return prog, nil
}

// run passes x through the steps. The output of a step is freed when no other step needs it, so that the
// next finds its memory in the processor's cache.
func (p *program) run(s *torch.Scope, x *torch.Tensor, pass Pass) *torch.Tensor {
	clips := 0
	if shape := x.Shape(); len(shape) > 0 {
		clips = shape[0]
	}
	v := op.Values{At: make([]*torch.Tensor, p.places), Clips: clips, Training: pass.Training, Generator: pass.Generator}
	v.At[0] = x
	if out := p.through(s, &v, 0, len(p.steps), pass); s.Err() != nil {
		return out
	}
	return v.At[p.output]
}

// through runs the steps from first on and before end, but for fixed ones that ran before, and returns the output of
// the last.
func (p *program) through(s *torch.Scope, v *op.Values, first, end int, pass Pass) (out *torch.Tensor) {
	for i := first; i < end; i++ {
		st := &p.steps[i]
		if st.fixed && v.At[st.out[0]] != nil {
			continue
		}
		if st.several != nil {
			for k, out := range st.several(s, v) {
				if k < len(st.out) {
					v.At[st.out[k]] = out
				}
			}
		} else {
			v.At[st.out[0]] = st.run(s, v)
		}
		out = v.At[st.out[0]]
		if pass.After != nil {
			out = pass.After(s, st.node, out)
			v.At[st.out[0]] = out
		}
		if s.Err() != nil {
			return out
		}
		for _, place := range st.release {
			if v.At[place] != out { // where a step returns its input
				s.Release(v.At[place])
			}
		}
	}
	return out
}
