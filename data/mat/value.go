package mat

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// A Value is the value of a variable, a cell or a field, to write: [Numbers], a [Cell], a
// [CellColumn], a [Struct], [Structs] or a [Text].
type Value interface {
	// put appends the element without its tag.
	put(b []byte, name string) ([]byte, error)
}

// Numbers are doubles, the first index fastest. Nil values of no length are an empty array.
type Numbers struct {
	Dims   []int
	Values []float64
}

// A Cell is a row of values, and a CellColumn a column.
type (
	Cell       []Value
	CellColumn []Value
)

// A Struct is a structure with one element, and Structs are a column of them with the same fields.
type (
	Struct  []Field
	Structs []Struct
)

// A Field is one of a structure.
type Field struct {
	Name  string
	Value Value
}

// A Text is a row of characters.
type Text string

// Column is a column of numbers.
func Column(values ...float64) Numbers { return Numbers{[]int{len(values), 1}, values} }

// Write adds a variable, compressed.
func Write(w io.Writer, name string, v Value) error {
	inner, err := element(nil, name, v)
	if err != nil {
		return fmt.Errorf("mat: variable %q: %w", name, err)
	}
	var packed bytes.Buffer
	z, err := zlib.NewWriterLevel(&packed, zlib.BestSpeed)
	if err == nil {
		_, err = z.Write(inner)
	}
	if err = errors.Join(err, z.Close()); err != nil {
		return err
	}
	if packed.Len() > math.MaxUint32 {
		return fmt.Errorf("mat: variable %q is larger than version 5 can hold", name)
	}
	tag := binary.LittleEndian.AppendUint32(nil, miCOMPRESSED)
	tag = binary.LittleEndian.AppendUint32(tag, uint32(packed.Len()))
	_, err = w.Write(append(tag, packed.Bytes()...))
	return err
}

// element appends an array with its tag.
func element(b []byte, name string, v Value) ([]byte, error) {
	at := len(b)
	b = append(b, make([]byte, 8)...)
	b, err := v.put(b, name)
	if err != nil {
		return nil, err
	}
	n := len(b) - at - 8
	if n > math.MaxInt32 {
		return nil, fmt.Errorf("it has %d bytes, more than version 5 can hold", n)
	}
	binary.LittleEndian.PutUint32(b[at:], miMATRIX)
	binary.LittleEndian.PutUint32(b[at+4:], uint32(n))
	return b, nil
}

// begin appends class, dimensions and name.
func begin(b []byte, class uint32, dims []int, name string) []byte {
	b = words(b, miUINT32, 8, class, 0)
	b = words(b, miINT32, uint32(4*len(dims)))
	for _, d := range dims {
		b = words(b, uint32(d))
	}
	b = padded(b, 4*len(dims))
	return padded(append(words(b, miINT8, uint32(len(name))), name...), len(name))
}

func words(b []byte, list ...uint32) []byte {
	for _, v := range list {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// padded appends zeros that fill n bytes up to a multiple of eight.
func padded(b []byte, n int) []byte { return append(b, make([]byte, (8-n%8)%8)...) }

func (x Numbers) put(b []byte, name string) ([]byte, error) {
	dims, n := x.Dims, 1
	if len(dims) == 0 {
		dims = []int{0, 0}
	}
	for _, d := range dims {
		n *= d
	}
	if n != len(x.Values) || len(dims) < 2 {
		return nil, fmt.Errorf("%d numbers for the dimensions %v", len(x.Values), dims)
	}
	b = words(begin(b, firstNumeric, dims, name), 9, uint32(8*n)) // miDOUBLE
	for _, v := range x.Values {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b, nil
}

func (x Cell) put(b []byte, name string) ([]byte, error) {
	return cells(begin(b, mxCELL, []int{1, len(x)}, name), x)
}

func (x CellColumn) put(b []byte, name string) ([]byte, error) {
	return cells(begin(b, mxCELL, []int{len(x), 1}, name), x)
}

func cells(b []byte, x []Value) (_ []byte, err error) {
	for _, v := range x {
		if b, err = element(b, "", v); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// fieldBytes is how long names of fields are, with a zero at least.
const fieldBytes = 32

func (x Struct) put(b []byte, name string) ([]byte, error) { return Structs{x}.put(b, name) }

func (x Structs) put(b []byte, name string) (_ []byte, err error) {
	var fields Struct
	if len(x) > 0 {
		fields = x[0]
	}
	b = words(begin(b, mxSTRUCT, []int{len(x), 1}, name), miINT32|4<<16, fieldBytes, miINT8, uint32(fieldBytes*len(fields)))
	for _, f := range fields {
		if len(f.Name) >= fieldBytes {
			return nil, fmt.Errorf("the name of the field %s is too long", f.Name)
		}
		b = append(append(b, f.Name...), make([]byte, fieldBytes-len(f.Name))...)
	}
	for _, one := range x {
		for i, f := range one {
			if len(one) != len(fields) || f.Name != fields[i].Name {
				return nil, fmt.Errorf("its elements have different fields: %s", f.Name)
			}
			if b, err = element(b, "", f.Value); err != nil {
				return nil, err
			}
		}
	}
	return b, nil
}

func (x Text) put(b []byte, name string) ([]byte, error) {
	b = words(begin(b, mxCHAR, []int{1, len([]rune(string(x)))}, name), miUTF8, uint32(len(x)))
	return padded(append(b, x...), len(x)), nil
}
