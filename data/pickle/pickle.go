// Package pickle reads NumPy arrays, and lists and dicts of them, out of Python
// pickles of protocols 0 to 5, whether Python 2 or 3 wrote them.
//
// A pickle is a program. This reader runs the few instructions that build
// numbers, strings, tuples, lists, dicts and arrays, knows the five functions by
// which NumPy rebuilds an array, and refuses everything else: it can't be made
// to call anything. It never recurses, and allocates nothing by a size that the
// file claims: strings and the contents of arrays are parts of the input. (A
// general reader such as gopickle does allocate what a length claims, and
// leaves the escapes of protocol 0 as they are.)
package pickle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"eegprune/data/ndarray"
)

// Values are nil, bool, int64, float64, Bytes, string, Tuple, *List, *Dict, and
// arrays, which [Dict.Array] returns.
type (
	// Bytes are a bytes object, or a string of Python 2.
	Bytes []byte
	// A Tuple is a tuple.
	Tuple []any
	// A List is a list.
	List struct{ Items []any }
	// A Dict is a dict, in order of insertion.
	Dict struct{ Keys, Values []any }
)

// Get returns the value of a key, which may be a string of Python 2 or 3.
func (d *Dict) Get(key string) (any, bool) {
	for i := len(d.Keys) - 1; i >= 0; i-- { // the last one set counts
		switch k := d.Keys[i].(type) {
		case string:
			if k == key {
				return d.Values[i], true
			}
		case Bytes:
			if string(k) == key {
				return d.Values[i], true
			}
		}
	}
	return nil, false
}

// Array returns the array of a key.
func (d *Dict) Array(key string) (*ndarray.Array, error) {
	v, ok := d.Get(key)
	if !ok {
		return nil, fmt.Errorf("its dict has no array %q", key)
	}
	if a, ok := v.(*arrayValue); ok && a.array != nil {
		return a.array, nil
	}
	return nil, fmt.Errorf("its %q is no array", key)
}

// errEnd is the end of the input within an instruction.
var errEnd = errors.New("the pickle ends too early: the file is truncated; get it again")

// mark separates what an instruction collects from what lies below.
type mark struct{}

// maxDepth bounds the stack; a pickle of arrays needs a few dozen entries.
const maxDepth = 1 << 16

// Load reads the first value in b. Arrays share memory with b. Errors give the
// offset of the instruction at fault.
func Load(b []byte) (any, error) {
	m := &machine{in: b, memo: map[int]any{}}
	for {
		start := m.at
		done, err := m.step()
		if err == nil && len(m.stack) > maxDepth {
			err = fmt.Errorf("it puts more than %d values aside: this is no pickle of arrays", maxDepth)
		}
		if err != nil {
			return nil, fmt.Errorf("pickle at byte %d: %w", start, err)
		}
		if done {
			return m.pop()
		}
	}
}

// A machine runs a pickle.
type machine struct {
	in    []byte
	at    int
	stack []any
	memo  map[int]any
}

func (m *machine) take(n int) ([]byte, error) {
	if n < 0 || n > len(m.in)-m.at {
		return nil, errEnd
	}
	b := m.in[m.at : m.at+n]
	m.at += n
	return b, nil
}

// line takes a text argument up to its newline.
func (m *machine) line() ([]byte, error) {
	i := bytes.IndexByte(m.in[m.at:], '\n')
	if i < 0 {
		return nil, errEnd
	}
	b := m.in[m.at : m.at+i]
	m.at += i + 1
	return b, nil
}

// uint takes a little-endian number of n bytes.
func (m *machine) uint(n int) (uint64, error) {
	b, err := m.take(n)
	if err != nil {
		return 0, err
	}
	var eight [8]byte
	copy(eight[:], b)
	return binary.LittleEndian.Uint64(eight[:]), nil
}

// counted takes bytes whose number is in the n bytes before them.
func (m *machine) counted(n int) ([]byte, error) {
	size, err := m.uint(n)
	if err != nil {
		return nil, err
	}
	if size > uint64(len(m.in)-m.at) {
		return nil, errEnd
	}
	return m.take(int(size))
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

func (m *machine) pop() (any, error) {
	if len(m.stack) == 0 {
		return nil, errors.New("it takes a value where there is none: the file is damaged")
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	if _, ok := v.(mark); ok {
		return nil, errors.New("it takes a mark for a value: the file is damaged")
	}
	return v, nil
}

// popN takes the topmost n values, the lowest first.
func (m *machine) popN(n int) ([]any, error) {
	values := make([]any, n)
	for i := n - 1; i >= 0; i-- {
		var err error
		if values[i], err = m.pop(); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// popMark takes all values down to the topmost mark.
func (m *machine) popMark() ([]any, error) {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, ok := m.stack[i].(mark); ok {
			values := append([]any(nil), m.stack[i+1:]...)
			m.stack = m.stack[:i]
			return values, nil
		}
	}
	return nil, errors.New("it has no mark to go back to: the file is damaged")
}

// step runs one instruction. It returns true at the end of the program.
func (m *machine) step() (bool, error) {
	b, err := m.take(1)
	if err != nil {
		return false, err
	}
	switch op := b[0]; op {
	case '.':
		return true, nil
	case 0x80: // PROTO
		v, err := m.uint(1)
		if err == nil && v > 5 {
			err = fmt.Errorf("its protocol is %d and 0 to 5 are known", v)
		}
		return false, err
	case 0x95: // FRAME: a hint for buffering
		_, err := m.take(8)
		return false, err
	case '(':
		m.push(mark{})
		return false, nil
	default:
		for _, run := range []func(op byte) (bool, error){m.number, m.text, m.collection, m.remember, m.build} {
			if known, err := run(op); known || err != nil {
				return false, err
			}
		}
		return false, fmt.Errorf("instruction 0x%02x is not needed for arrays and refused", op)
	}
}
