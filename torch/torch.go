// Package torch is a binding to libtorch: tensors, autograd, layers, optimizers,
// random numbers, devices and checkpoints. It knows nothing of EEG or pruning.
//
// # Loading
//
// Nothing is linked: the shim (the shared library built from cgo/) is opened when
// a tensor is first needed, and with it libtorch. [Load] does so at once. A machine
// without libtorch can run all code that makes no tensor.
//
// # Ownership
//
// Every tensor has one owner. The output of an operation belongs to the [Scope] it was
// called on and is freed when the scope is closed:
//
//	s := torch.NewScope(torch.Grad)
//	defer s.Close()
//	loss := s.CrossEntropy(s.Linear(x, weight, bias), labels)
//	s.Backward(loss)
//	return s.Err()
//
// [Scope.Keep] takes a tensor out of its scope; it and the tensors of [FromSlice], [Wrap] and
// [Full] belong to the caller, who frees them with [Tensor.Free]. A tensor that
// was forgotten is freed some time after the garbage collector finds it: a safety
// net, not a way to work. [LiveTensors] counts those that exist.
//
// # Errors
//
// A scope keeps the first error of its operations; those after it do nothing. So
// expressions nest, and [Scope.Err] is asked once. The error names the operation and
// the shapes of its operands. Nothing panics.
//
// # Concurrency
//
// Tensors may be read by many goroutines at once. A scope, a generator and an
// optimizer serve one goroutine at a time. Nothing is tied to an OS thread.
package torch

/*
#cgo CFLAGS: -std=c11 -O2 -Wall -Wextra
#cgo linux LDFLAGS: -ldl
#include <stdlib.h>
#include "shim.h"
#include "loader.h"
*/
import "C"

import (
	"fmt"
	"strings"
)

// DType is the type of a tensor's elements.
type DType int32

// The element types there are.
const (
	Float32 DType = C.EP_FLOAT32
	Float64 DType = C.EP_FLOAT64
	Int64   DType = C.EP_INT64
	Bool    DType = C.EP_BOOL
	// Of constants in graphs of other programs.
	Int32 DType = C.EP_INT32
	Int16 DType = C.EP_INT16
	Int8  DType = C.EP_INT8
	Uint8 DType = C.EP_UINT8
)

func (d DType) String() string {
	switch d {
	case Float32:
		return "float32"
	case Float64:
		return "float64"
	case Int64:
		return "int64"
	case Bool:
		return "bool"
	case Int32:
		return "int32"
	case Int16:
		return "int16"
	case Int8:
		return "int8"
	case Uint8:
		return "uint8"
	}
	return fmt.Sprintf("DType(%d)", int32(d))
}

// DTypeOf is the element type of a name: "float32".
func DTypeOf(name string) (DType, error) {
	for _, d := range []DType{Float32, Float64, Int64, Bool, Int32, Int16, Int8, Uint8} {
		if d.String() == name {
			return d, nil
		}
	}
	return 0, fmt.Errorf("torch: elements of %s can't be had here", name)
}

// Size returns the bytes that one element takes.
func (d DType) Size() int {
	switch d {
	case Float32, Int32:
		return 4
	case Int16:
		return 2
	case Bool, Int8, Uint8:
		return 1
	}
	return 8
}

// Element is the element type of a slice that becomes a tensor.
type Element interface {
	float32 | float64 | int64 | bool
}

func dtypeOf[T Element]() DType {
	var zero T
	switch any(zero).(type) {
	case float32:
		return Float32
	case float64:
		return Float64
	case int64:
		return Int64
	}
	return Bool
}

// Code is the kind of failure of an [Error].
type Code int32

// The kinds of failure.
const (
	Invalid     Code = C.EP_INVALID       // wrong shape, type or value
	OutOfMemory Code = C.EP_OUT_OF_MEMORY // on the host or the device
	DeviceError Code = C.EP_DEVICE        // no such device, or it failed
	Internal    Code = C.EP_INTERNAL
)

// An Error is a failure of libtorch, with the operation that failed and the shapes
// of its operands.
type Error struct {
	Op       string
	Code     Code
	Shapes   [][]int
	Message  string
	Shortage *Shortage // where Code is OutOfMemory
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("torch: " + e.Op)
	if len(e.Shapes) > 0 {
		b.WriteString(" of ")
		for i, s := range e.Shapes {
			if i > 0 {
				b.WriteString(" and ")
			}
			fmt.Fprint(&b, s)
		}
	}
	b.WriteString(": " + e.Message)
	return b.String()
}

// flag is a truth value as C passes it.
func flag(on bool) C.int32_t {
	if on {
		return 1
	}
	return 0
}

// check turns a status into an error and frees its message.
func check(op string, st C.ep_status, operands ...*Tensor) error {
	if st.code == C.EP_OK {
		return nil
	}
	e := &Error{Op: op, Code: Code(st.code), Message: "no memory left for the message"}
	if st.message != nil {
		e.Message = C.GoString(st.message)
		C.ep_message_free(st.message)
	}
	if e.Code == OutOfMemory {
		s := shortage(e.Message)
		e.Shortage, e.Message = &s, s.String()
	}
	for _, t := range operands {
		if t.usable() {
			e.Shapes = append(e.Shapes, t.Shape())
		}
	}
	return e
}
