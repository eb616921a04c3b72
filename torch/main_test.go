package torch_test

import (
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/torch"
)

func TestMain(m *testing.M) {
	// A process opens libtorch once: a failure to open it is tried in another.
	if os.Getenv(loadOnly) != "" {
		printLoadError()
		return
	}
	os.Exit(reftest.Main(m))
}

// scope opens a scope that is closed when the test ends.
func scope(t testing.TB, mode torch.Mode) *torch.Scope {
	t.Helper()
	s := torch.NewScope(mode)
	t.Cleanup(s.Close)
	return s
}

func f32(t testing.TB, data []float32, shape ...int) *torch.Tensor {
	t.Helper()
	return reftest.Tensor(t, data, shape...)
}

func i64(t testing.TB, data []int64, shape ...int) *torch.Tensor {
	t.Helper()
	return reftest.Tensor(t, data, shape...)
}

// leaf makes a float64 tensor that gradients are computed for.
func leaf(t testing.TB, data []float64, shape ...int) *torch.Tensor {
	t.Helper()
	x := reftest.Tensor(t, data, shape...)
	if err := x.RequireGrad(); err != nil {
		t.Fatal(err)
	}
	return x
}

// values reads any tensor as float64 numbers.
func values(t testing.TB, x *torch.Tensor) []float64 {
	t.Helper()
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	v, err := torch.ToSlice[float64](s.To(x, torch.Float64, torch.CPU))
	if err != nil {
		t.Fatalf("reading a tensor: %v (scope: %v)", err, s.Err())
	}
	return v
}

// check compares a tensor with the shape and the values it must have, within 1e-6.
func check(t testing.TB, what string, x *torch.Tensor, shape []int, want ...float64) {
	t.Helper()
	if d := cmp.Diff(shape, x.Shape()); d != "" {
		t.Errorf("%s: shape (-want +got):\n%s", what, d)
		return
	}
	near(t, what, values(t, x), want, 1e-6)
}

// A reporter is a test or a property of rapid's.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

// near compares numbers: each may differ by tolerance times its magnitude, or
// tolerance where that is below 1.
func near(t reporter, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	for i := range want {
		if math.IsNaN(want[i]) && math.IsNaN(got[i]) {
			continue
		}
		if got[i] != want[i] && !(math.Abs(got[i]-want[i]) <= tolerance*max(1, math.Abs(want[i]))) {
			t.Errorf("%s: value %d is %.12g, want %.12g", what, i, got[i], want[i])
			return
		}
	}
}

// quietly runs f and turns a panic into an error of the test.
func quietly(t testing.TB, what string, f func()) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s panics: %v", what, p)
		}
	}()
	f()
}

func shapeText(shape ...int) string { return fmt.Sprint(shape) }
