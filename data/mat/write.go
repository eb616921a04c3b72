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

// WriteHeader begins a MAT file of version 5, little-endian.
func WriteHeader(w io.Writer) error {
	b := bytes.Repeat([]byte(" "), headerBytes)
	copy(b, "MATLAB 5.0 MAT-file")
	copy(b[116:], "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01IM")
	_, err := w.Write(b)
	return err
}

// WriteMatrix adds a real matrix, given by its rows, as compressed doubles.
func WriteMatrix(w io.Writer, name string, rows [][]float64) error {
	if len(rows) == 0 || name == "" {
		return errors.New("mat: a matrix needs a name and at least one row")
	}
	cols := len(rows[0])
	contents := 8 * int64(len(rows)) * int64(cols)
	if contents > math.MaxUint32-1024 {
		return fmt.Errorf("mat: matrix %q of %d x %d is larger than version 5 can hold", name, len(rows), cols)
	}
	var head bytes.Buffer
	put := func(v ...uint32) {
		for _, x := range v {
			_ = binary.Write(&head, binary.LittleEndian, x)
		}
	}
	put(miUINT32, 8, firstNumeric, 0)
	put(miINT32, 8, uint32(len(rows)), uint32(cols))
	put(miINT8, uint32(len(name)))
	head.WriteString(name)
	head.Write(make([]byte, (8-len(name)%8)%8))
	put(9, uint32(contents)) // miDOUBLE

	var packed bytes.Buffer
	z, err := zlib.NewWriterLevel(&packed, zlib.BestSpeed)
	if err != nil {
		return err
	}
	var tag [8]byte
	binary.LittleEndian.PutUint32(tag[:], miMATRIX)
	binary.LittleEndian.PutUint32(tag[4:], uint32(int64(head.Len())+contents))
	_, err = z.Write(append(tag[:], head.Bytes()...))
	column := make([]byte, 8*len(rows))
	for c := 0; c < cols && err == nil; c++ {
		for r, row := range rows {
			if len(row) != cols {
				return fmt.Errorf("mat: row %d of matrix %q has %d elements and the first %d", r, name, len(row), cols)
			}
			binary.LittleEndian.PutUint64(column[8*r:], math.Float64bits(row[c]))
		}
		_, err = z.Write(column)
	}
	if err = errors.Join(err, z.Close()); err != nil {
		return err
	}
	binary.LittleEndian.PutUint32(tag[:], miCOMPRESSED)
	binary.LittleEndian.PutUint32(tag[4:], uint32(packed.Len()))
	_, err = w.Write(append(tag[:], packed.Bytes()...))
	return err
}
