package models

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/models/op"
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
// and its assumptions, a sentence each. An empty name stands for the network that has most of the
// tensors' names, of equals that with the fewest others, then the first. input is a clip's shape
// [channels, height, width], 0 where it is not known; sizes that the tensors contradict are not
// used. The error lists every tensor that is missing, too many or of a shape that does not fit. It
// needs no libtorch.
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
	} else if wrong := misnamed(m.nominal(), t); len(wrong) > 0 {
		// Sizes that can't be are then those of tensors that are not there.
		err = notThese(m.Name, wrong)
	}
	if err != nil {
		return nil, nil, err
	}
	switch {
	case m.Grid && (input[1] != a.Input[1] || input[2] != a.Input[2]):
		assumed = append(assumed, fmt.Sprintf("a square grid, %dx%d", a.Input[1], a.Input[2]))
	case !m.Grid && input[2] != a.Input[2] && c.Rate == 0:
		assumed = append(assumed, fmt.Sprintf("clips of %d samples", a.Input[2]))
	case !m.Grid && input[2] != a.Input[2]:
		assumed = append(assumed, fmt.Sprintf("clips of %d samples, %.3g s at %g Hz", a.Input[2], float64(a.Input[2])/c.Rate, c.Rate))
	}
	return a, assumed, nil
}

// nominal is the model for some data: its names are those for any.
func (m Model) nominal() []op.Tensor {
	c := Config{Input: [3]int{1, 9, 9}, Classes: 2}
	if !m.Grid {
		c = Config{Input: [3]int{1, 28, 512}, Classes: 2, Rate: 128}
	}
	net, err := m.Build(c)
	if err != nil {
		return nil
	}
	return net.Tensors
}

// model finds the model that the tensors are of.
func (t Shapes) model(name string) (Model, []string, error) {
	if name != "" {
		m, err := ByName(name)
		return m, nil, err
	}
	common := func(m Model) int {
		n := 0
		for _, w := range m.nominal() {
			if _, ok := t[w.Name]; ok {
				n++
			}
		}
		return n
	}
	all := All()
	wrong := func(m Model) int { return len(misnamed(m.nominal(), t)) } // one network's names may be among another's
	best := slices.MaxFunc(all, func(a, b Model) int {
		return cmp.Or(cmp.Compare(common(a), common(b)), cmp.Compare(wrong(b), wrong(a)))
	})
	if common(best) == 0 {
		return best, nil, fmt.Errorf("its tensors are those of none of the networks %s: %s", strings.Join(Names(), ", "),
			strings.Join(slices.Sorted(maps.Keys(t)), ", "))
	}
	assumed := "the network " + best.Name
	for _, m := range all {
		if m.Name != best.Name && len(misnamed(m.nominal(), t)) == 0 {
			assumed += ", though " + m.Name + " has tensors of the same names"
		}
	}
	return best, []string{assumed}, nil
}

func notThese(model string, wrong []string) error {
	return fmt.Errorf("the tensors are not those of %s: %s", model, strings.Join(wrong, "; "))
}

// fit gives every layer the width of its weight. Widths flow on: each layer's input width is the output
// width of those before it.
func (a *Arch) fit(t Shapes) error {
	_, err := a.walk(func(c *op.Call) {
		w := c.Ref("weight")
		if own := a.Tensor(w); own != nil && (c.Operation().Weighs == op.Conv || c.Operation().Weighs == op.Dense) && len(t[w]) == len(own.Shape) {
			own.Shape[0] = t[w][0]
		}
		c.Fit()
	}, nil)
	if err != nil {
		return notThese(a.Model, append(misnamed(a.Tensors, t), err.Error()))
	}
	if wrong := append(misnamed(a.Tensors, t), a.misshaped(t)...); len(wrong) > 0 {
		slices.Sort(wrong)
		return notThese(a.Model, wrong)
	}
	a.Groups = nil
	if err := a.Check(); err != nil {
		return err
	}
	return a.Regroup()
}

// count is how PyTorch names a BatchNorm's count of batches, which old versions lack.
const count = ".num_batches_tracked"

// misnamed lists the tensors that are missing or too many.
func misnamed(tensors []op.Tensor, t Shapes) []string {
	var wrong []string
	known := map[string]bool{}
	for _, w := range tensors {
		known[w.Name] = true
		if _, ok := t[w.Name]; !ok && !strings.HasSuffix(w.Name, count) {
			wrong = append(wrong, w.Name+" is missing")
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
	for _, w := range a.Tensors {
		if have, ok := t[w.Name]; ok && !slices.Equal(have, w.Shape) {
			wrong = append(wrong, fmt.Sprintf("%s has shape %v where %v is needed", w.Name, have, w.Shape))
		}
	}
	return wrong
}
