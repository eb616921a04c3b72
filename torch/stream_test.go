package torch

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// pretended is a GPU without one: it counts the calls.
type pretended struct {
	taken, followed, synchronized atomic.Int32
	full                          bool
}

func (p *pretended) take() error {
	if p.full {
		return errors.New("no stream left")
	}
	p.taken.Add(1)
	return nil
}
func (p *pretended) follow() error      { p.followed.Add(1); return nil }
func (p *pretended) synchronize() error { p.synchronized.Add(1); return nil }

func TestStreamsAreLeasedToOneAtATime(t *testing.T) {
	gpu := &pretended{}
	s := &streams{gpu: gpu}
	const many = 40 // more than libtorch's pool has
	var all, inside sync.WaitGroup
	inside.Add(many)
	for range many {
		all.Go(func() {
			err := s.do(func() error {
				inside.Done()
				inside.Wait() // all at once
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := gpu.taken.Load(); got != many {
		t.Errorf("%d at once had %d streams", many, got)
	}
	for range 200 { // one after another
		if err := s.do(func() error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if got := gpu.taken.Load(); got != many {
		t.Errorf("200 more, one after another, took %d streams", got-many)
	}
	if gpu.followed.Load() != many+200 || gpu.synchronized.Load() != many+200 {
		t.Errorf("%d began after the common stream, %d were waited for, of %d", gpu.followed.Load(), gpu.synchronized.Load(), many+200)
	}
}

// The next has the stream of the last: its memory is used again.
func TestTheStreamUsedLastIsUsedNext(t *testing.T) {
	s := &streams{gpu: &pretended{}}
	var threads []chan<- func()
	for range 3 {
		l, err := s.lease()
		if err != nil {
			t.Fatal(err)
		}
		threads = append(threads, l)
	}
	s.idle = append(s.idle, threads...)
	if l, err := s.lease(); err != nil || l != threads[2] {
		t.Errorf("the next stream is another (%v)", err)
	}
}

func TestWorkThatFailsGivesItsStreamBack(t *testing.T) {
	gpu := &pretended{}
	s := &streams{gpu: gpu}
	bad := errors.New("bad")
	for range 3 {
		if err := s.do(func() error { return bad }); err != bad {
			t.Errorf("the error is %v", err)
		}
	}
	if err := s.do(func() error { runtime.Goexit(); return nil }); err != errEnded {
		t.Errorf("of work that ended its goroutine the error is %v", err)
	}
	if err := s.do(func() error { return nil }); err != nil {
		t.Error(err)
	}
	if got := gpu.taken.Load(); got != 2 {
		t.Errorf("%d streams were taken, want one and one for that which ended", got)
	}
	if err := (&streams{gpu: &pretended{full: true}}).do(func() error { return nil }); err == nil {
		t.Error("a GPU without a stream gave one")
	}
}
