package source

import (
	"runtime"
	"slices"
	"testing"
)

// TestRecordingsAheadAreLetGo: recordings that the caller has taken are freed.
func TestRecordingsAheadAreLetGo(t *testing.T) {
	a := newAhead(1)
	gone := make(chan struct{}, 3)
	for range 3 {
		r := &Recording{Samples: [][]float64{make([]float64, 1000)}}
		runtime.AddCleanup(r, func(struct{}) { gone <- struct{}{} }, struct{}{})
		if !a.room(t.Context(), 0, r.Bytes()) {
			t.Fatal("no room")
		}
		a.put(0, readAhead{recording: r})
	}
	for range 2 {
		if _, ok := a.take(t.Context(), 0); !ok {
			t.Fatal("nothing to take")
		}
	}
	runtime.GC()
	<-gone
	<-gone
	if a.used != 8000 || len(a.waiting[0]) != 1 {
		t.Errorf("%d bytes are counted and %d recordings wait", a.used, len(a.waiting[0]))
	}
	runtime.KeepAlive(a)
}

// TestRecordingsAheadWait: others than the current file's have to wait for room, and
// the current file's has room when nothing of it is there.
func TestRecordingsAheadWait(t *testing.T) {
	a := newAhead(2)
	if !a.room(t.Context(), 1, aheadBytes) || !a.room(t.Context(), 0, 1) {
		t.Fatal("no room")
	}
	a.put(0, readAhead{recording: &Recording{}})
	var order []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		if a.room(t.Context(), 1, 1) {
			order = append(order, "room")
		}
	}()
	if _, ok := a.take(t.Context(), 0); !ok {
		t.Fatal("nothing to take")
	}
	a.mu.Lock()
	order = append(order, "taken")
	a.mu.Unlock()
	a.free(aheadBytes)
	<-done
	if !slices.Equal(order, []string{"taken", "room"}) {
		t.Errorf("order %v", order)
	}
}
