package models_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

func drawModel(t *rapid.T) models.Model {
	m, err := models.ByName(rapid.SampledFrom(models.Names()).Draw(t, "model"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func drawConfig(t *rapid.T, m models.Model) models.Config {
	c := models.Config{Classes: rapid.IntRange(2, 7).Draw(t, "classes")}
	if m.Grid {
		c.Input = [3]int{rapid.IntRange(1, 8).Draw(t, "bands"), rapid.IntRange(1, 11).Draw(t, "height"), rapid.IntRange(1, 11).Draw(t, "width")}
		return c
	}
	c.Rate = rapid.SampledFrom([]float64{100, 128, 160, 200, 250, 500}).Draw(t, "rate")
	c.Input = [3]int{1, rapid.SampledFrom([]int{2, 4, 7, 14, 19, 27, 28, 32, 62, 64}).Draw(t, "electrodes"),
		int(c.Rate * rapid.Float64Range(1.5, 4).Draw(t, "seconds"))}
	return c
}

// drawArch builds a model for any data. Clips shorter than a network's kernels and pools, which it
// refuses, are drawn again.
func drawArch(t *rapid.T, m models.Model) *models.Arch {
	c := drawConfig(t, m)
	a, err := models.Build(m.Name, c)
	if err != nil && !m.Grid && c.Input[2] < 1000 && strings.Contains(err.Error(), "does not fit") {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestEveryModelBuildsForAnyData also compares counts and shapes, which come from the
// description, with those of libtorch.
func TestEveryModelBuildsForAnyData(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawArch(t, drawModel(t))
		n, err := models.New(a, torch.CPU, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer n.Free()
		elements := int64(0)
		for _, p := range n.Parameters() {
			elements += int64(p.Len())
		}
		counts, err := a.Count()
		if err != nil || counts.Parameters != elements {
			t.Errorf("%d parameters are counted (%v), the tensors have %d elements", counts.Parameters, err, elements)
		}
		shapes := map[string][]int{}
		if err := a.Walk(func(c *op.Call) { shapes[c.Name] = c.Out[1:] }); err != nil {
			t.Fatal(err)
		}
		x, err := torch.Zeros(2, a.Input[0], a.Input[1], a.Input[2])
		if err != nil {
			t.Fatal(err)
		}
		defer x.Free()
		s := torch.NewScope(torch.NoGrad)
		defer s.Close()
		out := n.Forward(s, x, models.Pass{After: func(_ *torch.Scope, node *op.Node, out *torch.Tensor) *torch.Tensor {
			if want := append([]int{2}, shapes[node.Name]...); s.Err() == nil && !slices.Equal(out.Shape(), want) {
				t.Errorf("layer %s gives %v, its description says %v", node.Name, out.Shape(), want)
			}
			return out
		}})
		if s.Err() != nil || !slices.Equal(out.Shape(), []int{2, a.Classes}) {
			t.Errorf("logits of shape %v (%v), want %v", out.Shape(), s.Err(), []int{2, a.Classes})
		}
	})
}

func TestDataThatAModelCantTake(t *testing.T) {
	for _, c := range []struct {
		model  string
		config models.Config
		says   []string
	}{
		{"tsception", models.Config{Input: [3]int{1, 1, 512}, Classes: 2, Rate: 128}, []string{"1 electrodes", "2, 4, 6 or more"}},
		{"tsception", models.Config{Input: [3]int{1, 3, 512}, Classes: 2, Rate: 128}, []string{"3 electrodes"}},
		{"tsception", models.Config{Input: [3]int{1, 5, 512}, Classes: 2, Rate: 128}, []string{"5 electrodes"}},
		{"tsception", models.Config{Input: [3]int{1, 28, 512}, Classes: 2, Rate: 4}, []string{"rate of 4 Hz", "8 Hz"}},
		{"tsception", models.Config{Input: [3]int{1, 28, 512}, Classes: 2, Rate: math.NaN()}, []string{"rate of NaN"}},
		{"tsception", models.Config{Input: [3]int{1, 28, 512}, Classes: 2, Rate: math.Inf(1)}, []string{"rate of +Inf"}},
		{"tsception", models.Config{Input: [3]int{1, 28, 512}, Classes: 2}, []string{"rate of 0 Hz"}},
		{"tsception", models.Config{Input: [3]int{1, 28, 63}, Classes: 2, Rate: 128}, []string{"kernel of [1 64] does not fit into 28x63"}},
		{"tsception", models.Config{Input: [3]int{1, 28, 70}, Classes: 2, Rate: 128}, []string{"pool of [1 8] does not fit into [15 28 7]"}},
		{"tsception", models.Config{Input: [3]int{1, 28, 512}, Classes: 2, Kernels: []int{64}}, []string{"1 lengths of kernels", "has 3"}},
		{"eegnet", models.Config{Input: [3]int{1, 28, 512}, Classes: 2, Rate: 7}, []string{"rate of 7 Hz", "8 Hz"}},
		{"eegnet", models.Config{Input: [3]int{1, 28, 512}, Classes: 2, Rate: math.NaN()}, []string{"rate of NaN"}},
		{"eegnet", models.Config{Input: [3]int{1, 28, 512}, Classes: 2, Kernels: []int{64}}, []string{"1 lengths of kernels", "has 2"}},
		{"eegnet", models.Config{Input: [3]int{4, 9, 9}, Classes: 2, Rate: 128}, []string{"[4 9 9]", "[1, electrodes, samples]"}},
		{"eegnet", models.Config{Input: [3]int{1, 28, 20}, Classes: 2, Rate: 128}, []string{"pool of [1 8] does not fit"}},
		{"fbccnn", models.Config{Input: [3]int{0, 9, 9}, Classes: 2}, []string{"[0 9 9]"}},
		{"ccnn", models.Config{Input: [3]int{4, 9, 9}, Classes: 1}, []string{"1 classes"}},
		{"ccnn", models.Config{Input: [3]int{4, 1 << 20, 1 << 20}, Classes: 2}, []string{"too large"}},
		{"ccnn-selu", models.Config{Input: [3]int{4, 9, 9}, Classes: 2, Dropout: new(float64(1))}, []string{"dropout probability of 1"}},
		{"nosuch", models.Config{}, []string{`"nosuch"`, strings.Join(models.Names(), ", ")}},
	} {
		_, err := models.Build(c.model, c.config)
		if err == nil {
			t.Errorf("%s of %+v is no error", c.model, c.config)
			continue
		}
		for _, part := range c.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not say %q", err, part)
			}
		}
	}
}

func TestDropoutIsTheModelsOwnUnlessGiven(t *testing.T) {
	for model, layer := range map[string]string{"ccnn-selu": "lin1.2", "tsception": "fc.2", "eegnet": "block1.6"} {
		c := models.Config{Input: [3]int{1, 28, 512}, Classes: 2, Rate: 128}
		own := 0.5
		if model == "eegnet" {
			own = 0.25
		}
		for want, given := range map[float64]*float64{own: nil, 0: new(0.0), 0.75: new(0.75)} {
			c.Dropout = given
			a, err := models.Build(model, c)
			if err != nil {
				t.Fatal(err)
			}
			if got := a.Node(layer).Args["p"]; got != want {
				t.Errorf("%s: dropout %v, want %g", model, got, want)
			}
		}
	}
}

func TestForwardNamesTheShapesOfTheWrongInput(t *testing.T) {
	a, err := models.Build("fbccnn", models.Config{Input: [3]int{4, 9, 9}, Classes: 2})
	if err != nil {
		t.Fatal(err)
	}
	n, err := models.New(a, torch.CPU, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Free()
	x, err := torch.Zeros(2, 5, 9, 9)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Free()
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	n.Forward(s, x, models.Pass{})
	if s.Err() == nil || !strings.Contains(s.Err().Error(), fmt.Sprint([]int{2, 5, 9, 9})) {
		t.Errorf("error %v, want one with the input's shape", s.Err())
	}
	if n.Tensor("nosuch.weight") != nil || n.Tensor("block1.0.nosuch") != nil || n.Tensor("block1.1.weight") != nil {
		t.Error("a weight that is not there is not nil")
	}
	if got := n.Tensor("block1.0.weight").Shape(); !slices.Equal(got, []int{12, 4, 3, 3}) {
		t.Errorf("the first filters have shape %v", got)
	}
}
