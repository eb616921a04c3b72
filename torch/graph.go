package torch

// #include "shim.h"
import "C"

import (
	"errors"
	"runtime"
)

// A Graph is recorded work that can be done again and again: on a GPU a CUDA graph,
// which costs the host one launch. Its tensors are those of the recording; inputs that change
// from one time to the next are written into them. It serves one goroutine at a time.
type Graph struct {
	h    C.ep_graph
	net  runtime.Cleanup
	work func() error // on the CPU, which does it again
}

// Record records the operations of work on the device, without doing them. On a GPU it must be
// called within [Device.OnOwnStream]; work must not read a tensor's values, and it
// must have run a few times before, since algorithms are chosen and memory is
// reserved then. generators are those on the device that it draws from. Tensors that work
// keeps belong to the caller, and the graph writes them. The caller owns the graph. A
// recording that fails leaves nothing behind.
func Record(device Device, generators []*Generator, work func() error) (*Graph, error) {
	if !device.cuda {
		return &Graph{work: work}, nil
	}
	return record(device, generators, false, work)
}

// Needs returns the bytes of a GPU's memory that work takes, beside the tensors that are
// there: work is recorded, as [Record] has it, and not done. On the CPU it is 0.
func Needs(device Device, generators []*Generator, work func() error) (int64, error) {
	if !device.cuda {
		return 0, nil
	}
	g, err := record(device, generators, true, work)
	if err != nil {
		return 0, err
	}
	defer g.Free()
	var bytes C.int64_t
	err = check("graph memory", C.ep_graph_memory(g.h, &bytes))
	return int64(bytes), err
}

func record(device Device, generators []*Generator, measure bool, work func() error) (*Graph, error) {
	if err := Load(); err != nil {
		return nil, err
	}
	h := make([]C.ep_generator, len(generators)+1) // never empty, so that it has an address
	for i, g := range generators {
		if g == nil || g.h == nil {
			return nil, errNoGenerator
		}
		h[i] = g.h
	}
	g := &Graph{}
	err := check("record", C.ep_graph_begin(device.c(), &h[0], C.int32_t(len(generators)), flag(measure), &g.h))
	runtime.KeepAlive(generators)
	if err != nil {
		return nil, err
	}
	whole := false
	defer func() {
		if !whole { // also where work panics: the device must not go on recording
			g.Free()
		}
	}()
	if err = work(); err == nil {
		err = check("record", C.ep_graph_end(g.h))
	}
	if err != nil {
		return nil, err
	}
	whole = true
	g.net = runtime.AddCleanup(g, func(h C.ep_graph) { C.ep_graph_free(h) }, g.h)
	return g, nil
}

var errGraphFreed = errors.New("torch: the graph was freed")

// Replay does the recorded work.
func (g *Graph) Replay() error {
	switch {
	case g == nil || g.h == nil && g.work == nil:
		return errGraphFreed
	case g.work != nil:
		return g.work()
	}
	defer runtime.KeepAlive(g)
	return check("replay", C.ep_graph_replay(g.h))
}

// Free frees the graph, and the memory of its tensors once these are freed too.
func (g *Graph) Free() {
	if g == nil {
		return
	}
	g.work = nil
	if g.h != nil {
		g.net.Stop()
		_ = check("free graph", C.ep_graph_free(g.h)) // that a recording failed was said before
		g.h = nil
	}
}
