package torch_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/torch"
)

// TestGoroutinesShareWeights computes the same from many goroutines, some of them
// recording and some not, each moved between threads as the scheduler likes, and
// expects from each the result of a goroutine alone.
func TestGoroutinesShareWeights(t *testing.T) {
	weight := f32(t, reftest.Ramp(4*2*3*3, 1, 0.5), 4, 2, 3, 3)
	bias := f32(t, reftest.Ramp(4, 2, 0.5), 4)
	x := f32(t, reftest.Ramp(3*2*6*6, 3, 1), 3, 2, 6, 6)
	labels := i64(t, []int64{0, 3, 1}, 3)
	before := torch.LiveTensors()

	// A goroutine that wants gradients has a parameter of its own: gradients add up in
	// the parameter.
	work := func(mode torch.Mode) (out []float64, err error) {
		s := torch.NewScope(mode)
		defer s.Close()
		own, err := torch.Full(0.5, torch.Float32, torch.CPU, 4)
		if err != nil {
			return nil, err
		}
		defer own.Free()
		if err := own.RequireGrad(); err != nil {
			return nil, err
		}
		y := s.LeakyReLU(s.Conv2d(x, weight, bias, torch.Conv2dOptions{Padding: [2]int{1, 1}}), 0.1)
		runtime.Gosched() // the next call may be made from another thread
		loss := s.CrossEntropy(s.Mul(s.Mean(s.Mean(y, -1), -1), own), labels)
		result := loss
		if mode == torch.Grad {
			runtime.Gosched()
			s.Backward(loss)
			result = s.GradOf(own)
		} else {
			probe := torch.NewScope(torch.Grad)
			probe.Backward(loss)
			if probe.Err() == nil {
				err = fmt.Errorf("a NoGrad scope recorded its operations")
			}
			probe.Close()
		}
		if err != nil || s.Err() != nil {
			return nil, fmt.Errorf("%v, %v", err, s.Err())
		}
		v, err := torch.ToSlice[float32](result)
		for _, e := range v {
			out = append(out, float64(e))
		}
		return out, err
	}
	want := map[torch.Mode][]float64{}
	for _, mode := range []torch.Mode{torch.Grad, torch.NoGrad} {
		v, err := work(mode)
		if err != nil {
			t.Fatal(err)
		}
		want[mode] = v
	}

	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			if i%4 == 0 {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
			}
			for k := range 10 {
				mode := torch.Mode((i+k)%2 == 0)
				got, err := work(mode)
				if err != nil {
					t.Error(err)
					return
				}
				near(t, fmt.Sprint("goroutine ", i), got, want[mode], 1e-6)
			}
		})
	}
	wait.Wait()
	if n := torch.LiveTensors() - before; n != 0 {
		t.Errorf("%d tensors are left", n)
	}
}

// TestErrorsStayWithTheirGoroutine lets half of the goroutines fail, each in its way.
func TestErrorsStayWithTheirGoroutine(t *testing.T) {
	x := f32(t, []float32{1, 2, 3}, 3)
	var wait sync.WaitGroup
	for i := range 16 {
		wait.Go(func() {
			for range 20 {
				s := torch.NewScope(torch.NoGrad)
				y := s.Reshape(x, 3)
				if i%2 == 1 {
					y = s.Reshape(x, 100+i)
				}
				runtime.Gosched()
				s.Neg(y)
				var e *torch.Error
				err := s.Err()
				switch {
				case i%2 == 0 && err != nil:
					t.Errorf("goroutine %d has another's error: %v", i, err)
				case i%2 == 1 && !(errors.As(err, &e) && strings.Contains(e.Message, fmt.Sprint(100+i))):
					t.Errorf("goroutine %d: error %v, want one of its own shape %d", i, err, 100+i)
				}
				s.Close()
			}
		})
	}
	wait.Wait()
}

// TestScopesAndGeneratorsMoveBetweenGoroutines hands them over, one user at a time.
func TestScopesAndGeneratorsMoveBetweenGoroutines(t *testing.T) {
	s, g := scope(t, torch.Grad), generator(t, 5)
	same := generator(t, 5)
	w := leaf(t, []float64{1}, 1)
	y := s.MulScalar(w, 1)
	var want, got []int64
	for range 8 {
		done := make(chan error)
		go func() {
			runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
			y = s.MulScalar(y, 2)
			v, err := g.Int64()
			got = append(got, v)
			done <- err
		}()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		v, err := same.Int64()
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, v)
	}
	s.Backward(s.Sum(y))
	check(t, "gradient", s.GradOf(w), []int{1}, 256)
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("number %d is %d, want %d", i, got[i], want[i])
		}
	}
}
