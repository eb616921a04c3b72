// Package export writes networks for other programs: as a PyTorch class and as an ONNX
// file.
package export

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"eegprune/models"
)

// Python writes a module with the class Network, a torch.nn.Module of the architecture
// and its widths under the same parameter names: its load_state_dict, strict, takes the
// tensors of a checkpoint. The masks, which may be nil, are described in its docstring.
func Python(w io.Writer, arch *models.Arch, masks models.Masks) error {
	if err := arch.Check(); err != nil {
		return err
	}
	shapes, err := arch.Shapes()
	if err != nil {
		return err
	}
	arch = arch.Clone()
	p := &pythonWriter{arch: arch, users: map[string][]string{}}
	for i := range arch.Layers {
		l := &arch.Layers[i]
		if err := pythonName(l.Name); err != nil {
			return fmt.Errorf("%s: %w", arch.Model, err)
		}
		// Of features nn.Dropout2d drops the same, and warns that it will cease to.
		if l.Op == models.Dropout2d && len(shapes[l.Name]) == 1 {
			l.Op = models.Dropout
		}
		for _, in := range l.Inputs {
			p.users[in] = append(p.users[in], l.Name)
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

// A unit is what the class holds under one attribute: a layer, or a block of layers whose
// names begin alike.
type unit struct {
	name   string
	layers []*models.Layer // in the order of construction
	// chain says that the block is computed by calling it.
	chain bool
}

type pythonWriter struct {
	b     strings.Builder
	arch  *models.Arch
	users map[string][]string // layers that take a layer's output
	order []*models.Layer
	all   []*unit
}

func (p *pythonWriter) unit(layer string) *unit {
	name, _, _ := strings.Cut(layer, ".")
	for _, u := range p.all {
		if u.name == name {
			return u
		}
	}
	u := &unit{name: name}
	p.all = append(p.all, u)
	return u
}

func (p *pythonWriter) units() error {
	order, err := p.arch.Order()
	if err != nil {
		return err
	}
	for _, i := range order {
		p.order = append(p.order, &p.arch.Layers[i])
	}
	for i := range p.arch.Layers {
		l := &p.arch.Layers[i]
		u := p.unit(l.Name)
		u.layers = append(u.layers, l)
	}
	for _, u := range p.all {
		u.chain = p.isChain(u)
		for i, l := range u.layers {
			below := func(other *models.Layer) bool { return trained(other) && strings.HasPrefix(other.Name, l.Name+".") }
			if (trained(l) || u.chain) && slices.ContainsFunc(u.layers, below) {
				return fmt.Errorf("%s: %q is a layer and holds layers: rename it", p.arch.Model, u.layers[i].Name)
			}
		}
	}
	return nil
}

// isChain reports whether a block is its layers one after another, as nn.Sequential is.
func (p *pythonWriter) isChain(u *unit) bool {
	start := slices.Index(p.order, u.layers[0])
	if u.layers[0].Name == u.name || start+len(u.layers) > len(p.order) {
		return false
	}
	for i, l := range u.layers {
		if p.order[start+i] != l || module(l) == "" || strings.Count(l.Name, ".") > 1 {
			return false
		}
		if i > 0 && (!slices.Equal(l.Inputs, []string{u.layers[i-1].Name}) || len(p.users[u.layers[i-1].Name]) != 1 || padded(l)) {
			return false
		}
	}
	return true
}

// trained says that a layer has parameters, and so must be a module under its name.
func trained(l *models.Layer) bool {
	return l.Op == models.Conv2d || l.Op == models.Linear || l.Op == models.BatchNorm2d
}

// padded says that a convolution needs its zeros added apart.
func padded(l *models.Layer) bool {
	return l.Op == models.Conv2d && (l.Pad[0] != l.Pad[1] || l.Pad[2] != l.Pad[3])
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

// imports names only what the class uses, so that no linter complains.
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
		held := u.layers
		if !u.chain {
			held = slices.DeleteFunc(slices.Clone(held), func(l *models.Layer) bool { return !trained(l) })
		}
		switch {
		case len(held) == 0:
		case held[0].Name == u.name:
			p.printf("        self.%s = %s\n", u.name, module(held[0]))
		default:
			p.printf("        self.%s = %s\n", u.name, container(u.name, held))
		}
	}
}

// container holds the modules of layers whose names begin with prefix.
func container(prefix string, layers []*models.Layer) string {
	var names, parts []string
	within := map[string][]*models.Layer{}
	for _, l := range layers {
		name, deeper, dotted := strings.Cut(strings.TrimPrefix(l.Name, prefix+"."), ".")
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		if dotted && deeper != "" {
			within[name] = append(within[name], l)
		}
	}
	counted := true
	for i, name := range names {
		made := ""
		if deeper := within[name]; deeper != nil {
			made = container(prefix+"."+name, deeper)
		} else {
			for _, l := range layers {
				if l.Name == prefix+"."+name {
					made = module(l)
				}
			}
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

// module is the constructor of a layer's module, empty where PyTorch has none or none is
// needed.
func module(l *models.Layer) string {
	switch l.Op {
	case models.Conv2d:
		class, args := "nn.Conv2d", fmt.Sprintf("%d, %d, (%d, %d)", l.In, l.Out, l.Kernel[0], l.Kernel[1])
		if s := l.Strides(); s != [2]int{1, 1} {
			args += fmt.Sprintf(", stride=(%d, %d)", s[0], s[1])
		}
		if !padded(l) && l.Pad != [4]int{} {
			args += fmt.Sprintf(", padding=(%d, %d)", l.Pad[2], l.Pad[0])
		}
		if l.Groups > 1 {
			args += fmt.Sprintf(", groups=%d", l.Groups)
		}
		if l.NoBias {
			args += ", bias=False"
		}
		if l.MaxNorm != 0 {
			class, args = "MaxNormConv2d", args+", max_norm="+number(l.MaxNorm)
		}
		return class + "(" + args + ")"
	case models.Linear:
		if l.NoBias {
			return fmt.Sprintf("nn.Linear(%d, %d, bias=False)", l.In, l.Out)
		}
		return fmt.Sprintf("nn.Linear(%d, %d)", l.In, l.Out)
	case models.BatchNorm2d:
		args := strconv.Itoa(l.Out)
		if l.Eps != 0 {
			args += ", eps=" + number(l.Eps)
		}
		if l.Momentum != 0 {
			args += ", momentum=" + number(l.Momentum)
		}
		return "nn.BatchNorm2d(" + args + ")"
	case models.ReLU:
		return "nn.ReLU()"
	case models.SELU:
		return "nn.SELU()"
	case models.ELU:
		return "nn.ELU(" + number(l.Slope) + ")"
	case models.LeakyReLU:
		return "nn.LeakyReLU(" + number(l.Slope) + ")"
	case models.ZeroPad2d:
		return "nn.ZeroPad2d((" + pad(l) + "))"
	case models.AvgPool2d:
		s := l.Strides()
		return fmt.Sprintf("nn.AvgPool2d((%d, %d), (%d, %d))", l.Kernel[0], l.Kernel[1], s[0], s[1])
	case models.Dropout:
		return "nn.Dropout(" + number(l.P) + ")"
	case models.Dropout2d:
		return "nn.Dropout2d(" + number(l.P) + ")"
	case models.Flatten:
		return "nn.Flatten(1)"
	}
	return ""
}

// number prints v as a number of Python, to the last bit.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func pad(l *models.Layer) string {
	return fmt.Sprintf("%d, %d, %d, %d", l.Pad[0], l.Pad[1], l.Pad[2], l.Pad[3])
}

func (p *pythonWriter) forward() {
	p.printf("\n    def forward(self, %s):\n", models.Input)
	values := map[string]string{models.Input: models.Input} // by layer
	last := ""
	for _, l := range p.order {
		u := p.unit(l.Name)
		in := values[l.Inputs[0]]
		if padded(l) {
			in = fmt.Sprintf("F.pad(%s, (%s))", in, pad(l))
		}
		var value string
		switch {
		case u.chain && l != u.layers[0]:
			values[l.Name] = u.name
			continue
		case u.chain:
			last = u.name
			value = fmt.Sprintf("self.%s(%s)", u.name, in)
		default:
			last = strings.ReplaceAll(l.Name, ".", "_")
			value = p.call(l, in, values)
		}
		values[l.Name] = last
		p.printf("        %s = %s\n", last, value)
	}
	p.printf("        return %s\n", last)
}

// call is the expression of one layer that is not part of a chain.
func (p *pythonWriter) call(l *models.Layer, in string, values map[string]string) string {
	switch l.Op {
	case models.Mean:
		return in + ".mean(-1)"
	case models.Flatten:
		return in + ".flatten(1)"
	case models.Cat:
		parts := make([]string, len(l.Inputs))
		for i, name := range l.Inputs {
			parts[i] = values[name]
		}
		return fmt.Sprintf("torch.cat([%s], %d)", strings.Join(parts, ", "), l.Dim)
	case models.ReLU:
		return "F.relu(" + in + ")"
	case models.SELU:
		return "F.selu(" + in + ")"
	case models.ELU:
		return "F.elu(" + in + ", " + number(l.Slope) + ")"
	case models.LeakyReLU:
		return "F.leaky_relu(" + in + ", " + number(l.Slope) + ")"
	case models.ZeroPad2d:
		return "F.pad(" + in + ", (" + pad(l) + "))"
	case models.AvgPool2d:
		s := l.Strides()
		return fmt.Sprintf("F.avg_pool2d(%s, (%d, %d), (%d, %d))", in, l.Kernel[0], l.Kernel[1], s[0], s[1])
	case models.Dropout:
		return "F.dropout(" + in + ", " + number(l.P) + ", self.training)"
	case models.Dropout2d:
		return "F.dropout2d(" + in + ", " + number(l.P) + ", self.training)"
	}
	if strings.Contains(l.Name, ".") {
		return fmt.Sprintf("self.get_submodule(%q)(%s)", l.Name, in)
	}
	return fmt.Sprintf("self.%s(%s)", l.Name, in)
}
