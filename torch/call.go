package torch

// #include "shim.h"
import "C"

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"unsafe"
)

// Arguments of an operation by libtorch's names: an [Operand], []Operand, int, []int, [Size],
// []Size, float64, []float64, bool, []bool, string (also of an element type or memory format, by
// its name: "float32"), or nil for none. Those that are left out have libtorch's defaults.
type Arguments map[string]any

// An Operand is one of the tensors that [Scope.Run] is given, by its number; in a list it may be
// [None].
type Operand int

// None stands for no tensor, as in the indices of a tensor of which some dimensions are taken whole.
const None Operand = -1

// A Size is a whole number that may be a multiple of the number of clips.
type Size struct {
	N     int
	Clips bool // N times the number of clips
}

// An Operation is any operation of libtorch that returns tensors, with those of its arguments that are
// the same each time. Goroutines may run it at once.
type Operation struct {
	h        C.ep_operation
	name     string
	operands []Operand // in the order in which the shim takes them
	// Results is the largest number of its outputs; 0 for 8.
	Results int
}

// callArguments are arguments as the shim takes them.
type callArguments struct {
	list     []C.ep_argument
	text     []byte
	ints     []C.int64_t
	reals    []C.double
	operands []Operand
}

func (c *callArguments) add(name string, value any) error {
	a := C.ep_argument{name: C.int64_t(len(c.text)), count: 1}
	c.text = append(append(c.text, name...), 0)
	ints := func(kind C.int32_t, v ...int) {
		a.kind, a.start, a.count = kind, C.int64_t(len(c.ints)), C.int64_t(len(v))
		for _, n := range v {
			c.ints = append(c.ints, C.int64_t(n))
		}
	}
	reals := func(v ...float64) {
		a.kind, a.start, a.count = C.EP_REALS, C.int64_t(len(c.reals)), C.int64_t(len(v))
		for _, x := range v {
			c.reals = append(c.reals, C.double(x))
		}
	}
	tensors := func(v ...Operand) {
		a.kind, a.start, a.count = C.EP_TENSORS, C.int64_t(len(c.operands)), C.int64_t(len(v))
		c.operands = append(c.operands, v...)
	}
	factors := func(v ...Size) {
		ints(C.EP_SIZES)
		a.count = C.int64_t(len(v))
		for _, s := range v {
			c.ints = append(c.ints, C.int64_t(s.N), C.int64_t(flag(s.Clips)))
		}
	}
	switch v := value.(type) {
	case nil:
		a.kind = C.EP_NONE
	case Operand:
		tensors(v)
	case []Operand:
		tensors(v...)
	case int:
		ints(C.EP_INTS, v)
	case []int:
		ints(C.EP_INTS, v...)
	case Size:
		factors(v)
	case []Size:
		factors(v...)
	case float64:
		reals(v)
	case []float64:
		reals(v...)
	case bool:
		ints(C.EP_BOOLEAN, int(flag(v)))
	case []bool:
		all := make([]int, len(v))
		for i, b := range v {
			all[i] = int(flag(b))
		}
		ints(C.EP_BOOLEAN, all...)
	case string:
		a.kind, a.start = C.EP_TEXT, C.int64_t(len(c.text))
		c.text = append(append(c.text, v...), 0)
	default:
		return fmt.Errorf("an argument can't be a %T", value)
	}
	c.list = append(c.list, a)
	return nil
}

// NewOperation finds an operation by its name as torch.export writes it, "aten.max_pool2d.default".
// Tensors that it makes without operands are on the device.
func NewOperation(name string, arguments Arguments, device Device) (*Operation, error) {
	var c callArguments
	for _, key := range slices.Sorted(maps.Keys(arguments)) {
		if err := c.add(key, arguments[key]); err != nil {
			return nil, fmt.Errorf("torch: %s: its argument %s: %w", name, key, err)
		}
	}
	own, overload, _ := strings.Cut(strings.TrimPrefix(name, "aten."), ".")
	if overload == "default" {
		overload = ""
	}
	full, over := "aten::"+own+"\x00", overload+"\x00"
	n := len(c.list)
	// Never empty, so that the first of each exists.
	c.list, c.text = append(c.list, C.ep_argument{}), append(c.text, 0)
	c.ints, c.reals = append(c.ints, 0), append(c.reals, 0)
	o := &Operation{name: own, operands: c.operands}
	if err := Load(); err != nil {
		return nil, err
	}
	err := check(own, C.ep_operation_new(cname(full), cname(over), &c.list[0], C.int32_t(n), (*C.char)(unsafe.Pointer(&c.text[0])), &c.ints[0],
		&c.reals[0], device.c(), &o.h))
	if err != nil {
		return nil, err
	}
	runtime.AddCleanup(o, func(h C.ep_operation) { C.ep_operation_free(h) }, o.h)
	return o, nil
}

// Run runs an operation and returns its outputs. An operand may be nil only where the argument may be
// None. A [Size] is a multiple of clips. Random operations draw from g.
func (s *Scope) Run(o *Operation, operands []*Tensor, clips int, g *Generator) []*Tensor {
	if o == nil || o.h == nil {
		s.Fail(errors.New("torch: run: there is no operation"))
		return []*Tensor{s.make("run", nil)}
	}
	defer runtime.KeepAlive(g)
	defer runtime.KeepAlive(o)
	var few [8]C.ep_tensor
	given := few[:0]
	used := make([]*Tensor, 0, len(o.operands))
	for _, i := range o.operands {
		if i < 0 || int(i) >= len(operands) || operands[i] == nil {
			given = append(given, nil)
			continue
		}
		used = append(used, operands[i])
		given = append(given, nil) // its handle is read once it is known to be usable
	}
	given = append(given, nil)
	var generator C.ep_generator
	if g != nil {
		generator = g.h
	}
	made := make([]C.ep_tensor, cmp.Or(o.Results, 8))
	count := C.int32_t(len(made))
	ok := s.do(o.name, func() C.ep_status {
		for k, i := range o.operands {
			if i >= 0 && int(i) < len(operands) && operands[i] != nil {
				given[k] = operands[i].h
			}
		}
		return C.ep_operation_run(o.h, s.h, &given[0], C.int64_t(clips), generator, &made[0], &count)
	}, used...)
	if !ok || count == 0 {
		if s == nil {
			return []*Tensor{{}}
		}
		return []*Tensor{&s.invalid}
	}
	results := make([]*Tensor, count)
	for i := range results {
		results[i] = &Tensor{h: made[i], scope: s}
	}
	return results
}

// Call is [NewOperation] and [Scope.Run] at once, and returns the first output. Its
// arguments have a *Tensor or []*Tensor where those of an operation have operands.
func (s *Scope) Call(name string, arguments Arguments, g *Generator) *Tensor {
	arguments = maps.Clone(arguments)
	var operands []*Tensor
	device := CPU
	for key, v := range arguments {
		switch v := v.(type) {
		case *Tensor:
			arguments[key], operands = Operand(len(operands)), append(operands, v)
		case []*Tensor:
			all := make([]Operand, len(v))
			for i, t := range v {
				all[i], operands = Operand(len(operands)), append(operands, t)
			}
			arguments[key] = all
		}
	}
	for _, t := range operands {
		if t.usable() {
			device = t.Info().Device
		}
	}
	o, err := NewOperation(name, arguments, device)
	if err != nil {
		s.Fail(err)
		return s.make(name, nil)
	}
	return s.Run(o, operands, 0, g)[0]
}
