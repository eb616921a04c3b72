package hdf5

import (
	"bytes"
	"fmt"
)

// A Link is a name in a group.
type Link struct {
	Name string
	At   uint64 // the address of an object
}

// maxLinks bounds how many names a group has.
const maxLinks = 1 << 20

// Links returns the names in a group, but for those that lead to another file or by
// another name.
func (o *Object) Links() ([]Link, error) {
	g := &group{file: o.file, seen: map[uint64]bool{}}
	for _, m := range o.messages {
		if m.kind == msgLink {
			if err := g.link(m.data); err != nil {
				return nil, err
			}
		}
	}
	if c := o.message(msgSymbols); c != nil {
		tree, heap := c.uint(o.file.offsetBytes), c.uint(o.file.offsetBytes)
		if c.err != nil {
			return nil, c.err
		}
		if err := g.names(heap); err != nil {
			return nil, err
		}
		if err := g.tree(tree, -1); err != nil {
			return nil, err
		}
	}
	if c := o.message(msgLinkInfo); c != nil {
		c.skip(1)
		if flags := c.uint(1); flags&1 != 0 {
			c.skip(8)
		}
		heap, index := c.uint(o.file.offsetBytes), c.uint(o.file.offsetBytes)
		if c.err != nil {
			return nil, c.err
		}
		if !o.file.none(heap) {
			if err := o.file.dense(heap, index, 4, g.link); err != nil {
				return nil, err
			}
		}
	}
	return g.links, nil
}

// A group is one whose links are being read.
type group struct {
	file  *File
	heap  []byte // names, each with a zero behind it
	seen  map[uint64]bool
	links []Link
}

// names reads the local heap of a group.
func (g *group) names(at uint64) error {
	f := g.file
	c, err := f.signed(at, int64(8+2*f.lengthBytes+f.offsetBytes), "HEAP")
	if err != nil {
		return err
	}
	c.skip(4)
	size := c.uint(f.lengthBytes)
	c.skip(f.lengthBytes)
	where := c.uint(f.offsetBytes)
	if size > maxHeader {
		return fmt.Errorf("names of a group have %d bytes: %w", size, errDamaged)
	}
	g.heap, err = f.bytes(where, int64(size))
	return err
}

// tree walks a node of a group's B-tree of version 1; level is its height above the leaves,
// -1 for the root, whose own word is taken.
func (g *group) tree(at uint64, level int) error {
	f := g.file
	c, children, level, err := f.node(at, 0, level, g.seen, f.lengthBytes)
	if err != nil {
		return err
	}
	for range children {
		c.skip(f.lengthBytes) // the key
		child := c.uint(f.offsetBytes)
		if level > 0 {
			err = g.tree(child, level-1)
		} else {
			err = g.symbols(child)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// node reads a node of a B-tree of version 1. The cursor stands at the first key.
func (f *File) node(at uint64, kind uint64, level int, seen map[uint64]bool, keyBytes int) (c *cursor, children, height int, err error) {
	if seen[at] || len(seen) > maxLinks {
		return nil, 0, 0, fmt.Errorf("a tree of it goes in a circle: %w", errDamaged)
	}
	seen[at] = true
	head := 8 + 2*f.offsetBytes
	c, err = f.signed(at, int64(head), "TREE")
	if err != nil {
		return nil, 0, 0, err
	}
	have, height, children := c.uint(1), int(c.uint(1)), int(c.uint(2))
	if have != kind || level >= 0 && height != level || height > 32 {
		return nil, 0, 0, fmt.Errorf("a tree of it isn't one: %w", errDamaged)
	}
	n := children*(keyBytes+f.offsetBytes) + keyBytes
	b, err := f.bytes(at+uint64(head), int64(n))
	return &cursor{b: b}, children, height, err
}

// symbols reads a leaf of a group's tree.
func (g *group) symbols(at uint64) error {
	f := g.file
	if g.seen[at] {
		return fmt.Errorf("a group has one part twice: %w", errDamaged)
	}
	g.seen[at] = true
	c, err := f.signed(at, 8, "SNOD")
	if err != nil {
		return err
	}
	c.skip(2)
	n := int(c.uint(2))
	entry := 2*f.offsetBytes + 24
	b, err := f.bytes(at+8, int64(n*entry))
	if err != nil {
		return err
	}
	c = &cursor{b: b}
	for range n {
		name, object := c.uint(f.offsetBytes), c.uint(f.offsetBytes)
		kind := c.uint(4)
		c.skip(20)
		if kind == 2 { // a link by name
			continue
		}
		if name >= uint64(len(g.heap)) {
			return fmt.Errorf("a group has a name outside of its names: %w", errDamaged)
		}
		text, _, _ := bytes.Cut(g.heap[name:], []byte{0})
		if err := g.add(string(text), object); err != nil {
			return err
		}
	}
	return nil
}

func (g *group) add(name string, at uint64) error {
	if len(g.links) >= maxLinks {
		return fmt.Errorf("a group has more than %d names: refused", maxLinks)
	}
	g.links = append(g.links, Link{name, at})
	return nil
}

// link reads a link message.
func (g *group) link(data []byte) error {
	c := &cursor{b: data}
	c.skip(1)
	flags := c.uint(1)
	kind := uint64(0)
	if flags&8 != 0 {
		kind = c.uint(1)
	}
	if flags&4 != 0 {
		c.skip(8)
	}
	if flags&16 != 0 {
		c.skip(1)
	}
	name := c.take(int(min(c.uint(1<<(flags&3)), maxHeader)))
	if kind != 0 || c.err != nil {
		return c.err
	}
	at := c.uint(g.file.offsetBytes)
	if c.err != nil {
		return c.err
	}
	return g.add(string(name), at)
}
