package prune_test

import (
	"slices"
	"testing"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

// By hand: three filters of one weight each, 1, -1 and 2, over the clips (1, -1) and (2, 3) of two
// places. After the ReLU filter 0 has 1 0 2 3, filter 1 has 0 1 0 0, filter 2 has 2 0 4 6.
func TestAPoZCountsZerosAfterTheReLU(t *testing.T) {
	net := op.NewNet(1, 1, 2)
	net.Linear("out", 6, 2)(net.Flatten("flatten")(net.ReLU("relu")(net.Conv2d("conv", 1, 3, [2]int{1, 1}, op.ConvOptions{})(models.Input))))
	arch, err := models.Custom("tiny", [3]int{1, 1, 2}, 2, net)
	if err != nil {
		t.Fatal(err)
	}
	n := reftest.Network(t, arch)
	reftest.Set(t, n.Tensor("conv.weight"), []float32{1, -1, 2})
	reftest.Set(t, n.Tensor("conv.bias"), []float32{0, 0, 0})
	d := &train.Data{X: reftest.Tensor(t, []float32{1, -1, 2, 3}, 2, 1, 1, 2), Y: reftest.Tensor(t, []int64{0, 1}, 2)}
	// In two batches of one clip.
	e := prune.Evidence{Activations: func(use func(*op.Node, *torch.Tensor) error) error {
		return train.Activations(n, d, []int{0, 1}, 1, 2, use)
	}}
	got := scores(t, n, "apoz", e, &prune.Candidate{Name: "conv", Group: &arch.Groups[0], Size: 3})
	if want := []float64{0.75, 0.25, 0.75}; !slices.Equal(got, want) {
		t.Errorf("apoz scores %v, want %v", got, want)
	}
	for model, fits := range map[string]bool{"fbccnn": true, "tsception": false} {
		config := models.Config{Input: [3]int{4, 9, 9}, Classes: 2}
		if !fits {
			config = models.Config{Input: [3]int{1, 28, 512}, Classes: 2, Rate: 128}
		}
		arch, err := models.Build(model, config)
		if err != nil {
			t.Fatal(err)
		}
		m, err := prune.ByName("apoz")
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Fits(arch); (err == nil) != fits {
			t.Errorf("%s: %v", model, err)
		}
	}
}
