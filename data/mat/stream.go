package mat

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/eegprune/eegprune/data/ndarray"
)

// A stream reads the parts of an array, from the file or from its decompressed bytes.
type stream struct {
	file  io.ReaderAt // nil where it is z that is read
	at    int64
	z     io.Reader
	left  int64 // bytes of the array not yet read
	order binary.ByteOrder
}

var errLonger = errors.New("one of its parts is longer than the whole: the file is damaged")

// take reads n bytes. It allocates as they come, not by what n claims.
func (s *stream) take(n int64) ([]byte, error) {
	if n > s.left {
		return nil, errLonger
	}
	s.left -= n
	if s.file != nil {
		b := make([]byte, n) // within the file, whose size is known
		_, err := s.file.ReadAt(b, s.at)
		s.at += n
		return b, err
	}
	var b bytes.Buffer
	b.Grow(int(min(n, 1<<20)))
	_, err := io.CopyN(&b, s.z, n)
	return b.Bytes(), unpacked(err)
}

// unpacked is an error of compressed data.
func unpacked(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return errTruncated
	}
	return fmt.Errorf("its compressed data are damaged: %w", err)
}

// end reads the rest of a compressed array, so that its checksum is tested.
func (s *stream) end() error {
	if err := s.skip(s.left); err != nil {
		return err
	}
	if n, err := io.CopyN(io.Discard, s.z, 1); n > 0 || !errors.Is(err, io.EOF) {
		return unpacked(errors.Join(errLonger, err))
	}
	return nil
}

// skip passes over n bytes.
func (s *stream) skip(n int64) error {
	if n > s.left {
		return errLonger
	}
	s.left -= n
	if s.file != nil {
		s.at += n
		return nil
	}
	_, err := io.CopyN(io.Discard, s.z, n)
	return unpacked(err)
}

// tag reads the type of a part and its size in bytes. A part of up to four bytes is in the
// tag itself.
func (s *stream) tag() (kind uint32, n int64, small []byte, err error) {
	tag, err := s.take(8)
	if err != nil {
		return 0, 0, nil, err
	}
	kind = s.order.Uint32(tag)
	if n := kind >> 16; n != 0 {
		if n > 4 {
			return 0, 0, nil, errors.New("a part of four bytes claims more: the file is damaged")
		}
		return kind & 0xFFFF, int64(n), tag[4 : 4+n], nil
	}
	return kind, int64(s.order.Uint32(tag[4:])), nil, nil
}

// pad skips the padding of a part of n bytes to a multiple of eight.
func (s *stream) pad(n int64) error { return s.skip(min((8-n%8)%8, s.left)) }

// part reads a part: its type and contents.
func (s *stream) part() (kind uint32, b []byte, err error) {
	kind, n, b, err := s.tag()
	if err != nil || b != nil {
		return kind, b, err
	}
	if b, err = s.take(n); err != nil {
		return 0, nil, err
	}
	return kind, b, s.pad(n)
}

// lazyBytes is how long numbers must be to be left in the file until they are wanted.
const lazyBytes = 1 << 12

// numbers is a part of numbers.
func (s *stream) numbers() (*stored, error) {
	kind, n, small, err := s.tag()
	if err != nil {
		return nil, err
	}
	x := &stored{bigEndian: s.order == binary.BigEndian}
	var ok bool
	if x.kind, ok = storages(kind); !ok {
		return nil, fmt.Errorf("it is stored as type %d, which holds no numbers: the file is damaged", kind)
	}
	x.width = int64(x.kind[1] - '0')
	x.len = n / x.width
	if n%x.width != 0 {
		x.len = -1
	}
	switch {
	case small != nil:
		x.r = bytes.NewReader(small)
		return x, nil
	case s.file != nil && n > lazyBytes:
		x.r, x.at = s.file, s.at
		err = s.skip(n)
	default:
		var b []byte
		b, err = s.take(n)
		x.r = bytes.NewReader(b)
	}
	if err != nil {
		return nil, err
	}
	return x, s.pad(n)
}

// stored are numbers that lie one after another.
type stored struct {
	r         io.ReaderAt
	at        int64
	len       int64 // how many there are; -1 where their bytes are no whole number of them
	kind      string
	width     int64
	bigEndian bool
}

// Floats implements [numbers].
func (x *stored) Floats(_ context.Context, dst []float64, first int64) error {
	b := make([]byte, min(len(dst), blockNumbers)*int(x.width))
	for at := 0; at < len(dst); at += blockNumbers {
		part := dst[at:min(at+blockNumbers, len(dst))]
		b = b[:len(part)*int(x.width)]
		if n, err := x.r.ReadAt(b, x.at+(first+int64(at))*x.width); n < len(b) {
			return errors.Join(err, errTruncated)
		}
		a, err := ndarray.New([]int64{int64(len(part))}, x.kind, x.bigEndian, false, b)
		if err != nil {
			return err
		}
		if err := a.Line(part); err != nil {
			return err
		}
	}
	return nil
}
