package torch

// #include "shim.h"
import "C"

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"unsafe"
)

// Arguments of an operation by libtorch's names: a *Tensor, []*Tensor, int, []int, float64,
// []float64, bool, string, or nil for none. Those that are left out have libtorch's defaults.
type Arguments map[string]any

// callArguments are arguments as the shim takes them.
type callArguments struct {
	list     []C.ep_argument
	text     []byte
	ints     []C.int64_t
	reals    []C.double
	tensors  []C.ep_tensor
	operands []*Tensor
}

func (c *callArguments) add(name string, value any) error {
	a := C.ep_argument{name: C.int64_t(len(c.text)), count: 1}
	c.text = append(append(c.text, name...), 0)
	ints := func(v ...int) {
		a.kind, a.start, a.count = C.EP_INTS, C.int64_t(len(c.ints)), C.int64_t(len(v))
		c.ints = append(c.ints, sizes(v)[:len(v)]...)
	}
	reals := func(v ...float64) {
		a.kind, a.start, a.count = C.EP_REALS, C.int64_t(len(c.reals)), C.int64_t(len(v))
		for _, x := range v {
			c.reals = append(c.reals, C.double(x))
		}
	}
	switch v := value.(type) {
	case nil:
		a.kind = C.EP_NONE
	case *Tensor:
		a.kind, a.start = C.EP_TENSORS, C.int64_t(len(c.operands))
		c.operands = append(c.operands, v)
	case []*Tensor:
		a.kind, a.start, a.count = C.EP_TENSORS, C.int64_t(len(c.operands)), C.int64_t(len(v))
		c.operands = append(c.operands, v...)
	case int:
		ints(v)
	case []int:
		ints(v...)
	case float64:
		reals(v)
	case []float64:
		reals(v...)
	case bool:
		ints(0)
		c.ints[a.start], a.kind = C.int64_t(flag(v)), C.EP_BOOLEAN
	case string:
		a.kind, a.start = C.EP_TEXT, C.int64_t(len(c.text))
		c.text = append(append(c.text, v...), 0)
	default:
		return fmt.Errorf("torch: an argument can't be a %T", value)
	}
	c.list = append(c.list, a)
	return nil
}

// Call does any operation of libtorch that gives tensors, by its name as torch.export writes it,
// "aten.max_pool2d.default", and returns the first. Operations that draw, do so from g.
func (s *Scope) Call(name string, arguments Arguments, g *Generator) *Tensor {
	var c callArguments
	for _, key := range slices.Sorted(maps.Keys(arguments)) {
		if err := c.add(key, arguments[key]); err != nil {
			s.Fail(err)
		}
	}
	base, overload, _ := strings.Cut(strings.TrimPrefix(name, "aten."), ".")
	if overload == "default" {
		overload = ""
	}
	full, over := "aten::"+base+"\x00", overload+"\x00"
	n := len(c.list)
	// Never empty, so that the first of each exists.
	c.list, c.text = append(c.list, C.ep_argument{}), append(c.text, 0)
	c.ints, c.reals = append(c.ints, 0), append(c.reals, 0)
	defer runtime.KeepAlive(g)
	var generator C.ep_generator
	if g != nil {
		generator = g.h
	}
	const most = 8
	var made [most]C.ep_tensor
	first := s.make(base, func(out *C.ep_tensor) C.ep_status {
		for _, t := range c.operands {
			c.tensors = append(c.tensors, t.h)
		}
		c.tensors = append(c.tensors, nil)
		count := C.int32_t(most)
		st := C.ep_call(s.h, cname(full), cname(over), &c.list[0], C.int32_t(n), (*C.char)(unsafe.Pointer(&c.text[0])), &c.ints[0], &c.reals[0],
			&c.tensors[0], generator, &made[0], &count)
		*out = made[0]
		return st
	}, c.operands...)
	return first
}
