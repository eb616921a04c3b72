package train

import (
	"context"
	"slices"
	"testing"

	"eegprune/data"
	"eegprune/models"
	"eegprune/torch"
)

func TestNewDataUsesTheSetsMemory(t *testing.T) {
	set := &data.Set{X: []float32{1, 2, 3, 4, 5, 6}, Shape: []int{1, 1, 3}, Y: []int64{0, 1}}
	d, err := NewData(set, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Free()
	set.X[5] = 60
	x, err := torch.ToSlice[float32](d.X)
	if err != nil || x[5] != 60 || !slices.Equal(d.X.Shape(), []int{2, 1, 1, 3}) {
		t.Errorf("data %v of shape %v (%v)", x, d.X.Shape(), err)
	}
	before := torch.LiveTensors()
	for what, bad := range map[string]*data.Set{
		"too few values": {X: make([]float32, 5), Shape: []int{1, 1, 3}, Y: []int64{0, 1}},
		"no labels":      {X: make([]float32, 6), Shape: []int{1, 1, 3}},
	} {
		if d, err := NewData(bad, torch.CPU); err == nil {
			d.Free()
			t.Errorf("%s: no error", what)
		}
	}
	if left := torch.LiveTensors() - before; left != 0 {
		t.Errorf("%d tensors are left", left)
	}
	if n, err := torch.CUDADevices(); err == nil && n == 0 {
		if d, err := NewData(set, torch.CUDA(0)); err == nil {
			d.Free()
			t.Error("data on a GPU that is not there is no error")
		}
	}
}

func runFit(ctx context.Context, n *models.Network, d *Data, fit, val []int, o Options, g *torch.Generator, watch Observer) (History, error) {
	return Training{Network: n, Data: d, Fit: fit, Val: val, Options: o, Generator: g, Watch: watch}.Run(ctx)
}
