package models

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Shapes are the shapes of a network's tensors by PyTorch's names: "lin1.weight".
type Shapes map[string][]int

// dim returns a tensor's size along an axis, 0 where it has none.
func (t Shapes) dim(name string, axis int) int {
	if s := t[name]; axis < len(s) {
		return s[axis]
	}
	return 0
}

// clipSeconds is the length of a clip where neither shapes nor the caller tell it: that
// of the papers on DEAP.
const clipSeconds = 4

// gridOf returns the Infer of a network on a grid, from its first and last convolution
// and its first and last linear layer.
func gridOf(first, last, linear, head string) func(Shapes, Config) (Config, error) {
	return func(t Shapes, known Config) (Config, error) {
		c := known
		features, channels := t.dim(linear+".weight", 1), max(t.dim(last+".weight", 0), 1)
		if cells := features / channels; c.Input[1] < 1 || c.Input[2] != cells/c.Input[1] || c.Input[1]*c.Input[2]*channels != features {
			side := int(math.Round(math.Sqrt(float64(cells))))
			if side*side*channels != features {
				return c, fmt.Errorf("%s takes %d features of %d channels, which are those of no square grid: say its height and width", linear, features, channels)
			}
			c.Input[1], c.Input[2] = side, side
		}
		c.Input[0], c.Classes = t.dim(first+".weight", 1), t.dim(head+".weight", 0)
		return c, nil
	}
}

// Infer returns the architecture that tensors of these shapes belong to, of any widths,
// and what it took for granted, a sentence each. An empty name is that of the network
// which has most of the tensors' names, the first of equals. input is what is known of
// a clip [channels, height, width], 0 where nothing is; what the tensors contradict is
// not used. The error lists every tensor
// that is missing, too many or of a shape that does not fit. It needs no libtorch.
func Infer(t Shapes, name string, input [3]int) (*Arch, []string, error) {
	m, assumed, err := t.model(name)
	if err != nil {
		return nil, nil, err
	}
	c, err := m.Infer(t, Config{Input: input})
	var a *Arch
	if err == nil {
		a, err = m.build(c)
	}
	if err == nil {
		err = a.fit(t)
	} else if wrong := m.nominal().misnamed(t); len(wrong) > 0 {
		// Sizes that can't be are then those of tensors that are not there.
		err = notThese(m.Name, wrong)
	}
	if err != nil {
		return nil, nil, err
	}
	switch {
	case m.Grid && (input[1] != a.Input[1] || input[2] != a.Input[2]):
		assumed = append(assumed, fmt.Sprintf("a square grid, %dx%d", a.Input[1], a.Input[2]))
	case !m.Grid && input[2] != a.Input[2]:
		assumed = append(assumed, fmt.Sprintf("clips of %d samples, %.3g s at %g Hz", a.Input[2], float64(a.Input[2])/c.Rate, c.Rate))
	}
	return a, assumed, nil
}

// nominal is the model for some data: its names are those for any.
func (m Model) nominal() *Arch {
	c := Config{Input: [3]int{1, 9, 9}, Classes: 2}
	if !m.Grid {
		c = Config{Input: [3]int{1, 28, 512}, Classes: 2, Rate: 128}
	}
	a, err := m.build(c)
	if err != nil {
		return &Arch{Model: m.Name}
	}
	return a
}

// model finds the model that the tensors are of.
func (t Shapes) model(name string) (Model, []string, error) {
	if name != "" {
		m, err := ByName(name)
		return m, nil, err
	}
	common := func(m Model) int {
		n := 0
		for _, w := range m.nominal().tensors() {
			if _, ok := t[w.name]; ok {
				n++
			}
		}
		return n
	}
	all := All()
	best := slices.MaxFunc(all, func(a, b Model) int { return cmp.Compare(common(a), common(b)) })
	if common(best) == 0 {
		return best, nil, fmt.Errorf("its tensors are those of none of the networks %s: %s", strings.Join(Names(), ", "),
			strings.Join(slices.Sorted(maps.Keys(t)), ", "))
	}
	assumed := "the network " + best.Name
	for _, m := range all {
		if m.Name != best.Name && len(m.nominal().misnamed(t)) == 0 {
			assumed += ", though " + m.Name + " has tensors of the same names"
		}
	}
	return best, []string{assumed}, nil
}

func notThese(model string, wrong []string) error {
	return fmt.Errorf("the tensors are not those of %s: %s", model, strings.Join(wrong, "; "))
}

// fit gives every layer the width that its weight has, and every group its channels.
// Widths flow on: what a layer takes is what those before it give.
func (a *Arch) fit(t Shapes) error {
	order, err := a.Order()
	if err != nil {
		return err
	}
	shapes := map[string][]int{Input: a.Input[:]}
	for _, i := range order {
		l := &a.Layers[i]
		var in [][]int
		for _, name := range l.Inputs {
			in = append(in, shapes[name])
		}
		weight := t[l.Name+".weight"]
		switch l.Op {
		case Conv2d:
			if l.Groups > 1 {
				l.Groups = in[0][0]
			}
			l.In = in[0][0]
			if len(weight) == 4 {
				l.Out = weight[0]
			}
		case Linear:
			l.In = in[0][0]
			if len(weight) == 2 {
				l.Out = weight[0]
			}
		case BatchNorm2d:
			l.Out = in[0][0]
		}
		if shapes[l.Name], err = l.shape(in); err != nil {
			wrong := append(a.misnamed(t), fmt.Sprintf("layer %q: %v", l.Name, err))
			return notThese(a.Model, wrong)
		}
	}
	if wrong := append(a.misnamed(t), a.misshaped(t)...); len(wrong) > 0 {
		slices.Sort(wrong)
		return notThese(a.Model, wrong)
	}
	for i := range a.Groups {
		g := &a.Groups[i]
		g.Channels = a.Layer(g.Producers[0].Layer).Out / g.Producers[0].Span
		// One channel takes as much of the others as they have: depth multipliers may
		// differ from the network's own.
		for k := range g.Producers[1:] {
			m := &g.Producers[1+k]
			m.Span = a.Layer(m.Layer).Out / g.Channels
		}
		for k := range g.Norms {
			m := &g.Norms[k]
			m.Span = a.Layer(m.Layer).Out / g.Channels
		}
		for k := range g.Consumers {
			m := &g.Consumers[k]
			m.Span = a.Layer(m.Layer).In / g.Channels
		}
	}
	return a.Check()
}

// A declared tensor is one that a layer has.
type declared struct {
	name, shape string // the shape as fmt prints it
}

// count is how PyTorch names a BatchNorm's count of batches, which old versions lack.
const count = ".num_batches_tracked"

// tensors lists the tensors of the network in PyTorch's order.
func (a *Arch) tensors() []declared {
	var all []declared
	for i := range a.Layers {
		l := &a.Layers[i]
		add := func(name string, shape ...int) { all = append(all, declared{l.Name + name, fmt.Sprint(shape)}) }
		switch l.Op {
		case Conv2d:
			add(".weight", l.Out, l.In/max(l.Groups, 1), l.Kernel[0], l.Kernel[1])
		case Linear:
			add(".weight", l.Out, l.In)
		case BatchNorm2d:
			add(".weight", l.Out)
		default:
			continue
		}
		if !l.NoBias {
			add(".bias", l.Out)
		}
		if l.Op == BatchNorm2d {
			add(".running_mean", l.Out)
			add(".running_var", l.Out)
			add(count)
		}
	}
	return all
}

// misnamed lists the tensors that are missing or too many.
func (a *Arch) misnamed(t Shapes) []string {
	var wrong []string
	known := map[string]bool{}
	for _, w := range a.tensors() {
		known[w.name] = true
		if _, ok := t[w.name]; !ok && !strings.HasSuffix(w.name, count) {
			wrong = append(wrong, w.name+" is missing")
		}
	}
	for name := range t {
		if !known[name] {
			wrong = append(wrong, name+" is not part of the network")
		}
	}
	slices.Sort(wrong)
	return wrong
}

// misshaped lists the tensors whose shapes do not fit.
func (a *Arch) misshaped(t Shapes) []string {
	var wrong []string
	for _, w := range a.tensors() {
		if have, ok := t[w.name]; ok && fmt.Sprint(have) != w.shape {
			wrong = append(wrong, fmt.Sprintf("%s has shape %v where %s is needed", w.name, have, w.shape))
		}
	}
	return wrong
}
