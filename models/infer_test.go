package models_test

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/torch"
)

func shapesOf(n *models.Network) models.Shapes {
	shapes := models.Shapes{}
	for _, p := range n.State() {
		shapes[p.Name] = p.Tensor.Shape()
	}
	return shapes
}

// TestInferFindsTheArchitecture of any model, built for any data and pruned to any
// widths, from nothing but shapes and the sizes that they leave open.
func TestInferFindsTheArchitecture(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawModel(t)
		a := drawArch(t, m)
		n, err := models.New(a, torch.CPU, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer n.Free()
		keep := prune.Keep{}
		for _, g := range a.Groups {
			if rapid.Bool().Draw(t, "prune "+g.Name) {
				keep[g.Name] = slices.Sorted(slices.Values(rapid.Permutation(indices(g.Channels)).Draw(t, g.Name)[:rapid.IntRange(1, g.Channels).Draw(t, "kept")]))
			}
		}
		small, err := prune.Remove(n, keep)
		if err != nil {
			t.Fatal(err)
		}
		defer small.Free()
		got, _, err := models.Infer(shapesOf(small), "", a.Input)
		if err != nil {
			t.Fatal(err)
		}
		want := small.Arch.Clone()
		for i := range want.Groups {
			want.Groups[i].Kept = nil // shapes do not tell
		}
		if d := cmp.Diff(want, got, sameArch); d != "" {
			t.Errorf("architecture (-built +inferred):\n%s", d)
		}
	})
}

func indices(n int) []int {
	v := make([]int, n)
	for i := range v {
		v[i] = i
	}
	return v
}

func TestInferSaysWhatItAssumes(t *testing.T) {
	for _, c := range []struct {
		model   string
		config  models.Config
		input   [3]int
		assumed []string
	}{
		{"ccnn", models.Config{Input: [3]int{5, 7, 7}, Classes: 3}, [3]int{5, 7, 7}, []string{"network ccnn", "square grid, 7x7"}},
		{"ccnn-selu", models.Config{Input: [3]int{4, 9, 9}, Classes: 2}, [3]int{4, 9, 9}, []string{"network ccnn-selu", "9x9"}},
		{"tsception", models.Config{Input: [3]int{1, 27, 1000}, Classes: 2, Rate: 250}, [3]int{1, 27, 1000}, []string{"1000 samples, 4 s at 250 Hz"}},
		{"tsception", models.Config{Input: [3]int{1, 27, 200}, Classes: 2, Rate: 125}, [3]int{1, 27, 496}, []string{"496 samples, 4 s at 124 Hz"}},
		{"eegnet", models.Config{Input: [3]int{1, 32, 128}, Classes: 2, Rate: 128}, [3]int{1, 32, 128}, []string{"128 samples, 1 s at 128 Hz"}},
		{"eegnet", models.Config{Input: [3]int{1, 60, 151}, Classes: 2, Kernels: []int{64, 16}}, [3]int{1, 60, 128}, []string{"128 samples, 1 s at 128 Hz"}},
		{"ccnn", models.Config{Input: [3]int{4, 6, 8}, Classes: 2}, [3]int{4, 6, 8}, nil},
		{"eegnet", models.Config{Input: [3]int{1, 22, 200}, Classes: 4, Kernels: []int{64, 16}}, [3]int{1, 22, 187}, []string{"187 samples, 1.46 s"}},
	} {
		a, err := models.Build(c.model, c.config)
		if err != nil {
			t.Fatal(err)
		}
		known := [3]int{}
		if c.assumed == nil {
			known = c.input
		}
		got, assumed, err := models.Infer(shapesOf(reftest.Network(t, a)), "", known)
		if err != nil {
			t.Errorf("%s of %+v: %v", c.model, c.config, err)
			continue
		}
		if got.Model != c.model || got.Input != c.input || got.Classes != c.config.Classes {
			t.Errorf("%s of %+v is taken as %s of %v", c.model, c.config, got.Model, got.Input)
		}
		for _, part := range c.assumed {
			if !strings.Contains(strings.Join(assumed, "; "), part) {
				t.Errorf("%s of %+v: assumed %q, which does not say %q", c.model, c.config, assumed, part)
			}
		}
		if _, assumed, err = models.Infer(shapesOf(reftest.Network(t, a)), c.model, c.config.Input); err != nil || len(assumed) > 0 {
			t.Errorf("%s, where nothing is open: assumed %q (%v)", c.model, assumed, err)
		}
		if c.assumed != nil && c.model != "tsception" { // which takes clips of any length
			contradiction := [3]int{c.config.Input[0], 5, 11}
			if got, _, err = models.Infer(shapesOf(reftest.Network(t, a)), "", contradiction); err != nil || got.Input != c.input {
				t.Errorf("%s with clips %v, which the tensors contradict: input %v (%v), want %v", c.model, contradiction, got.Input, err, c.input)
			}
		}
	}
}

// TestInferTakesAnyDepthMultiplier, which torcheeg leaves to the caller.
func TestInferTakesAnyDepthMultiplier(t *testing.T) {
	a, err := models.Build("eegnet", models.Config{Input: [3]int{1, 28, 512}, Classes: 2, Rate: 128})
	if err != nil {
		t.Fatal(err)
	}
	shapes := shapesOf(reftest.Network(t, a))
	for name, shape := range map[string][]int{"block1.2.weight": {24, 1, 28, 1}, "block1.3.weight": {24}, "block1.3.bias": {24},
		"block1.3.running_mean": {24}, "block1.3.running_var": {24}, "block2.0.weight": {24, 1, 1, 16}, "block2.1.weight": {16, 24, 1, 1}} {
		shapes[name] = shape
	}
	a, _, err = models.Infer(shapes, "", [3]int{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := reftest.DeclaredOf(a)[0].Producers, []reftest.Member{{Layer: "block1.0", Span: 1}, {Layer: "block1.2", Span: 3}, {Layer: "block2.0", Span: 3}}; !slices.Equal(got, want) {
		t.Errorf("producers %v, want %v", got, want)
	}
	if d := cmp.Diff(shapes, shapesOf(reftest.Network(t, a))); d != "" {
		t.Errorf("shapes (-file +network):\n%s", d)
	}
}

func TestInferListsAllThatIsWrong(t *testing.T) {
	build := func(model string, c models.Config) models.Shapes {
		a, err := models.Build(model, c)
		if err != nil {
			t.Fatal(err)
		}
		return shapesOf(reftest.Network(t, a))
	}
	grid := models.Config{Input: [3]int{4, 9, 9}, Classes: 2}
	signal := models.Config{Input: [3]int{1, 28, 512}, Classes: 2, Rate: 128}
	for what, c := range map[string]struct {
		model  string
		config models.Config
		named  string
		damage func(s models.Shapes)
		says   []string
	}{
		"all at once": {"fbccnn", grid, "", func(s models.Shapes) {
			delete(s, "block3.2.running_var")
			delete(s, "lin3.bias")
			s["optimizer.step"] = nil
			s["block2.2.weight"] = []int{31}
			s["block5.0.weight"] = []int{256, 128, 5, 5}
		}, []string{"not those of fbccnn", "block3.2.running_var is missing", "lin3.bias is missing", "optimizer.step is not part of the network",
			"block2.2.weight has shape [31] where [32] is needed", "block5.0.weight has shape [256 128 5 5] where [256 128 3 3] is needed"}},
		"widths that do not fit": {"ccnn", grid, "", func(s models.Shapes) {
			s["conv2.1.weight"] = []int{100, 64, 4, 4}
		}, []string{"conv2.1.bias has shape [128] where [100] is needed", "conv3.1.weight has shape [256 128 4 4] where [256 100 4 4] is needed"}},
		"branches of other widths": {"tsception", signal, "", func(s models.Shapes) {
			s["Tception1.1.weight"], s["Tception1.1.bias"] = []int{9, 1, 1, 64}, []int{9}
		}, []string{`layer "time"`, "can't be joined"}},
		"filters of no channel": {"eegnet", signal, "", func(s models.Shapes) { s["block1.2.weight"] = []int{15, 1, 28, 1} }, []string{`layer "block1.2"`, "in 8 groups to 15"}},
		"kernels of no rate":    {"tsception", signal, "", func(s models.Shapes) { s["Tception2.1.weight"] = []int{15, 1, 1, 40} }, []string{"[64 40 16] samples"}},
		"no kernels":            {"tsception", signal, "", func(s models.Shapes) { delete(s, "Tception3.1.weight") }, []string{"Tception3.1.weight is missing"}},
		"no classes":            {"ccnn", grid, "", func(s models.Shapes) { delete(s, "lin2.weight"); s["x"] = nil }, []string{"lin2.weight is missing", "x is not part"}},
		"one class":             {"ccnn", grid, "", func(s models.Shapes) { s["lin2.weight"], s["lin2.bias"] = []int{1, 1024}, []int{1} }, []string{"1 classes"}},
		"no square":             {"ccnn", models.Config{Input: [3]int{4, 8, 9}, Classes: 2}, "", func(models.Shapes) {}, []string{"lin1 takes 4608 features of 64 channels", "no square grid", "height and width"}},
		"another network":       {"ccnn", grid, "ccnn-selu", func(models.Shapes) {}, []string{"not those of ccnn-selu", "lin1.0.weight is missing", "lin1.weight is not part"}},
		"no network":            {"ccnn", grid, "resnet", func(models.Shapes) {}, []string{`"resnet"`, "eegnet"}},
		"none of these":         {"ccnn", grid, "", func(s models.Shapes) { clear(s); s["encoder.0.weight"], s["head.bias"] = []int{2, 2}, nil }, []string{"none of the networks ccnn,", "encoder.0.weight, head.bias"}},
		"nothing":               {"ccnn", grid, "", func(s models.Shapes) { clear(s) }, []string{"none of the networks"}},
	} {
		t.Run(what, func(t *testing.T) {
			shapes := build(c.model, c.config)
			c.damage(shapes)
			_, _, err := models.Infer(shapes, c.named, [3]int{})
			sentence(t, err, c.says...)
		})
	}
}

// TestInferSurvivesAnyShapes gives it a model's names with sizes that can't be.
func TestInferSurvivesAnyShapes(t *testing.T) {
	sizes := []int{math.MinInt, -1, 0, 1, 2, 9, 1 << 31, 1 << 62, math.MaxInt}
	rapid.Check(t, func(t *rapid.T) {
		m := drawModel(t)
		c := models.Config{Input: [3]int{4, 9, 9}, Classes: 2}
		if !m.Grid {
			c = models.Config{Input: [3]int{1, 28, 512}, Classes: 2, Rate: 128}
		}
		a, err := models.Build(m.Name, c)
		if err != nil {
			t.Fatal(err)
		}
		n, err := models.New(a, torch.CPU, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer n.Free()
		shapes := shapesOf(n)
		for _, p := range n.State() {
			switch rapid.IntRange(0, 8).Draw(t, p.Name) {
			case 0:
				delete(shapes, p.Name)
			case 1:
				shapes[p.Name] = rapid.SliceOfN(rapid.SampledFrom(sizes), 0, 5).Draw(t, "shape")
			case 2:
				if s := shapes[p.Name]; len(s) > 0 {
					s[rapid.IntRange(0, len(s)-1).Draw(t, "axis")] = rapid.SampledFrom(sizes).Draw(t, "size")
				}
			}
		}
		got, _, err := models.Infer(shapes, rapid.SampledFrom([]string{"", m.Name}).Draw(t, "name"), [3]int{})
		if err == nil {
			if err := got.Check(); err != nil {
				t.Errorf("an architecture that does not pass: %v", err)
			}
		}
	})
}

// TestOpenTakesPyTorchsFile, which Python's safetensors package wrote.
func TestOpenToleratesOldPyTorch(t *testing.T) {
	a, err := models.Build("eegnet", models.Config{Input: [3]int{1, 28, 512}, Classes: 2, Rate: 128})
	if err != nil {
		t.Fatal(err)
	}
	n := reftest.Network(t, a)
	reftest.Fill(t, n, 5)
	path := filepath.Join(t.TempDir(), "old.safetensors")
	state := slices.DeleteFunc(n.State(), func(p torch.Named) bool { return strings.HasSuffix(p.Name, "num_batches_tracked") })
	if err := torch.SaveSafetensors(path, state, map[string]string{"format": "pt"}); err != nil {
		t.Fatal(err)
	}
	back, _, err := models.Open(path, models.OpenOptions{Input: a.Input})
	if err != nil {
		t.Fatal(err)
	}
	defer back.Free()
	// torcheeg's network bounds its filters when it computes.
	reftest.Constrain(t, n)
	if want, got := logits(t, n, 2), logits(t, back, 2); !slices.Equal(want, got) {
		t.Errorf("logits %v became %v", want, got)
	}
}

func TestOpenTakesOwnCheckpoints(t *testing.T) {
	n := reftest.Network(t, small())
	path := filepath.Join(t.TempDir(), "own.safetensors")
	if err := n.Save(path, "from here"); err != nil {
		t.Fatal(err)
	}
	back, meta, err := models.Open(path, models.OpenOptions{Model: "small"})
	if err != nil {
		t.Fatal(err)
	}
	back.Free()
	if string(meta.Provenance) != `"from here"` || meta.Assumed != nil {
		t.Errorf("provenance %s, assumed %q", meta.Provenance, meta.Assumed)
	}
	_, _, err = models.Open(path, models.OpenOptions{Model: "ccnn"})
	sentence(t, err, path, "holds the network small, not ccnn")
}
