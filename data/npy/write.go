package npy

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Named is an array to write: []float32, []float64, []int64 or []string, in
// row-major order, or []byte, which is one string of bytes. A nil shape is one axis.
type Named struct {
	Name   string
	Shape  []int
	Values any
}

// WriteArchive writes an uncompressed .npz file, which numpy.load reads without
// allow_pickle. Strings become NumPy's fixed-width Unicode.
func WriteArchive(w io.Writer, arrays []Named) error {
	z := zip.NewWriter(w)
	for _, a := range arrays {
		// Stored, as np.savez does: features hardly shrink.
		f, err := z.CreateHeader(&zip.FileHeader{Name: a.Name + ".npy", Method: zip.Store})
		if err != nil {
			return fmt.Errorf("writing array %s: %w", a.Name, err)
		}
		if err := a.write(f); err != nil {
			return fmt.Errorf("writing array %s: %w", a.Name, err)
		}
	}
	return z.Close()
}

func (a Named) write(w io.Writer) error {
	var kind string
	var n int
	values := a.Values
	switch v := a.Values.(type) {
	case []float32:
		kind, n = "<f4", len(v)
	case []float64:
		kind, n = "<f8", len(v)
	case []int64:
		kind, n = "<i8", len(v)
	case []string:
		width := 1
		for _, s := range v {
			width = max(width, utf8.RuneCountInString(s))
		}
		kind, n = fmt.Sprintf("<U%d", width), len(v)
		runes := make([]int32, n*width)
		for i, s := range v {
			copy(runes[i*width:], []rune(s))
		}
		values = runes
	case []byte:
		kind, n = fmt.Sprintf("|S%d", len(v)), 1
	default:
		return fmt.Errorf("values of type %T can't be written", a.Values)
	}
	shape := a.Shape
	if _, scalar := a.Values.([]byte); !scalar && shape == nil {
		shape = []int{n}
	}
	have := 1
	var sizes []string
	for _, d := range shape {
		have *= d
		sizes = append(sizes, fmt.Sprint(d, ","))
	}
	if have != n {
		return fmt.Errorf("%d values for the shape %v", n, shape)
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", kind, strings.Join(sizes, " "))
	// The values begin at a multiple of 64 bytes, for memory maps.
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	var b bytes.Buffer
	b.WriteString(magic + "\x01\x00")
	b.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(header))))
	b.WriteString(header)
	if _, err := w.Write(b.Bytes()); err != nil {
		return err
	}
	switch v := values.(type) {
	case []float32:
		return inBlocks(w, v)
	case []float64:
		return inBlocks(w, v)
	case []int64:
		return inBlocks(w, v)
	}
	return binary.Write(w, binary.LittleEndian, values)
}

// inBlocks writes values a few at a time: binary.Write has all it writes in memory twice.
func inBlocks[T float32 | float64 | int64](w io.Writer, values []T) error {
	for block := range slices.Chunk(values, 1<<16) {
		if err := binary.Write(w, binary.LittleEndian, block); err != nil {
			return err
		}
	}
	return nil
}
