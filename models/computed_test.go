package models_test

import (
	"math"
	"testing"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
)

// TestComputedTensors: what the graph computes for a layer is the layer's, in training and evaluation, and as
// it is now.
func TestComputedTensors(t *testing.T) {
	for model, input := range map[string][3]int{"fbccnn": {4, 9, 9}, "eegnet": {1, 6, 300}, "tsception": {1, 8, 300}} {
		plain, err := models.Build(model, models.Config{Input: input, Classes: 2, Rate: 64})
		if err != nil {
			t.Fatal(err)
		}
		for _, arg := range []string{"weight", "bias", "running_mean", "running_var"} {
			own, computed := reftest.Network(t, plain), reftest.Network(t, reftest.Computed(plain, arg))
			for key := range uint64(2) {
				reftest.Fill(t, own, 7+key)
				reftest.Fill(t, computed, 7+key)
				for _, clips := range []int{1, 3, 17} {
					x := reftest.Clips(t, 3, clips, input[0], input[1], input[2])
					want := reftest.Logits(t, own, x)
					for i, got := range reftest.Logits(t, computed, x) {
						if d := math.Abs(float64(got - want[i])); !(d <= 1e-5*math.Max(1, math.Abs(float64(want[i])))) {
							t.Errorf("%s, %d clips, %s computed: logit %d is %g, want %g", model, clips, arg, i, got, want[i])
						}
					}
				}
				x := reftest.Clips(t, 4, 5, input[0], input[1], input[2])
				want := reftest.Losses(t, own, x, 2, 0.01)
				for i, got := range reftest.Losses(t, computed, x, 2, 0.01) {
					if d := math.Abs(float64(got - want[i])); !(d <= 1e-5*float64(want[i])) {
						t.Errorf("%s, %s computed: loss %d is %g, want %g", model, arg, i, got, want[i])
					}
				}
			}
		}
	}
}
