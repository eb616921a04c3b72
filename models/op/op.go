// Package op holds the operations of networks, each in a file of its own: the shape of its output, its
// tensors and how they are drawn, the ties between its dimensions, its costs, how it runs, and its
// forms in ONNX and in Python.
//
// A [Node] is an operation of libtorch with libtorch's name and arguments, as torch.export writes
// them. Networks are written with the methods of [Net], which make nodes and tensors.
package op

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/eegprune/eegprune/torch"
)

// An Op is an operation. Functions that it does not need are nil.
type Op struct {
	// Schema is libtorch's own: "conv2d.padding(Tensor input, Tensor weight, ...) -> Tensor".
	Schema string
	// Weighs says which of the network's costs its MACs are; of convolutions and linear layers
	// also that the argument weight holds filters [out, in, ...].
	Weighs Kind
	// Shape returns the output's shape, or why there is none. The error's sentence follows the node's name.
	Shape func(c *Call) ([]int, error)
	// Fit resizes parameters and arguments to the shapes of the inputs, where channels are fewer than
	// the network was written for.
	Fit func(c *Call)
	// Draw says how the tensor of an argument is drawn; nil for tensors of its Fill.
	Draw func(c *Call, arg string) Distribution
	// Tie says how dimensions belong together. Those that it leaves out stay whole.
	Tie func(t *Ties)
	// MACs are the multiply-accumulates for one clip, by fvcore's rules.
	MACs func(c *Call) int64
	// Passes reports whether the output is the input, as of dropout in evaluation; of a node that the operation's
	// own kernel can't compute, where there is none.
	Passes func(c *Call, training bool) bool
	// Bind makes its kernel, or returns nil where libtorch is to compute it, by the operation's name.
	Bind func(b *Binding) Kernel
	// Activation is what an activation computes of each number, for a kernel that computes more with it.
	Activation func(c *Call) torch.Activation
	// Variants are other ways to compute it in training.
	Variants []Variant
	// ONNX adds it to a graph of the evaluation.
	ONNX func(g *Graph) error
	// Module is the constructor of its module in PyTorch, "" where it has none.
	Module func(c *Call) string
	// Python is its expression in a forward function, of an operation that has no tensors.
	Python func(c *Call, in func(arg string) string) string

	// Rewritable says that its gradient does not need its output, so that a later operation may
	// overwrite it.
	Rewritable bool
	// AnyLayout says that its bits, in evaluation, do not depend on the memory layout of a map.
	AnyLayout bool
	// Elementwise says that it computes each element alone, in any memory layout, though perhaps with other bits.
	Elementwise bool
	// View says that its output is a view of its input, however that lies in memory.
	View bool
	// EachChannel says that it computes each channel of a map [clips, channels, height, width] alone.
	EachChannel bool
	// EachRow says that it computes each of the first dimension alone, and asks for no number of clips: a graph may
	// have made several rows of each clip.
	EachRow bool

	name   string
	params []param
}

// A Kind is a sort of cost.
type Kind string

// The kinds of cost, by fvcore's names.
const (
	Conv  Kind = "conv"
	Dense Kind = "linear"
	Norm  Kind = "batch_norm"
)

// A Distribution is the one that elements of a fresh tensor are drawn from: uniform in [-Bound, Bound).
type Distribution struct{ Bound float64 }

// all returns every operation that has a file. A new one is that file and one line here; the others
// libtorch finds by name.
func all() []Op {
	return []Op{
		add(),
		avgPool2d(),
		batchNorm(),
		cat(),
		clamp(),
		conv1d(),
		conv2d(),
		dropout(),
		elu(),
		featureDropout(),
		flatten(),
		gelu(),
		groupNorm(),
		leakyReLU(),
		linear(),
		log(),
		maxPool2d(),
		mean(),
		mul(),
		pad(),
		permute(),
		relu(),
		selu(),
		silu(),
	}
}

// A rule describes operations that only libtorch computes.
type rule struct {
	ops string // their names, without overloads for all of them: "relu6 sum.dim_IntList"
	Op
}

// ruled returns the rules by which dimensions pass through such operations: a kind a file.
func ruled() []rule {
	return slices.Concat(
		elementwiseRules(),
		arithmeticRules(),
		reductionRules(),
		fourierRules(),
		shapeRules(),
		partRules(),
		sizeRules(),
		convolutionRules(),
		windowRules(),
		normRules(),
		productRules(),
		lookupRules(),
		recurrentRules(),
	)
}

// schemas holds libtorch's schemas, one a line, of the operations that a network from another program
// may have: see scripts/schemas.py.
//
//go:embed schemas.txt
var schemas string

// registry has every operation by its name, with its schema read.
var registry = sync.OnceValue(func() map[string]*Op {
	byName := map[string]*Op{}
	for _, o := range all() {
		o.name, o.params = parse(o.Schema)
		byName[o.name] = &o
	}
	kinds := map[string]Op{}
	for _, r := range ruled() {
		for _, name := range strings.Fields(r.ops) {
			kinds[name] = r.Op
		}
	}
	for _, schema := range strings.Split(strings.TrimSpace(schemas), "\n") {
		name, params := parse(schema)
		if byName[name] != nil {
			continue
		}
		full := strings.TrimPrefix(name, "aten.")
		base, overload, _ := strings.Cut(full, ".")
		o, found := kinds[full]
		if !found {
			o, found = kinds[base]
		}
		if in, ok := strings.CutSuffix(base, "_"); !found && ok { // in place: as the one that is not
			if o, found = kinds[in+"."+overload]; !found {
				o, found = kinds[in]
			}
			if own := byName["aten."+in+"."+overload]; !found && own != nil {
				o = Op{Tie: own.Tie, Fit: own.Fit, ONNX: own.ONNX}
			}
		}
		o.Schema, o.name, o.params = schema, name, params
		byName[name] = &o
	}
	return byName
})

// Of returns the operation of a name, such as "aten.conv2d.default", or nil.
func Of(name string) *Op { return registry()[name] }

// Make makes the tensor with every element at its Fill; the caller frees it.
func (t *Tensor) Make(device torch.Device) (*torch.Tensor, error) {
	dtype := torch.Float32
	switch {
	case t.Counts:
		dtype = torch.Int64
	case t.Type != "":
		var err error
		if dtype, err = torch.DTypeOf(string(t.Type)); err != nil {
			return nil, err
		}
	}
	x, err := torch.Full(t.Fill, dtype, device, t.Shape...)
	if err != nil || t.Buffer {
		return x, err
	}
	if err := x.RequireGrad(); err != nil {
		x.Free()
		return nil, err
	}
	return x, nil
}
