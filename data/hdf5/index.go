package hdf5

import (
	"fmt"
	"slices"
)

// placeIndexed reads the layout of version 4 of an array in chunks, which has an index of
// its own for each kind of array.
func (d *Dataset) placeIndexed(o *Object, c *cursor) error {
	f := d.file
	flags, rank, sizeBytes := c.uint(1), int(c.uint(1)), int(c.uint(1))
	if sizeBytes < 1 || sizeBytes > 8 {
		return errDamaged
	}
	sizes := &cursor{b: c.take(rank * sizeBytes)}
	kind := c.uint(1)
	one := chunk{from: make([]int64, len(d.Shape))}
	switch kind {
	case 1:
		if flags&2 != 0 {
			one.size, one.mask = c.uint(f.lengthBytes), c.uint(4)
		}
	case 2:
	case 3:
		c.skip(1)
	case 5:
		c.skip(6)
	default:
		return unsupported("an array of it grows along one axis in the form of newer files")
	}
	at := c.uint(f.offsetBytes)
	if c.err != nil {
		return c.err
	}
	return d.placeChunks(o, sizes, rank, sizeBytes, func(k *chunks) error {
		switch {
		case f.none(at):
			return nil
		case kind == 1:
			if one.at = at; flags&2 == 0 {
				one.size = uint64(k.boxBytes())
			}
			return k.add(one)
		case kind == 2:
			return k.inOrder(func(i int64) (chunk, error) {
				return chunk{at: at + uint64(i*k.boxBytes()), size: uint64(k.boxBytes())}, nil
			})
		case kind == 3:
			return k.fixed(at)
		}
		return k.tree2(at)
	})
}

// inOrder adds the chunks of an index that lists all of them, the last axis first.
func (k *chunks) inOrder(get func(int64) (chunk, error)) error {
	var per []int64
	n := int64(1)
	for i, size := range k.shape {
		per = append(per, (size+k.box[i]-1)/k.box[i])
		if n *= per[i]; n > 1<<24 {
			return fmt.Errorf("an array has more than %d chunks: refused", 1<<24)
		}
	}
	if n > k.file.size { // each of them takes a byte at least
		return fmt.Errorf("an array has %d chunks in a file of %d bytes: %w", n, k.file.size, errDamaged)
	}
	for i := range n {
		c, err := get(i)
		if err != nil {
			return err
		}
		rest := i
		for axis := len(per) - 1; axis >= 0; axis-- {
			c.from = append(c.from, rest%per[axis]*k.box[axis])
			rest /= per[axis]
		}
		slices.Reverse(c.from)
		if err := k.add(c); err != nil {
			return err
		}
	}
	return nil
}

// fixed reads an index that is a list.
func (k *chunks) fixed(at uint64) error {
	f := k.file
	c, err := f.signed(at, int64(8+f.lengthBytes+f.offsetBytes), "FAHD")
	if err != nil {
		return err
	}
	c.skip(1)
	filtered := c.uint(1) != 0
	entry, pageBits := int64(c.uint(1)), c.uint(1)
	most := c.uint(f.lengthBytes)
	data := c.uint(f.offsetBytes)
	if pageBits > 24 || most > 1<<24 || entry < int64(f.offsetBytes) || filtered && entry < int64(f.offsetBytes)+5 {
		return fmt.Errorf("the index of an array: %w", errDamaged)
	}
	if f.none(data) {
		return nil
	}
	page := int64(1) << pageBits
	head := uint64(6 + f.offsetBytes)
	if _, err := f.signed(data, int64(head), "FADB"); err != nil {
		return err
	}
	paged := int64(most) > page
	if paged {
		pages := (int64(most) + page - 1) / page
		head += uint64((pages+7)/8) + 4
	}
	return k.inOrder(func(i int64) (chunk, error) {
		if i >= int64(most) {
			return chunk{}, fmt.Errorf("the index of an array: %w", errDamaged)
		}
		where := head + uint64(i*entry)
		if paged {
			where += uint64(i / page * 4)
		}
		b, err := f.bytes(data+where, entry)
		if err != nil {
			return chunk{}, err
		}
		e := &cursor{b: b}
		one := chunk{at: e.uint(f.offsetBytes), size: uint64(k.boxBytes())}
		if filtered {
			one.size, one.mask = e.uint(int(entry)-f.offsetBytes-4), e.uint(4)
		}
		return one, e.err
	})
}

// tree2 reads an index that is a B-tree of version 2.
func (k *chunks) tree2(at uint64) error {
	f := k.file
	plain := f.offsetBytes + 8*len(k.box)
	return f.records(at, func(record []byte) error {
		r := &cursor{b: record}
		one := chunk{at: r.uint(f.offsetBytes), size: uint64(k.boxBytes())}
		if n := len(record) - plain; n > 4 {
			one.size, one.mask = r.uint(n-4), r.uint(4)
		}
		for _, size := range k.box {
			one.from = append(one.from, int64(min(r.uint(8), 1<<40))*size)
		}
		if r.err != nil {
			return r.err
		}
		return k.add(one)
	})
}
