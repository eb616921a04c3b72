package torch

/*
#include "shim.h"
extern void eegpruneRelease(uintptr_t);
static ep_status ep_wrap_go(ep_scope s, void *data, int32_t dtype, const int64_t *shape, int32_t dims, uintptr_t context,
                            ep_tensor *out) {
  return ep_tensor_wrap(s, data, dtype, shape, dims, eegpruneRelease, context, out);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/cgo"
	"unsafe"
)

// A Tensor is a libtorch tensor. See the package comment for who frees it. All its
// methods can be called on a nil or freed tensor.
type Tensor struct {
	h     C.ep_tensor
	scope *Scope // the owner; nil when the caller owns it
	net   runtime.Cleanup
}

var errFreed = errors.New("the tensor is nil, was freed, or its scope is closed")

func (t *Tensor) usable() bool {
	return t != nil && t.h != nil && (t.scope == nil || t.scope.h != nil)
}

func (t *Tensor) check(op string) error {
	if t.usable() {
		return nil
	}
	return fmt.Errorf("torch: %s: %w", op, errFreed)
}

// Free frees a tensor that the caller owns. On one that a scope owns, or that was
// freed before, it does nothing.
func (t *Tensor) Free() {
	if t == nil || t.h == nil || t.scope != nil {
		return
	}
	t.net.Stop()
	C.ep_tensor_free(t.h)
	t.h = nil
}

// sizes converts a shape for C; data of that many elements must be given.
func sizes(shape []int) []C.int64_t {
	c := make([]C.int64_t, len(shape)+1) // never empty, so that &c[0] exists
	for i, n := range shape {
		c[i] = C.int64_t(n)
	}
	return c
}

func checkLen(op string, have int, shape []int) error {
	want := 1
	for _, n := range shape {
		if n < 0 || (n > 0 && want > (1<<62)/n) {
			return fmt.Errorf("torch: %s: shape %v is not one a tensor can have", op, shape)
		}
		want *= n
	}
	if have != want {
		return fmt.Errorf("torch: %s: %d elements were given for the shape %v, which has %d", op, have, shape, want)
	}
	return nil
}

// own runs one operation in a scope of its own and gives its result to the caller.
func own(op string, call func(s *Scope, out *C.ep_tensor) C.ep_status) (*Tensor, error) {
	s := NewScope(NoGrad)
	defer s.Close()
	return s.Keep(s.make(op, func(out *C.ep_tensor) C.ep_status { return call(s, out) }))
}

// FromSlice makes a tensor on the CPU with a copy of data, which the caller owns.
// No shape at all makes a tensor without dimensions of one element.
func FromSlice[T Element](data []T, shape ...int) (*Tensor, error) {
	if err := checkLen("from slice", len(data), shape); err != nil {
		return nil, err
	}
	dims := sizes(shape)
	return own("from slice", func(s *Scope, out *C.ep_tensor) C.ep_status {
		return C.ep_tensor_from_data(s.h, unsafe.Pointer(unsafe.SliceData(data)), C.int32_t(dtypeOf[T]()), &dims[0],
			C.int32_t(len(shape)), CPU.c(), out)
	})
}

// Wrap makes a tensor on the CPU that uses the memory of data itself: nothing is
// copied, and each sees the other's writes. data stays in place until the tensor
// and all views of it are gone.
func Wrap[T Element](data []T, shape ...int) (*Tensor, error) {
	if err := checkLen("wrap", len(data), shape); err != nil {
		return nil, err
	}
	if len(data) == 0 {
		return FromSlice(data, shape...)
	}
	dims := sizes(shape)
	return own("wrap", func(s *Scope, out *C.ep_tensor) C.ep_status {
		// Made here, where the call that releases it is sure to follow.
		pinner := &runtime.Pinner{}
		pinner.Pin(unsafe.SliceData(data))
		handle := cgo.NewHandle(pinner)
		return C.ep_wrap_go(s.h, unsafe.Pointer(unsafe.SliceData(data)), C.int32_t(dtypeOf[T]()), &dims[0],
			C.int32_t(len(shape)), C.uintptr_t(handle), out)
	})
}

// Full makes a tensor on a device with every element set to value; the caller owns it.
func Full(value float64, dtype DType, device Device, shape ...int) (*Tensor, error) {
	dims := sizes(shape)
	return own("full", func(s *Scope, out *C.ep_tensor) C.ep_status {
		return C.ep_tensor_full(s.h, C.double(value), C.int32_t(dtype), &dims[0], C.int32_t(len(shape)), device.c(), out)
	})
}

// Zeros makes a float32 tensor of zeros on the CPU; the caller owns it.
func Zeros(shape ...int) (*Tensor, error) { return Full(0, Float32, CPU, shape...) }

// Info describes a tensor.
type Info struct {
	DType  DType
	Device Device
	Shape  []int
}

// Info returns the tensor's element type, device and shape: all zero for a tensor
// that is nil or freed.
func (t *Tensor) Info() Info {
	if !t.usable() {
		return Info{}
	}
	defer runtime.KeepAlive(t)
	var dtype C.int32_t
	var device C.ep_device
	shape := make([]C.int64_t, 8)
	dims := C.int32_t(len(shape))
	for {
		if check("describe", C.ep_tensor_describe(t.h, &dtype, &device, &shape[0], &dims)) != nil {
			return Info{}
		}
		if int(dims) <= len(shape) {
			break
		}
		shape = make([]C.int64_t, dims)
	}
	i := Info{DType: DType(dtype), Shape: make([]int, dims)}
	if device._type == C.EP_CUDA {
		i.Device = CUDA(int(device.index))
	}
	for k := range i.Shape {
		i.Shape[k] = int(shape[k])
	}
	return i
}

// Shape returns the tensor's sizes, nil for one that is nil or freed.
func (t *Tensor) Shape() []int { return t.Info().Shape }

// Len returns the number of elements, 0 for a tensor that is nil or freed.
func (t *Tensor) Len() int {
	if !t.usable() {
		return 0
	}
	n := 1
	for _, d := range t.Shape() {
		n *= d
	}
	return n
}

// Read copies all elements, wherever they are, into dst, which has room for exactly
// them.
func Read[T Element](t *Tensor, dst []T) error {
	if err := t.check("read"); err != nil {
		return err
	}
	if have, want := t.Info().DType, dtypeOf[T](); have != want {
		return fmt.Errorf("torch: read: the tensor holds %v, the slice %v", have, want)
	}
	var zero T
	err := check("read", C.ep_tensor_read(t.h, unsafe.Pointer(unsafe.SliceData(dst)), C.size_t(len(dst))*C.size_t(unsafe.Sizeof(zero))), t)
	runtime.KeepAlive(t)
	return err
}

// ToSlice returns a copy of all elements.
func ToSlice[T Element](t *Tensor) ([]T, error) {
	dst := make([]T, t.Len())
	return dst, Read(t, dst)
}

// Item returns the element of a tensor that has one. On a GPU it waits for it.
func (t *Tensor) Item() (float64, error) {
	if err := t.check("item"); err != nil {
		return 0, err
	}
	var v C.double
	err := check("item", C.ep_tensor_item(t.h, &v), t)
	runtime.KeepAlive(t)
	return float64(v), err
}

// CopyFrom copies the elements of src, a tensor of the same shape, into t.
func (t *Tensor) CopyFrom(src *Tensor) error {
	if err := errors.Join(t.check("copy"), src.check("copy")); err != nil {
		return err
	}
	err := check("copy", C.ep_tensor_copy(t.h, src.h), t, src)
	runtime.KeepAlive(t)
	runtime.KeepAlive(src)
	return err
}

// RequireGrad makes t a tensor that [Scope.Backward] computes a gradient for.
func (t *Tensor) RequireGrad() error {
	if err := t.check("require grad"); err != nil {
		return err
	}
	err := check("require grad", C.ep_tensor_set_requires_grad(t.h, 1), t)
	runtime.KeepAlive(t)
	return err
}
