package prune_test

import (
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/torch"
)

// A file of a pruned network holds all of it: structure, masks and every bit.
func TestSavedAndLoadedIsTheSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pruned.safetensors")
	rapid.Check(t, func(rt *rapid.T) {
		arch := reftest.RandomArch(rt)
		n := randomNetwork(rt, t, arch)
		defer n.Free()
		once, err := choose(t, n, rapid.SampledFrom([]string{"uwmp", "lamp"}).Draw(rt, "masks"), rapid.Float64Range(0, 0.9).Draw(rt, "masked"), prune.Options{Linear: true})
		if err != nil {
			rt.Fatal(err)
		}
		masked, err := once.Apply(n)
		if err != nil {
			rt.Fatal(err)
		}
		defer masked.Free()
		small, err := prune.Remove(masked, randomKeep(rt, arch))
		if err != nil {
			rt.Fatal(err)
		}
		defer small.Free()
		if err := small.Save(path, "test"); err != nil {
			rt.Fatal(err)
		}
		loaded, _, err := models.Load(path, torch.CPU)
		if err != nil {
			rt.Fatal(err)
		}
		defer loaded.Free()
		if cmp.Diff(loaded.Arch, small.Arch, cmpopts.IgnoreUnexported(models.Arch{})) != "" || !reflect.DeepEqual(loaded.Masks(), small.Masks()) {
			rt.Fatal("structure or masks are others after loading")
		}
		for i, p := range small.State() {
			got, _ := torch.ToSlice[float32](loaded.State()[i].Tensor)
			want, _ := torch.ToSlice[float32](p.Tensor)
			if !slices.Equal(got, want) {
				rt.Fatalf("%s is another after loading", p.Name)
			}
		}
	})
}

// Masking a masked network masks the union, and removing channels of a masked network
// leaves the same as removing and masking the other way round.
func TestMasksAddUpAndGoWithTheirChannels(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		arch := reftest.RandomArch(rt)
		n := randomNetwork(rt, t, arch)
		defer n.Free()
		random := func(name string) prune.Decision {
			d := prune.Decision{Masks: models.Masks{}}
			for _, p := range n.State() {
				if p.Buffer || p.Tensor.Info().DType != torch.Float32 || len(p.Tensor.Shape()) < 2 {
					continue
				}
				m := models.NewMask(p.Tensor.Len())
				seed := rapid.Uint64().Draw(rt, name)
				for i := range m.Len() {
					if seed>>(i%64)&1 == 1 {
						m.Keep(i)
					}
				}
				d.Masks[p.Name] = m
			}
			return d
		}
		a, b := random("first"), random("second")
		apply := func(n *models.Network, d prune.Decision) *models.Network {
			m, err := d.Apply(n)
			if err != nil {
				rt.Fatal(err)
			}
			return m
		}
		once := apply(n, a)
		defer once.Free()
		twice := apply(once, b)
		defer twice.Free()
		for _, name := range slices.Sorted(maps.Keys(a.Masks)) {
			for i := range a.Masks[name].Len() {
				if want := a.Masks[name].Stays(i) && b.Masks[name].Stays(i); twice.Masks()[name].Stays(i) != want {
					rt.Fatalf("%s[%d] stays: %v, want %v", name, i, !want, want)
				}
			}
		}
		// The logits of the cut network are those of the masked one with channels at zero.
		keep := randomKeep(rt, arch)
		cut, err := prune.Remove(twice, keep)
		if err != nil {
			rt.Fatal(err)
		}
		defer cut.Free()
		in := arch.Input
		x := reftest.Ramp(3*in[0]*in[1]*in[2], 7, 2)
		closeTo(rt, "cut", logits(rt, cut, x, nil), logits(rt, twice, x, holdAtZero(arch, keep)))
		// Its masks fit its weights: a weight that a mask leaves out is zero, and was not
		// zero by chance elsewhere.
		for _, p := range cut.State() {
			mask := cut.Masks()[p.Name]
			if mask == nil {
				continue
			}
			v, err := torch.ToSlice[float32](p.Tensor)
			if err != nil {
				rt.Fatal(err)
			}
			for i := range v {
				if mask.Stays(i) != (v[i] != 0) {
					rt.Fatalf("%s[%d] is %g, its mask says it stays: %v", p.Name, i, v[i], mask.Stays(i))
				}
			}
		}
	})
}

// Every method works on every network on which it means something.
func TestEveryMethodOnEveryNetwork(t *testing.T) {
	for _, model := range models.Names() {
		m, err := models.ByName(model)
		if err != nil {
			t.Fatal(err)
		}
		input := [3]int{1, 28, 512}
		if m.Grid {
			input = [3]int{4, 9, 9}
		}
		none := 0.0
		arch, err := models.Build(model, models.Config{Input: input, Classes: 3, Rate: 128, Dropout: &none})
		if err != nil {
			t.Fatal(err)
		}
		n := reftest.Network(t, arch)
		reftest.Fill(t, n, 77)
		x := reftest.Tensor(t, reftest.Ramp(4*input[0]*input[1]*input[2], 5, 2), 4, input[0], input[1], input[2])
		for _, method := range prune.Methods() {
			if method.Fits(arch) != nil {
				continue
			}
			d, err := prune.Choose(n, method, 0.5, prune.Options{Linear: model != "ccnn-selu"}, evidence(n)) // once is enough for such wide layers
			if err != nil {
				t.Fatalf("%s on %s: %v", method.Name, model, err)
			}
			small, err := d.Apply(n)
			if err != nil {
				t.Fatalf("%s on %s: %v", method.Name, model, err)
			}
			whole, err := arch.Count()
			if err != nil {
				t.Fatal(err)
			}
			left, err := small.Arch.CountMasked(small.Masks())
			if err != nil {
				t.Fatal(err)
			}
			if left.MACs() >= whole.MACs() || left.Parameters >= whole.Parameters {
				t.Errorf("%s at 0.5 on %s leaves %+v of %+v", method.Name, model, left, whole)
			}
			if d.Masks == nil {
				checkEqualToHeld(t, n, small, x, d.Keep)
			}
			small.Free()
		}
	}
}

func checkEqualToHeld(t *testing.T, n, small *models.Network, x *torch.Tensor, keep prune.Keep) {
	t.Helper()
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	want := n.Forward(s, x, models.Pass{After: holdAtZero(n.Arch, keep)})
	got := small.Forward(s, x, models.Pass{})
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	w, err := torch.ToSlice[float32](want)
	if err != nil {
		t.Fatal(err)
	}
	rows := make([][]float64, want.Shape()[0])
	for i, v := range w {
		rows[i/n.Arch.Classes] = append(rows[i/n.Arch.Classes], float64(v))
	}
	reftest.CheckLogits(t, n.Arch.Model+": logits after surgery", got, rows, 1e-5)
}
