package hdf5

import (
	"fmt"
	"slices"
	"strings"
)

// Kinds of messages of an object's header.
const (
	msgSpace        = 1
	msgLinkInfo     = 2
	msgType         = 3
	msgOldFill      = 4
	msgFill         = 5
	msgLink         = 6
	msgExternal     = 7
	msgLayout       = 8
	msgFilters      = 11
	msgAttribute    = 12
	msgContinuation = 16
	msgSymbols      = 17
	msgAttributes   = 21
)

type message struct {
	kind int
	data []byte
}

const (
	maxHeader = 16 << 20 // bytes of an object's header
	maxBlocks = 1 << 12  // parts that it is in
)

// An Object is a group or a data set.
type Object struct {
	file     *File
	messages []message
}

// Root returns the group that holds all others.
func (f *File) Root() (*Object, error) { return f.Object(f.root) }

// Object returns the object at an address, such as a reference gives.
func (f *File) Object(at uint64) (*Object, error) {
	o := &Object{file: f}
	if err := o.read(at); err != nil {
		return nil, err
	}
	for i, m := range o.messages {
		if m.kind&shared == 0 {
			continue
		}
		data, err := o.resolve(m)
		if err != nil {
			return nil, err
		}
		o.messages[i] = message{m.kind &^ shared, data}
	}
	return o, nil
}

// shared marks a message that is kept in another object.
const shared = 1 << 16

// resolve returns a message that another object holds.
func (o *Object) resolve(m message) ([]byte, error) {
	c := &cursor{b: m.data}
	version, kind := c.uint(1), c.uint(1)
	if version == 1 {
		c.skip(6)
	}
	if version == 3 && kind == 1 {
		return nil, unsupported("it keeps messages in a shared heap")
	}
	at := c.uint(o.file.offsetBytes)
	if c.err != nil {
		return nil, c.err
	}
	other := &Object{file: o.file}
	if err := other.read(at); err != nil {
		return nil, err
	}
	for _, x := range other.messages {
		if x.kind == m.kind&^shared {
			return x.data, nil
		}
	}
	return nil, fmt.Errorf("a shared message isn't where it should be: %w", errDamaged)
}

// A block is a part of an object's header.
type block struct {
	at, size uint64
}

// read collects the messages of the header at an address.
func (o *Object) read(at uint64) error {
	b, err := o.file.upTo(at, 64)
	if err != nil {
		return err
	}
	c := &cursor{b: b}
	p := parser{object: o}
	var first block
	switch {
	case strings.HasPrefix(string(b), "OHDR"):
		p.new = true
		c.skip(5)
		flags := c.uint(1)
		p.ordered = flags&4 != 0
		if flags&32 != 0 {
			c.skip(16) // times
		}
		if flags&16 != 0 {
			c.skip(4)
		}
		first.size = c.uint(1 << (flags & 3))
	case len(b) > 0 && b[0] == 1:
		c.skip(8)
		first.size = c.uint(4)
		c.skip(4)
	default:
		return fmt.Errorf("it refers to an object at byte %d, where there is none: %w", at, errDamaged)
	}
	if c.err != nil {
		return c.err
	}
	first.at = at + uint64(c.at)
	p.todo = []block{first}
	for read := uint64(0); len(p.todo) > 0; {
		next := p.todo[0]
		p.todo = p.todo[1:]
		if slices.Contains(p.done, next.at) || len(p.done) > maxBlocks || next.size > maxHeader-read {
			return fmt.Errorf("an object's header goes on for ever: %w", errDamaged)
		}
		p.done = append(p.done, next.at)
		read += next.size
		if err := p.block(next, len(p.done) > 1); err != nil {
			return err
		}
	}
	return nil
}

// A parser reads the blocks of one header.
type parser struct {
	object       *Object
	new, ordered bool // the format of version 2, and whether messages have a number in it
	todo         []block
	done         []uint64
}

func (p *parser) block(at block, more bool) error {
	f := p.object.file
	b, err := f.bytes(at.at, int64(at.size))
	if err != nil {
		return err
	}
	c := &cursor{b: b}
	if p.new && more {
		if len(b) < 8 || string(b[:4]) != "OCHK" {
			return fmt.Errorf("a part of an object's header is missing: %w", errDamaged)
		}
		c = &cursor{b: b[:len(b)-4], at: 4} // there is a checksum behind
	}
	small := 8
	if p.new {
		small = 4
		if p.ordered {
			small += 2
		}
	}
	for c.left() >= small {
		var kind, flags, size uint64
		if p.new {
			kind, size, flags = c.uint(1), c.uint(2), c.uint(1)
			c.skip(small - 4)
		} else {
			kind, size, flags = c.uint(2), c.uint(2), c.uint(1)
			c.skip(3)
		}
		data := c.take(int(size))
		if c.err != nil {
			return c.err
		}
		if kind == msgContinuation {
			d := &cursor{b: data}
			next := block{d.uint(f.offsetBytes), d.uint(f.lengthBytes)}
			if d.err != nil {
				return d.err
			}
			p.todo = append(p.todo, next)
			continue
		}
		if flags&2 != 0 {
			kind |= shared
		}
		p.object.messages = append(p.object.messages, message{int(kind), data})
	}
	return nil
}

// message returns the first of that kind, or nil.
func (o *Object) message(kind int) *cursor {
	for _, m := range o.messages {
		if m.kind == kind {
			return &cursor{b: m.data}
		}
	}
	return nil
}

// IsGroup reports whether it holds other objects and no data.
func (o *Object) IsGroup() bool { return o.message(msgLayout) == nil }
