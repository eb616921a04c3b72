// Package ndarray holds N-dimensional arrays of numbers as files keep them.
package ndarray

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// An Array is an array of real numbers whose elements are still as stored.
type Array struct {
	Shape   []int
	Type    string // as in NumPy: "f8", "f4", "i2", "u1", "b1", ...
	Fortran bool   // the first index runs fastest
	data    []byte
	order   binary.ByteOrder
	width   int
}

// types are the names of the elements that can be read.
func types() []string {
	return []string{"f8", "f4", "f2", "f16", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"}
}

// CheckType returns an error if elements of that type, as NumPy names it
// without byte order, can't be read.
func CheckType(name string) error {
	if name == "O" {
		return errors.New("its array has Python objects for elements, which only Python can read: save it as numbers, or as text by astype(str)")
	}
	if !slices.Contains(types(), name) {
		return fmt.Errorf("its array has elements of type %.20q, which are no real numbers", name)
	}
	return nil
}

// New returns the array of that shape whose elements are in data, which it
// keeps. The sizes must agree.
func New(shape []int64, kind string, bigEndian, fortran bool, data []byte) (*Array, error) {
	if err := CheckType(kind); err != nil {
		return nil, err
	}
	if len(shape) > 32 {
		return nil, fmt.Errorf("its array has %d dimensions: the file is damaged", len(shape))
	}
	a := &Array{Type: kind, Fortran: fortran, data: data, order: binary.LittleEndian}
	if bigEndian {
		a.order = binary.BigEndian
	}
	if _, err := fmt.Sscan(kind[1:], &a.width); err != nil {
		return nil, err
	}
	n := uint64(a.width)
	for axis, size := range shape {
		if size < 0 {
			return nil, fmt.Errorf("its array has the size %d along axis %d: the file is damaged", size, axis)
		}
		high, low := bits.Mul64(n, uint64(size))
		if high != 0 || low > math.MaxInt64 {
			return nil, errors.New("its array has more elements than can be: the file is damaged")
		}
		n = low
		a.Shape = append(a.Shape, int(size))
	}
	if n != uint64(len(data)) {
		return nil, fmt.Errorf("its array of shape %v and type %s needs %d bytes and has %d: the file is damaged", shape, kind, n, len(data))
	}
	return a, nil
}

// Line reads the elements along the last axis at the given indices of the axes
// before it, whichever index runs fastest. dst must be as long as that axis.
func (a *Array) Line(dst []float64, index ...int) error {
	last := len(a.Shape) - 1
	if last < 0 || len(index) != last || len(dst) != a.Shape[last] {
		return fmt.Errorf("a line of %d elements at %v of an array of shape %v", len(dst), index, a.Shape)
	}
	at, stride, step := 0, 1, 1
	for k := range a.Shape {
		axis := k
		if !a.Fortran {
			axis = last - k
		}
		if axis == last {
			step = stride
		} else if i := index[axis]; i < 0 || i >= a.Shape[axis] {
			return fmt.Errorf("index %v is outside an array of shape %v", index, a.Shape)
		} else {
			at += i * stride
		}
		stride *= a.Shape[axis]
	}
	if len(dst) == 0 {
		return nil
	}
	b := a.data[at*a.width:]
	if step == 1 && a.Type == "f8" && a.order == binary.LittleEndian {
		for i := range dst {
			dst[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
		}
		return nil
	}
	for i := range dst {
		dst[i] = a.element(b[i*step*a.width:][:a.width])
	}
	return nil
}

func (a *Array) element(b []byte) float64 {
	var u uint64
	switch a.width {
	case 1:
		u = uint64(b[0])
	case 2:
		u = uint64(a.order.Uint16(b))
	case 4:
		u = uint64(a.order.Uint32(b))
	case 16:
		return a.extended(b)
	default:
		u = a.order.Uint64(b)
	}
	switch a.Type[0] {
	case 'f':
		switch a.width {
		case 2:
			return half(uint16(u))
		case 4:
			return float64(math.Float32frombits(uint32(u)))
		}
		return math.Float64frombits(u)
	case 'i':
		shift := 64 - 8*a.width
		return float64(int64(u<<shift) >> shift)
	}
	return float64(u)
}

// half is a number of IEEE 754's binary16.
func half(b uint16) float64 {
	v, exponent := float64(b&1023), int(b>>10&31)
	switch exponent {
	case 0:
		v = math.Ldexp(v, -24)
	case 31:
		if v = math.Inf(1); b&1023 != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(v+1024, exponent-25)
	}
	if b>>15 != 0 {
		return -v
	}
	return v
}

// extended is a long double of x86 processors, which NumPy keeps in 16 bytes: a
// significand of 64 bits, and 16 of sign and exponent.
func (a *Array) extended(b []byte) float64 {
	significand, top := a.order.Uint64(b), a.order.Uint16(b[8:])
	if a.order == binary.BigEndian {
		significand, top = a.order.Uint64(b[8:]), a.order.Uint16(b[6:])
	}
	v := math.Ldexp(float64(significand), int(top&0x7fff)-16383-63)
	if top&0x7fff == 0x7fff {
		if v = math.Inf(1); significand<<1 != 0 {
			v = math.NaN()
		}
	}
	if top>>15 != 0 {
		return -v
	}
	return v
}
