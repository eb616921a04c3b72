// Package npy reads NumPy's .npy and .npz files (numpy.lib.format, versions 1 to 3) without
// taking their word for a size.
//
// npyio, which writes them for this project, reads them too, but allocates the size that a
// header claims and indexes a damaged header out of range.
package npy

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"math/bits"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/data/ndarray"
	"github.com/eegprune/eegprune/data/ratio"
	"github.com/eegprune/eegprune/internal/mapped"
)

const magic = "\x93NUMPY"

// The header is a Python literal with three keys in any order.
var (
	descrKey   = regexp.MustCompile(`['"]descr['"]\s*:\s*['"]([<>|=]?)(\w+)['"]`)
	fortranKey = regexp.MustCompile(`['"]fortran_order['"]\s*:\s*(True|False)`)
	shapeKey   = regexp.MustCompile(`['"]shape['"]\s*:\s*\(([\d\s,L]*)\)`)
)

// Parse reads an .npy file. The array shares memory with b.
func Parse(b []byte) (*ndarray.Array, error) {
	h, err := parseHeader(b)
	if err != nil {
		return nil, err
	}
	return ndarray.New(h.shape, h.kind, h.bigEndian, h.fortran, h.data)
}

// A header describes the elements of an .npy file, and where they are.
type header struct {
	kind               string // without byte order
	bigEndian, fortran bool
	shape              []int64
	length             int // bytes before the elements
	data               []byte
}

func parseHeader(b []byte) (*header, error) {
	if len(b) < 10 || string(b[:6]) != magic {
		return nil, errors.New("it doesn't begin as a NumPy array does: it is no .npy file, or damaged")
	}
	length, start := uint64(binary.LittleEndian.Uint16(b[8:])), 10
	if b[6] > 1 {
		if len(b) < 12 {
			return nil, errTruncated
		}
		length, start = uint64(binary.LittleEndian.Uint32(b[8:])), 12
	}
	if b[6] < 1 || b[6] > 3 {
		return nil, fmt.Errorf("its format version is %d.%d and 1 to 3 are known", b[6], b[7])
	}
	if length > uint64(len(b)-start) {
		return nil, errTruncated
	}
	text := b[start : start+int(length)]
	descr, fortran, shape := descrKey.FindSubmatch(text), fortranKey.FindSubmatch(text), shapeKey.FindSubmatch(text)
	if descr == nil || fortran == nil || shape == nil {
		return nil, errors.New("its header names no plain type, order and shape: it holds no array of numbers, or is damaged")
	}
	h := &header{kind: string(descr[2]), bigEndian: string(descr[1]) == ">", fortran: string(fortran[1]) == "True", length: start + int(length), data: b[start+int(length):]}
	for _, t := range strings.Split(string(shape[1]), ",") {
		if t = strings.TrimRight(strings.TrimSpace(t), "L"); t == "" {
			continue
		}
		n, err := strconv.ParseInt(t, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("its header has the size %.30q: the file is damaged", t)
		}
		h.shape = append(h.shape, n)
	}
	return h, nil
}

var errTruncated = errors.New("it ends within its header: it is truncated; get it again")

// An Archive is the contents of an .npz file.
type Archive struct {
	files []*zip.File
	whole []byte
}

// OpenArchive reads the directory of an .npz file, all of whose contents b are. Arrays that
// are not compressed, as np.savez keeps them, are part of b, and end with it.
func OpenArchive(b []byte) (*Archive, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("it is no .npz file, or truncated (%w); get it again", err)
	}
	return &Archive{z.File, b}, nil
}

// WithArchive calls do with an .npz file, whose arrays last until it returns.
func WithArchive(path string, do func(*Archive) error) error {
	file, err := mapped.Open(path)
	if err != nil {
		return err
	}
	z, err := OpenArchive(file.Bytes())
	if err == nil {
		err = do(z)
	}
	return errors.Join(cmp.Or(file.Err(), err), file.Close())
}

// Names returns the names of the arrays.
func (a *Archive) Names() []string {
	var names []string
	for _, f := range a.files {
		names = append(names, strings.TrimSuffix(f.Name, ".npy"))
	}
	slices.Sort(names)
	return names
}

// Array reads the array of that name.
func (a *Archive) Array(name string) (*ndarray.Array, error) {
	h, err := a.entry(name)
	if err != nil {
		return nil, err
	}
	array, err := ndarray.New(h.shape, h.kind, h.bigEndian, h.fortran, h.data)
	if err != nil {
		return nil, fmt.Errorf("array %q: %w", name, err)
	}
	return array, nil
}

// entry reads the array of that name.
func (a *Archive) entry(name string) (*header, error) {
	for _, f := range a.files {
		if strings.TrimSuffix(f.Name, ".npy") != name {
			continue
		}
		if b := a.stored(f); b != nil {
			h, err := parseHeader(b)
			if err != nil {
				return nil, fmt.Errorf("array %q: %w", name, err)
			}
			return h, nil
		}
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("array %q: %w", name, err)
		}
		h, err := unpack(r, f, int64(len(a.whole)))
		if err = errors.Join(err, r.Close()); err != nil {
			return nil, fmt.Errorf("array %q: %w", name, err)
		}
		return h, nil
	}
	return nil, fmt.Errorf("it has no array %q: it has %s", name, strings.Join(a.Names(), ", "))
}

// stored returns the part of the file that an entry is, or nil where it is compressed or
// damaged.
func (a *Archive) stored(f *zip.File) []byte {
	at, err := f.DataOffset()
	size := f.UncompressedSize64
	if err != nil || f.Method != zip.Store || size != f.CompressedSize64 || at < 0 || at > int64(len(a.whole)) || size > uint64(int64(len(a.whole))-at) {
		return nil
	}
	b := a.whole[at:][:size:size]
	if crc32.ChecksumIEEE(b) != f.CRC32 {
		return nil
	}
	return b
}

// unpack reads an entry of an archive of the given size: its header, and then just the bytes
// that the header claims, if the archive claims as many and can hold them.
func unpack(r io.Reader, f *zip.File, size int64) (*header, error) {
	h, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	n, err := h.bytes()
	if err != nil {
		return nil, err
	}
	claimed, stored := f.UncompressedSize64, min(f.CompressedSize64, uint64(size))
	switch {
	case claimed < uint64(h.length) || n != claimed-uint64(h.length):
		return nil, fmt.Errorf("its shape %v of type %s needs %d bytes after a header of %d, and it has %d in all: the file is damaged; get it again", h.shape, h.kind, n, h.length, claimed)
	case !ratio.Possible(claimed, stored, 1<<10):
		return nil, fmt.Errorf("it claims %d bytes out of %d compressed ones, which can't be: refused", claimed, stored)
	case !ratio.Plausible(claimed, stored):
		return nil, fmt.Errorf("it has %d bytes out of %d compressed ones, which no recording has: refused; save it by np.savez, which doesn't compress, if it is meant", claimed, stored)
	}
	h.data = make([]byte, n)
	if _, err = io.ReadFull(r, h.data); err == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(r, 1)) // the checksum comes at the end
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the file is damaged; get it again", err)
	}
	return h, nil
}

// bytes is how many bytes the elements take.
func (h *header) bytes() (uint64, error) {
	width := uint64(0)
	if t := textKind.FindStringSubmatch(h.kind); t != nil {
		width, _ = strconv.ParseUint(t[2], 10, 64) // digits
		if t[1] == "U" {
			width *= 4
		}
	} else if err := ndarray.CheckType(h.kind); err != nil {
		return 0, err
	} else {
		width, _ = strconv.ParseUint(h.kind[1:], 10, 64)
	}
	for _, size := range h.shape {
		high, low := bits.Mul64(width, uint64(size))
		if size < 0 || high != 0 || low > math.MaxInt64 {
			return 0, fmt.Errorf("it has the shape %v: the file is damaged", h.shape)
		}
		width = low
	}
	return width, nil
}
