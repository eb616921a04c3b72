package torch_test

import (
	"math"
	"strings"
	"testing"

	"eegprune/torch"
)

func TestLoadStateListsEverythingThatIsWrong(t *testing.T) {
	a, b, c := f32(t, []float32{0, 0}, 2), f32(t, []float32{0}, 1), f32(t, []float32{0}, 1)
	state := []torch.Named{{Name: "a", Tensor: a}, {Name: "b", Tensor: b}, {Name: "c", Tensor: c}}
	one, three := f32(t, []float32{1}, 1), f32(t, []float32{1, 2, 3}, 3)
	err := torch.LoadState(state, map[string]*torch.Tensor{"a": three, "c": one, "d": one, "e": one})
	if err == nil {
		t.Fatal("wrong tensors are no error")
	}
	for _, part := range []string{"a has shape [3] where [2] is needed", "b is missing", "d is not part", "e is not part"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if strings.Contains(err.Error(), "c ") {
		t.Errorf("%q names c, which is right", err)
	}
	check(t, "the right one, after the failed load", c, []int{1}, 0)
	if err := torch.LoadState(state, map[string]*torch.Tensor{"a": f32(t, []float32{4, 5}, 2), "b": one, "c": one}); err != nil {
		t.Fatal(err)
	}
	check(t, "a", a, []int{2}, 4, 5)
	check(t, "b", b, []int{1}, 1)
}

// TestLoadStateCopiesNothingFromAFreedTensor has one without dimensions, whose shape
// looks as a freed one's does.
func TestLoadStateCopiesNothingFromAFreedTensor(t *testing.T) {
	a, count := f32(t, []float32{0}, 1), i64(t, []int64{0})
	freed, err := torch.FromSlice([]int64{9})
	if err != nil {
		t.Fatal(err)
	}
	freed.Free()
	err = torch.LoadState([]torch.Named{{Name: "a", Tensor: a}, {Name: "count", Tensor: count}},
		map[string]*torch.Tensor{"a": f32(t, []float32{1}, 1), "count": freed})
	if err == nil || !strings.Contains(err.Error(), "count") {
		t.Errorf("error %v, want one that names count", err)
	}
	check(t, "a", a, []int{1}, 0)
}

func TestFreshLayersAreDrawnWithinPyTorchsBounds(t *testing.T) {
	g := generator(t, 1)
	conv, err := torch.NewConv2d(4, 8, [2]int{3, 5}, true, torch.Conv2dOptions{Groups: 2}, torch.CPU, g)
	if err != nil {
		t.Fatal(err)
	}
	defer conv.Free()
	linear, err := torch.NewLinear(100, 30, true, torch.CPU, g)
	if err != nil {
		t.Fatal(err)
	}
	defer linear.Free()
	for _, c := range []struct {
		what  string
		x     *torch.Tensor
		fanIn float64
	}{
		{"conv weight", conv.Weight, 2 * 3 * 5}, {"conv bias", conv.Bias, 2 * 3 * 5}, {"linear weight", linear.Weight, 100}, {"linear bias", linear.Bias, 100},
	} {
		bound, largest, positive := 1/math.Sqrt(c.fanIn), 0.0, 0
		v := values(t, c.x)
		for _, e := range v {
			largest = max(largest, math.Abs(e))
			if e > 0 {
				positive++
			}
		}
		if largest > bound || largest < bound/2 || positive == 0 || positive == len(v) {
			t.Errorf("%s: largest magnitude %g and %d of %d positive, want up to %g on both sides of 0", c.what, largest, positive, len(v), bound)
		}
	}
}

func TestLayersWithoutAGeneratorAreZero(t *testing.T) {
	conv, err := torch.NewConv2d(1, 2, [2]int{1, 2}, false, torch.Conv2dOptions{}, torch.CPU, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conv.Free()
	check(t, "weight", conv.Weight, []int{2, 1, 1, 2}, 0, 0, 0, 0)
	if conv.Bias != nil || len(conv.State()) != 1 || conv.State()[0].Name != "weight" {
		t.Errorf("without a bias the layer has %v", conv.State())
	}
}

func TestBatchNormNamesItsStateAsPyTorchDoes(t *testing.T) {
	b, err := torch.NewBatchNorm2d(3, torch.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Free()
	var names []string
	for _, n := range b.State() {
		if n.Buffer {
			n.Name += "*"
		}
		names = append(names, n.Name)
	}
	if got := strings.Join(names, " "); got != "weight bias running_mean* running_var* num_batches_tracked*" {
		t.Errorf("state %s", got)
	}
	check(t, "weight", b.Weight, []int{3}, 1, 1, 1)
	check(t, "variance", b.Variance, []int{3}, 1, 1, 1)
	check(t, "count", b.Count, []int{}, 0)
}
