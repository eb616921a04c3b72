package hdf5

import (
	"fmt"
	"math/bits"
	"strings"
)

// A Class is the kind of a data set's elements.
type Class int

// Elements that are none of these are Other.
const (
	Other Class = iota
	Number
	Text      // of a fixed length
	VarText   // of any length
	Reference // to an object
	Compound  // several numbers, such as the parts of a complex one
)

// A Type is that of the elements of a data set or an attribute.
type Type struct {
	Class Class
	Size  int // bytes
	// Kind is a number's type as NumPy names it ("f8", "i2"), and empty where there is none.
	Kind      string
	BigEndian bool
	Fields    int // of a Compound

	signed bool
}

// classes of types in a file.
const (
	fixedPoint = iota
	floatingPoint
	timeOfDay
	text
	bitField
	opaque
	compound
	reference
	enumeration
	variable
)

// parseType reads a type.
func parseType(c *cursor) (Type, error) {
	return parseTypeWithin(c, 0)
}

func parseTypeWithin(c *cursor, depth int) (Type, error) {
	head := c.uint(1)
	flags := c.uint(3)
	t := Type{Size: int(c.uint(4)), BigEndian: flags&1 != 0}
	if c.err != nil || depth > 8 {
		return t, fmt.Errorf("a type of it: %w", errDamaged)
	}
	switch head & 15 {
	case fixedPoint, bitField:
		at, precision := c.uint(2), c.uint(2)
		t.Class, t.signed = Number, head&15 == fixedPoint && flags&8 != 0
		t.Kind = fmt.Sprintf("u%d", t.Size)
		if t.signed {
			t.Kind = fmt.Sprintf("i%d", t.Size)
		}
		if at != 0 || precision != uint64(8*t.Size) || bits.OnesCount(uint(t.Size)) != 1 || t.Size > 8 {
			t.Kind = ""
		}
	case floatingPoint:
		t.Class = Number
		layout := [7]uint64{c.uint(2), c.uint(2), c.uint(1), c.uint(1), c.uint(1), c.uint(1), c.uint(4)}
		t.Kind = map[[7]uint64]string{
			{0, 16, 10, 5, 0, 10, 15}:    "f2",
			{0, 32, 23, 8, 0, 23, 127}:   "f4",
			{0, 64, 52, 11, 0, 52, 1023}: "f8",
		}[layout]
		if flags&64 != 0 { // the order of a VAX
			t.Kind = ""
		}
	case text:
		t.Class = Text
	case reference:
		if flags&15 == 0 {
			t.Class = Reference
		}
	case compound:
		t.Class, t.Fields = Compound, int(flags&0xffff)
	case enumeration:
		size := t.Size
		base, err := parseTypeWithin(c, depth+1)
		if err != nil {
			return t, err
		}
		if t = base; t.Size != size {
			return t, fmt.Errorf("a type of it: %w", errDamaged)
		}
	case variable:
		if flags&15 == 1 {
			t.Class = VarText
		}
	}
	return t, c.err
}

// parseSpace reads the sizes of the axes; nil is one element, and none says that there is
// no element at all.
func (f *File) parseSpace(c *cursor) (shape []int64, none bool, err error) {
	version, rank := c.uint(1), int(c.uint(1))
	c.skip(1)
	if version == 2 {
		none = c.uint(1) == 2
	} else {
		c.skip(5)
	}
	if rank > 32 || version < 1 || version > 2 {
		return nil, false, fmt.Errorf("the axes of a part of it: %w", errDamaged)
	}
	for range rank {
		n := c.uint(f.lengthBytes)
		if n > 1<<48 {
			return nil, false, fmt.Errorf("an axis of it has %d elements: %w", n, errDamaged)
		}
		shape = append(shape, int64(n))
	}
	return shape, none, c.err
}

// count is the number of elements of a shape.
func count(shape []int64, width int) (int64, error) {
	n := uint64(1)
	for _, size := range shape {
		high, low := bits.Mul64(n, uint64(size))
		if high != 0 || low > 1<<48 {
			return 0, fmt.Errorf("its shape is %v: %w", shape, errDamaged)
		}
		n = low
	}
	if width < 1 || width > maxHeader {
		return 0, fmt.Errorf("elements of it have %d bytes: %w", width, errDamaged)
	}
	return int64(n), nil
}

// An Attribute is a small value that belongs to an object.
type Attribute struct {
	Name  string
	Shape []int64
	Type  Type

	file *File
	data []byte
}

// Attribute returns the attribute of that name, nil where there is none.
func (o *Object) Attribute(name string) (*Attribute, error) {
	var found *Attribute
	read := func(data []byte) error {
		a, err := o.file.attribute(data)
		if err == nil && a.Name == name {
			found = a
		}
		return err
	}
	for _, m := range o.messages {
		if m.kind == msgAttribute && found == nil {
			if err := read(m.data); err != nil {
				return nil, err
			}
		}
	}
	if c := o.message(msgAttributes); c != nil && found == nil {
		c.skip(1)
		if flags := c.uint(1); flags&1 != 0 {
			c.skip(2)
		}
		heap, index := c.uint(o.file.offsetBytes), c.uint(o.file.offsetBytes)
		if c.err != nil {
			return nil, c.err
		}
		if !o.file.none(heap) {
			if err := o.file.dense(heap, index, 0, read); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

func (f *File) attribute(data []byte) (*Attribute, error) {
	c := &cursor{b: data}
	version := c.uint(1)
	sharedParts := c.uint(1)
	nameBytes, typeBytes, spaceBytes := int(c.uint(2)), int(c.uint(2)), int(c.uint(2))
	if version == 3 {
		c.skip(1)
	}
	part := func(n int) []byte {
		start := c.at
		b := c.take(n)
		if version == 1 {
			c.align(8, start)
		}
		return b
	}
	a := &Attribute{file: f, Name: strings.TrimRight(string(part(nameBytes)), "\x00")}
	typ, space := part(typeBytes), part(spaceBytes)
	if c.err != nil || version < 1 || version > 3 {
		return nil, fmt.Errorf("an attribute of it: %w", errDamaged)
	}
	if version > 1 && sharedParts&3 != 0 {
		a.Type = Type{Size: 1} // of a named type: none that anybody asks for
		return a, nil
	}
	var err error
	if a.Type, err = parseType(&cursor{b: typ}); err != nil {
		return nil, err
	}
	var none bool
	if a.Shape, none, err = f.parseSpace(&cursor{b: space}); err != nil {
		return nil, err
	}
	if none {
		a.Shape = []int64{0}
	}
	a.data = c.b[c.at:]
	return a, nil
}

// values is the value of an attribute, as a data set.
func (a *Attribute) values() (*Dataset, error) {
	d := &Dataset{Shape: a.Shape, Type: a.Type, file: a.file}
	var err error
	if d.len, err = count(d.Shape, d.Type.Size); err != nil {
		return nil, err
	}
	d.storage = memory(a.data)
	return d, d.fits(int64(len(a.data)))
}

// Text returns the first text of an attribute, and nothing where it is none.
func (a *Attribute) Text() (string, error) {
	if a.Type.Class != Text && a.Type.Class != VarText {
		return "", nil
	}
	d, err := a.values()
	if err != nil {
		return "", err
	}
	list, err := d.Texts()
	if err != nil || len(list) == 0 {
		return "", err
	}
	return list[0], nil
}

// Number returns the first number of an attribute, and 0 where it is none.
func (a *Attribute) Number() (float64, error) {
	if a.Type.Class != Number || a.Type.Kind == "" {
		return 0, nil
	}
	d, err := a.values()
	if err != nil || d.Len() == 0 {
		return 0, err
	}
	var one [1]float64
	return one[0], d.first(&one)
}
