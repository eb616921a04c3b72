package train

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
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

// TestDataOnTheHostTrainsTheSame: where a GPU has no room for a set, batches are copied to
// it, of the same clips in the same order.
func TestDataOnTheHostTrainsTheSame(t *testing.T) {
	o := Options{Optimizer: "adam", LR: 0.01, BatchSize: 8, Epochs: 3}
	trained := func(onHost bool) ([]float32, History, Evaluation) {
		d := separable(t, 50)
		d.onHost = onHost
		n, g := fresh(t, tiny(), 5)
		h, err := runFit(t.Context(), n, d, span(0, 30), span(30, 40), o, g, Observer{})
		if err != nil {
			t.Fatal(err)
		}
		e, err := Evaluate(t.Context(), n, d, span(40, 50))
		if err != nil {
			t.Fatal(err)
		}
		if err := Gradients(n, d, span(0, 30), 8, 2, func() error { return nil }); err != nil {
			t.Fatal(err)
		}
		for i := range h.Epochs {
			h.Epochs[i].WallClock = 0
		}
		return weights(t, n), h, e
	}
	onDevice, history, found := trained(false)
	onHost, historyOnHost, foundOnHost := trained(true)
	if !slices.Equal(onDevice, onHost) || !reflect.DeepEqual(history, historyOnHost) || !reflect.DeepEqual(found, foundOnHost) {
		t.Errorf("%v, %v and %v, %v", history, found, historyOnHost, foundOnHost)
	}
}

// TestARecordedStepFindsItsClips: on whichever side the data is.
func TestARecordedStepFindsItsClips(t *testing.T) {
	for _, onHost := range []bool{false, true} {
		d := separable(t, 20)
		d.onHost = onHost
		r := &recording{}
		defer r.free()
		s := torch.NewScope(torch.NoGrad)
		defer s.Close()
		if err := r.hold(d, s.Index([]int{1, 2, 3}, torch.CPU), torch.CPU); err != nil {
			t.Fatal(err)
		}
		for _, rows := range [][]int{{7, 0, 19}, {4, 4, 5}} {
			if err := r.set(d, s.Index(rows, torch.CPU)); err != nil {
				t.Fatal(err)
			}
			x, y := r.clips(s, d, torch.CPU)
			wantX, wantY := d.take(s, s.Index(rows, torch.CPU), torch.CPU)
			if !slices.Equal(floats(t, x), floats(t, wantX)) {
				t.Errorf("on the host %v: other clips than rows %v", onHost, rows)
			}
			got, err := torch.ToSlice[int64](y)
			want, wantErr := torch.ToSlice[int64](wantY)
			if err != nil || wantErr != nil || !slices.Equal(got, want) {
				t.Errorf("on the host %v: classes %v, want %v (%v, %v)", onHost, got, want, err, wantErr)
			}
		}
	}
}

func floats(t *testing.T, x *torch.Tensor) []float32 {
	t.Helper()
	v, err := torch.ToSlice[float32](x)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestASetGoesToAGPUThatHasRoomForIt(t *testing.T) {
	const gib = int64(1) << 30
	for _, c := range []struct {
		set, free int64
		want      bool
	}{{gib, 80 * gib, true}, {60 * gib, 80 * gib, true}, {61 * gib, 80 * gib, false}, {100 * gib, 80 * gib, false}, {1, 0, false}} {
		if got := roomFor(c.set, c.free); got != c.want {
			t.Errorf("%d of %d bytes: room %v", c.set, c.free, got)
		}
	}
	d := separable(t, 20)
	if d.OnHost() != "" {
		t.Error(d.OnHost())
	}
	if d.onHost = true; !strings.Contains(d.OnHost(), "320 bytes") {
		t.Error(d.OnHost())
	}
}
