package prune

import (
	"math"
	"testing"
)

// By hand: over 4 epochs the ratio rises in the first 3, 0.8 (1 - (1 - t/3)³).
func TestGradualRatioRisesAlongACubic(t *testing.T) {
	for epoch, want := range []float64{0.8 * (1 - 8./27), 0.8 * (1 - 1./27), 0.8, 0.8} {
		if got := gradual(0.8, epoch, 4); math.Abs(got-want) > 1e-12 {
			t.Errorf("after epoch %d of 4 it is %g, want %g", epoch+1, got, want)
		}
	}
	if got := gradual(0.8, 0, 1); got != 0.8 {
		t.Errorf("after the only epoch it is %g, want the ratio", got)
	}
}
