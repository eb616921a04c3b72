package ptfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/eegprune/eegprune/internal/pickle"
)

// maxElements bounds sizes and offsets in a file, so that sums of products of
// two of them can be checked without overflow.
const maxElements = 1 << 40

// A storage is an array of numbers that tensors are views of.
type storage struct {
	elem elem
	n    int
	data []byte // of n elements
	big  bool   // its bytes are in big-endian order
}

// A tensor is a view of a storage: element (i, j, ...) is the storage's number
// offset + i*stride[0] + j*stride[1] + ...
type tensor struct {
	storage *storage
	elem    elem
	offset  int
	shape   []int
	stride  []int
}

// newTensor takes (storage, offset, shape, strides, ...). A tensor of an untyped storage
// has a dtype.
func newTensor(args pickle.Tuple, dtype any) (any, error) {
	switch s := args[0].(type) {
	case *opaque:
		return s, nil
	case *storage:
		t := &tensor{storage: s, elem: s.elem}
		if dtype != nil {
			e, ok := dtype.(elem)
			if !ok {
				return &opaque{"tensor of " + kind(dtype)}, nil
			}
			t.elem = e
		}
		if t.elem.name == untyped.name || s.elem.name != untyped.name && t.elem.size != s.elem.size {
			return nil, errors.New("a tensor and its storage differ in their type: the file is damaged")
		}
		offset, err := sizes(pickle.Tuple{args[1]})
		if err != nil {
			return nil, err
		}
		t.offset = offset[0]
		if t.shape, err = sizes(args[2]); err != nil {
			return nil, err
		}
		t.stride, err = sizes(args[3])
		if err == nil && len(t.shape) != len(t.stride) {
			err = fmt.Errorf("a tensor of %d dimensions has %d strides: the file is damaged", len(t.shape), len(t.stride))
		}
		return t, err
	}
	return nil, fmt.Errorf("a tensor is made of %s instead of a storage: the file is damaged", kind(args[0]))
}

func sizes(v any) ([]int, error) {
	t, ok := v.(pickle.Tuple)
	if !ok || len(t) > 64 {
		return nil, errors.New("a tensor's sizes are no tuple of at most 64: the file is damaged")
	}
	s := make([]int, len(t))
	for i, d := range t {
		n, ok := d.(int64)
		if !ok || n < 0 || n > maxElements {
			return nil, fmt.Errorf("a tensor has %s as a size, stride or offset: the file is damaged", kind(d))
		}
		s[i] = int(n)
	}
	return s, nil
}

// check returns the bytes that the array will have, or an error where the tensor lies outside
// its storage.
func (t *tensor) check() (int, error) {
	elements := 1
	for _, d := range t.shape {
		if d == 0 {
			return 0, nil
		}
		if elements > maxElements/d {
			return 0, fmt.Errorf("shape %v has too many elements", t.shape)
		}
		elements *= d
	}
	have := len(t.storage.data) / t.elem.size
	last := t.offset
	for i, d := range t.shape {
		if d > 1 && t.stride[i] > maxElements/d {
			last = maxElements
			break
		}
		last = min(last+(d-1)*t.stride[i], maxElements)
	}
	if last >= have {
		return 0, fmt.Errorf("shape %v with strides %v from %d on goes beyond its storage of %d elements: the file is damaged", t.shape, t.stride, t.offset, have)
	}
	return elements * t.elem.as.Size(), nil
}

// contiguous copies the elements in row-major order into size bytes.
func (t *tensor) contiguous(size int) []byte {
	out := make([]byte, size)
	src, step, width := t.storage.data, t.elem.size, t.elem.as.Size()
	put := t.elem.widen
	if put == nil {
		put = func(dst, src []byte) { copy(dst, src) }
	}
	if t.storage.big {
		inOrder := put
		var turned [8]byte
		put = func(dst, src []byte) {
			for i, b := range src {
				turned[len(src)-1-i] = b
			}
			inOrder(dst, turned[:len(src)])
		}
	}
	index := make([]int, len(t.shape))
	element := t.offset
	for o := 0; o < size; o += width {
		put(out[o:o+width], src[element*step:(element+1)*step])
		for d := len(index) - 1; d >= 0; d-- {
			index[d]++
			element += t.stride[d]
			if index[d] < t.shape[d] {
				break
			}
			element -= index[d] * t.stride[d]
			index[d] = 0
		}
	}
	return out
}

// Widened makes an array of little-endian elements in row-major order, whose type has the
// name that the safetensors format gives it. It returns false for types that none of an
// array's can hold.
func Widened(dtype string, shape []int, data []byte) (Array, bool) {
	e, ok := byName(dtype)
	if !ok || e.name == untyped.name {
		return Array{}, false
	}
	t := tensor{storage: &storage{elem: e, n: len(data) / e.size, data: data}, elem: e, shape: shape, stride: make([]int, len(shape))}
	step := 1
	for d := len(shape) - 1; d >= 0; d-- {
		t.stride[d], step = step, step*shape[d]
	}
	return Array{e.as, shape, t.contiguous(step * e.as.Size())}, true
}

func widenInt(dst, src []byte) {
	var eight [8]byte
	copy(eight[:], src)
	v := binary.LittleEndian.Uint64(eight[:])
	shift := 64 - 8*len(src)
	binary.LittleEndian.PutUint64(dst, uint64(int64(v<<shift)>>shift))
}

func widenUint(dst, src []byte) {
	var eight [8]byte
	copy(eight[:], src)
	copy(dst, eight[:])
}

func widenBool(dst, src []byte) {
	dst[0] = 0
	if src[0] != 0 {
		dst[0] = 1
	}
}

func widenBrain(dst, src []byte) {
	binary.LittleEndian.PutUint32(dst, uint32(binary.LittleEndian.Uint16(src))<<16)
}

// widenHalf makes IEEE 754's binary32 of its binary16.
func widenHalf(dst, src []byte) {
	h := uint32(binary.LittleEndian.Uint16(src))
	sign, exponent, fraction := h>>15<<31, h>>10&31, h&1023
	var bits uint32
	switch {
	case exponent == 31: // infinite, or NaN
		bits = 0xff<<23 | fraction<<13
	case exponent == 0: // 0, or subnormal
		bits = math.Float32bits(float32(fraction) / (1 << 24))
	default:
		bits = (exponent+127-15)<<23 | fraction<<13
	}
	binary.LittleEndian.PutUint32(dst, sign|bits)
}

// View makes an array of the view of little-endian elements that element (i, j, ...) of the shape
// is at offset + i*stride[0] + j*stride[1] + ..., whose type has the name that PyTorch gives it
// ("float32"). Its bytes must be no more than most.
func View(dtype string, shape, stride []int, offset int, data []byte, most int) (Array, error) {
	e, ok := byName("torch." + dtype)
	if !ok || e.name == untyped.name {
		return Array{}, fmt.Errorf("its elements are of %s", dtype)
	}
	if len(stride) != len(shape) {
		return Array{}, fmt.Errorf("%d dimensions have %d strides: the file is damaged", len(shape), len(stride))
	}
	for _, n := range append(append([]int{offset}, shape...), stride...) {
		if n < 0 || n > maxElements {
			return Array{}, fmt.Errorf("it has %d as a size, stride or offset: the file is damaged", n)
		}
	}
	t := tensor{storage: &storage{elem: e, n: len(data) / e.size, data: data}, elem: e, offset: offset, shape: shape, stride: stride}
	size, err := t.check()
	if err != nil {
		return Array{}, err
	}
	if size > most {
		return Array{}, errors.New("it and those before it claim more than eight times the file's size, as views of the same numbers: clone them before they are saved")
	}
	return Array{e.as, shape, t.contiguous(size)}, nil
}
