package experiment_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/torch"
)

// TestPrunedRowsAreAsLongAsTheyMayBe: a row of a weight whose norm is above its bound loses columns
// before it is brought back, as the network does whose columns are zero.
func TestPrunedRowsAreAsLongAsTheyMayBe(t *testing.T) {
	const bounded = "fc.weight"
	n, _, err := models.OpenExported("../models/pt2/testdata/cnn.2.15.pt2", torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Free()
	n.Arch.Tensor(bounded).MaxNorm = 0.1
	path := filepath.Join(t.TempDir(), "net.pt2")
	if err := n.SaveExported(path, nil); err != nil {
		t.Fatal(err)
	}
	c, err := experiment.OpenCheckpoint(path, models.OpenOptions{Unbound: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	small, err := c.Prune(nil, experiment.Pruning{Method: "lfp", Ratio: 0.5}, prune.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer small.Network.Free()
	cut := false
	for _, r := range small.Network.Arch.Removed {
		if r.Tensor == bounded && r.Role == models.Consumer {
			reftest.Silence(t, n.Tensor(bounded), r.Dim, r.Kept)
			cut = true
		}
	}
	if !cut {
		t.Fatal("no column of", bounded, "went")
	}
	reftest.Constrain(t, n)
	in := n.Arch.Input
	x := reftest.Clips(t, 3, 2, in[0], in[1], in[2])
	got, want := reftest.Logits(t, small.Network, x), reftest.Logits(t, n, x)
	for i := range want {
		if d := math.Abs(float64(got[i] - want[i])); !(d <= 1e-6) {
			t.Errorf("logit %d is %g, want %g", i, got[i], want[i])
		}
	}
}
