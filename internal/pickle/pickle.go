// Package pickle runs Python pickles of protocols 0 to 5, whether Python 2 or 3 wrote
// them, as far as they build data.
//
// A pickle is a program. This machine runs the few instructions that build numbers,
// strings, tuples, lists, dicts and sets. The caller's [Objects] resolve the names of
// classes and functions, and call them: the machine can't be made to call anything else.
// It never recurses, and allocates nothing by a size that the file claims: strings are
// parts of the input. (A general reader such as gopickle does allocate the size that a
// length claims, and leaves the escapes of protocol 0 as they are.)
package pickle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Values are nil, bool, int64, float64, Bytes, string, Tuple, *List, *Dict, and the
// values that [Objects] returns.
type (
	// Bytes are a bytes object, or a string of Python 2.
	Bytes []byte
	// A Tuple is a tuple.
	Tuple []any
	// A List is a list, or a set in the order in which the pickle names its members.
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

// Objects are the classes and functions that a kind of pickle may name. Its values are
// opaque to the machine. Each method returns an error for an argument that it doesn't know.
type Objects interface {
	// Global is the class or function of a name.
	Global(module, name string) (any, error)
	// Call is the value of a function, or the instance of a class, for arguments.
	Call(f any, args Tuple) (any, error)
	// SetState gives an instance its state.
	SetState(target, state any) error
	// Extend adds values to an instance: keys and values in turn where pairs is true.
	Extend(target any, pairs bool, values []any) error
	// Persistent is the object that lies outside the pickle under an id.
	Persistent(id any) (any, error)
}

// errEnd is the end of the input within an instruction.
var errEnd = errors.New("the pickle ends too early: the file is truncated; get it again")

// mark separates the values that an instruction collects from those below.
type mark struct{}

// MaxDepth bounds the stack; a pickle of arrays needs a few dozen entries, one of a
// network some for each tensor.
const MaxDepth = 1 << 16

// Load reads the first value in b, and returns how many bytes it took. Strings of bytes
// share memory with b. Errors give the offset of the instruction at fault.
func Load(b []byte, o Objects) (value any, length int, err error) {
	m := &machine{in: b, memo: map[int]any{}, objects: o}
	for {
		start := m.at
		done, err := m.step()
		if err == nil && len(m.stack) > MaxDepth {
			err = fmt.Errorf("it puts more than %d values aside: this is no pickle of arrays", MaxDepth)
		}
		if err != nil {
			return nil, 0, fmt.Errorf("pickle at byte %d: %w", start, err)
		}
		if done {
			value, err = m.pop()
			return value, m.at, err
		}
	}
}

// A machine runs a pickle.
type machine struct {
	in      []byte
	at      int
	stack   []any
	memo    map[int]any
	objects Objects
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
		for _, run := range []func(op byte) (bool, error){m.number, m.text, m.collection, m.remember, m.object} {
			if known, err := run(op); known || err != nil {
				return false, err
			}
		}
		return false, fmt.Errorf("instruction 0x%02x is refused: neither arrays nor tensors need it", op)
	}
}
