//go:build python

package scripts_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/torch"
)

// TestBuiltInNetworksAreTheirExports: a network of its own and the same one exported by PyTorch, as
// torcheeg or braindecode define it, have the same groups, logits, losses and kept channels.
func TestBuiltInNetworksAreTheirExports(t *testing.T) {
	dir := t.TempDir()
	script, err := filepath.Abs("networks/builtin.py")
	if err != nil {
		t.Fatal(err)
	}
	if _, said, err := python(t, dir, script, dir); err != nil {
		t.Fatal(err, said)
	}
	for _, model := range models.All() {
		t.Run(model.Name, func(t *testing.T) {
			exported, _, err := models.OpenExported(filepath.Join(dir, model.Name+".pt2"), torch.CPU)
			if err != nil {
				t.Fatal(err)
			}
			defer exported.Free()
			arch, err := models.Build(model.Name, models.Config{Input: exported.Arch.Input, Classes: exported.Arch.Classes, Rate: 128})
			if err != nil {
				t.Fatal(err)
			}
			own, err := models.New(arch, torch.CPU, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer own.Free()
			if err := own.CopyFrom(exported); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(together(own.Arch), together(exported.Arch)); d != "" {
				t.Error("groups (- own, + exported):\n", d)
			}
			var want struct {
				Shape          []int
				Logits, Losses []float64
			}
			reftest.ReadJSON(t, filepath.Join(dir, model.Name+".json"), &want)
			x := reftest.Clips(t, 9000, want.Shape...)
			for what, n := range map[string]*models.Network{"own": own, "exported": exported} {
				reftest.Near(t, what+": logits", reftest.Logits(t, n, x), want.Logits)
				reftest.Near(t, what+": losses", reftest.Losses(t, n, x, len(want.Losses), 0.01), want.Losses)
			}
			sameTensors(t, pruned(t, own), pruned(t, exported))
		})
	}
}

// together is what goes with each channel that can go, in words, without the groups' names.
func together(a *models.Arch) []string {
	var all []string
	for _, g := range a.Groups {
		for c := range g.Channels {
			var parts []string
			for _, p := range g.Parts {
				parts = append(parts, fmt.Sprint(p.Tensor, " ", p.Dim, p.Index[c], p.Role))
			}
			slices.Sort(parts)
			all = append(all, strings.Join(parts, ", "))
		}
	}
	slices.Sort(all)
	return all
}

// pruned is a network without two fifths of its filters, as lfp chooses them.
func pruned(t *testing.T, n *models.Network) *models.Network {
	lfp, err := prune.ByName("lfp")
	if err != nil {
		t.Fatal(err)
	}
	d, err := prune.Choose(n, lfp, 0.4, prune.Options{}, prune.Evidence{})
	if err != nil {
		t.Fatal(err)
	}
	small, err := d.Apply(n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(small.Free)
	return small
}

// sameTensors holds what is left of one to what is left of the other.
func sameTensors(t *testing.T, own, exported *models.Network) {
	t.Helper()
	for _, w := range own.State() {
		a, err := torch.ToSlice[float32](w.Tensor)
		if err != nil { // a count of batches
			continue
		}
		b, err := torch.ToSlice[float32](exported.Tensor(w.Name))
		if err != nil || !slices.Equal(a, b) {
			t.Errorf("%s: what is left differs: %v", w.Name, err)
		}
	}
}
