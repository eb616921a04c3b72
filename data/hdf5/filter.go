package hdf5

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
)

// A filter is a stage that a chunk goes through before it is stored.
type filter struct {
	id     uint64
	values []uint64
}

// Filters that are known.
const (
	deflate    = 1
	shuffle    = 2
	fletcher32 = 3
)

// filterNames are those that are known and not read.
func filterName(id uint64) string {
	name, ok := map[uint64]string{4: "SZIP", 5: "N-bit", 6: "scale-offset", 307: "bzip2", 32000: "LZF", 32001: "Blosc", 32004: "LZ4", 32008: "bitshuffle", 32013: "ZFP", 32015: "Zstandard", 32026: "Blosc2"}[id]
	if !ok {
		name = fmt.Sprintf("filter %d", id)
	}
	return name
}

// filters reads which an array has.
func (o *Object) filters() ([]filter, error) {
	c := o.message(msgFilters)
	if c == nil {
		return nil, nil
	}
	version, n := c.uint(1), int(c.uint(1))
	if version == 1 {
		c.skip(6)
	}
	if n > 32 || version < 1 || version > 2 {
		return nil, errDamaged
	}
	var list []filter
	for range n {
		f := filter{id: c.uint(2)}
		name := 0
		if version == 1 || f.id >= 256 {
			name = int(c.uint(2))
		}
		c.skip(2)
		values := int(c.uint(2))
		if version == 1 {
			name = (name + 7) / 8 * 8
		}
		c.skip(name)
		for range values {
			if c.err != nil {
				break
			}
			f.values = append(f.values, c.uint(4))
		}
		if version == 1 && values%2 == 1 {
			c.skip(4)
		}
		if c.err != nil {
			return nil, c.err
		}
		if f.id != deflate && f.id != shuffle && f.id != fletcher32 {
			return nil, fmt.Errorf("its data are compressed by %s, which isn't read: repack the file by h5repack -f GZIP=1, or save it again by save -v7", filterName(f.id))
		}
		list = append(list, f)
	}
	return list, nil
}

// unpack reads a chunk and undoes its filters.
func (k *chunks) unpack(c chunk) ([]byte, error) {
	want := k.boxBytes()
	n := int64(min(c.size, maxChunk+1))
	if n > maxChunk {
		return nil, errDamaged
	}
	b, err := k.file.bytes(c.at, n)
	if err != nil {
		return nil, err
	}
	for i := len(k.filters) - 1; i >= 0; i-- {
		f := k.filters[i]
		if c.mask>>i&1 != 0 {
			continue
		}
		switch f.id {
		case deflate:
			b, err = inflate(b, want+4)
		case shuffle:
			size := int(k.width)
			if len(f.values) > 0 {
				size = int(f.values[0])
			}
			b, err = unshuffle(b, size)
		case fletcher32:
			b, err = checked(b)
		}
		if err != nil {
			return nil, err
		}
	}
	if int64(len(b)) != want {
		return nil, fmt.Errorf("it has %d bytes and should have %d: %w", len(b), want, errDamaged)
	}
	return b, nil
}

// inflate decompresses data of at most that many bytes. It allocates as they come.
func inflate(b []byte, most int64) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, errDamaged)
	}
	var out bytes.Buffer
	out.Grow(int(min(most, int64(len(b))*8)) + bytes.MinRead)
	_, err = io.Copy(&out, io.LimitReader(z, most+1))
	if e := z.Close(); err == nil {
		err = e
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, errDamaged)
	}
	return out.Bytes(), nil
}

// unshuffle puts the bytes of elements together again, which were sorted by their place in
// an element.
func unshuffle(b []byte, size int) ([]byte, error) {
	if size < 1 || size > len(b) {
		return b, nil
	}
	n := len(b) / size
	out := make([]byte, len(b))
	for j := range size {
		for i, v := range b[j*n : (j+1)*n] {
			out[i*size+j] = v
		}
	}
	copy(out[n*size:], b[n*size:])
	return out, nil
}

// checked takes Fletcher's checksum off.
func checked(b []byte) ([]byte, error) {
	if len(b) < 4 {
		return nil, errDamaged
	}
	b, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	if fletcher(b) != sum {
		return nil, fmt.Errorf("its checksum is wrong: %w", errDamaged)
	}
	return b, nil
}

// fletcher is HDF5's checksum, over numbers of 16 bits.
func fletcher(b []byte) uint32 {
	var first, second uint32
	reduce := func() {
		first, second = first&0xffff+first>>16, second&0xffff+second>>16
	}
	for i := 0; i+1 < len(b); i += 2 {
		first += uint32(b[i])<<8 | uint32(b[i+1])
		second += first
		if i%720 == 718 {
			reduce()
		}
	}
	if len(b)%2 == 1 {
		reduce()
		first += uint32(b[len(b)-1]) << 8
		second += first
	}
	reduce()
	reduce()
	return second<<16 | first
}
