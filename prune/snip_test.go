package prune_test

import (
	"math"
	"testing"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/train"
)

// By hand: out = w2 (w1 x), with w1 = (1, 2), w2 = ((1, 1), (0, 0)) and a clip of class 1 of which
// x = 1. The logits are (3, 0), p of class 0 is 1/(1+e^-3); dL/dw1 = p w2[0], dL/dw2 = (p w1, -p w1).
func TestSNIPIsWeightTimesGradient(t *testing.T) {
	net := op.NewNet(1, 1, 1)
	net.Linear("out", 2, 2)(net.Flatten("flatten")(net.Conv2d("conv", 1, 2, [2]int{1, 1}, op.ConvOptions{})(models.Input)))
	arch, err := models.Custom("tiny", [3]int{1, 1, 1}, 2, net)
	if err != nil {
		t.Fatal(err)
	}
	n := reftest.Network(t, arch)
	for name, v := range map[string][]float32{"conv.weight": {1, 2}, "conv.bias": {0, 0}, "out.weight": {1, 1, 0, 0}, "out.bias": {0, 0}} {
		reftest.Set(t, n.Tensor(name), v)
	}
	d := &train.Data{X: reftest.Tensor(t, []float32{1}, 1, 1, 1, 1), Y: reftest.Tensor(t, []int64{1}, 1)}
	e := prune.Evidence{Gradients: func(use func() error) error { return train.Gradients(n, d, []int{0}, 1, 1, use) }}
	p := 1 / (1 + math.Exp(-3))
	for tensor, want := range map[string][]float64{"conv.weight": {p, 2 * p}, "out.weight": {p, 2 * p, 0, 0}} {
		got := scores(t, n, "snip", e, &prune.Candidate{Name: tensor, Tensor: tensor, Size: len(want)})
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-6 {
				t.Errorf("%s scores %v, want %v", tensor, got, want)
			}
		}
	}
}
