// Package hdf5 reads numbers, texts and references out of HDF5 files (HDF5 File Format
// Specification, version 3.0), as far as MATLAB's files of version 7.3 and those of h5py
// need it: superblocks 0 to 3, groups, attributes, and data that are compact, contiguous or
// in chunks, compressed by deflate, shuffled and checked.
//
// No size, count or address in a file is trusted: one that leads outside of the file, in a
// circle, or to more than a file of that size can hold is an error.
package hdf5

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Signature is how the part of a file begins that is HDF5.
const Signature = "\x89HDF\r\n\x1a\n"

var (
	errDamaged = errors.New("the file is damaged; get it again")
	errCut     = errors.New("it ends before what it refers to: the file is truncated; get it again")
)

// unsupported is an error for a feature that this package doesn't read, and says how to get
// around it.
func unsupported(what string, args ...any) error {
	return fmt.Errorf("%s, which isn't read: repack the file by h5repack -L --low=0 --high=0, or save it again by save -v7", fmt.Sprintf(what, args...))
}

// A File is an opened HDF5 file, for one goroutine at a time.
type File struct {
	r    io.ReaderAt
	size int64
	base int64 // at which its addresses begin to count

	offsetBytes, lengthBytes int // of an address and of a length
	root                     uint64

	texts   map[uint64][]byte // of the part of the global heap that was read last
	textsAt uint64
}

// Open finds the superblock of the file of the given size behind r. A file may have
// something else before it, as MATLAB's have.
func Open(r io.ReaderAt, size int64) (*File, error) {
	for at := int64(0); at+int64(len(Signature)) <= size; at = max(512, 2*at) {
		var b [len(Signature)]byte
		if _, err := r.ReadAt(b[:], at); err != nil {
			return nil, fmt.Errorf("reading HDF5: %w", err)
		}
		if string(b[:]) == Signature {
			f := &File{r: r, size: size, offsetBytes: 8, lengthBytes: 8}
			if err := f.superblock(at); err != nil {
				return nil, fmt.Errorf("its HDF5 superblock: %w", err)
			}
			return f, nil
		}
	}
	return nil, errors.New("it has no HDF5 superblock: the file is truncated, damaged or none of HDF5")
}

func (f *File) superblock(at int64) error {
	b := make([]byte, min(128, f.size-at))
	if _, err := f.r.ReadAt(b, at); err != nil {
		return err
	}
	c := &cursor{b: b, at: len(Signature)}
	version := c.uint(1)
	if version > 3 {
		return unsupported("its version is %d", version)
	}
	if version < 2 {
		c.skip(4) // versions of parts
	}
	f.offsetBytes, f.lengthBytes = int(c.uint(1)), int(c.uint(1))
	for _, n := range []int{f.offsetBytes, f.lengthBytes} {
		if n != 2 && n != 4 && n != 8 {
			return fmt.Errorf("its addresses have %d bytes: %w", n, errDamaged)
		}
	}
	if version < 2 {
		c.skip(1 + 2 + 2 + 4) // reserved, sizes of nodes, flags
		if version == 1 {
			c.skip(4)
		}
		f.base = int64(c.uint(f.offsetBytes))
		c.skip(2 * f.offsetBytes) // free space, end
		c.skip(f.offsetBytes)     // driver
		c.skip(f.offsetBytes)     // name of the root
		f.root = c.uint(f.offsetBytes)
	} else {
		c.skip(1)
		f.base = int64(c.uint(f.offsetBytes))
		c.skip(2 * f.offsetBytes) // extension, end
		f.root = c.uint(f.offsetBytes)
	}
	if c.err != nil || f.base < 0 || f.base > f.size {
		return errDamaged
	}
	// Where something was put before a file afterwards, its base is wrong and its
	// superblock's place is right.
	f.base = at
	return nil
}

// bytes reads n bytes at an address.
func (f *File) bytes(at uint64, n int64) ([]byte, error) {
	if n < 0 || at > uint64(f.size-f.base) || n > f.size-f.base-int64(at) {
		return nil, errCut
	}
	b := make([]byte, n)
	if _, err := f.r.ReadAt(b, f.base+int64(at)); err != nil {
		return nil, fmt.Errorf("reading HDF5: %w", err)
	}
	return b, nil
}

// upTo reads n bytes at an address, or as many as the file has there.
func (f *File) upTo(at uint64, n int64) ([]byte, error) {
	if at > uint64(f.size-f.base) {
		return nil, errCut
	}
	return f.bytes(at, min(n, f.size-f.base-int64(at)))
}

// none reports whether an address says that there is nothing.
func (f *File) none(at uint64) bool { return at == 1<<(8*f.offsetBytes)-1 }

// signed reads n bytes at an address, which must begin with a signature.
func (f *File) signed(at uint64, n int64, signature string) (*cursor, error) {
	b, err := f.bytes(at, n)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(b, []byte(signature)) {
		return nil, fmt.Errorf("a part of it should begin with %s and doesn't: %w", signature, errDamaged)
	}
	return &cursor{b: b, at: len(signature)}, nil
}

// A cursor reads numbers one after another. Reading beyond the end gives zero and an error.
type cursor struct {
	b   []byte
	at  int
	err error
}

func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.b)-c.at {
		c.err = errDamaged
		c.at = len(c.b)
		return nil
	}
	c.at += n
	return c.b[c.at-n : c.at]
}

func (c *cursor) skip(n int) { c.take(n) }

// align skips to a multiple of n from the given start.
func (c *cursor) align(n, start int) {
	if over := (c.at - start) % n; over != 0 {
		c.skip(n - over)
	}
}

// uint reads a little-endian number of up to eight bytes.
func (c *cursor) uint(n int) uint64 {
	var whole [8]byte
	copy(whole[:], c.take(n))
	return binary.LittleEndian.Uint64(whole[:])
}

func (c *cursor) left() int { return len(c.b) - c.at }
