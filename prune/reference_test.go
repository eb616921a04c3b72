package prune_test

import (
	"flag"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/torch"
)

func TestMain(m *testing.M) {
	_ = flag.Set("rapid.checks", "200") // random networks for each property
	os.Exit(reftest.Main(m))
}

// outcome holds the channels that a structured method keeps and PyTorch's logits with the
// other channels' activations held at zero.
type outcome struct {
	Keep      map[string][]int
	Threshold float64
	Logits    [][]float64
}

type reference struct {
	InChannels int `json:"in_channels"`
	Classes    int
	Electrodes int
	Rate       float64
	Key        uint64
	Cases      []struct {
		Ratio float64
		LFP   outcome
		NSFP  outcome
		SFP   struct{ Zeroed map[string][]int }
		UWMP  struct {
			Threshold float64
			Nonzero   map[string]int
			Logits    [][]float64
		}
	}
}

func load(t *testing.T, model string) (reference, *models.Network, *torch.Tensor) {
	t.Helper()
	var r reference
	reftest.ReadJSON(t, reftest.Expected(t, "prune", model), &r)
	model = path.Base(model)
	input := [3]int{r.InChannels, 9, 9}
	if m, err := models.ByName(model); err == nil && !m.Grid {
		input = [3]int{1, r.Electrodes, int(r.Rate) * 4}
	}
	none := 0.0
	arch, err := models.Build(model, models.Config{Input: input, Classes: r.Classes, Rate: r.Rate, Dropout: &none})
	if err != nil {
		t.Fatal(err)
	}
	n := reftest.Network(t, arch)
	reftest.Fill(t, n, r.Key)
	reftest.Constrain(t, n)
	x := reftest.Tensor(t, reftest.Ramp(8*input[0]*input[1]*input[2], r.Key+9000, 2), 8, input[0], input[1], input[2])
	return r, n, x
}

func TestReference(t *testing.T) {
	for _, model := range reftest.Models("prune") {
		t.Run(model, func(t *testing.T) {
			r, n, x := load(t, model)
			for _, c := range r.Cases {
				lfp := decide(t, n, "lfp", c.Ratio)
				if d := cmp.Diff(map[string][]int(lfp.Keep), c.LFP.Keep); d != "" {
					t.Errorf("lfp at %g: kept (-got +want):\n%s", c.Ratio, d)
				}
				checkLogits(t, n, x, lfp, c.LFP.Logits)

				zeroed := map[string][]int{}
				for name, kept := range decide(t, n, "sfp", c.Ratio).Keep {
					zeroed[name] = others(kept, n.Arch.Group(name).Channels)
				}
				if d := cmp.Diff(zeroed, c.SFP.Zeroed); d != "" {
					t.Errorf("sfp at %g: zeroed (-got +want):\n%s", c.Ratio, d)
				}

				uwmp := decide(t, n, "uwmp", c.Ratio)
				nonzero := map[string]int{}
				for name, mask := range uwmp.Masks {
					nonzero[strings.TrimSuffix(name, ".weight")] = mask.Count()
				}
				if d := cmp.Diff(nonzero, c.UWMP.Nonzero); d != "" || uwmp.Threshold != c.UWMP.Threshold {
					t.Errorf("uwmp at %g: threshold %g, want %g; nonzeros (-got +want):\n%s", c.Ratio, uwmp.Threshold, c.UWMP.Threshold, d)
				}
				checkLogits(t, n, x, uwmp, c.UWMP.Logits)

				if c.NSFP.Keep == nil {
					continue // CCNN has no BatchNorm
				}
				nsfp := decide(t, n, "nsfp", c.Ratio)
				want := map[string][]int{}
				for norm, kept := range c.NSFP.Keep {
					want[groupOfNorm(t, n.Arch, norm)] = kept
				}
				if d := cmp.Diff(map[string][]int(nsfp.Keep), want); d != "" || nsfp.Threshold != c.NSFP.Threshold {
					t.Errorf("nsfp at %g: threshold %g, want %g; kept (-got +want):\n%s", c.Ratio, nsfp.Threshold, c.NSFP.Threshold, d)
				}
				checkLogits(t, n, x, nsfp, c.NSFP.Logits)
			}
		})
	}
}

func decide(t *testing.T, n *models.Network, method string, ratio float64) prune.Decision {
	t.Helper()
	d, err := choose(t, n, method, ratio, prune.Options{})
	if err != nil {
		t.Fatalf("%s at %g: %v", method, ratio, err)
	}
	return d
}

// others are the channels that are not kept.
func others(kept []int, channels int) []int {
	out := []int{}
	for c := range channels {
		if !slices.Contains(kept, c) {
			out = append(out, c)
		}
	}
	return out
}

func checkLogits(t *testing.T, n *models.Network, x *torch.Tensor, d prune.Decision, want [][]float64) {
	t.Helper()
	small, err := d.Apply(n)
	if err != nil {
		t.Fatal(err)
	}
	defer small.Free()
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	logits := small.Forward(s, x, models.Pass{})
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	reftest.CheckLogits(t, "logits of the pruned network", logits, want, 1e-5)
}

func groupOfNorm(t *testing.T, a *models.Arch, norm string) string {
	t.Helper()
	for _, g := range a.Groups {
		if slices.Contains(g.Layers(op.Scale), norm) {
			return g.Name
		}
	}
	t.Fatalf("no group goes through %s", norm)
	return ""
}
