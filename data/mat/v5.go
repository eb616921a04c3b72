package mat

import (
	"bytes"
	"cmp"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/eegprune/eegprune/data/ratio"
)

// Data types of elements.
const (
	miINT8       = 1
	miUINT8      = 2
	miUINT16     = 4
	miINT32      = 5
	miUINT32     = 6
	miMATRIX     = 14
	miCOMPRESSED = 15
	miUTF8       = 16
	miUTF16      = 17
	miUTF32      = 18
)

// storages are the data types of numbers, as NumPy names them. An array of any class may
// be stored in any: MATLAB keeps doubles that are small whole numbers as small integers.
func storages(kind uint32) (name string, ok bool) {
	name, ok = map[uint32]string{1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}[kind]
	return name, ok
}

// Classes of arrays.
const (
	mxCELL     = 1
	mxSTRUCT   = 2
	mxOBJECT   = 3
	mxCHAR     = 4
	mxSPARSE   = 5
	mxFUNCTION = 16
	mxOPAQUE   = 17

	firstNumeric = 6
	lastNumeric  = 15

	logicalFlag = 1 << 9
	complexFlag = 1 << 11
)

func className(class uint32) string {
	names := []string{"", "cell", "struct", "object", "char", "sparse", "double", "single", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "function_handle", "opaque"}
	if int(class) >= len(names) {
		return ""
	}
	return names[class]
}

const headerBytes = 128

// arrays5 reads a file of version 5.
func arrays5(ctx context.Context, r io.ReaderAt, size int64, want func(string) bool, yield func(*Array, error) bool) {
	order, err := readHeader(r, size)
	if err != nil {
		yield(nil, err)
		return
	}
	v := &reader5{walk: walk{want: want, most: maxArrays}, r: r, size: size, order: order}
	for at := int64(headerBytes); at < size; {
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return
		}
		a, next, err := v.element(at)
		if err != nil {
			yield(nil, fmt.Errorf("MAT element at byte %d: %w", at, err))
			return
		}
		at = next
		if a != nil && !yield(a, nil) {
			return
		}
	}
}

func readHeader(r io.ReaderAt, size int64) (binary.ByteOrder, error) {
	b := make([]byte, headerBytes)
	if size < headerBytes {
		return nil, fmt.Errorf("it has %d bytes, fewer than the %d of a MAT header: it is truncated or no MAT file; get it again", size, headerBytes)
	}
	if _, err := r.ReadAt(b, 0); err != nil {
		return nil, fmt.Errorf("reading the MAT header: %w", err)
	}
	switch string(b[126:128]) {
	case "IM":
		return binary.LittleEndian, nil
	case "MI":
		return binary.BigEndian, nil
	}
	return nil, errors.New("it is no MAT file: its header has no byte-order mark")
}

var errTruncated = errors.New("it runs beyond the end of the file: the file is truncated; get it again")

// A reader5 reads a file of version 5.
type reader5 struct {
	walk
	r     io.ReaderAt
	size  int64
	order binary.ByteOrder
}

// element reads the variable at an offset and returns the offset of the next. It is nil if
// it isn't wanted.
func (v *reader5) element(at int64) (*Array, int64, error) {
	var tag [8]byte
	if v.size-at < 8 {
		return nil, 0, errTruncated
	}
	if _, err := v.r.ReadAt(tag[:], at); err != nil {
		return nil, 0, err
	}
	kind, length := v.order.Uint32(tag[:]), int64(v.order.Uint32(tag[4:]))
	if length > v.size-at-8 {
		return nil, 0, errTruncated
	}
	next := at + 8 + length
	switch kind {
	case miMATRIX:
		a, err := v.array(&stream{file: v.r, at: at + 8, left: length, order: v.order}, "", "", 0)
		return a, next, err
	case miCOMPRESSED:
		a, err := v.compressed(io.NewSectionReader(v.r, at+8, length), length)
		return a, next, err
	}
	return nil, next, nil
}

func (v *reader5) compressed(body io.Reader, length int64) (*Array, error) {
	z, err := zlib.NewReader(body)
	if err != nil {
		return nil, fmt.Errorf("its compressed data are damaged: %w", err)
	}
	var tag [8]byte
	if _, err := io.ReadFull(z, tag[:]); err != nil {
		return nil, fmt.Errorf("its compressed data are damaged: %w", err)
	}
	if v.order.Uint32(tag[:]) != miMATRIX {
		return nil, z.Close()
	}
	inner := int64(v.order.Uint32(tag[4:]))
	if n, in := uint64(inner), uint64(length); !ratio.Possible(n, in, 1<<10) || !ratio.Plausible(n, in) {
		return nil, fmt.Errorf("it claims %d bytes out of %d compressed ones, which no recording does: refused", inner, length)
	}
	in := &stream{z: z, left: inner, order: v.order}
	a, err := v.array(in, "", "", 0)
	if err == nil && a != nil {
		err = in.end()
	}
	return a, cmp.Or(err, z.Close()) // which often says the same
}

// array reads an array whose path is above and its own name. A nil one isn't wanted.
func (v *reader5) array(s *stream, above, field string, depth int) (*Array, error) {
	if err := v.enter(depth); err != nil {
		return nil, err
	}
	if s.left == 0 && depth > 0 { // how an empty matrix is written in a structure
		return &Array{Name: field, Class: "double", Dims: []int{0, 0}, numbers: &stored{}}, nil
	}
	kind, flags, err := s.part()
	if err != nil {
		return nil, err
	}
	if kind != miUINT32 && kind != miINT32 || len(flags) < 4 {
		return nil, errors.New("a matrix has no flags: the file is damaged")
	}
	a := &Array{Name: field}
	word := s.order.Uint32(flags)
	class := word & 0xFF
	if a.Class = className(class); a.Class == "" {
		return nil, nil // a kind of a later MATLAB
	}
	if class == mxOPAQUE {
		return v.opaque(s, a, depth)
	}
	if a.Dims, err = s.dims(); err != nil {
		return nil, err
	}
	name, err := s.name()
	if err != nil {
		return nil, err
	}
	path := above
	if depth == 0 {
		a.Name, path = name, name
		if name == "" { // where MATLAB keeps the shared data of its objects
			return nil, nil
		}
	}
	if depth == 0 && !v.want(path) {
		return nil, nil
	}
	switch {
	case class == mxCELL:
		err = v.cells(s, a, path, depth)
	case class == mxSTRUCT || class == mxOBJECT:
		err = v.structure(s, a, class == mxOBJECT, path, depth)
	case class == mxCHAR:
		err = s.characters(a)
	case class == mxSPARSE || class == mxFUNCTION:
		a.refused = notRead(a.Class)
	default:
		err = s.values(a, word)
	}
	if err != nil {
		return nil, inPath(path, err)
	}
	return a, nil
}

// inPath says in which array something is wrong, once.
func inPath(path string, err error) error {
	if strings.HasPrefix(err.Error(), "matrix ") {
		return err
	}
	return fmt.Errorf("matrix %q: %w", path, err)
}

// dims reads the sizes of the axes.
func (s *stream) dims() ([]int, error) {
	kind, b, err := s.part()
	if err != nil {
		return nil, err
	}
	// Other writers than MATLAB have unsigned ones.
	if kind != miINT32 && kind != miUINT32 || len(b)%4 != 0 || len(b) < 8 || len(b) > 128 {
		return nil, errors.New("a matrix has no dimensions: the file is damaged")
	}
	var dims []int
	n := uint64(1)
	for i := 0; i < len(b); i += 4 {
		size := int32(s.order.Uint32(b[i:]))
		high, low := bits.Mul64(n, uint64(size))
		if size < 0 || high != 0 || low > 1<<48 {
			return nil, fmt.Errorf("a matrix has %d elements along axis %d: the file is damaged", size, i/4+1)
		}
		n = low
		dims = append(dims, int(size))
	}
	return dims, nil
}

// name reads a name.
func (s *stream) name() (string, error) {
	kind, b, err := s.part()
	if err != nil {
		return "", err
	}
	// The format wants miINT8; other writers than MATLAB have these.
	if kind != miINT8 && kind != miUINT8 && kind != miUTF8 {
		return "", errors.New("a matrix has no name: the file is damaged")
	}
	return strings.TrimRight(string(b), "\x00"), nil
}

// opaque reads the header of an object of one of MATLAB's classes.
func (v *reader5) opaque(s *stream, a *Array, depth int) (*Array, error) {
	name, err := s.name()
	if err != nil {
		return nil, err
	}
	if depth == 0 {
		if a.Name = name; name == "" || !v.want(name) {
			return nil, nil
		}
	}
	if _, err = s.name(); err == nil { // the kind of its class
		a.Class, err = s.name()
	}
	a.Dims, a.refused = []int{1, 1}, notRead(a.Class)
	return a, err
}

// values reads the numbers of an array.
func (s *stream) values(a *Array, flags uint32) error {
	if flags&logicalFlag != 0 {
		a.Class = "logical"
	}
	x, err := s.numbers()
	if err != nil {
		return err
	}
	if have := x.len; have != int64(a.Len()) {
		return fmt.Errorf("it has %d values for %s: the file is damaged", max(0, have), a.Shape())
	}
	if flags&complexFlag != 0 {
		a.refused = complexRefused
		return nil
	}
	a.numbers = x
	return nil
}

// characters reads the text of a char array.
func (s *stream) characters(a *Array) error {
	kind, n, b, err := s.tag()
	if err == nil && b == nil {
		if n > maxText {
			a.refused = tooLong(n, "bytes")
			return nil
		}
		if b, err = s.take(n); err == nil {
			err = s.pad(n)
		}
	}
	if err != nil {
		return err
	}
	var list []rune
	switch kind {
	case miUTF8:
		list = []rune(string(b))
	case miINT8, miUINT8:
		if utf8.Valid(b) { // as Octave has it
			list = []rune(string(b))
			break
		}
		for _, c := range b {
			list = append(list, rune(c))
		}
	case miUINT16, miUTF16:
		units := make([]uint16, len(b)/2)
		for i := range units {
			units[i] = s.order.Uint16(b[2*i:])
		}
		list = utf16.Decode(units)
	case miUTF32:
		for i := 0; i+4 <= len(b); i += 4 {
			list = append(list, rune(min(s.order.Uint32(b[i:]), 1<<30))) // an impossible one becomes U+FFFD
		}
	default:
		return fmt.Errorf("its text is stored as type %d: the file is damaged", kind)
	}
	a.text = textRows(list, a.Dims)
	return nil
}

// inner reads an array within another, which is nil where it isn't wanted.
func (v *reader5) inner(s *stream, path, field string, depth int) (*Array, error) {
	kind, n, small, err := s.tag()
	if err != nil {
		return nil, err
	}
	if kind != miMATRIX || small != nil {
		return nil, fmt.Errorf("an element of it is of type %d and no array: the file is damaged", kind)
	}
	if n > s.left {
		return nil, errLonger
	}
	path = below(path, field)
	if !v.want(path) {
		return nil, s.skip(n)
	}
	in := *s
	in.left = n
	a, err := v.array(&in, path, field, depth+1)
	if err != nil {
		return nil, err
	}
	s.at, s.left = in.at, s.left-(n-in.left)
	if a == nil { // of a kind that isn't known
		a = &Array{Name: field, Class: "unknown", Dims: []int{0, 0}, refused: notRead("unknown")}
	}
	return a, s.skip(in.left)
}

// cells reads the elements of a cell array.
func (v *reader5) cells(s *stream, a *Array, path string, depth int) error {
	n := a.Len()
	if int64(n) > s.left/8 {
		return fmt.Errorf("it claims %d cells: the file is damaged", n)
	}
	if !v.want(below(path, "")) {
		return nil
	}
	a.cells = make([]*Array, 0, min(n, 1<<10))
	for range n {
		c, err := v.inner(s, path, "", depth)
		if err != nil {
			return err
		}
		a.cells = append(a.cells, c)
	}
	return nil
}

// structure reads the fields of the elements of an array of structures.
func (v *reader5) structure(s *stream, a *Array, object bool, path string, depth int) error {
	if object { // of an old class
		class, err := s.name()
		if err != nil {
			return err
		}
		a.Class = class
	}
	_, b, err := s.part()
	if err != nil {
		return err
	}
	if len(b) < 4 {
		return errors.New("a structure has no fields: the file is damaged")
	}
	width := int(int32(s.order.Uint32(b)))
	_, names, err := s.part()
	if err != nil {
		return err
	}
	if width < 1 || len(names)%width != 0 {
		if len(names) == 0 {
			return nil
		}
		return errors.New("the names of a structure's fields are damaged: get the file again")
	}
	for i := 0; i < len(names); i += width {
		name, _, _ := bytes.Cut(names[i:i+width], []byte{0})
		a.Fields = append(a.Fields, string(name))
	}
	n := a.Len()
	if high, all := bits.Mul64(uint64(n), uint64(len(a.Fields))); high != 0 || all > uint64(s.left/8) {
		return fmt.Errorf("it claims %d structures of %d fields: the file is damaged", n, len(a.Fields))
	}
	a.fields = map[string][]*Array{}
	first := map[string]int{} // of several fields of a name it counts
	for k := len(a.Fields) - 1; k >= 0; k-- {
		first[a.Fields[k]] = k
	}
	if a.Class == "" {
		a.Class = "struct"
	}
	for i := range n {
		for k, name := range a.Fields {
			one, err := v.inner(s, path, name, depth)
			if err != nil {
				return err
			}
			if first[name] == k && one != nil {
				if a.fields[name] == nil {
					a.fields[name] = make([]*Array, n)
				}
				a.fields[name][i] = one
			}
		}
	}
	return nil
}
