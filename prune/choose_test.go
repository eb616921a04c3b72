package prune_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

// methodFor draws a method that means something on the network.
func methodFor(rt *rapid.T, a *models.Arch) prune.Method {
	var fit []prune.Method
	for _, m := range prune.Methods() {
		if m.Fits(a) == nil {
			fit = append(fit, m)
		}
	}
	return rapid.SampledFrom(fit).Draw(rt, "method")
}

// evidence makes up gradients, since their values make no difference to how channels
// are counted.
func evidence(n *models.Network) prune.Evidence {
	on := func(use func(d *train.Data) error) error {
		in := n.Arch.Input
		x, err := torch.FromSlice(reftest.Ramp(2*in[0]*in[1]*in[2], 5, 1), 2, in[0], in[1], in[2])
		if err != nil {
			return err
		}
		defer x.Free()
		y, err := torch.FromSlice([]int64{0, 1}, 2)
		if err != nil {
			return err
		}
		defer y.Free()
		return use(&train.Data{X: x, Y: y})
	}
	return prune.Evidence{Seed: 3,
		Gradients: func(use func() error) error {
			return on(func(d *train.Data) error { return train.Gradients(n, d, []int{0, 1}, 2, 1, use) })
		},
		Activations: func(use func(*op.Node, *torch.Tensor) error) error {
			return on(func(d *train.Data) error { return train.Activations(n, d, []int{0, 1}, 2, 1, use) })
		}}
}

func counts(rt *rapid.T, d prune.Decision, a *models.Arch) models.Counts {
	c, err := d.Count(a)
	if err != nil {
		rt.Fatal(err)
	}
	return c
}

// Whatever the method and the options, their promises hold, and applying the
// decision gives a network of the size that was counted, with the logits of the network whose
// channels, or weights, are held at zero.
func TestChoiceKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		arch := reftest.RandomArch(rt)
		n := randomNetwork(rt, t, arch)
		defer n.Free()
		m := methodFor(rt, arch)
		o := prune.Options{
			Scope:       rapid.SampledFrom([]string{"", prune.Global, prune.Layer}).Draw(rt, "scope"),
			Linear:      rapid.Bool().Draw(rt, "linear"),
			MinChannels: rapid.IntRange(0, 4).Draw(rt, "min channels"),
			RoundTo:     rapid.IntRange(0, 4).Draw(rt, "round to"),
		}
		if rapid.Bool().Draw(rt, "exclude") {
			o.Exclude = []string{arch.Groups[0].Layers(op.Filter)[0]}
		}
		ratio := rapid.Float64Range(0, 0.99).Draw(rt, "ratio")
		d, err := prune.Choose(n, m, ratio, o, evidence(n))
		if err != nil {
			rt.Fatal(err)
		}
		for name, kept := range d.Keep {
			g := arch.Group(name)
			if len(kept) < min(max(o.MinChannels, 1), g.Channels) {
				rt.Fatalf("%s keeps %d of %d channels, at least %d were to stay", name, len(kept), g.Channels, o.MinChannels)
			}
			if o.RoundTo > 1 && len(kept)%o.RoundTo != 0 && len(kept) != g.Channels {
				rt.Fatalf("%s keeps %d of %d channels, a multiple of %d was asked for", name, len(kept), g.Channels, o.RoundTo)
			}
			if arch.Linear(g) && !o.Linear {
				rt.Fatalf("neurons of %s are pruned without being asked for", name)
			}
		}
		if len(o.Exclude) > 0 && (d.Keep[arch.Groups[0].Name] != nil || d.Masks[o.Exclude[0]+".weight"] != nil) {
			rt.Fatalf("%s is pruned though it was excluded", o.Exclude[0])
		}
		small, err := d.Apply(n)
		if err != nil {
			rt.Fatal(err)
		}
		defer small.Free()
		if got, want := sizeOf(rt, small), counts(rt, d, arch); got != want {
			rt.Fatalf("the network counts %+v, the decision says %+v", got, want)
		}
		in := arch.Input
		x := reftest.Ramp(3*in[0]*in[1]*in[2], 7, 2)
		if d.Masks == nil {
			closeTo(rt, m.Name, logits(rt, small, x, nil), logits(rt, n, x, holdAtZero(arch, d.Keep)))
			return
		}
		zeroed, err := n.Clone()
		if err != nil {
			rt.Fatal(err)
		}
		defer zeroed.Free()
		for name, mask := range d.Masks {
			w := parameter(zeroed, name)
			v, err := torch.ToSlice[float32](w)
			if err != nil {
				rt.Fatal(err)
			}
			for i := range v {
				if !mask.Stays(i) {
					v[i] = 0
				}
			}
			reftest.Set(t, w, v)
		}
		closeTo(rt, m.Name, logits(rt, small, x, nil), logits(rt, zeroed, x, nil))
	})
}

func parameter(n *models.Network, name string) *torch.Tensor {
	i := slices.IndexFunc(n.State(), func(t torch.Named) bool { return t.Name == name })
	return n.State()[i].Tensor
}

func sizeOf(rt *rapid.T, n *models.Network) models.Counts {
	c, err := n.Arch.CountMasked(n.Masks())
	if err != nil {
		rt.Fatal(err)
	}
	return c
}

// A target is reached, and not by more than a step of one channel, or one weight.
func TestTargetIsReached(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		arch := reftest.RandomArch(rt)
		n := randomNetwork(rt, t, arch)
		defer n.Free()
		m := methodFor(rt, arch)
		target := rapid.SampledFrom([]string{prune.Parameters, prune.MACs}).Draw(rt, "target")
		share := rapid.Float64Range(0, 0.9).Draw(rt, "share")
		whole, err := arch.Count()
		if err != nil {
			rt.Fatal(err)
		}
		saved := func(d prune.Decision) float64 {
			c := counts(rt, d, arch)
			if target == prune.MACs {
				return 1 - float64(c.MACs())/float64(whole.MACs())
			}
			return 1 - float64(c.Parameters)/float64(whole.Parameters)
		}
		d, err := prune.Choose(n, m, share, prune.Options{Target: target, Linear: true}, evidence(n))
		if err != nil {
			most, err2 := prune.Choose(n, m, 0.999999, prune.Options{Linear: true}, evidence(n))
			if err2 != nil || saved(most) >= share {
				rt.Fatalf("%v, but pruning nearly all saves %g", err, saved(most))
			}
			return
		}
		if got := saved(d); got < share {
			rt.Fatalf("%g of the %s are saved, %g were asked for", got, target, share)
		}
		// Less pruning saves too little: try the ratios of a grid.
		for ratio := 0.0; ratio < 1; ratio += 1.0 / 16 {
			less, err := prune.Choose(n, m, ratio, prune.Options{Linear: true}, evidence(n))
			if err != nil {
				rt.Fatal(err)
			}
			if s := saved(less); s >= share && s < saved(d) {
				rt.Fatalf("%g of the %s are saved, ratio %g would have saved %g, enough for %g", saved(d), target, ratio, s, share)
			}
		}
	})
}

func TestRatiosOfSingleLayers(t *testing.T) {
	_, n, _ := load(t, "fbccnn")
	d, err := choose(t, n, "nsfp", 0.5, prune.Options{Layers: map[string]float64{"block5.0": 0.75, "lin1.0": 0.5}})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(d.Keep["block5.0"]); got != 64 {
		t.Errorf("block5.0 keeps %d of 256 channels at a ratio of its own of 0.75, want 64", got)
	}
	if d.Keep["lin1.0"] != nil {
		t.Errorf("lin1.0 has no BatchNorm, but loses neurons by it")
	}
	d, err = choose(t, n, "lfp", 0, prune.Options{Layers: map[string]float64{"lin1.0": 0.5}})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(d.Keep["lin1.0"]); got != 256 {
		t.Errorf("lin1.0 keeps %d of 512 neurons at a ratio of its own of 0.5, want 256", got)
	}
}

func TestClippedLayersAreTold(t *testing.T) {
	_, n, _ := load(t, "fbccnn")
	gamma := n.Tensor("block1.2.weight")
	reftest.Set(t, gamma, make([]float32, 12))
	d, err := choose(t, n, "nsfp", 0.3, prune.Options{MinChannels: 2})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Keep["block1.0"]) != 2 || !slices.ContainsFunc(d.Notes, func(s string) bool {
		return s == "block1.0: the global threshold would have left 0 of 12 channels; 2 stay"
	}) {
		t.Errorf("kept %v, notes %q: 2 channels should stay, and a note should say so", d.Keep["block1.0"], d.Notes)
	}
}

// Softly pruned channels, once silenced, leave the logits of the network without them; and
// restoring brings back all but the filters.
func TestSilencedChannelsAreAsRemoved(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		arch := reftest.RandomArch(rt)
		n := randomNetwork(rt, t, arch)
		defer n.Free()
		d, err := choose(t, n, "sfp", rapid.Float64Range(0, 0.99).Draw(rt, "ratio"), prune.Options{Linear: rapid.Bool().Draw(rt, "linear")})
		if err != nil {
			rt.Fatal(err)
		}
		if err := prune.Soften(n, d.Keep); err != nil {
			rt.Fatal(err)
		}
		soft, err := n.Clone()
		if err != nil {
			rt.Fatal(err)
		}
		defer soft.Free()
		restore, err := prune.Silence(n, d.Keep)
		if err != nil {
			rt.Fatal(err)
		}
		silent, err := prune.Silent(n)
		if err != nil {
			rt.Fatal(err)
		}
		for name, kept := range d.Keep {
			if len(kept) < arch.Group(name).Channels && !slices.Equal(silent[name], kept) {
				rt.Fatalf("%s: channels %v are not silent, want %v", name, silent[name], kept)
			}
		}
		small, err := prune.Remove(n, silent)
		if err != nil {
			rt.Fatal(err)
		}
		defer small.Free()
		in := arch.Input
		x := reftest.Ramp(3*in[0]*in[1]*in[2], 7, 2)
		closeTo(rt, "removed", logits(rt, small, x, nil), logits(rt, n, x, nil))
		if err := restore(); err != nil {
			rt.Fatal(err)
		}
		for i, p := range n.State() {
			got, _ := torch.ToSlice[float32](p.Tensor)
			want, _ := torch.ToSlice[float32](soft.State()[i].Tensor)
			if !slices.Equal(got, want) {
				rt.Fatalf("%s is not what it was before it was silenced", p.Name)
			}
		}
	})
}

// Filters of two convolutions whose maps are joined along channels have rows of one BatchNorm: to
// zero those of one leaves the other's as they are.
func TestSoftPruningOfJoinedChannels(t *testing.T) {
	net := op.NewNet(1, 1, 2)
	a, b := net.Conv2d("a", 1, 3, [2]int{1, 1}, op.ConvOptions{}), net.Conv2d("b", 1, 2, [2]int{1, 1}, op.ConvOptions{})
	x := net.BatchNorm2d("norm", 5, op.NormOptions{})(net.Cat("cat", 1)(a(models.Input), b(models.Input)))
	net.Linear("out", 10, 2)(net.Flatten("flatten")(x))
	arch, err := models.Custom("joined", [3]int{1, 1, 2}, 2, net)
	if err != nil {
		t.Fatal(err)
	}
	n := reftest.Network(t, arch)
	whole := map[string][]float32{"a.weight": {1, 2, 3}, "a.bias": {1, 2, 3}, "b.weight": {4, 5}, "b.bias": {4, 5},
		"norm.weight": {1, 2, 3, 4, 5}, "norm.bias": {6, 7, 8, 9, 10}}
	for name, v := range whole {
		reftest.Set(t, n.Tensor(name), v)
	}
	check := func(when string, want map[string][]float32) {
		t.Helper()
		for name, w := range want {
			if got, err := torch.ToSlice[float32](n.Tensor(name)); err != nil || !slices.Equal(got, w) {
				t.Errorf("%s: %s is %v, want %v (%v)", when, name, got, w, err)
			}
		}
	}
	keep := prune.Keep{}
	for i := range arch.Groups {
		switch g := &arch.Groups[i]; g.Channels {
		case 3:
			keep[g.Name] = []int{0, 2}
		case 2:
			keep[g.Name] = []int{1}
		}
	}
	if len(keep) != 2 {
		t.Fatalf("groups are %+v: want one of each convolution", arch.Groups)
	}
	if err := prune.Soften(n, keep); err != nil {
		t.Fatal(err)
	}
	soft := map[string][]float32{"a.weight": {1, 0, 3}, "a.bias": {1, 2, 3}, "b.weight": {0, 5}, "b.bias": {4, 5},
		"norm.weight": {1, 2, 3, 4, 5}, "norm.bias": {6, 7, 8, 9, 10}}
	check("softened", soft)
	restore, err := prune.Silence(n, keep)
	if err != nil {
		t.Fatal(err)
	}
	check("silenced", map[string][]float32{"a.weight": {1, 0, 3}, "a.bias": {1, 0, 3}, "b.weight": {0, 5}, "b.bias": {0, 5},
		"norm.weight": {1, 0, 3, 0, 5}, "norm.bias": {6, 0, 8, 0, 10}})
	if err := restore(); err != nil {
		t.Fatal(err)
	}
	check("restored", soft)
}

func TestUniformWidthFitsTheMACs(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		arch := reftest.RandomArch(rt)
		whole, err := arch.Count()
		if err != nil {
			rt.Fatal(err)
		}
		macs := int64(float64(whole.MACs()) * rapid.Float64Range(0.05, 1).Draw(rt, "share"))
		narrow, err := prune.UniformWidth(arch, macs, prune.Options{Linear: true})
		if err != nil {
			return // too few for one channel a layer
		}
		if err := narrow.Check(); err != nil {
			rt.Fatal(err)
		}
		c, err := narrow.Count()
		if err != nil {
			rt.Fatal(err)
		}
		if c.MACs() > macs {
			rt.Fatalf("%d MACs, no more than %d were asked for", c.MACs(), macs)
		}
		if macs == whole.MACs() && c != whole {
			rt.Fatalf("%+v, the whole network has %+v and fits", c, whole)
		}
	})
}

func TestCriteriaByHand(t *testing.T) {
	// Three filters of two weights: (0,0), (3,4), (0,4).
	net := op.NewNet(2, 1, 1)
	net.Linear("out", 3, 2)(net.Flatten("flatten")(net.Conv2d("conv", 2, 3, [2]int{1, 1}, op.ConvOptions{})(models.Input)))
	arch, err := models.Custom("tiny", [3]int{2, 1, 1}, 2, net)
	if err != nil {
		t.Fatal(err)
	}
	n := reftest.Network(t, arch)
	reftest.Set(t, n.Tensor("conv.weight"), []float32{0, 0, 3, 4, 0, 4})
	channels := &prune.Candidate{Name: arch.Groups[0].Name, Group: &arch.Groups[0], Size: 3}
	check := func(method string, want ...float64) {
		t.Helper()
		got := scores(t, n, method, prune.Evidence{}, channels)
		if !slices.Equal(got, want) {
			t.Errorf("%s scores %v, want %v", method, got, want)
		}
	}
	check("lfp", 0, 7, 4) // L1
	check("sfp", 0, 5, 4) // L2
	check("fpgm", 5+4, 5+3, 4+3)

	if got, want := prune.LAMPScores([]float32{2, -1, 0, 1}), []float64{1, 1.0 / 6, 0, 1.0 / 5}; !slices.Equal(got, want) {
		t.Errorf("LAMP scores %v, want %v: w² over the squares that are not smaller", got, want)
	}

	reftest.Set(t, n.Tensor("out.weight"), []float32{1, 2, 3, 0, 0, 0})
	evidence := prune.Evidence{Gradients: func(use func() error) error {
		s := torch.NewScope(torch.Grad)
		defer s.Close()
		x, y := reftest.Tensor(t, []float32{1, 1}, 1, 2, 1, 1), reftest.Tensor(t, []int64{1}, 1)
		s.Backward(s.CrossEntropy(n.Forward(s, x, models.Pass{}), y))
		if s.Err() != nil {
			return s.Err()
		}
		return use()
	}}
	// Features (0, 7, 4), logits (0+14+12, 0): p of class 0 is 1/(1+e^-26), so for a clip
	// of class 1 the gradient of filter c's output is p*out[c], and its sum of weight
	// times gradient that times its output.
	p := 1 / (1 + math.Exp(-26))
	got := scores(t, n, "taylor", evidence, channels)
	for i, want := range []float64{0, 14 * p * 14 * p, 12 * p * 12 * p} {
		if math.Abs(got[i]-want) > 1e-5*want {
			t.Errorf("taylor scores channel %d %g, want %g", i, got[i], want)
		}
	}
}

// scores returns a method's scores of a candidate.
func scores(t *testing.T, n *models.Network, method string, e prune.Evidence, c *prune.Candidate) []float64 {
	t.Helper()
	m, err := prune.ByName(method)
	if err != nil {
		t.Fatal(err)
	}
	score, err := m.Score(n, e)
	if err != nil {
		t.Fatal(err)
	}
	v, err := score(c)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
