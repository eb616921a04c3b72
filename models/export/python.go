// Package export writes networks for other programs.
//
// [Python] writes a PyTorch class whose load_state_dict takes the tensors of a checkpoint, [ONNX] a
// file of opset 17 for onnxruntime. Both compute the logits of the network in evaluation, whole or
// pruned, to rounding.
package export

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
)

// Python writes a module with the class Network, a torch.nn.Module of the architecture
// and its widths under the same parameter names: its load_state_dict, strict, takes the
// tensors of a checkpoint. The masks, which may be nil, are described in its docstring.
func Python(w io.Writer, arch *models.Arch, masks models.Masks) error {
	if err := arch.Check(); err != nil {
		return err
	}
	p := &pythonWriter{arch: arch, calls: map[string]*op.Call{}, users: map[string][]string{}}
	err := arch.Walk(func(c *op.Call) {
		p.calls[c.Name] = c
		p.order = append(p.order, c)
		for _, in := range c.Inputs() {
			p.users[in] = append(p.users[in], c.Name)
		}
	})
	if err != nil {
		return err
	}
	for _, c := range p.order {
		if err := pythonName(c.Name); err != nil {
			return fmt.Errorf("%s: %w", arch.Model, err)
		}
	}
	if err := p.units(); err != nil {
		return err
	}
	p.constructor()
	p.forward()
	class := p.b.String()
	p.b.Reset()
	p.docstring(masks)
	p.imports(class)
	_, err = io.WriteString(w, p.b.String()+class)
	return err
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*$`)

// pythonName refuses names that would be something other than a name in a program:
// architectures come from files.
func pythonName(name string) error {
	reserved := []string{"self", "torch", "nn", "F", "OrderedDict", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif",
		"else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try",
		"while", "with", "yield", "None", "True", "False", "super"}
	first, _, _ := strings.Cut(name, ".")
	if !identifier.MatchString(name) || slices.Contains(reserved, first) {
		return fmt.Errorf("layer %q can't be a name in Python: rename it", name)
	}
	return nil
}

// A unit is one attribute of the class: a module, or a block of modules whose
// names begin alike.
type unit struct {
	name  string
	nodes []*op.Call // in the order of construction
	// chain says that the block is computed by calling it.
	chain bool
}

type pythonWriter struct {
	b     strings.Builder
	arch  *models.Arch
	calls map[string]*op.Call
	users map[string][]string // nodes that a value is an input of
	order []*op.Call
	all   []*unit
}

func (p *pythonWriter) unit(node string) *unit {
	name, _, _ := strings.Cut(node, ".")
	for _, u := range p.all {
		if u.name == name {
			return u
		}
	}
	u := &unit{name: name}
	p.all = append(p.all, u)
	return u
}

// constructed returns the nodes in the order of construction, which is the order of their tensors; nodes
// without tensors keep their place after the node before them.
func (p *pythonWriter) constructed() []*op.Call {
	at := map[string]int{}
	for i, t := range p.arch.Tensors {
		if owner, _ := p.arch.Owner(t.Name); owner != nil && at[owner.Name] == 0 {
			at[owner.Name] = i + 1
		}
	}
	place := map[*op.Call]int{}
	last := 0
	for _, c := range p.order {
		if trained(c) {
			last = at[c.Name]
		}
		place[c] = last
	}
	nodes := slices.Clone(p.order)
	slices.SortStableFunc(nodes, func(a, b *op.Call) int { return cmp.Compare(place[a], place[b]) })
	return nodes
}

func (p *pythonWriter) units() error {
	for _, c := range p.constructed() {
		u := p.unit(c.Name)
		u.nodes = append(u.nodes, c)
	}
	for _, u := range p.all {
		u.chain = p.isChain(u)
		for _, c := range u.nodes {
			below := func(other *op.Call) bool { return trained(other) && strings.HasPrefix(other.Name, c.Name+".") }
			if (trained(c) || u.chain) && slices.ContainsFunc(u.nodes, below) {
				return fmt.Errorf("%s: %q is a layer and holds layers: rename it", p.arch.Model, c.Name)
			}
		}
	}
	return nil
}

// isChain reports whether a block is its modules one after another, as nn.Sequential is.
func (p *pythonWriter) isChain(u *unit) bool {
	start := slices.Index(p.order, u.nodes[0])
	if u.nodes[0].Name == u.name || start+len(u.nodes) > len(p.order) {
		return false
	}
	for i, c := range u.nodes {
		if p.order[start+i] != c || p.module(c) == "" || strings.Count(c.Name, ".") > 1 || len(p.values(c)) != 1 {
			return false
		}
		if before := u.nodes[max(i-1, 0)].Name; i > 0 && (p.values(c)[0] != before || len(p.users[before]) != 1) {
			return false
		}
	}
	return true
}

// values are a node's inputs that are values: outputs of other nodes or the network's input.
func (p *pythonWriter) values(c *op.Call) []string {
	return slices.DeleteFunc(c.Inputs(), func(in string) bool { return p.calls[in] == nil && in != models.Input })
}

// trained says that a node has parameters, and so must be a module under its name.
func trained(c *op.Call) bool { return c.Given("weight") }

// module is the constructor of a node's module, empty where PyTorch has none or none is needed.
func (p *pythonWriter) module(c *op.Call) string {
	make := c.Operation().Module
	if make == nil {
		return ""
	}
	text := make(c)
	if w := p.arch.Tensor(c.Ref("weight")); w != nil && w.MaxNorm != 0 {
		text = strings.Replace(strings.TrimSuffix(text, ")"), "nn.Conv2d(", "MaxNormConv2d(", 1) +
			", max_norm=" + strconv.FormatFloat(w.MaxNorm, 'g', -1, 64) + ")"
	}
	return text
}

func (p *pythonWriter) printf(format string, args ...any) { fmt.Fprintf(&p.b, format, args...) }

func (p *pythonWriter) docstring(masks models.Masks) {
	a := p.arch
	// Quoted, as all text that comes from a file.
	p.printf("# The network %s for clips of shape %v and %d classes, as eegprune exported it.\n#\n", strconv.QuoteToASCII(a.Model), a.Input, a.Classes)
	p.printf("#     network = Network()\n#     network.load_state_dict(torch.load(\"FILE.pt\"))\n#     network.eval()\n")
	for i, g := range a.Groups {
		if i == 0 {
			p.printf("#\n# Channels of each group, and which of the unpruned network's they are where it was pruned:\n")
		}
		p.printf("#     %s: %d", strconv.QuoteToASCII(g.Name), g.Channels)
		if g.Kept != nil {
			p.printf(" %v", g.Kept)
		}
		p.printf("\n")
	}
	for i, name := range slices.Sorted(maps.Keys(masks)) {
		if i == 0 {
			p.printf("#\n# Masked parameters: elements that do not stay are 0 in the file, and an optimizer moves\n" +
				"# them. To train on and keep them at 0, multiply these by (parameter != 0) of the loaded\n# file after each step.\n")
		}
		p.printf("#     %s: %d of %d elements stay\n", strconv.QuoteToASCII(name), masks[name].Count(), masks[name].Len())
	}
}

// imports writes the imports of those names that the class uses, so that no linter complains.
func (p *pythonWriter) imports(class string) {
	bounded := strings.Contains(class, "MaxNormConv2d(")
	if strings.Contains(class, "OrderedDict(") {
		p.printf("from collections import OrderedDict\n\n")
	}
	if bounded || strings.Contains(class, "torch.") {
		p.printf("import torch\n")
	}
	if strings.Contains(class, "F.") {
		p.printf("import torch.nn.functional as F\n")
	}
	p.printf("from torch import nn\n\n\n")
	if bounded {
		p.printf(maxNorm)
	}
}

const maxNorm = `class MaxNormConv2d(nn.Conv2d):
    """A convolution that holds the Euclidean norm of its filters down while it trains."""

    def __init__(self, *args, max_norm, **kwargs):
        super().__init__(*args, **kwargs)
        self.max_norm = max_norm

    def forward(self, input):
        if self.training:
            with torch.no_grad():
                self.weight.copy_(torch.renorm(self.weight, 2, 0, self.max_norm))
        return super().forward(input)


`

func (p *pythonWriter) constructor() {
	p.printf("class Network(nn.Module):\n    def __init__(self):\n        super().__init__()\n")
	for _, u := range p.all {
		held := u.nodes
		if !u.chain {
			held = slices.DeleteFunc(slices.Clone(held), func(c *op.Call) bool { return !trained(c) })
		}
		switch {
		case len(held) == 0:
		case held[0].Name == u.name:
			p.printf("        self.%s = %s\n", u.name, p.module(held[0]))
		default:
			p.printf("        self.%s = %s\n", u.name, p.container(u.name, held))
		}
	}
}

// container holds the modules of nodes whose names begin with prefix.
func (p *pythonWriter) container(prefix string, nodes []*op.Call) string {
	var names, parts []string
	within := map[string][]*op.Call{}
	for _, c := range nodes {
		name, deeper, dotted := strings.Cut(strings.TrimPrefix(c.Name, prefix+"."), ".")
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		if dotted && deeper != "" {
			within[name] = append(within[name], c)
		}
	}
	counted := true
	for i, name := range names {
		made := ""
		if deeper := within[name]; deeper != nil {
			made = p.container(prefix+"."+name, deeper)
		} else {
			made = p.module(p.calls[prefix+"."+name])
		}
		parts = append(parts, made)
		counted = counted && name == strconv.Itoa(i)
	}
	if counted {
		return "nn.Sequential(" + strings.Join(parts, ", ") + ")"
	}
	for i, name := range names {
		parts[i] = fmt.Sprintf("(%q, %s)", name, parts[i])
	}
	return "nn.Sequential(OrderedDict([" + strings.Join(parts, ", ") + "]))"
}

func (p *pythonWriter) forward() {
	p.printf("\n    def forward(self, %s):\n", models.Input)
	values := map[string]string{models.Input: models.Input} // by node
	last := ""
	for _, c := range p.order {
		u := p.unit(c.Name)
		var value string
		switch {
		case u.chain && c != u.nodes[0]:
			values[c.Name] = u.name
			continue
		case u.chain:
			last = u.name
			value = fmt.Sprintf("self.%s(%s)", u.name, values[p.values(c)[0]])
		default:
			last = strings.ReplaceAll(c.Name, ".", "_")
			value = p.call(c, values)
		}
		values[c.Name] = last
		p.printf("        %s = %s\n", last, value)
	}
	p.printf("        return %s\n", last)
}

// call is the expression of one node that is not part of a chain.
func (p *pythonWriter) call(c *op.Call, values map[string]string) string {
	if !trained(c) {
		return c.Operation().Python(c, func(arg string) string {
			if arg := c.Ref(arg); arg != "" {
				return values[arg]
			}
			var parts []string
			for _, name := range c.Refs(arg) {
				parts = append(parts, values[name])
			}
			return strings.Join(parts, ", ")
		})
	}
	in := values[p.values(c)[0]]
	if strings.Contains(c.Name, ".") {
		return fmt.Sprintf("self.get_submodule(%q)(%s)", c.Name, in)
	}
	return fmt.Sprintf("self.%s(%s)", c.Name, in)
}
