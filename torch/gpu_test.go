//go:build gpu

package torch

import (
	"cmp"
	"errors"
	"os"
	"sync"
	"testing"
)

// gpu is the device of these tests: the first GPU, or the one that EEGPRUNE_TEST_DEVICE names.
func gpu(t *testing.T) Device {
	t.Helper()
	d, err := ParseDevice(cmp.Or(os.Getenv("EEGPRUNE_TEST_DEVICE"), "cuda"))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Point 2: more at once than libtorch has streams in its pool of 32, each with a recording; the
// same again takes no new stream.
func TestGPUFortyStreamsAtOnce(t *testing.T) {
	device := gpu(t)
	const many = 40
	for range 2 {
		var all, inside sync.WaitGroup
		inside.Add(many)
		for i := range many {
			all.Go(func() {
				err := device.OnOwnStream(func() error {
					inside.Done()
					inside.Wait()
					x, err := Full(float64(i), Float32, device, 1<<12)
					if err != nil {
						return err
					}
					defer x.Free()
					double := func() error {
						s := NewScope(NoGrad)
						defer s.Close()
						s.AddInPlace(x, x, 1)
						return s.Err()
					}
					if err := double(); err != nil {
						return err
					}
					g, err := Record(device, nil, double)
					if err != nil {
						return err
					}
					defer g.Free()
					if err := errors.Join(g.Replay(), g.Replay()); err != nil {
						return err
					}
					got, err := ToSlice[float32](x)
					for _, v := range got {
						if v != float32(8*i) {
							t.Errorf("stream %d computed %g, want %d", i, v, 8*i)
							break
						}
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		s := streamsOf(device)
		if len(s.idle) > many+1 { // other tests may have taken one
			t.Errorf("there are %d streams", len(s.idle))
		}
	}
}

// Point 10: the error names the bytes asked for and free in one sentence; and nothing is the worse.
func TestGPUOutOfMemoryIsOneSentence(t *testing.T) {
	device := gpu(t)
	about, err := DescribeGPU(device.Index())
	if err != nil {
		t.Fatal(err)
	}
	_, err = Full(0, Float32, device, int(about.Total/2))
	var e *Error
	if !errors.As(err, &e) || e.Code != OutOfMemory || e.Shortage == nil || e.Shortage.Asked < about.Total || e.Shortage.Device != device || e.Shortage.Free <= 0 {
		t.Fatalf("the error is %v (%+v)", err, e)
	}
	t.Log(err)
	x, err := Full(1, Float32, device, 4)
	if err != nil {
		t.Fatal(err)
	}
	x.Free()
}

// Needs measures a recording in a pool of its own, without doing it.
func TestGPUNeedsIsMeasured(t *testing.T) {
	device := gpu(t)
	err := device.OnOwnStream(func() error {
		x, err := Full(1, Float32, device, 64<<20)
		if err != nil {
			return err
		}
		defer x.Free()
		work := func() error {
			s := NewScope(NoGrad)
			defer s.Close()
			s.AddInPlace(x, s.MulScalar(x, 2), 1)
			return s.Err()
		}
		bytes, err := Needs(device, nil, work)
		if err != nil {
			return err
		}
		if bytes < 256<<20 || bytes > 300<<20 {
			t.Errorf("a copy of 256 MiB needs %d MiB", bytes>>20)
		}
		got, err := ToSlice[float32](x)
		if err == nil && got[0] != 1 {
			t.Errorf("the work was done: %g", got[0])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
