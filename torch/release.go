package torch

// #include <stdint.h>
import "C"

import (
	"runtime"
	"runtime/cgo"
)

// eegpruneRelease is called by libtorch, on whatever thread, when nothing uses the
// memory of a wrapped slice any more.
//
//export eegpruneRelease
func eegpruneRelease(context C.uintptr_t) {
	h := cgo.Handle(context)
	h.Value().(*runtime.Pinner).Unpin()
	h.Delete()
}
