// Package mat reads the numeric matrices of MAT files of version 5 (MATLAB 5
// to 7.2, and save -v6 or -v7 of later ones), by the MathWorks document "MAT-File
// Format". Structures, cells, text, sparse matrices and objects are skipped.
package mat

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
)

// A Matrix is a real matrix.
type Matrix struct {
	Name       string
	Rows, Cols int

	values []byte // column by column, as stored
	kind   storage
	order  binary.ByteOrder
}

// Row writes the given row to dst, which must have as many elements as there
// are columns.
func (m *Matrix) Row(dst []float64, row int) error {
	if row < 0 || row >= m.Rows || len(dst) != m.Cols {
		return fmt.Errorf("row %d of %d elements of a matrix of %d x %d", row, len(dst), m.Rows, m.Cols)
	}
	w := m.kind.width
	for c := range dst {
		at := (c*m.Rows + row) * w
		dst[c] = m.kind.value(m.values[at:at+w], m.order)
	}
	return nil
}

// storage is how numbers are stored, whatever class the matrix has: MATLAB
// keeps doubles that are small whole numbers as small integers.
type storage struct {
	width int
	value func(b []byte, o binary.ByteOrder) float64
}

// Data types of elements.
const (
	miINT8       = 1
	miUINT8      = 2
	miINT32      = 5
	miUINT32     = 6
	miMATRIX     = 14
	miCOMPRESSED = 15
	miUTF8       = 16
)

func storages(kind uint32) (storage, bool) {
	s, ok := map[uint32]storage{
		1:  {1, func(b []byte, _ binary.ByteOrder) float64 { return float64(int8(b[0])) }},
		2:  {1, func(b []byte, _ binary.ByteOrder) float64 { return float64(b[0]) }},
		3:  {2, func(b []byte, o binary.ByteOrder) float64 { return float64(int16(o.Uint16(b))) }},
		4:  {2, func(b []byte, o binary.ByteOrder) float64 { return float64(o.Uint16(b)) }},
		5:  {4, func(b []byte, o binary.ByteOrder) float64 { return float64(int32(o.Uint32(b))) }},
		6:  {4, func(b []byte, o binary.ByteOrder) float64 { return float64(o.Uint32(b)) }},
		7:  {4, func(b []byte, o binary.ByteOrder) float64 { return float64(math.Float32frombits(o.Uint32(b))) }},
		9:  {8, func(b []byte, o binary.ByteOrder) float64 { return math.Float64frombits(o.Uint64(b)) }},
		12: {8, func(b []byte, o binary.ByteOrder) float64 { return float64(int64(o.Uint64(b))) }},
		13: {8, func(b []byte, o binary.ByteOrder) float64 { return float64(o.Uint64(b)) }},
	}[kind]
	return s, ok
}

// Classes of matrices that hold real numbers: mxDOUBLE (6) to mxUINT64 (15).
const (
	firstNumeric = 6
	lastNumeric  = 15
	complexFlag  = 1 << 11
)

const headerBytes = 128

// maxRatio is how much smaller than its contents a compressed matrix may be.
// Recordings shrink to a half or a tenth; a thousandth is an attack.
const maxRatio = 256

// Matrices gives the matrices of the file of the given size behind r, in the
// order in which they are stored, one at a time so that a file of many need not
// fit into memory. want, where it isn't nil, chooses them by name; others are
// skipped. Errors give the offset of the element at fault.
func Matrices(ctx context.Context, r io.ReaderAt, size int64, want func(name string) bool) iter.Seq2[*Matrix, error] {
	return func(yield func(*Matrix, error) bool) {
		order, err := readHeader(r, size)
		if err != nil {
			yield(nil, err)
			return
		}
		for at := int64(headerBytes); at < size; {
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			m, next, err := readElement(r, at, size, order, want)
			if err != nil {
				yield(nil, fmt.Errorf("MAT element at byte %d: %w", at, err))
				return
			}
			at = next
			if m != nil && !yield(m, nil) {
				return
			}
		}
	}
}

func readHeader(r io.ReaderAt, size int64) (binary.ByteOrder, error) {
	b := make([]byte, headerBytes)
	if size < headerBytes {
		return nil, fmt.Errorf("it has %d bytes, fewer than the %d of a MAT header: it is truncated or no MAT file of version 5; get it again", size, headerBytes)
	}
	if _, err := r.ReadAt(b, 0); err != nil {
		return nil, fmt.Errorf("reading the MAT header: %w", err)
	}
	if bytes.HasPrefix(b, []byte("\x89HDF")) || bytes.HasPrefix(b, []byte("MATLAB 7.3")) {
		return nil, errors.New("it is a MAT file of version 7.3 (HDF5), which isn't read: load it in MATLAB and save it again with save -v7")
	}
	switch string(b[126:128]) {
	case "IM":
		return binary.LittleEndian, nil
	case "MI":
		return binary.BigEndian, nil
	}
	return nil, errors.New("it is no MAT file of version 5: its header has no byte-order mark")
}

var errTruncated = errors.New("it runs beyond the end of the file: the file is truncated; get it again")

// readElement reads the element at an offset and returns the offset of the
// next. The matrix is nil if it isn't wanted or isn't numeric.
func readElement(r io.ReaderAt, at, size int64, order binary.ByteOrder, want func(string) bool) (*Matrix, int64, error) {
	var tag [8]byte
	if size-at < 8 {
		return nil, 0, errTruncated
	}
	if _, err := r.ReadAt(tag[:], at); err != nil {
		return nil, 0, err
	}
	kind, length := order.Uint32(tag[:]), int64(order.Uint32(tag[4:]))
	if length > size-at-8 {
		return nil, 0, errTruncated
	}
	next := at + 8 + length
	body := io.NewSectionReader(r, at+8, length)
	switch kind {
	case miMATRIX:
		m, err := readMatrix(&stream{r: body, left: length, order: order}, want)
		return m, next, err
	case miCOMPRESSED:
		m, err := readCompressed(body, length, order, want)
		return m, next, err
	}
	return nil, next, nil
}

func readCompressed(body io.Reader, length int64, order binary.ByteOrder, want func(string) bool) (*Matrix, error) {
	z, err := zlib.NewReader(body)
	if err != nil {
		return nil, fmt.Errorf("its compressed data are damaged: %w", err)
	}
	var tag [8]byte
	if _, err := io.ReadFull(z, tag[:]); err != nil {
		return nil, fmt.Errorf("its compressed data are damaged: %w", err)
	}
	if order.Uint32(tag[:]) != miMATRIX {
		return nil, z.Close()
	}
	inner := int64(order.Uint32(tag[4:]))
	if inner > maxRatio*length+1<<16 {
		return nil, fmt.Errorf("it claims %d bytes out of %d compressed ones, which no recording does: refused", inner, length)
	}
	m, err := readMatrix(&stream{r: z, left: inner, order: order}, want)
	return m, errors.Join(err, z.Close())
}

// A stream reads the parts of a matrix.
type stream struct {
	r     io.Reader
	left  int64 // bytes of the matrix not yet read
	order binary.ByteOrder
}

// take reads n bytes. It allocates as they come, not by what n claims.
func (s *stream) take(n int64) ([]byte, error) {
	if n > s.left {
		return nil, errors.New("one of its parts is longer than the whole: the file is damaged")
	}
	var b bytes.Buffer
	b.Grow(int(min(n, 1<<20)))
	got, err := io.CopyN(&b, s.r, n)
	s.left -= got
	if errors.Is(err, io.EOF) {
		err = errTruncated
	}
	return b.Bytes(), err
}

// part reads a part of a matrix: its type and contents.
func (s *stream) part() (kind uint32, b []byte, err error) {
	tag, err := s.take(8)
	if err != nil {
		return 0, nil, err
	}
	kind = s.order.Uint32(tag)
	// Up to four bytes may be kept within the tag, the type and length sharing
	// its first half.
	if small := kind >> 16; small != 0 {
		if small > 4 {
			return 0, nil, errors.New("a part of four bytes claims more: the file is damaged")
		}
		return kind & 0xFFFF, tag[4 : 4+small], nil
	}
	n := int64(s.order.Uint32(tag[4:]))
	if b, err = s.take(n); err != nil {
		return 0, nil, err
	}
	if pad := (8 - n%8) % 8; pad > 0 && s.left > 0 {
		_, err = s.take(min(pad, s.left))
	}
	return kind, b, err
}

func readMatrix(s *stream, want func(string) bool) (*Matrix, error) {
	kind, flags, err := s.part()
	if err != nil {
		return nil, err
	}
	if kind != miUINT32 && kind != miINT32 || len(flags) < 4 {
		return nil, errors.New("a matrix has no flags: the file is damaged")
	}
	class := s.order.Uint32(flags)
	if c := class & 0xFF; c < firstNumeric || c > lastNumeric {
		return nil, nil
	}
	kind, dims, err := s.part()
	if err != nil {
		return nil, err
	}
	if kind != miINT32 && kind != miUINT32 || len(dims)%4 != 0 || len(dims) < 8 {
		return nil, errors.New("a matrix has no dimensions: the file is damaged")
	}
	kind, name, err := s.part()
	if err != nil {
		return nil, err
	}
	// The format wants miINT8; other writers than MATLAB have these.
	if kind != miINT8 && kind != miUINT8 && kind != miUTF8 {
		return nil, errors.New("a matrix has no name: the file is damaged")
	}
	m := &Matrix{Name: string(name), order: s.order}
	if want != nil && !want(m.Name) {
		return nil, nil
	}
	if class&complexFlag != 0 {
		return nil, fmt.Errorf("matrix %q is complex and real numbers are needed", m.Name)
	}
	if len(dims) != 8 {
		return nil, fmt.Errorf("matrix %q has %d dimensions and two are needed", m.Name, len(dims)/4)
	}
	m.Rows, m.Cols = int(int32(s.order.Uint32(dims))), int(int32(s.order.Uint32(dims[4:])))
	return m, m.readValues(s)
}

func (m *Matrix) readValues(s *stream) error {
	if m.Rows < 0 || m.Cols < 0 {
		return fmt.Errorf("matrix %q has %d x %d elements: the file is damaged", m.Name, m.Rows, m.Cols)
	}
	kind, values, err := s.part()
	if err != nil {
		return fmt.Errorf("matrix %q: %w", m.Name, err)
	}
	var ok bool
	if m.kind, ok = storages(kind); !ok {
		return fmt.Errorf("matrix %q is stored as type %d, which holds no numbers: the file is damaged", m.Name, kind)
	}
	if have := int64(len(values) / m.kind.width); have != int64(m.Rows)*int64(m.Cols) || len(values)%m.kind.width != 0 {
		return fmt.Errorf("matrix %q has %d values for %d x %d: the file is damaged", m.Name, have, m.Rows, m.Cols)
	}
	m.values = values
	return nil
}
