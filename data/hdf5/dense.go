package hdf5

import (
	"fmt"
	"math/bits"
)

// dense gives the messages (links, attributes) that are kept in a fractal heap and found by
// a B-tree of version 2. The heap's number of a message lies at skip in a record.
func (f *File) dense(heap, index uint64, skip int, each func([]byte) error) error {
	h, err := f.fractal(heap)
	if err != nil {
		return err
	}
	return f.records(index, func(record []byte) error {
		if len(record) < skip+h.idBytes {
			return errDamaged
		}
		b, err := h.object(record[skip : skip+h.idBytes])
		if err != nil {
			return err
		}
		return each(b)
	})
}

// A fractal heap keeps small objects in blocks whose sizes double.
type fractal struct {
	file                    *File
	idBytes, offset, length int // bytes of a number, and of the two parts of it
	width                   uint64
	start, direct           uint64 // sizes of the first and of the largest direct block
	root                    uint64
	rows                    int
}

func (f *File) fractal(at uint64) (*fractal, error) {
	O, L := f.offsetBytes, f.lengthBytes
	c, err := f.signed(at, int64(22+12*L+3*O), "FRHP")
	if err != nil {
		return nil, err
	}
	h := &fractal{file: f}
	c.skip(1)
	h.idBytes = int(c.uint(2))
	filters := c.uint(2)
	c.skip(1)
	managed := c.uint(4)
	c.skip(L + O + L + O + 8*L)
	h.width, h.start, h.direct = c.uint(2), c.uint(L), c.uint(L)
	most := c.uint(2)
	c.skip(2)
	h.root = c.uint(O)
	h.rows = int(c.uint(2))
	if filters != 0 {
		return nil, unsupported("it has compressed names")
	}
	h.offset, h.length = int(most+7)/8, (bits.Len64(min(h.direct, managed))+7)/8
	if c.err != nil || h.width == 0 || h.start == 0 || h.start > h.direct || h.direct > maxHeader || h.rows > 64 || most > 64 {
		return nil, fmt.Errorf("a heap of it is none: %w", errDamaged)
	}
	return h, nil
}

// object returns the object of that number in the heap.
func (h *fractal) object(id []byte) ([]byte, error) {
	c := &cursor{b: id}
	switch kind := c.uint(1); kind >> 4 & 3 {
	case 0:
		at, n := c.uint(h.offset), c.uint(h.length)
		if c.err != nil || n > h.direct {
			return nil, errDamaged
		}
		if h.rows == 0 {
			return h.file.bytes(h.root+at, int64(n))
		}
		return h.within(h.root, h.rows, at, n, 0)
	case 2:
		n := int(kind&15) + 1
		return c.take(n), c.err
	}
	return nil, unsupported("it has very long names")
}

// within finds a place of the heap below the indirect block at an address.
func (h *fractal) within(block uint64, rows int, at, n uint64, depth int) ([]byte, error) {
	if depth > 32 {
		return nil, errDamaged
	}
	f := h.file
	entry := 5 + f.offsetBytes + h.offset
	size := h.start
	for row := range rows {
		if row > 1 {
			size *= 2
		}
		if size == 0 || size > 1<<40 {
			return nil, errDamaged
		}
		if at < size*h.width {
			column := at / size
			where := block + uint64(entry) + (uint64(row)*h.width+column)*uint64(f.offsetBytes)
			b, err := f.bytes(where, int64(f.offsetBytes))
			if err != nil {
				return nil, err
			}
			child := (&cursor{b: b}).uint(f.offsetBytes)
			if size <= h.direct {
				return f.bytes(child+at%size, int64(n))
			}
			return h.within(child, bits.Len64(size)-bits.Len64(h.start*h.width)+1, at%size, n, depth+1)
		}
		at -= size * h.width
	}
	return nil, fmt.Errorf("a heap of it has no such place: %w", errDamaged)
}

// A tree2 is a B-tree of version 2.
type tree2 struct {
	file   *File
	node   int64
	record int
	most   []uint64 // records of a node, by its height above the leaves
	below  []uint64 // and with all below it
	seen   map[uint64]bool
	each   func([]byte) error
}

// records walks a B-tree of version 2.
func (f *File) records(at uint64, each func(record []byte) error) error {
	c, err := f.signed(at, int64(22+f.offsetBytes+f.lengthBytes), "BTHD")
	if err != nil {
		return err
	}
	c.skip(2)
	t := &tree2{file: f, seen: map[uint64]bool{}, each: each}
	t.node, t.record = int64(c.uint(4)), int(c.uint(2))
	depth := int(c.uint(2))
	c.skip(2)
	root, n := c.uint(f.offsetBytes), c.uint(2)
	if c.err != nil || t.node < 16 || t.node > maxHeader || t.record < 1 || depth > 16 {
		return fmt.Errorf("a tree of it isn't one: %w", errDamaged)
	}
	if f.none(root) || n == 0 {
		return nil
	}
	for level := range depth + 1 {
		pointer := uint64(0)
		if level > 0 {
			pointer = uint64(f.offsetBytes + t.pointerCounts(level))
		}
		room := uint64(t.node) - 10
		if room < pointer {
			return errDamaged
		}
		most := (room - pointer) / (uint64(t.record) + pointer)
		below := most
		if level > 0 {
			below += (most + 1) * t.below[level-1]
		}
		if below > maxLinks<<16 {
			below = maxLinks << 16
		}
		t.most, t.below = append(t.most, most), append(t.below, below)
	}
	return t.walk(root, n, depth)
}

// pointerCounts is how many bytes the counts beside an address have in a node of a height.
func (t *tree2) pointerCounts(level int) int {
	n := (bits.Len64(t.most[level-1]) + 7) / 8
	if level > 1 {
		n += (bits.Len64(t.below[level-1]) + 7) / 8
	}
	return n
}

func (t *tree2) walk(at, n uint64, level int) error {
	if t.seen[at] || len(t.seen) > maxLinks || n > t.most[level] {
		return fmt.Errorf("a tree of it isn't one: %w", errDamaged)
	}
	t.seen[at] = true
	signature := "BTLF"
	if level > 0 {
		signature = "BTIN"
	}
	c, err := t.file.signed(at, t.node, signature)
	if err != nil {
		return err
	}
	c.skip(2)
	for range n {
		record := c.take(t.record)
		if c.err != nil {
			return c.err
		}
		if err := t.each(record); err != nil {
			return err
		}
	}
	if level == 0 {
		return nil
	}
	for range n + 1 {
		child := c.uint(t.file.offsetBytes)
		count := c.uint((bits.Len64(t.most[level-1]) + 7) / 8)
		if level > 1 {
			c.skip((bits.Len64(t.below[level-1]) + 7) / 8)
		}
		if c.err != nil {
			return c.err
		}
		if err := t.walk(child, count, level-1); err != nil {
			return err
		}
	}
	return nil
}
