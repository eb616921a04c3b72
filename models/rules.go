package models

import (
	"slices"

	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// A rule rewrites a plan where it computes the same faster. Each can be left out alone.
type rule struct {
	name string
	// fits reports whether it is for networks that run so, on a GPU or on a CPU.
	fits func(m mode, gpu bool) bool
	// apply rewrites the plan's steps. A rule sees the result of those before it.
	apply func(p *plan)
	// whole says that it rewrites all steps together, so that all must be known.
	whole bool
}

const leftOut = "what gives what it takes is left out"

var (
	always       = func(mode, bool) bool { return true }
	evaluatedCPU = func(m mode, gpu bool) bool { return !m.training && !gpu }
	trainedCPU   = func(m mode, gpu bool) bool { return m.training && !gpu }
	trainedGPU   = func(m mode, gpu bool) bool { return m.training && gpu }
	innermost    = func(m mode, _ bool) bool { return m.innermost }
	few          = func(m mode, _ bool) bool { return m.few }
	laidOut      = func(m mode, _ bool) bool { return m.innermost || m.few }
)

// rules are tried in this order.
var rules = []rule{
	{leftOut, always, leaveOut, false},
	{"laid out where that is needed", laidOut, takeAnyLayout, false},
	{"zeros are the convolution's", evaluatedCPU, takeZeros, false},
	{"no zeros for what a slice takes off", evaluatedCPU, sliceZeros, false},
	{"clips innermost", innermost, clipsInnermost, false},
	{"clips innermost: a BatchNorm after cat is each part's", innermost, divideNorm, false},
	{"few clips", few, fewClips, false},
	{"BatchNorm with the activation after it", laidOut, normActivation, false},
	{"channels innermost", trainedCPU, channelsInnermost, true},
	{"LeakyReLU with the pool after it", trainedCPU, leakyWithPool, false},
	{"an activation with the pool kernel after it", trainedGPU, activationWithPoolKernel, false},
	{"activations in place", always, writeOver, false},
}

// leaveOut leaves out dropout in evaluation, or of nothing.
func leaveOut(p *plan) {
	for _, st := range slices.Clone(p.steps) {
		c := p.calls[st.first().Name]
		if passes := c.Operation().Passes; passes != nil && (c.Known() || c.Operation().Shape == nil) && passes(c, p.mode.training) && len(st.in) == 1 && len(p.steps) > 1 {
			p.bypass(st)
		}
	}
}

// takeZeros has a convolution add the zeros of a padding that it alone takes, together with its
// own: those that are the same on both sides are neither copied nor multiplied. libtorch may take
// another algorithm for them, with other bits: in training only channelsInnermost does it.
func takeZeros(p *plan) {
	for _, st := range slices.Clone(p.steps) {
		from := p.before(st)
		if !p.is(st.first(), op.Conv2d) || from == nil || len(from.nodes) > 1 || !p.is(from.first(), op.Pad) {
			continue
		}
		sides := p.calls[from.first().Name].Ints("pad")
		if len(sides) != 4 || p.mode.training && p.beyond(st, sides) {
			continue
		}
		for i, n := range sides {
			st.zeros[i] += n
		}
		p.merge(from, st, "zeros are the convolution's").bind = bindPadded
	}
}

// takeAnyLayout leaves out a copy in PyTorch's layout: steps that need it are given one.
func takeAnyLayout(p *plan) {
	for _, st := range slices.Clone(p.steps) {
		if st.first().Op == op.Contiguous && len(st.in) == 1 && len(p.steps) > 1 {
			p.laid[st.in[0]] = true
			p.bypass(st)
		}
	}
}

// sliceZeros has a convolution add fewer zeros where a slice takes off what it computes of them, as networks do
// that are causal.
func sliceZeros(p *plan) {
	for _, st := range slices.Clone(p.steps) {
		conv, c := p.before(st), p.calls[st.first().Name]
		if conv == nil || conv.convolution() != conv.last() || !p.is(conv.last(), conv.last().Op) || conv.last().Op == op.Linear {
			continue
		}
		dim, start, end, ok := c.Slice()
		stride, shape := p.calls[conv.last().Name].Ints("stride"), c.Shape("self")
		if !ok || dim < 2 || len(shape) != len(stride)+2 || stride[dim-2] != 1 {
			continue
		}
		zeros, side := conv.zeros, 2*(len(shape)-1-dim)
		zeros[side] -= start
		zeros[side+1] -= shape[dim] - end
		if min(zeros[side], zeros[side+1]) < 0 || end <= start {
			continue
		}
		conv.zeros, conv.rule, conv.bind = zeros, "no zeros for what a slice takes off", bindPadded
		p.absorb(conv, st)
	}
}

// beyond reports whether zeros are as many as a convolution's kernel is long: then there are places
// that see nothing else, for which libtorch has another algorithm, with other bits.
func (p *plan) beyond(st *step, zeros []int) bool {
	shape := p.calls[st.first().Name].Shape("weight")
	return max(zeros[0], zeros[1]) >= shape[3] || max(zeros[2], zeros[3]) >= shape[2]
}

// convolution is a step's node that convolves: the first but for the padding before it.
func (st *step) convolution() *op.Node {
	for _, n := range st.nodes {
		if n.Op == op.Conv2d || n.Op == op.Conv1d || n.Op == op.Linear {
			return n
		}
	}
	return nil
}

// input returns the source of a step's first input.
func (b *binder) input(st *step) op.Source {
	at := b.places[st.in[0]]
	return func(v *op.Values) *torch.Tensor { return v.At[at] }
}

func bindPadded(st *step, b *binder) (op.Kernel, error) {
	conv := b.node(st.convolution(), false)
	x, weight, bias, o := b.input(st), conv.Source("weight"), conv.Source("bias"), conv.ConvolutionOptions()
	within, rest := symmetric(st.zeros)
	o.Padding = within
	return asMaps(conv, func(s *torch.Scope, v *op.Values, x, weight *torch.Tensor) *torch.Tensor {
		if rest == [4]int{} {
			return s.Conv2d(x, weight, bias(v), o)
		}
		padded := s.ZeroPad2d(x, rest)
		out := s.Conv2d(padded, weight, bias(v), o)
		s.Release(padded)
		return out
	}, x, weight), nil
}

// symmetric divides zeros to the left, right, top and bottom into those that are the same
// on both sides, height before width, and the rest.
func symmetric(pad [4]int) (within [2]int, rest [4]int) {
	w, h := max(0, min(pad[0], pad[1])), max(0, min(pad[2], pad[3]))
	return [2]int{h, w}, [4]int{pad[0] - w, pad[1] - w, pad[2] - h, pad[3] - h}
}

// isActivation reports whether a step is a ReLU or LeakyReLU.
func (p *plan) isActivation(st *step) bool {
	return st != nil && len(st.nodes) == 1 && (p.is(st.first(), op.ReLU) || p.is(st.first(), op.LeakyReLU))
}

// isNorm reports whether a step is a BatchNorm alone whose numbers are all the network's own.
func (p *plan) isNorm(st *step) bool {
	return st != nil && len(st.nodes) == 1 && st.first().Op == op.BatchNorm && len(st.in) == 1 && p.calls[st.first().Name].KeepsStatistics()
}

// isRowPool reports whether a step is a pool along rows, of windows side by side.
func (p *plan) isRowPool(st *step) bool {
	if st == nil || len(st.nodes) > 1 || st.variant != "" || !p.is(st.first(), op.AvgPool2d) {
		return false
	}
	kernel, stride := p.calls[st.first().Name].Window()
	return kernel[0] == 1 && slices.Equal(kernel, stride)
}

// absorb has a step compute the one after it, whose first node it returns.
func (p *plan) absorb(st, next *step) *op.Node {
	st.nodes = append(slices.Clone(st.nodes), next.nodes...)
	p.remove(next)
	return next.first()
}

// clipsInnermost fuses convolutions and linear layers with the steps after them: an activation, a
// pool along rows and a BatchNorm, in this order, where each has no other input and is the only consumer. Where the
// graph made several rows of each clip, they are too many to lie side by side.
func clipsInnermost(p *plan) {
	for _, st := range slices.Clone(p.steps) {
		conv := st.convolution()
		switch {
		case conv == nil || !p.is(conv, conv.Op):
		case p.calls[conv.Name].Shape("input")[0] == op.Batch:
			p.withWhatFollows(st, "clips innermost", bindInnermost)
		default:
			p.withWhatFollows(st, "few clips", bindFew)
		}
	}
}

// fewClips fuses convolutions and linear layers with the same steps, with weights that are prepared once.
func fewClips(p *plan) {
	for _, st := range slices.Clone(p.steps) {
		if conv := st.convolution(); conv != nil && p.is(conv, conv.Op) {
			p.withWhatFollows(st, "few clips", bindFew)
		}
	}
}

func (p *plan) withWhatFollows(st *step, rule string, bind func(*step, *binder) (op.Kernel, error)) {
	conv := st.convolution()
	st.rule, st.bind = rule, bind
	if next := p.after(st); p.isActivation(next) {
		st.act = p.absorb(st, next)
	}
	if next := p.after(st); conv.Op == op.Conv2d && p.isRowPool(next) {
		st.pool = p.absorb(st, next)
	}
	if next := p.after(st); p.isNorm(next) {
		st.norm = p.absorb(st, next)
	}
}

// divideNorm computes a BatchNorm of maps side by side as one of each.
func divideNorm(p *plan) {
	for _, st := range slices.Clone(p.steps) {
		if !p.isNorm(st) {
			continue
		}
		cat := p.before(st)
		if cat == nil || !p.is(cat.first(), op.Cat) || p.calls[cat.first().Name].Int("dim") == 1 {
			continue
		}
		var parts []*step
		for _, in := range cat.in {
			if part := p.from(in); part != nil && part.bind != nil && part.convolution() != nil && part.norm == nil && p.uses(in) == 1 {
				parts = append(parts, part)
			}
		}
		if len(parts) != len(cat.in) {
			continue
		}
		for _, part := range parts {
			part.norm = st.first()
		}
		p.bypass(st)
	}
}

func bindInnermost(st *step, b *binder) (op.Kernel, error) {
	conv, o := st.options(b)
	x, weight, bias := b.input(st), conv.Source("weight"), conv.Source("bias")
	prepared, err := torch.NewPrepared()
	return asMaps(conv, func(s *torch.Scope, v *op.Values, x, weight *torch.Tensor) *torch.Tensor {
		return s.Conv2dHWCN(x, weight, bias(v), o, prepared)
	}, x, weight), err
}

func bindFew(st *step, b *binder) (op.Kernel, error) {
	conv, o := st.options(b)
	x, weight, bias := b.input(st), conv.Source("weight"), conv.Source("bias")
	prepared, err := torch.NewPrepared()
	return asMaps(conv, func(s *torch.Scope, v *op.Values, x, weight *torch.Tensor) *torch.Tensor {
		return s.Conv2dFew(x, weight, bias(v), o, prepared)
	}, x, weight), err
}

// normActivation computes a BatchNorm that is no convolution's, and an activation, in one pass over maps in any layout.
func normActivation(p *plan) {
	const name = "BatchNorm with the activation after it"
	for _, st := range slices.Clone(p.steps) {
		if !slices.Contains(p.steps, st) {
			continue
		}
		norm := p.isNorm(st)
		if alone := p.activation(st); !norm && alone.Exponent == 0 && alone.Gate == torch.NoGate {
			continue
		}
		if from := p.before(st); from != nil {
			st.inPlace = from.convolution() != nil || from.rule == name
		}
		st.rule, st.bind = name, bindNormActivation
		if !norm {
			st.act = st.first()
			continue
		}
		st.norm = st.first()
		if next := p.after(st); p.activation(next) != (torch.Activation{}) {
			st.act = p.absorb(st, next)
		}
	}
}

// activation is the activation that a step is alone; or none.
func (p *plan) activation(st *step) (none torch.Activation) {
	if st == nil || len(st.nodes) != 1 || !p.is(st.first(), st.first().Op) {
		return none
	}
	c := p.calls[st.first().Name]
	if c.Operation().Activation == nil {
		return none
	}
	return c.Operation().Activation(c)
}

func bindNormActivation(st *step, b *binder) (op.Kernel, error) {
	var norm *torch.BatchNorm
	if st.norm != nil {
		own := b.node(st.norm, false).Norm()
		norm = &own
	}
	x, over, act := b.input(st), st.inPlace, torch.Activation{}
	if st.act != nil {
		c := b.calls[st.act.Name]
		act = c.Operation().Activation(c)
	}
	return func(s *torch.Scope, v *op.Values) *torch.Tensor { return s.NormActivation(x(v), norm, act, over) }, nil
}

// asMaps has the kernel of a convolution of maps compute one of rows: of maps of one row.
func asMaps(conv *op.Binding, run func(s *torch.Scope, v *op.Values, x, weight *torch.Tensor) *torch.Tensor, x, weight op.Source) op.Kernel {
	if conv.Op != op.Conv1d {
		return func(s *torch.Scope, v *op.Values) *torch.Tensor { return run(s, v, x(v), weight(v)) }
	}
	return func(s *torch.Scope, v *op.Values) *torch.Tensor {
		n, k := x(v).Shape(), weight(v).Shape()
		if len(n) != 3 || len(k) != 3 { // one is freed, as run says
			return run(s, v, x(v), weight(v))
		}
		in, w := s.Reshape(x(v), n[0], n[1], 1, n[2]), s.Reshape(weight(v), k[0], k[1], 1, k[2])
		out := run(s, v, in, w)
		s.Release(in)
		s.Release(w)
		if s.Err() != nil {
			return out
		}
		defer s.Release(out)
		return s.Reshape(out, n[0], k[0], -1)
	}
}

// options returns the options of a step's convolution and the operations fused with it.
func (st *step) options(b *binder) (*op.Binding, torch.HWCNOptions) {
	conv := b.node(st.convolution(), false)
	o := torch.HWCNOptions{Pad: st.zeros, Slope: 1, Pool: 1}
	if conv.Op != op.Linear {
		own := conv.ConvolutionOptions()
		o.Stride, o.Dilation, o.Groups = own.Stride, own.Dilation, own.Groups
	}
	if st.act != nil {
		o.Slope = 0
		if st.act.Op == op.LeakyReLU {
			o.Slope = b.calls[st.act.Name].Float("negative_slope")
		}
	}
	if st.pool != nil {
		kernel, _ := b.calls[st.pool.Name].Window()
		o.Pool = kernel[1]
	}
	if st.norm != nil {
		norm := b.node(st.norm, false).Norm()
		o.Norm = &norm
	}
	return conv, o
}

// channelsInnermost trains with the channels of a point side by side, and the ReLU after a
// convolution computed with it: where [torch.Scope.Conv2dReLU] knows all convolutions, and no
// other operation's bits depend on the layout.
func channelsInnermost(p *plan) {
	flat := map[string]bool{}
	for _, st := range p.steps {
		if st.variant != "" {
			return
		}
		for _, n := range st.nodes {
			c := p.calls[n.Name]
			in := st.in[0]
			flat[n.Name] = n.Op == op.Flatten || flat[in]
			if flat[n.Name] {
				continue
			}
			if !c.Operation().AnyLayout || n.Gives != nil && n.Op == op.Dropout {
				return
			}
			if n.Op == op.Conv2d && (c.Int("groups") > 1 || slices.ContainsFunc(slices.Concat(c.Ints("stride"), c.Ints("dilation")), func(k int) bool { return k != 1 })) {
				return
			}
		}
	}
	takeZeros(p)
	for _, st := range slices.Clone(p.steps) {
		conv := st.convolution()
		if conv == nil || conv.Op != op.Conv2d {
			continue
		}
		st.rule, st.bind = "channels innermost", bindChannelsInnermost
		if next := p.after(st); p.isActivation(next) && next.first().Op == op.ReLU {
			st.act = p.absorb(st, next)
		}
	}
}

func bindChannelsInnermost(st *step, b *binder) (op.Kernel, error) {
	conv := b.node(st.convolution(), false)
	x, weight, bias := b.input(st), conv.Source("weight"), conv.Source("bias")
	zeros, rectified := st.zeros, st.act != nil
	return func(s *torch.Scope, v *op.Values) *torch.Tensor {
		return s.Conv2dReLU(x(v), weight(v), bias(v), zeros, rectified)
	}, nil
}

// leakyWithPool fuses a LeakyReLU with the pool along rows that is its only consumer.
func leakyWithPool(p *plan) {
	for _, st := range slices.Clone(p.steps) {
		if from := p.before(st); p.isRowPool(st) && from != nil && len(from.nodes) == 1 && p.is(from.first(), op.LeakyReLU) {
			p.merge(from, st, "LeakyReLU with the pool after it").bind = bindLeakyPool
		}
	}
}

func bindLeakyPool(st *step, b *binder) (op.Kernel, error) {
	kernel, _ := b.calls[st.out()].Window()
	x, slope := b.input(st), b.calls[st.first().Name].Float("negative_slope")
	return func(s *torch.Scope, v *op.Values) *torch.Tensor { return s.LeakyReLUAvgPool2d(x(v), slope, kernel[1]) }, nil
}

// activationWithPoolKernel fuses an activation with the pool that is its only consumer, where a kernel of eegprune's
// own computes that.
func activationWithPoolKernel(p *plan) {
	for _, st := range slices.Clone(p.steps) {
		from := p.before(st)
		act := p.activation(from)
		if st.variant == op.OwnKernel && p.is(st.first(), op.AvgPool2d) && act != (torch.Activation{}) && act.Gate == torch.NoGate {
			p.merge(from, st, "an activation with the pool kernel after it").bind = bindActivationPool
		}
	}
}

func bindActivationPool(st *step, b *binder) (op.Kernel, error) {
	kernel, _ := b.calls[st.out()].Window()
	first := b.calls[st.first().Name]
	x, activation := b.input(st), first.Operation().Activation(first)
	return func(s *torch.Scope, v *op.Values) *torch.Tensor {
		return s.KernelActivationAvgPool2d(x(v), activation, kernel[1])
	}, nil
}

// writeOver has an activation overwrite its input where it is the only consumer and the gradient of the
// operation before it does not need it.
func writeOver(p *plan) {
	for _, st := range p.steps {
		if from := p.before(st); p.isActivation(st) && from != nil {
			c := p.calls[from.last().Name]
			// A variant may return a view, whose gradient would then take a copy.
			st.inPlace = c.Known() && c.Operation().Rewritable && from.variant == ""
		}
	}
}
