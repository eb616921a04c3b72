package pickle

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// A Named is a float64 array to write: its shape and, in row-major order, its
// lines along the last axis.
type Named struct {
	Name  string
	Shape []int
	Lines func(yield func(line []float64) bool)
}

// WriteDict writes a dict of arrays as Python 2's cPickle did under protocol 2,
// the form of DEAP's files.
func WriteDict(w io.Writer, arrays []Named) error {
	b := bufio.NewWriterSize(w, 1<<20)
	// bufio keeps the first error for Flush to return.
	_, _ = b.WriteString("\x80\x02}(")
	for _, a := range arrays {
		if len(a.Name) > 255 || len(a.Shape) > 32 {
			return fmt.Errorf("pickle: array %.20q can't be written", a.Name)
		}
		_, _ = b.WriteString("U" + string([]byte{byte(len(a.Name))}) + a.Name)
		if err := a.write(b, python2()); err != nil {
			return err
		}
	}
	_, _ = b.WriteString("u.")
	return b.Flush()
}

// WriteNumbered writes a dict of arrays whose keys are 0, 1, 2, ..., as Python 3 does under
// protocol 3.
func WriteNumbered(w io.Writer, arrays []Named) error {
	b := bufio.NewWriterSize(w, 1<<20)
	_, _ = b.WriteString("\x80\x03}(")
	for i, a := range arrays {
		_, _ = b.Write(binary.LittleEndian.AppendUint32([]byte{'J'}, uint32(i)))
		if err := a.write(b, python3()); err != nil {
			return err
		}
	}
	_, _ = b.WriteString("u.")
	return b.Flush()
}

// WriteArray writes one array, as Python 2's cPickle did under protocol 2.
func WriteArray(w io.Writer, a Named) error {
	b := bufio.NewWriterSize(w, 1<<20)
	_, _ = b.WriteString("\x80\x02")
	if err := a.write(b, python2()); err != nil {
		return err
	}
	_, _ = b.WriteString(".")
	return b.Flush()
}

// A dialect is how texts and bytes are written.
type dialect struct{ b, f8, less, contents string }

// Python 2 has one kind of string; Python 3 refuses one with bytes that are no ASCII.
func python2() dialect { return dialect{"U\x01b", "U\x02f8", "U\x01<", "T"} }

func python3() dialect {
	return dialect{"C\x01b", "X\x02\x00\x00\x00f8", "X\x01\x00\x00\x00<", "B"}
}

func (a Named) write(b *bufio.Writer, in dialect) error {
	size := int64(8)
	_, _ = b.WriteString("cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + in.b + "\x87R(K\x01(")
	for _, n := range a.Shape {
		if n < 0 || n > math.MaxInt32 {
			return fmt.Errorf("pickle: array %q has the size %d", a.Name, n)
		}
		size *= int64(n)
		_, _ = b.Write(binary.LittleEndian.AppendUint32([]byte{'J'}, uint32(n)))
	}
	if size > math.MaxInt32 {
		return fmt.Errorf("pickle: array %q of shape %v is larger than protocol 2 can hold", a.Name, a.Shape)
	}
	_, _ = b.WriteString("tcnumpy\ndtype\n" + in.f8 + "K\x00K\x01\x87R(K\x03" + in.less + "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89" + in.contents)
	_, _ = b.Write(binary.LittleEndian.AppendUint32(nil, uint32(size)))
	written := int64(0)
	var eight [8]byte
	a.Lines(func(line []float64) bool {
		for _, v := range line {
			binary.LittleEndian.PutUint64(eight[:], math.Float64bits(v))
			_, _ = b.Write(eight[:])
		}
		written += 8 * int64(len(line))
		return written <= size
	})
	if written != size {
		return fmt.Errorf("pickle: array %q of shape %v was given %d values", a.Name, a.Shape, written/8)
	}
	_, err := b.WriteString("tb")
	return err
}
