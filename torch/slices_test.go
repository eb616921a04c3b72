package torch_test

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/torch"
)

func roundTrip[T torch.Element](t *testing.T, dtype torch.DType, data, other []T) {
	t.Run(dtype.String(), func(t *testing.T) {
		x, err := torch.FromSlice(data, 2, 2)
		if err != nil {
			t.Fatal(err)
		}
		defer x.Free()
		original := slices.Clone(data)
		want := torch.Info{DType: dtype, Device: torch.CPU, Shape: []int{2, 2}}
		if d := cmp.Diff(want, x.Info(), cmp.AllowUnexported(torch.Device{})); d != "" {
			t.Errorf("info (-want +got):\n%s", d)
		}
		data[0], data[1] = data[1], data[0]
		got, err := torch.ToSlice[T](x)
		if err != nil || !slices.Equal(got, original) {
			t.Errorf("read back %v (%v), want the copy %v", got, err, original)
		}
		y, err := torch.FromSlice(other, 2, 2)
		if err != nil {
			t.Fatal(err)
		}
		defer y.Free()
		if err := x.CopyFrom(y); err != nil {
			t.Fatal(err)
		}
		into := make([]T, 4)
		if err := torch.Read(x, into); err != nil || !slices.Equal(into, other) {
			t.Errorf("after copying %v the tensor holds %v (%v)", other, into, err)
		}

		w, err := torch.Wrap(data, 2, 2)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Free()
		if err := w.CopyFrom(y); err != nil || !slices.Equal(data, other) {
			t.Errorf("a write to the tensor leaves the slice at %v (%v), want %v", data, err, other)
		}
		copy(data, original)
		if got, err := torch.ToSlice[T](w); err != nil || !slices.Equal(got, original) {
			t.Errorf("after a write to the slice the tensor holds %v (%v), want %v", got, err, original)
		}

		for what, err := range map[string]error{
			"read of too few":  torch.Read(x, make([]T, 3)),
			"read of too many": torch.Read(x, make([]T, 5)),
			"read of none":     torch.Read[T](x, nil),
		} {
			if err == nil {
				t.Errorf("%s elements is no error", what)
			}
		}
		for _, shape := range [][]int{{3}, {2, 3}, {-2, -2}, {}, {0}, {1 << 40, 1 << 40}, {4, 1 << 62}} {
			if y, err := torch.FromSlice(data, shape...); err == nil {
				y.Free()
				t.Errorf("FromSlice of 4 elements as %v is no error", shape)
			} else if !strings.Contains(err.Error(), shapeText(shape...)) {
				t.Errorf("FromSlice as %v: %q does not name the shape", shape, err)
			}
			if y, err := torch.Wrap(data, shape...); err == nil {
				y.Free()
				t.Errorf("Wrap of 4 elements as %v is no error", shape)
			}
		}
	})
}

func TestSlicesGoInAndOutForEveryElementType(t *testing.T) {
	roundTrip(t, torch.Float32, []float32{1, -2.5, 3e38, 1e-45}, []float32{4, 3, 2, 1})
	roundTrip(t, torch.Float64, []float64{1, -2.5, 1e300, 5e-324}, []float64{4, 3, 2, 1})
	roundTrip(t, torch.Int64, []int64{1, -2, 1<<63 - 1, -1 << 63}, []int64{4, 3, 2, 1})
	roundTrip(t, torch.Bool, []bool{true, false, false, true}, []bool{false, false, true, true})
}

func TestEmptyAndDimensionlessTensors(t *testing.T) {
	for _, make := range []func([]float32, ...int) (*torch.Tensor, error){torch.FromSlice[float32], torch.Wrap[float32]} {
		empty, err := make(nil, 0, 3)
		if err != nil {
			t.Fatal(err)
		}
		defer empty.Free()
		if got, err := torch.ToSlice[float32](empty); err != nil || len(got) != 0 || empty.Len() != 0 {
			t.Errorf("an empty tensor holds %v (%v)", got, err)
		}
		scalar, err := make([]float32{7})
		if err != nil {
			t.Fatal(err)
		}
		defer scalar.Free()
		if v, err := scalar.Item(); err != nil || v != 7 || len(scalar.Shape()) != 0 || scalar.Len() != 1 {
			t.Errorf("a tensor without dimensions has shape %v and value %v (%v)", scalar.Shape(), v, err)
		}
	}
}

func TestShapesOfManyDimensions(t *testing.T) {
	shape := []int{1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2}
	x := f32(t, make([]float32, 64), shape...)
	if !slices.Equal(x.Shape(), shape) || x.Len() != 64 {
		t.Errorf("shape %v with %d elements, want %v with 64", x.Shape(), x.Len(), shape)
	}
	if v := values(t, x); len(v) != 64 {
		t.Errorf("%d elements came back, want 64", len(v))
	}
}

func TestElementTypesAreNotMixedUp(t *testing.T) {
	x := f32(t, []float32{1, 2}, 2)
	if err := torch.Read(x, make([]int64, 2)); err == nil || !strings.Contains(err.Error(), "float32") {
		t.Errorf("read with another type: error %v, want one that names float32", err)
	}
	if _, err := x.Item(); err == nil || !strings.Contains(err.Error(), "[2]") {
		t.Errorf("Item of two elements: error %v, want one that names the shape", err)
	}
}

// eventually collects garbage until done returns true; a collection may need several goes
// before the cleanups of its garbage have run.
func eventually(done func() bool) bool {
	for range 200 {
		if done() {
			return true
		}
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	return done()
}

// TestWrapHoldsItsSliceUntilTheLastViewIsGone follows the slice's own end of life: it
// must come after the last tensor's, and must come.
func TestWrapHoldsItsSliceUntilTheLastViewIsGone(t *testing.T) {
	gone := make(chan struct{})
	view := func() *torch.Tensor {
		data := new([1 << 16]float32)
		for i := range data {
			data[i] = float32(i)
		}
		runtime.AddCleanup(data, func(c chan struct{}) { close(c) }, gone)
		x, err := torch.Wrap(data[:], 1<<16)
		if err != nil {
			t.Fatal(err)
		}
		s := scope(t, torch.NoGrad)
		view, err := s.Keep(s.Narrow(x, 0, 100, 3))
		if err != nil {
			t.Fatal(err)
		}
		x.Free()
		s.Close()
		return view
	}()
	isGone := func() bool {
		select {
		case <-gone:
			return true
		default:
			return false
		}
	}
	var garbage [][]float32
	for range 20 {
		garbage = append(garbage, slices.Repeat([]float32{-1}, 1<<16))
		runtime.GC()
	}
	runtime.KeepAlive(garbage)
	if isGone() {
		t.Error("the slice was collected while a view of it is alive")
	}
	check(t, "view", view, []int{3}, 100, 101, 102)
	view.Free()
	if !eventually(isGone) {
		t.Error("the slice was not collected after the last view was freed")
	}
}

func TestFullFillsEveryType(t *testing.T) {
	for dtype, want := range map[torch.DType]float64{torch.Float32: 2.5, torch.Float64: 2.5, torch.Int64: 2, torch.Bool: 1} {
		x, err := torch.Full(want, dtype, torch.CPU, 2, 2)
		if err != nil {
			t.Fatal(err)
		}
		check(t, dtype.String(), x, []int{2, 2}, want, want, want, want)
		if got := x.Info().DType; got != dtype {
			t.Errorf("element type %v, want %v", got, dtype)
		}
		if bytes := map[torch.DType]int{torch.Float32: 4, torch.Float64: 8, torch.Int64: 8, torch.Bool: 1}[dtype]; dtype.Size() != bytes {
			t.Errorf("%v has size %d, want %d", dtype, dtype.Size(), bytes)
		}
		x.Free()
	}
	for what, f := range map[string]func() (*torch.Tensor, error){
		"a negative size":      func() (*torch.Tensor, error) { return torch.Zeros(2, -1) },
		"more than any memory": func() (*torch.Tensor, error) { return torch.Zeros(1<<31, 1<<31) },
		"an overflowing size":  func() (*torch.Tensor, error) { return torch.Zeros(1<<62, 1<<62) },
		"an unknown type":      func() (*torch.Tensor, error) { return torch.Full(0, 99, torch.CPU, 1) },
	} {
		x, err := f()
		if err == nil {
			x.Free()
			t.Errorf("a tensor of %s is no error", what)
		}
	}
}

func TestCopyFromWantsTheSameShape(t *testing.T) {
	dst, src := f32(t, []float32{0, 0}, 2), f32(t, []float32{3, 4}, 2)
	if err := dst.CopyFrom(src); err != nil {
		t.Fatal(err)
	}
	check(t, "copy", dst, []int{2}, 3, 4)
	// PyTorch would broadcast this one.
	err := dst.CopyFrom(f32(t, []float32{9}, 1))
	if err == nil || !strings.Contains(err.Error(), "[2]") || !strings.Contains(err.Error(), "[1]") {
		t.Errorf("copy of another shape: error %v, want one with both shapes", err)
	}
	check(t, "after the failed copy", dst, []int{2}, 3, 4)
}
