package models_test

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

func TestForwardByManyGoroutines(t *testing.T) {
	_, arch := load(t, "tsception")
	arch.Node("fc.2").Args["p"] = 0.5
	n := reftest.Network(t, arch)
	reftest.Fill(t, n, 5)
	want := logits(t, n, 2)
	before := torch.LiveTensors()
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for range 3 {
				if got := logits(collect{t}, n, 2); !slices.Equal(got, want) {
					t.Errorf("goroutine %d: logits %v, want %v", i, got, want)
				}
			}
		})
	}
	wait.Wait()
	if left := torch.LiveTensors() - before; left != 0 {
		t.Errorf("%d tensors are left", left)
	}
}

// collect is a test whose Fatal may be called from any goroutine.
type collect struct{ t *testing.T }

func (c collect) Fatal(args ...any) { c.t.Error(args...) }

func TestCloneHasWeightsOfItsOwn(t *testing.T) {
	_, arch := load(t, "fbccnn")
	n := reftest.Network(t, arch)
	reftest.Fill(t, n, 5)
	want := logits(t, n, 2)
	c, err := n.Clone()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Free()
	if got := logits(t, c, 2); !slices.Equal(got, want) {
		t.Errorf("the copy gives %v, want %v", got, want)
	}
	reftest.Fill(t, c, 6)
	c.Arch.Tensors[0].Shape[0] = 99
	if got := logits(t, n, 2); !slices.Equal(got, want) || n.Arch.Tensors[0].Shape[0] == 99 {
		t.Error("a change of the copy shows in the original")
	}
	if err := c.CopyFrom(n); err != nil {
		t.Fatal(err)
	}
	if got := logits(t, c, 2); !slices.Equal(got, want) {
		t.Errorf("after CopyFrom the copy gives %v, want %v", got, want)
	}
	other := reftest.Network(t, small())
	if other.CopyFrom(n) == nil {
		t.Error("weights of another architecture are no error")
	}
	c.Free()
	if _, err := c.Clone(); err == nil {
		t.Error("a copy of a freed network is no error")
	}
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	c.Forward(s, reftest.Tensor(t, make([]float32, 4*81), 1, 4, 9, 9), models.Pass{})
	if s.Err() == nil {
		t.Error("Forward of a freed network is no error")
	}
}

func TestProbeNeedsTheLayersBefore(t *testing.T) {
	a := small()
	a.Tensors[0].Probe = "b"
	g, err := torch.NewGenerator(torch.CPU, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Free()
	_, err = models.New(a, torch.CPU, g)
	sentence(t, err, `layer "a"`, "is made after it")
}

func TestDropoutWorksInTrainingOnly(t *testing.T) {
	a := small()
	n := reftest.Network(t, a)
	reftest.Fill(t, n, 3)
	x := reftest.Tensor(t, reftest.Ramp(4*32, 1, 1), 4, 2, 4, 4)
	g, err := torch.NewGenerator(torch.CPU, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Free()
	forward := func(p models.Pass) []float32 {
		s := torch.NewScope(torch.NoGrad)
		defer s.Close()
		v, err := torch.ToSlice[float32](n.Forward(s, x, p))
		if err != nil {
			t.Fatal(s.Err())
		}
		return v
	}
	if !slices.Equal(forward(models.Pass{}), forward(models.Pass{Generator: g})) {
		t.Error("two evaluations differ")
	}
	if slices.Equal(forward(models.Pass{Training: true, Generator: g}), forward(models.Pass{Training: true, Generator: g})) {
		t.Error("two passes in training drop the same")
	}
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	if n.Forward(s, x, models.Pass{Training: true}); s.Err() == nil {
		t.Error("dropout in training without a generator is no error")
	}
}

// TestConstrainBoundsFilters; a forward pass leaves them as they are.
func TestConstrainBoundsFilters(t *testing.T) {
	_, arch := load(t, "eegnet")
	n := reftest.Network(t, arch)
	reftest.Fill(t, n, 5)
	norms := func() []float64 {
		w, err := torch.ToSlice[float32](n.Tensor("block1.2.weight"))
		if err != nil {
			t.Fatal(err)
		}
		var all []float64
		for row := range slices.Chunk(w, arch.Input[1]) {
			sum := 0.0
			for _, v := range row {
				sum += float64(v) * float64(v)
			}
			all = append(all, math.Sqrt(sum))
		}
		return all
	}
	before := norms()
	logits(t, n, 2)
	if !slices.Equal(before, norms()) {
		t.Error("a forward pass changes weights")
	}
	s := torch.NewScope(torch.Grad) // as in a training
	defer s.Close()
	if n.Constrain(s); s.Err() != nil {
		t.Fatal(s.Err())
	}
	for i, after := range norms() {
		if want := min(before[i], 1); math.Abs(after-want) > 1e-6 {
			t.Errorf("filter %d of norm %g has now %g, want %g", i, before[i], after, want)
		}
	}
	if slices.Max(before) <= 1 || slices.Min(before) >= 1 {
		t.Errorf("norms %v are not on both sides of 1", before)
	}
}

// TestAfterReplacesWhatALayerGave zeroes the last layer but one: the logits are then
// the last one's bias.
func TestAfterReplacesWhatALayerGave(t *testing.T) {
	n := reftest.Network(t, small())
	reftest.Fill(t, n, 3)
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	var seen []string
	out := n.Forward(s, reftest.Tensor(t, reftest.Ramp(32, 1, 1), 1, 2, 4, 4), models.Pass{
		After: func(s *torch.Scope, node *op.Node, out *torch.Tensor) *torch.Tensor {
			seen = append(seen, node.Name)
			if node.Name == "drop" {
				return s.MulScalar(out, 0)
			}
			return out
		}})
	got, err := torch.ToSlice[float32](out)
	if err != nil {
		t.Fatal(s.Err())
	}
	bias, err := torch.ToSlice[float32](n.Tensor("out.bias"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, bias) {
		t.Errorf("logits %v, want the bias %v", got, bias)
	}
	if want := "[a b cat norm pool flatten drop out]"; fmt.Sprint(seen) != want {
		t.Errorf("layers were computed in the order %v, want %s", seen, want)
	}
}
