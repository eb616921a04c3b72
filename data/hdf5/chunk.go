package hdf5

import (
	"context"
	"fmt"
	"math/bits"
	"slices"
)

// maxChunk bounds a chunk in bytes.
const maxChunk = 1 << 30

// A chunk is a box of an array that is stored by itself.
type chunk struct {
	at   uint64
	size uint64 // as stored
	mask uint64 // filters that it was not put through
	from []int64
}

// chunks is the storage of an array in boxes of one shape. The boxes that have the same
// place along the first axis are a band: one of them is kept as it was laid open.
type chunks struct {
	file    *File
	shape   []int64
	box     []int64
	width   int64
	fill    []byte
	filters []filter
	bands   map[int64][]chunk
	found   int

	band int64 // that is laid open; -1 for none
	rows int64 // of it, along the first axis
	open []byte
}

// placeChunks reads the shape of the chunks and has walk find them.
func (d *Dataset) placeChunks(o *Object, c *cursor, rank, sizeBytes int, walk func(*chunks) error) error {
	k := &chunks{file: d.file, shape: d.Shape, width: int64(d.Type.Size), bands: map[int64][]chunk{}, band: -1}
	if rank != len(d.Shape)+1 || rank < 2 {
		return fmt.Errorf("an array of shape %v has chunks of %d axes: %w", d.Shape, rank-1, errDamaged)
	}
	for range rank {
		k.box = append(k.box, int64(min(c.uint(sizeBytes), 1<<48)))
	}
	if c.err != nil {
		return c.err
	}
	return d.useChunks(o, k, walk)
}

func (d *Dataset) useChunks(o *Object, k *chunks, walk func(*chunks) error) error {
	n := uint64(1)
	for _, size := range k.box {
		high, low := bits.Mul64(n, uint64(size))
		if size < 1 || high != 0 || low > maxChunk {
			return fmt.Errorf("chunks of an array have the shape %v: %w", k.box, errDamaged)
		}
		n = low
	}
	if k.box[len(k.box)-1] != k.width {
		return fmt.Errorf("chunks of an array have elements of another size: %w", errDamaged)
	}
	k.box = k.box[:len(k.box)-1]
	var err error
	if k.fill, err = o.fill(d.Type.Size); err != nil {
		return err
	}
	if k.filters, err = o.filters(); err != nil {
		return err
	}
	if err := walk(k); err != nil {
		return err
	}
	stored := int64(0)
	for _, list := range k.bands {
		for _, c := range list {
			stored += int64(min(c.size, 1<<40))
		}
	}
	d.storage = k
	return d.bearable(stored)
}

// add keeps a chunk.
func (k *chunks) add(c chunk) error {
	if k.file.none(c.at) {
		return nil
	}
	if k.found++; k.found > 1<<24 {
		return fmt.Errorf("an array has more than %d chunks: refused", 1<<24)
	}
	for i, from := range c.from {
		if from < 0 || from%k.box[i] != 0 {
			return fmt.Errorf("a chunk of an array lies at %v: %w", c.from, errDamaged)
		}
		if from >= k.shape[i] { // cut off when the array was made smaller
			return nil
		}
	}
	band := c.from[0] / k.box[0]
	k.bands[band] = append(k.bands[band], c)
	return nil
}

// tree1 walks a B-tree of version 1 of chunks.
func (k *chunks) tree1(at uint64, level int, seen map[uint64]bool) error {
	f := k.file
	if level < 0 && f.none(at) {
		return nil
	}
	key := 8 + 8*(len(k.box)+1)
	c, children, level, err := f.node(at, 1, level, seen, key)
	if err != nil {
		return err
	}
	for range children {
		one := chunk{size: c.uint(4), mask: c.uint(4)}
		for range k.box {
			one.from = append(one.from, int64(c.uint(8)))
		}
		c.skip(8)
		one.at = c.uint(f.offsetBytes)
		if level > 0 {
			err = k.tree1(one.at, level-1, seen)
		} else {
			err = k.add(one)
		}
		if err != nil {
			return err
		}
	}
	return c.err
}

// read implements [storage].
func (k *chunks) read(ctx context.Context, dst []byte, at int64) error {
	row := k.width
	for _, n := range k.shape[1:] {
		row *= n
	}
	for len(dst) > 0 {
		band := at / row / k.box[0]
		if err := k.layOpen(ctx, band, row); err != nil {
			return err
		}
		n := copy(dst, k.open[at-band*k.box[0]*row:])
		if n == 0 {
			return errDamaged
		}
		dst, at = dst[n:], at+int64(n)
	}
	return nil
}

// layOpen unpacks the chunks of a band.
func (k *chunks) layOpen(ctx context.Context, band, row int64) error {
	if band == k.band {
		return nil
	}
	k.band = -1
	k.rows = min(k.box[0], k.shape[0]-band*k.box[0])
	size := k.rows * row
	k.open = slices.Grow(k.open[:0], int(size))[:size]
	all := int64(1) // chunks of a band
	for i := 1; i < len(k.shape); i++ {
		all *= (k.shape[i] + k.box[i] - 1) / k.box[i]
	}
	if int64(len(k.bands[band])) < all {
		if err := constant(k.fill).read(ctx, k.open, 0); err != nil {
			return err
		}
	}
	for _, c := range k.bands[band] {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := k.unpack(c)
		if err != nil {
			return fmt.Errorf("the chunk at byte %d: %w", c.at, err)
		}
		from := slices.Clone(c.from)
		from[0] -= band * k.box[0]
		k.put(b, from, 0, 0, 0)
	}
	k.band = band
	return nil
}

// put copies a chunk into the band, from the given axis on: src and dst are elements of
// both at which it begins.
func (k *chunks) put(b []byte, from []int64, axis int, src, dst int64) {
	have := k.shape[axis]
	if axis == 0 {
		have = k.rows
	}
	n := min(k.box[axis], have-from[axis])
	stride, inner := int64(1), int64(1)
	for i := axis + 1; i < len(k.shape); i++ {
		stride *= k.shape[i]
		inner *= k.box[i]
	}
	dst += from[axis] * stride
	if axis == len(k.shape)-1 {
		copy(k.open[dst*k.width:(dst+n)*k.width], b[src*k.width:(src+n)*k.width])
		return
	}
	for i := range n {
		k.put(b, from, axis+1, src+i*inner, dst+i*stride)
	}
}

// boxBytes is the size of a chunk that is laid open.
func (k *chunks) boxBytes() int64 {
	n := k.width
	for _, size := range k.box {
		n *= size
	}
	return n
}
