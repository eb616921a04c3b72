//go:build slow

package train

import (
	"context"
	"testing"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// TestTenThousandStepsKeepTheNumberOfTensors trains a real network for as long as a
// study does; the grid is small so that it takes a minute or two.
func TestTenThousandStepsKeepTheNumberOfTensors(t *testing.T) {
	// Layers this small only wait for a second thread.
	if err := torch.SetNumThreads(1); err != nil {
		t.Fatal(err)
	}
	arch, err := models.Build("fbccnn", models.Config{Input: [3]int{4, 3, 3}, Classes: 2})
	if err != nil {
		t.Fatal(err)
	}
	n, g := fresh(t, arch, 1)
	const clips = 200
	y := make([]int64, clips)
	for i := range y {
		y[i] = int64(i % 2)
	}
	d := &Data{X: reftest.Tensor(t, reftest.Ramp(clips*4*9, 1, 1), clips, 4, 3, 3), Y: reftest.Tensor(t, y, clips)}
	o := Options{Optimizer: "sgd", LR: 1e-3, BatchSize: 2, Epochs: 100}
	before, first := torch.LiveTensors(), 0
	if _, err := runFit(context.Background(), n, d, span(0, clips), span(0, 10), o, g, Observer{Epoch: func(epoch int, _ Epoch) {
		live := torch.LiveTensors()
		if epoch == 1 {
			first = live
		}
		if live != first {
			t.Errorf("epoch %d: %d live tensors, %d after the first", epoch, live, first)
		}
	}}); err != nil {
		t.Fatal(err)
	}
	after := torch.LiveTensors()
	t.Logf("live tensors: %d before 10,000 steps, %d while training, %d after", before, first, after)
	if after != before {
		t.Errorf("%d live tensors became %d", before, after)
	}
}
