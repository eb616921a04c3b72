package torch

// #include "shim.h"
import "C"

import (
	"cmp"
	"errors"
	"runtime"
	"sync"
)

// OnOwnStream calls work on a thread, and on a GPU with a CUDA stream, of its own: so
// goroutines that use one GPU run side by side. The stream begins when the work on
// the device's common stream is done, and is done itself when OnOwnStream returns; tensors
// that work makes are freed by it, or are used only after that. Calls of it from work
// share the stream. On the CPU staying on one thread saves OpenMP from starting a team for
// each.
func (d Device) OnOwnStream(work func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if !d.cuda {
		return work()
	}
	if err := Load(); err != nil {
		return err
	}
	var own C.int32_t
	if err := check("stream", C.ep_stream_own(d.c(), &own)); err != nil {
		return err
	}
	if own != 0 {
		return work()
	}
	return streamsOf(d).do(work)
}

// streamsOf returns the streams of a GPU. They are the process's, as the GPU is.
func streamsOf(d Device) *streams {
	allStreams.mu.Lock()
	defer allStreams.mu.Unlock()
	s := allStreams.byDevice[d]
	if s == nil {
		s = &streams{gpu: cudaStreams{d}}
		allStreams.byDevice[d] = s
	}
	return s
}

var allStreams = struct {
	mu       sync.Mutex
	byDevice map[Device]*streams
}{byDevice: map[Device]*streams{}}

// streaming is the part of a GPU that streams need; its methods are called on the thread that they
// concern.
type streaming interface {
	take() error        // gives the thread a stream, for good
	follow() error      // has it begin after the work on the common stream
	synchronize() error // waits until it is done
}

// streams leases threads that have a CUDA stream each. A thread goes with its stream because
// libtorch keeps a workspace for each pair of a thread's cuBLAS handle and a stream: pairs
// that changed would add up.
type streams struct {
	gpu  streaming
	mu   sync.Mutex
	idle []chan<- func() // the last used at the end, and taken first, so that few threads serve few callers

}

// errEnded is of work that called runtime.Goexit, as a test that gives up does: its thread,
// and the stream, went with it.
var errEnded = errors.New("torch: what was done on a stream of its own ended its goroutine")

// do calls work on a thread whose stream nobody else has meanwhile.
func (s *streams) do(work func() error) error {
	t, err := s.lease()
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	t <- func() {
		err := errEnded
		defer func() { done <- err }()
		if err = s.gpu.follow(); err == nil {
			err = errEnded
			err = work()
			err = cmp.Or(err, s.gpu.synchronize())
		}
	}
	if err = <-done; err != errEnded {
		s.mu.Lock()
		s.idle = append(s.idle, t)
		s.mu.Unlock()
	}
	return err
}

// lease returns a thread that is idle, or a new one.
func (s *streams) lease() (chan<- func(), error) {
	s.mu.Lock()
	if n := len(s.idle); n > 0 {
		t := s.idle[n-1]
		s.idle = s.idle[:n-1]
		s.mu.Unlock()
		return t, nil
	}
	s.mu.Unlock()
	calls, taken := make(chan func()), make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread is the stream's
		err := s.gpu.take()
		taken <- err
		if err != nil {
			return
		}
		for call := range calls {
			call()
		}
	}()
	return calls, <-taken
}

// cudaStreams are the streams of a GPU.
type cudaStreams struct{ device Device }

func (c cudaStreams) take() error   { return check("stream", C.ep_stream_take(c.device.c())) }
func (c cudaStreams) follow() error { return check("stream", C.ep_stream_follow(c.device.c())) }
func (c cudaStreams) synchronize() error {
	return check("stream", C.ep_synchronize(c.device.c()))
}
