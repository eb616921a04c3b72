package torch

// #include "shim.h"
import "C"

import (
	"cmp"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
)

// A Count is how often an operation was computed, and how many bytes it read and wrote.
type Count struct {
	Calls int   `json:"calls"`
	Bytes int64 `json:"bytes"`
}

// A Tally counts operations by libtorch's names, "aten::addmm", and eegprune's kernels by theirs. Views are not counted, nor is an operation that
// is computed by others, which are.
type Tally map[string]Count

// Sum is of all operations.
func (t Tally) Sum() Count {
	var sum Count
	for _, c := range t {
		sum.Calls += c.Calls
		sum.Bytes += c.Bytes
	}
	return sum
}

// Names returns the operations, those of the most bytes first.
func (t Tally) Names() []string {
	return slices.SortedFunc(maps.Keys(t), func(a, b string) int {
		return cmp.Or(cmp.Compare(t[b].Bytes, t[a].Bytes), cmp.Compare(a, b))
	})
}

// CountOperations counts the operations that work has libtorch compute on the calling thread, and launches of
// eegprune's own kernels for GPUs, which on a CPU compute nothing.
func CountOperations(work func() error) (Tally, error) {
	if err := Load(); err != nil {
		return nil, err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := check("tally", C.ep_tally_begin()); err != nil {
		return nil, err
	}
	done := false
	end := func() (string, error) {
		done = true
		var text *C.char
		if err := check("tally", C.ep_tally_end(&text)); err != nil {
			return "", err
		}
		defer C.ep_message_free(text)
		return C.GoString(text), nil
	}
	defer func() {
		if !done { // where work panics
			_, _ = end()
		}
	}()
	failed := work()
	text, err := end()
	if err := cmp.Or(failed, err); err != nil {
		return nil, err
	}
	t := Tally{}
	for line := range strings.Lines(text) {
		var name string
		var c Count
		if _, err := fmt.Sscan(line, &name, &c.Calls, &c.Bytes); err != nil {
			return nil, fmt.Errorf("torch: tally: %q: %w", line, err)
		}
		t[name] = c
	}
	return t, nil
}
