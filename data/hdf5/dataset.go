package hdf5

import (
	"context"
	"fmt"
	"strings"

	"github.com/eegprune/eegprune/data/ndarray"
	"github.com/eegprune/eegprune/data/ratio"
)

// A Dataset is an array in a file. Its elements lie in the order in which the last index
// runs fastest.
type Dataset struct {
	Shape []int64 // none for a single element
	Type  Type

	file *File
	len  int64
	storage
}

// A storage is where the bytes of a data set are.
type storage interface {
	// read fills dst with the bytes from the given one on.
	read(ctx context.Context, dst []byte, at int64) error
}

// memory is a storage of bytes that have been read.
type memory []byte

func (m memory) read(_ context.Context, dst []byte, at int64) error {
	if at < 0 || at > int64(len(m)) || copy(dst, m[at:]) < len(dst) {
		return errCut
	}
	return nil
}

// A run is a storage of bytes of a file one after another.
type run struct {
	file *File
	at   uint64
}

func (r run) read(_ context.Context, dst []byte, at int64) error {
	_, err := r.file.r.ReadAt(dst, r.file.base+int64(r.at)+at)
	return err
}

// A constant is a storage of one value over and over, which a file has where nothing was
// written.
type constant []byte

func (c constant) read(_ context.Context, dst []byte, at int64) error {
	for i := range dst {
		dst[i] = c[(at+int64(i))%int64(len(c))]
	}
	return nil
}

// unwritten is how many bytes of an array may be without being stored at all.
const unwritten = 1 << 20

// Dataset returns the array that an object is.
func (o *Object) Dataset() (*Dataset, error) {
	space, typ, layout := o.message(msgSpace), o.message(msgType), o.message(msgLayout)
	if space == nil || typ == nil || layout == nil {
		return nil, fmt.Errorf("an array of it has no axes, type or place: %w", errDamaged)
	}
	d := &Dataset{file: o.file}
	var none bool
	var err error
	if d.Shape, none, err = o.file.parseSpace(space); err != nil {
		return nil, err
	}
	if d.Type, err = parseType(typ); err != nil {
		return nil, err
	}
	if none {
		d.Shape = []int64{0}
	}
	if d.len, err = count(d.Shape, d.Type.Size); err != nil {
		return nil, err
	}
	if d.len == 0 {
		d.storage = memory(nil)
		return d, nil
	}
	return d, d.place(o, layout)
}

// fits checks that there are enough bytes for all elements.
func (d *Dataset) fits(have int64) error {
	if d.len > have/int64(d.Type.Size) {
		return fmt.Errorf("an array of shape %v has %d bytes: %w", d.Shape, have, errDamaged)
	}
	return nil
}

// bearable checks that an array isn't far larger than its stored part.
func (d *Dataset) bearable(stored int64) error {
	n, stored := d.len*int64(d.Type.Size), min(stored, d.file.size)
	if n, stored := uint64(n), uint64(stored); !ratio.Possible(n, stored, unwritten) || !ratio.Plausible(n, stored) {
		return fmt.Errorf("an array of shape %v has %d bytes, of which %d are stored, which no recording does: refused", d.Shape, n, stored)
	}
	return nil
}

// place finds where the elements are.
func (d *Dataset) place(o *Object, c *cursor) error {
	f := d.file
	version := c.uint(1)
	if version < 3 {
		return d.placeOld(o, c)
	}
	switch class := c.uint(1); {
	case version > 5:
		return unsupported("a part of it is laid out by version %d", version)
	case class == 0:
		n := int(c.uint(2))
		d.storage = memory(c.take(n))
		if c.err != nil {
			return c.err
		}
		return d.fits(int64(n))
	case class == 1:
		at, n := c.uint(f.offsetBytes), c.uint(f.lengthBytes)
		if c.err != nil {
			return c.err
		}
		return d.placeRun(o, at, n)
	case class == 2 && version == 3:
		rank := int(c.uint(1))
		tree := c.uint(f.offsetBytes)
		return d.placeChunks(o, c, rank, 4, func(k *chunks) error { return k.tree1(tree, -1, map[uint64]bool{}) })
	case class == 2:
		return d.placeIndexed(o, c)
	}
	return unsupported("a part of it is kept in other files")
}

// placeOld reads the layout of versions 1 and 2.
func (d *Dataset) placeOld(o *Object, c *cursor) error {
	f := d.file
	rank, class := int(c.uint(1)), c.uint(1)
	c.skip(5)
	var at uint64
	if class != 0 {
		at = c.uint(f.offsetBytes)
	}
	if class == 2 {
		return d.placeChunks(o, c, rank, 4, func(k *chunks) error { return k.tree1(at, -1, map[uint64]bool{}) })
	}
	for range rank {
		c.skip(4)
	}
	if class == 1 {
		return d.placeRun(o, at, uint64(d.len)*uint64(d.Type.Size))
	}
	n := int(min(c.uint(4), maxHeader))
	d.storage = memory(c.take(n))
	if c.err != nil {
		return c.err
	}
	return d.fits(int64(n))
}

// placeRun is for elements that lie one after another.
func (d *Dataset) placeRun(o *Object, at, n uint64) error {
	if o.message(msgExternal) != nil {
		return unsupported("a part of it is kept in other files")
	}
	if d.file.none(at) {
		fill, err := o.fill(d.Type.Size)
		d.storage = constant(fill)
		if err == nil {
			err = d.bearable(0)
		}
		return err
	}
	size := d.file.size - d.file.base
	if at > uint64(size) || n > uint64(size)-at {
		return errCut
	}
	d.storage = run{d.file, at}
	return d.fits(int64(n))
}

// fill returns the bytes of an element that was never written.
func (o *Object) fill(size int) ([]byte, error) {
	zero := make([]byte, size)
	if c := o.message(msgFill); c != nil {
		version := c.uint(1)
		n := uint64(0)
		if version < 3 {
			c.skip(2)
			if defined := c.uint(1); version == 1 || defined != 0 {
				n = c.uint(4)
			}
		} else if flags := c.uint(1); flags&32 != 0 {
			n = c.uint(4)
		}
		if n == uint64(size) {
			copy(zero, c.take(size))
		}
		return zero, c.err
	}
	if c := o.message(msgOldFill); c != nil {
		if n := c.uint(4); n == uint64(size) {
			copy(zero, c.take(size))
		}
		return zero, c.err
	}
	return zero, nil
}

// Len returns the number of elements.
func (d *Dataset) Len() int64 { return d.len }

// Raw reads the bytes of elements from the given one on.
func (d *Dataset) Raw(ctx context.Context, dst []byte, first int64) error {
	w := int64(d.Type.Size)
	if first < 0 || int64(len(dst))%w != 0 || first > d.len-int64(len(dst))/w {
		return fmt.Errorf("%d bytes from element %d of %d", len(dst), first, d.len)
	}
	if len(dst) == 0 {
		return nil
	}
	return d.read(ctx, dst, first*w)
}

// Floats reads numbers from the given element on.
func (d *Dataset) Floats(ctx context.Context, dst []float64, first int64) error {
	if d.Type.Class != Number || d.Type.Kind == "" {
		return fmt.Errorf("elements of %d bytes are no numbers that are known", d.Type.Size)
	}
	const step = 1 << 15
	b := make([]byte, min(len(dst), step)*d.Type.Size)
	for at := 0; at < len(dst); at += step {
		part := dst[at:min(at+step, len(dst))]
		b = b[:len(part)*d.Type.Size]
		if err := d.Raw(ctx, b, first+int64(at)); err != nil {
			return err
		}
		a, err := ndarray.New([]int64{int64(len(part))}, d.Type.Kind, d.Type.BigEndian, false, b)
		if err != nil {
			return err
		}
		if err := a.Line(part); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dataset) first(dst *[1]float64) error { return d.Floats(context.Background(), dst[:], 0) }

// maxList bounds how many texts or references are read of one array.
const maxList = 1 << 20

// all reads all elements of an array that is a list of something.
func (d *Dataset) all() ([]byte, error) {
	n := d.len * int64(d.Type.Size)
	if d.len > maxList || n > 64<<20 {
		return nil, fmt.Errorf("an array has %d texts or references, which no recording does: refused", d.len)
	}
	b := make([]byte, n)
	return b, d.Raw(context.Background(), b, 0)
}

// References returns the addresses of the objects that elements refer to; 0 is none.
func (d *Dataset) References() ([]uint64, error) {
	if d.Type.Class != Reference || d.Type.Size < d.file.offsetBytes {
		return nil, fmt.Errorf("elements of %d bytes are no references", d.Type.Size)
	}
	b, err := d.all()
	if err != nil {
		return nil, err
	}
	list := make([]uint64, d.len)
	for i := range list {
		list[i] = (&cursor{b: b[i*d.Type.Size:]}).uint(d.file.offsetBytes)
	}
	return list, nil
}

// Texts returns elements that are texts.
func (d *Dataset) Texts() ([]string, error) {
	if d.Type.Class != Text && d.Type.Class != VarText {
		return nil, fmt.Errorf("elements of %d bytes are no texts", d.Type.Size)
	}
	b, err := d.all()
	if err != nil {
		return nil, err
	}
	list := make([]string, d.len)
	total := 0
	for i := range list {
		one := b[i*d.Type.Size:][:d.Type.Size]
		if d.Type.Class == VarText {
			if one, err = d.file.global(one); err != nil {
				return nil, err
			}
		}
		if total += len(one); total > 64<<20 {
			return nil, fmt.Errorf("texts of an array have more than %d bytes: refused", 64<<20)
		}
		list[i], _, _ = strings.Cut(string(one), "\x00")
	}
	return list, nil
}

// global reads the object in the global heap that an element points to.
func (f *File) global(element []byte) ([]byte, error) {
	e := &cursor{b: element}
	n, at, index := e.uint(4), e.uint(f.offsetBytes), e.uint(4)
	if e.err != nil {
		return nil, e.err
	}
	if n == 0 || at == 0 {
		return nil, nil
	}
	if f.texts == nil || f.textsAt != at {
		if err := f.collect(at); err != nil {
			return nil, err
		}
	}
	content, ok := f.texts[index]
	if !ok || n > uint64(len(content)) {
		return nil, fmt.Errorf("a text of it isn't where it should be: %w", errDamaged)
	}
	return content[:n], nil
}

// collect reads a part of the global heap.
func (f *File) collect(at uint64) error {
	head := int64(8 + f.lengthBytes)
	c, err := f.signed(at, head, "GCOL")
	if err != nil {
		return err
	}
	c.skip(4)
	size := c.uint(f.lengthBytes)
	if size > maxHeader || size < uint64(head) {
		return errDamaged
	}
	b, err := f.bytes(at+uint64(head), int64(size)-head)
	if err != nil {
		return err
	}
	f.texts, f.textsAt = map[uint64][]byte{}, at
	for c = (&cursor{b: b}); c.left() >= 8+f.lengthBytes; c.align(8, 0) {
		number := c.uint(2)
		c.skip(6)
		n := c.uint(f.lengthBytes)
		if number == 0 || n > uint64(c.left()) { // the rest is free
			break
		}
		f.texts[number] = c.take(int(n))
	}
	return nil
}
