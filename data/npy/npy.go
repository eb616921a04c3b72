// Package npy reads NumPy's .npy and .npz files (numpy.lib.format, versions 1
// to 3) without taking their word for a size.
//
// npyio, which writes them for this project, reads them too, but allocates what
// a header claims and indexes a damaged header out of range.
package npy

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"eegprune/data/ndarray"
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

// A header is what an .npy file says of its elements, and where they are.
type header struct {
	kind               string // without byte order
	bigEndian, fortran bool
	shape              []int64
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
	h := &header{kind: string(descr[2]), bigEndian: string(descr[1]) == ">", fortran: string(fortran[1]) == "True", data: b[start+int(length):]}
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

// An entry of an .npz may have this many bytes whatever its size, as zeros have, and beyond
// them so many times its size: what gives more is made to fill memory.
const (
	freeBytes = 8 << 20
	maxRatio  = 256
)

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
	b, err := a.entry(name)
	if err != nil {
		return nil, err
	}
	array, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("array %q: %w", name, err)
	}
	return array, nil
}

// entry returns the .npy file of that name.
func (a *Archive) entry(name string) ([]byte, error) {
	for _, f := range a.files {
		if strings.TrimSuffix(f.Name, ".npy") != name {
			continue
		}
		if f.UncompressedSize64 > maxRatio*f.CompressedSize64+freeBytes {
			return nil, fmt.Errorf("array %q claims %d bytes out of %d compressed ones, which no recording does: refused", name, f.UncompressedSize64, f.CompressedSize64)
		}
		if b := a.stored(f); b != nil {
			return b, nil
		}
		b, err := unpack(f)
		if err != nil {
			return nil, fmt.Errorf("array %q: %w: the file is damaged; get it again", name, err)
		}
		return b, nil
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

func unpack(f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer // grows as bytes come, not by what the entry claims
	_, err = io.Copy(&b, r)
	return b.Bytes(), errors.Join(err, r.Close())
}
