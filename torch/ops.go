package torch

// #include "shim.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// cname gives C a string that ends in "\x00" without copying it.
func cname(s string) *C.char { return (*C.char)(unsafe.Pointer(unsafe.StringData(s))) }

func (s *Scope) unary(name string, a *Tensor) *Tensor {
	return s.make(name[:len(name)-1], func(out *C.ep_tensor) C.ep_status { return C.ep_unary(s.h, cname(name), a.h, out) }, a)
}

func (s *Scope) binary(name string, a, b *Tensor) *Tensor {
	return s.make(name[:len(name)-1], func(out *C.ep_tensor) C.ep_status {
		return C.ep_binary(s.h, cname(name), a.h, b.h, out)
	}, a, b)
}

func (s *Scope) scalar(name string, a *Tensor, x float64) *Tensor {
	return s.make(name[:len(name)-1], func(out *C.ep_tensor) C.ep_status {
		return C.ep_scalar(s.h, cname(name), a.h, C.double(x), out)
	}, a)
}

func (s *Scope) reduce(name string, a *Tensor, dims []int) *Tensor {
	d := sizes(dims)
	return s.make(name[:len(name)-1], func(out *C.ep_tensor) C.ep_status {
		return C.ep_reduce(s.h, cname(name), a.h, &d[0], C.int32_t(len(dims)), out)
	}, a)
}

func (s *Scope) along(name string, a *Tensor, dim int) *Tensor {
	return s.make(name[:len(name)-1], func(out *C.ep_tensor) C.ep_status {
		return C.ep_along(s.h, cname(name), a.h, C.int64_t(dim), out)
	}, a)
}

// ReLU returns max(a, 0).
func (s *Scope) ReLU(a *Tensor) *Tensor { return s.unary("relu\x00", a) }

// ReLUInPlace is ReLU in a's own memory. Nothing else may need the old a: neither the
// caller nor, for its gradient, the operation that made a.
func (s *Scope) ReLUInPlace(a *Tensor) *Tensor { return s.unary("relu_\x00", a) }

// SELU returns the self-normalising exponential unit of a (Klambauer 2017).
func (s *Scope) SELU(a *Tensor) *Tensor { return s.unary("selu\x00", a) }

// ELU returns a where it is positive and alpha*(exp(a)-1) elsewhere.
func (s *Scope) ELU(a *Tensor, alpha float64) *Tensor { return s.scalar("elu\x00", a, alpha) }

// LeakyReLU returns a where it is positive and slope*a elsewhere.
func (s *Scope) LeakyReLU(a *Tensor, slope float64) *Tensor {
	return s.scalar("leaky_relu\x00", a, slope)
}

// LeakyReLUInPlace is LeakyReLU in a's own memory; see [Scope.ReLUInPlace].
func (s *Scope) LeakyReLUInPlace(a *Tensor, slope float64) *Tensor {
	return s.scalar("leaky_relu_\x00", a, slope)
}

// Abs returns the magnitudes of a.
func (s *Scope) Abs(a *Tensor) *Tensor { return s.unary("abs\x00", a) }

// Exp returns e to the power of a.
func (s *Scope) Exp(a *Tensor) *Tensor { return s.unary("exp\x00", a) }

// Log returns the natural logarithm of a.
func (s *Scope) Log(a *Tensor) *Tensor { return s.unary("log\x00", a) }

// Sqrt returns the square root of a.
func (s *Scope) Sqrt(a *Tensor) *Tensor { return s.unary("sqrt\x00", a) }

// Neg returns -a.
func (s *Scope) Neg(a *Tensor) *Tensor { return s.unary("neg\x00", a) }

// Sign returns -1, 0 or 1 for each element.
func (s *Scope) Sign(a *Tensor) *Tensor { return s.unary("sign\x00", a) }

// Detach returns a without its history: no gradient flows through it.
func (s *Scope) Detach(a *Tensor) *Tensor { return s.unary("detach\x00", a) }

// Clone returns a copy of a with memory of its own.
func (s *Scope) Clone(a *Tensor) *Tensor { return s.unary("clone\x00", a) }

// IsNaN returns a bool tensor that is true where a is not a number.
func (s *Scope) IsNaN(a *Tensor) *Tensor { return s.unary("isnan\x00", a) }

// Add returns a + b, the smaller broadcast as PyTorch does.
func (s *Scope) Add(a, b *Tensor) *Tensor { return s.binary("add\x00", a, b) }

// Sub returns a - b.
func (s *Scope) Sub(a, b *Tensor) *Tensor { return s.binary("sub\x00", a, b) }

// Mul returns the elementwise product a * b.
func (s *Scope) Mul(a, b *Tensor) *Tensor { return s.binary("mul\x00", a, b) }

// Div returns the elementwise quotient a / b.
func (s *Scope) Div(a, b *Tensor) *Tensor { return s.binary("div\x00", a, b) }

// MatMul returns the matrix product of a and b.
func (s *Scope) MatMul(a, b *Tensor) *Tensor { return s.binary("matmul\x00", a, b) }

// Maximum returns the larger of a and b, elementwise.
func (s *Scope) Maximum(a, b *Tensor) *Tensor { return s.binary("maximum\x00", a, b) }

// Eq returns a bool tensor that is true where a equals b.
func (s *Scope) Eq(a, b *Tensor) *Tensor { return s.binary("eq\x00", a, b) }

// AddScalar returns a + x.
func (s *Scope) AddScalar(a *Tensor, x float64) *Tensor { return s.scalar("add\x00", a, x) }

// MulScalar returns a * x.
func (s *Scope) MulScalar(a *Tensor, x float64) *Tensor { return s.scalar("mul\x00", a, x) }

// Pow returns a to the power x.
func (s *Scope) Pow(a *Tensor, x float64) *Tensor { return s.scalar("pow\x00", a, x) }

// Renorm scales each a[i] whose Euclidean norm is above max to max, as PyTorch's renorm
// with p = 2 over dimension 0 does.
func (s *Scope) Renorm(a *Tensor, max float64) *Tensor { return s.scalar("renorm\x00", a, max) }

// Gt returns a bool tensor that is true where a > x.
func (s *Scope) Gt(a *Tensor, x float64) *Tensor { return s.scalar("gt\x00", a, x) }

// Le returns a bool tensor that is true where a <= x.
func (s *Scope) Le(a *Tensor, x float64) *Tensor { return s.scalar("le\x00", a, x) }

// Sum adds up over dims, or over everything where none is given.
func (s *Scope) Sum(a *Tensor, dims ...int) *Tensor { return s.reduce("sum\x00", a, dims) }

// Mean averages over dims, or over everything where none is given.
func (s *Scope) Mean(a *Tensor, dims ...int) *Tensor { return s.reduce("mean\x00", a, dims) }

// Argmax returns the index of the largest element along dim (int64).
func (s *Scope) Argmax(a *Tensor, dim int) *Tensor { return s.along("argmax\x00", a, dim) }

// Softmax returns exp(a) divided by its sum along dim.
func (s *Scope) Softmax(a *Tensor, dim int) *Tensor { return s.along("softmax\x00", a, dim) }

// LogSoftmax returns the logarithm of [Scope.Softmax].
func (s *Scope) LogSoftmax(a *Tensor, dim int) *Tensor { return s.along("log_softmax\x00", a, dim) }

// MulInPlace sets dst to dst * src. It is not recorded.
func (s *Scope) MulInPlace(dst, src *Tensor) {
	s.do("mul_", func() C.ep_status { return C.ep_mul_(dst.h, src.h) }, dst, src)
}

// AddInPlace sets dst to dst + alpha*src. It is not recorded.
func (s *Scope) AddInPlace(dst, src *Tensor, alpha float64) {
	s.do("add_", func() C.ep_status { return C.ep_add_(dst.h, src.h, C.double(alpha)) }, dst, src)
}

// Reshape returns a with another shape of as many elements; one size may be -1.
func (s *Scope) Reshape(a *Tensor, shape ...int) *Tensor {
	d := sizes(shape)
	return s.make("reshape", func(out *C.ep_tensor) C.ep_status {
		return C.ep_reshape(s.h, a.h, &d[0], C.int32_t(len(shape)), out)
	}, a)
}

// Flatten makes one dimension of dimension start and all after it.
func (s *Scope) Flatten(a *Tensor, start int) *Tensor {
	return s.make("flatten", func(out *C.ep_tensor) C.ep_status {
		return C.ep_flatten(s.h, a.h, C.int64_t(start), out)
	}, a)
}

// Cat joins tensors along dim.
func (s *Scope) Cat(dim int, parts ...*Tensor) *Tensor {
	h := make([]C.ep_tensor, len(parts)+1) // never empty, so that &h[0] exists
	return s.make("cat", func(out *C.ep_tensor) C.ep_status {
		for i, t := range parts {
			h[i] = t.h
		}
		return C.ep_cat(s.h, &h[0], C.int32_t(len(parts)), C.int64_t(dim), out)
	}, parts...)
}

// Narrow returns the part of a that has length elements along dim from start on. It
// shares a's memory.
func (s *Scope) Narrow(a *Tensor, dim, start, length int) *Tensor {
	return s.make("narrow", func(out *C.ep_tensor) C.ep_status {
		return C.ep_narrow(s.h, a.h, C.int64_t(dim), C.int64_t(start), C.int64_t(length), out)
	}, a)
}

// IndexSelect gathers the slices of a along dim that index (int64) names.
func (s *Scope) IndexSelect(a *Tensor, dim int, index *Tensor) *Tensor {
	return s.make("index_select", func(out *C.ep_tensor) C.ep_status {
		return C.ep_index_select(s.h, a.h, C.int64_t(dim), index.h, out)
	}, a, index)
}

// Index is a slice of indices as a tensor (int64) on a device.
func (s *Scope) Index(index []int, device Device) *Tensor {
	rows := make([]int64, len(index))
	for i, r := range index {
		rows[i] = int64(r)
	}
	d := sizes([]int{len(rows)})
	t := s.make("index", func(out *C.ep_tensor) C.ep_status {
		return C.ep_tensor_from_data(s.h, unsafe.Pointer(unsafe.SliceData(rows)), C.EP_INT64, &d[0], 1, device.c(), out)
	})
	runtime.KeepAlive(rows)
	return t
}

// Select is IndexSelect by a slice.
func (s *Scope) Select(a *Tensor, dim int, index []int) *Tensor {
	return s.IndexSelect(a, dim, s.Index(index, a.Info().Device))
}

// To returns a with another element type or on another device; a itself where it is
// there and of that type already.
func (s *Scope) To(a *Tensor, dtype DType, device Device) *Tensor {
	return s.make("to", func(out *C.ep_tensor) C.ep_status {
		return C.ep_to(s.h, a.h, C.int32_t(dtype), device.c(), out)
	}, a)
}
