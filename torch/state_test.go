package torch_test

import (
	"strings"
	"testing"

	"github.com/eegprune/eegprune/torch"
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
