package prune_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eegprune/internal/reftest"
	"eegprune/models"
	"eegprune/prune"
	"eegprune/torch"
)

func TestMain(m *testing.M) { os.Exit(reftest.NoTensorsLeft(m)) }

// outcome is what a structured method keeps and the logits PyTorch gives with the
// other channels' activations held at zero.
type outcome struct {
	Keep   map[string][]int
	Logits [][]float64
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
	}
}

func load(t *testing.T, model string) (reference, *models.Network, *torch.Tensor) {
	t.Helper()
	var r reference
	reftest.ReadJSON(t, "testdata/prune_"+strings.ReplaceAll(model, "-", "_")+".json", &r)
	input := [3]int{r.InChannels, 9, 9}
	if model == "tsception" {
		input = [3]int{1, r.Electrodes, int(r.Rate) * 4}
	}
	none := 0.0
	arch, err := models.Build(model, models.Config{Input: input, Classes: r.Classes, Rate: r.Rate, Dropout: &none})
	if err != nil {
		t.Fatal(err)
	}
	n := reftest.Network(t, arch)
	reftest.Fill(t, n, r.Key)
	x := reftest.Tensor(t, reftest.Ramp(8*input[0]*input[1]*input[2], r.Key+9000, 2), 8, input[0], input[1], input[2])
	return r, n, x
}

func TestReference(t *testing.T) {
	for _, model := range []string{"ccnn", "ccnn-selu", "fbccnn", "tsception"} {
		t.Run(model, func(t *testing.T) {
			r, n, x := load(t, model)
			method, err := prune.ByName("lfp")
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range r.Cases {
				keep, err := method.Select(n, c.Ratio)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(map[string][]int(keep), c.LFP.Keep); d != "" {
					t.Errorf("ratio %g: kept (-got +want):\n%s", c.Ratio, d)
				}
				checkSurgery(t, n, x, c.LFP)
				// Surgery does not care who chose: another method's expected keeps.
				if c.NSFP.Keep != nil {
					nsfp := outcome{Keep: map[string][]int{}, Logits: c.NSFP.Logits}
					for norm, kept := range c.NSFP.Keep {
						nsfp.Keep[groupOfNorm(t, n.Arch, norm)] = kept
					}
					checkSurgery(t, n, x, nsfp)
				}
			}
		})
	}
}

func checkSurgery(t *testing.T, n *models.Network, x *torch.Tensor, want outcome) {
	t.Helper()
	small, err := prune.Remove(n, want.Keep)
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
	reftest.CheckLogits(t, "logits after surgery", logits, want.Logits, 1e-5)
}

func groupOfNorm(t *testing.T, a *models.Arch, norm string) string {
	t.Helper()
	for _, g := range a.Groups {
		for _, m := range g.Norms {
			if m.Layer == norm {
				return g.Name
			}
		}
	}
	t.Fatalf("no group goes through %s", norm)
	return ""
}
