package npy

import (
	"encoding/binary"
	"fmt"
	"io"
)

// maxHeader bounds the header of an array that is read from a stream; NumPy's have about
// a hundred bytes.
const maxHeader = 1 << 16

// A Header describes the elements that follow it in a stream.
type Header struct {
	Shape   []int64
	Type    string // NumPy's name without the byte order: "f4"
	Swapped bool   // big-endian
	Fortran bool   // the first index changes fastest
}

// Is reports whether b begins as an .npy file does.
func Is(b []byte) bool { return len(b) >= len(magic) && string(b[:len(magic)]) == magic }

// ReadHeader reads the header of an .npy file, and nothing after it.
func ReadHeader(r io.Reader) (*Header, error) {
	h, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	return &Header{h.shape, h.kind, h.bigEndian, h.fortran}, nil
}

func readHeader(r io.Reader) (*header, error) {
	b := make([]byte, 10, 12)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, errTruncated
	}
	length := int64(binary.LittleEndian.Uint16(b[8:]))
	if b[6] > 1 {
		if _, err := io.ReadFull(r, b[10:12]); err != nil {
			return nil, errTruncated
		}
		b = b[:12]
		length = int64(binary.LittleEndian.Uint32(b[8:]))
	}
	if length > maxHeader {
		return nil, fmt.Errorf("its header claims %d bytes: it is damaged", length)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, errTruncated
	}
	return parseHeader(append(b, text...))
}
