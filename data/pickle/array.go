package pickle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
)

// An Array is a NumPy array of numbers.
type Array struct {
	Shape   []int
	Type    string // as in NumPy: "f8", "f4", "i2", "u1", "b1", ...
	Fortran bool   // the first index runs fastest
	data    []byte
	order   binary.ByteOrder
	width   int
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
	default:
		u = a.order.Uint64(b)
	}
	switch a.Type[0] {
	case 'f':
		if a.width == 4 {
			return float64(math.Float32frombits(uint32(u)))
		}
		return math.Float64frombits(u)
	case 'i':
		shift := 64 - 8*a.width
		return float64(int64(u<<shift) >> shift)
	}
	return float64(u)
}

// The functions and classes that NumPy's pickles name. NumPy 2 renamed
// numpy.core to numpy._core.
type function string

const (
	reconstruct function = "numpy.core.multiarray._reconstruct"
	fromBuffer  function = "numpy.core.numeric._frombuffer"
	ndarray     function = "numpy.ndarray"
	dtype       function = "numpy.dtype"
	encode      function = "_codecs.encode"
)

// dtypeValue is a dtype while it is being built.
type dtypeValue struct {
	name string
	big  bool
}

// build runs the instructions that make arrays.
func (m *machine) build(op byte) (bool, error) {
	switch op {
	case 'c': // GLOBAL
		module, err := m.line()
		if err != nil {
			return true, err
		}
		name, err := m.line()
		if err != nil {
			return true, err
		}
		return true, m.global(string(module), string(name))
	case 0x93: // STACK_GLOBAL
		v, err := m.popN(2)
		if err != nil {
			return true, err
		}
		module, _ := v[0].(string)
		name, _ := v[1].(string)
		return true, m.global(module, name)
	case 'R': // REDUCE
		v, err := m.popN(2)
		if err != nil {
			return true, err
		}
		made, err := call(v[0], v[1])
		if err == nil {
			m.push(made)
		}
		return true, err
	case 'b': // BUILD
		v, err := m.popN(2)
		if err != nil {
			return true, err
		}
		m.push(v[0])
		return true, setState(v[0], v[1])
	}
	return false, nil
}

func (m *machine) global(module, name string) error {
	full := function(strings.Replace(module, "numpy._core.", "numpy.core.", 1) + "." + name)
	if !slices.Contains([]function{reconstruct, fromBuffer, ndarray, dtype, encode}, full) {
		return fmt.Errorf("it names %.80q, which no array needs: it may be made to run something, and is refused", module+"."+name)
	}
	m.push(full)
	return nil
}

// call runs one of the known functions.
func call(f, arguments any) (any, error) {
	name, ok := f.(function)
	args, isTuple := arguments.(Tuple)
	if !ok || !isTuple {
		return nil, errors.New("it calls what is no function: refused")
	}
	switch name {
	case reconstruct: // (ndarray, (0,), b"b"): an empty array for BUILD to fill
		return &Array{}, nil
	case dtype:
		return newDtype(args)
	case encode: // ("text", "latin1"): how Python 3 writes bytes in protocols 0 to 2
		if len(args) == 2 {
			if text, ok := args[0].(string); ok && (args[1] == "latin1" || args[1] == "latin-1") {
				return latin1(text)
			}
		}
	case fromBuffer: // (bytes, dtype, shape, order): protocol 5
		if len(args) == 4 {
			a := &Array{}
			return a, a.fill(args[2], args[1], args[3] == "F", args[0])
		}
	}
	return nil, fmt.Errorf("it calls %s in a way that NumPy doesn't: refused", name)
}

func newDtype(args Tuple) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("a dtype has no name: the file is damaged")
	}
	name := ""
	switch v := args[0].(type) {
	case string:
		name = v
	case Bytes:
		name = string(v)
	}
	t := &dtypeValue{name: strings.TrimLeft(name, "<>|="), big: strings.HasPrefix(name, ">")}
	if !slices.Contains([]string{"f8", "f4", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"}, t.name) {
		return nil, fmt.Errorf("its array has elements of type %.20q, which are no real numbers", name)
	}
	return t, nil
}

// setState gives a dtype its byte order and an array its contents.
func setState(target, state any) error {
	s, ok := state.(Tuple)
	if !ok {
		return errors.New("it builds something other than an array: refused")
	}
	switch t := target.(type) {
	case *dtypeValue: // (version, order, ...)
		if len(s) < 2 {
			break
		}
		order, _ := s[1].(string)
		if b, ok := s[1].(Bytes); ok {
			order = string(b)
		}
		t.big = order == ">"
		return nil
	case *Array: // (version, shape, dtype, fortran, contents)
		if len(s) != 5 {
			break
		}
		fortran := s[3] == true || s[3] == int64(1)
		return t.fill(s[1], s[2], fortran, s[4])
	}
	return errors.New("it builds something other than an array: refused")
}

// fill checks that the parts of an array belong together.
func (a *Array) fill(shape, kind any, fortran bool, contents any) error {
	dims, ok1 := shape.(Tuple)
	t, ok2 := kind.(*dtypeValue)
	data, ok3 := contents.(Bytes)
	if text, isText := contents.(string); isText {
		// A Python 2 string that something has decoded as Latin-1 and saved again.
		var err error
		if data, err = latin1(text); err != nil {
			return err
		}
		ok3 = true
	}
	if !ok1 || !ok2 || !ok3 || len(dims) > 32 {
		return errors.New("an array's shape, type or contents are not what NumPy writes: the file is damaged")
	}
	width := int(t.name[1] - '0')
	n := uint64(1)
	a.Shape = make([]int, len(dims))
	for i, d := range dims {
		size, ok := d.(int64)
		if !ok || size < 0 {
			return fmt.Errorf("the size of an array along axis %d is a %T that no array has: the file is damaged", i, d)
		}
		high, low := bits.Mul64(n, uint64(size))
		if high != 0 || low > math.MaxInt64/8 {
			return errors.New("an array has more elements than can be: the file is damaged")
		}
		n = low
		a.Shape[i] = int(size)
	}
	if n*uint64(width) != uint64(len(data)) {
		return fmt.Errorf("an array of shape %v and type %s needs %d bytes and has %d: the file is damaged", a.Shape, t.name, n*uint64(width), len(data))
	}
	a.Type, a.width, a.Fortran, a.data, a.order = t.name, width, fortran, data, binary.LittleEndian
	if t.big {
		a.order = binary.BigEndian
	}
	return nil
}
