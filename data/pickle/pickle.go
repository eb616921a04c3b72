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
	"math"
	"strconv"

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

// number runs the instructions that push numbers and constants.
func (m *machine) number(op byte) (bool, error) {
	var v any
	var err error
	switch op {
	case 'N':
	case 0x88:
		v = true
	case 0x89:
		v = false
	case 'K':
		v, err = signed(m.uint(1))
	case 'M':
		v, err = signed(m.uint(2))
	case 'J':
		var u uint64
		u, err = m.uint(4)
		v = int64(int32(u))
	case 'I', 'L':
		var t []byte
		if t, err = m.line(); err == nil {
			v, err = decimal(bytes.TrimSuffix(t, []byte("L")))
		}
	case 0x8a, 0x8b: // LONG1, LONG4
		var t []byte
		if t, err = m.counted(map[byte]int{0x8a: 1, 0x8b: 4}[op]); err == nil {
			v, err = long(t)
		}
	case 'F':
		var t []byte
		if t, err = m.line(); err == nil {
			v, err = strconv.ParseFloat(string(t), 64)
		}
	case 'G':
		var t []byte
		if t, err = m.take(8); err == nil {
			v = math.Float64frombits(binary.BigEndian.Uint64(t))
		}
	default:
		return false, nil
	}
	if err == nil {
		m.push(v)
	}
	return true, err
}

func signed(u uint64, err error) (any, error) { return int64(u), err }

func decimal(t []byte) (any, error) {
	switch string(t) {
	case "00":
		return false, nil
	case "01":
		return true, nil
	}
	v, err := strconv.ParseInt(string(t), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%.40q is not a whole number of 64 bits", t)
	}
	return v, nil
}

// long reads a two's complement number of any size up to eight bytes.
func long(t []byte) (any, error) {
	if len(t) > 8 {
		return nil, fmt.Errorf("a whole number of %d bytes is too large", len(t))
	}
	var eight [8]byte
	copy(eight[:], t)
	v := int64(binary.LittleEndian.Uint64(eight[:]))
	if n := len(t); n > 0 && n < 8 && t[n-1]&0x80 != 0 {
		v -= 1 << (8 * n)
	}
	return v, nil
}

// text runs the instructions that push strings.
func (m *machine) text(op byte) (bool, error) {
	var b []byte
	var err error
	unicode := false
	switch op {
	case 'U', 'C': // SHORT_BINSTRING, SHORT_BINBYTES
		b, err = m.counted(1)
	case 'T', 'B': // BINSTRING, BINBYTES
		b, err = m.counted(4)
	case 0x8e, 0x96: // BINBYTES8, BYTEARRAY8
		b, err = m.counted(8)
	case 'S': // STRING, as repr writes it
		if b, err = m.line(); err == nil {
			b, err = unquote(b)
		}
	case 0x8c:
		b, err = m.counted(1)
		unicode = true
	case 'X':
		b, err = m.counted(4)
		unicode = true
	case 0x8d:
		b, err = m.counted(8)
		unicode = true
	case 'V': // UNICODE, raw-unicode-escape
		if b, err = m.line(); err == nil {
			b, err = unescapeUnicode(b)
		}
		unicode = true
	default:
		return false, nil
	}
	if err != nil {
		return true, err
	}
	if unicode {
		m.push(string(b))
	} else {
		m.push(Bytes(b))
	}
	return true, nil
}

// collection runs the instructions that build tuples, lists and dicts.
func (m *machine) collection(op byte) (bool, error) {
	switch op {
	case ')':
		m.push(Tuple{})
	case 0x85, 0x86, 0x87: // TUPLE1 to TUPLE3
		values, err := m.popN(int(op) - 0x84)
		if err != nil {
			return true, err
		}
		m.push(Tuple(values))
	case ']':
		m.push(&List{})
	case '}':
		m.push(&Dict{})
	case 't', 'l', 'd':
		values, err := m.popMark()
		if err != nil {
			return true, err
		}
		switch op {
		case 't':
			m.push(Tuple(values))
		case 'l':
			m.push(&List{values})
		default:
			d := &Dict{}
			if err := d.set(values); err != nil {
				return true, err
			}
			m.push(d)
		}
	case 'a', 's': // APPEND, SETITEM
		values, err := m.popN(map[byte]int{'a': 1, 's': 2}[op])
		if err != nil {
			return true, err
		}
		return true, m.extend(op == 's', values)
	case 'e', 'u': // APPENDS, SETITEMS
		values, err := m.popMark()
		if err != nil {
			return true, err
		}
		return true, m.extend(op == 'u', values)
	default:
		return false, nil
	}
	return true, nil
}

// extend adds values to the list or dict on top.
func (m *machine) extend(dict bool, values []any) error {
	top, err := m.pop()
	if err != nil {
		return err
	}
	m.push(top)
	switch c := top.(type) {
	case *List:
		if !dict {
			c.Items = append(c.Items, values...)
			return nil
		}
	case *Dict:
		if dict {
			return c.set(values)
		}
	}
	return errors.New("it adds to what is neither a list nor a dict: the file is damaged")
}

func (d *Dict) set(pairs []any) error {
	if len(pairs)%2 != 0 {
		return errors.New("a dict's last key has no value: the file is damaged")
	}
	for i := 0; i < len(pairs); i += 2 {
		d.Keys, d.Values = append(d.Keys, pairs[i]), append(d.Values, pairs[i+1])
	}
	return nil
}

// remember runs the instructions that put values aside and fetch them.
func (m *machine) remember(op byte) (bool, error) {
	var n int
	var err error
	switch op {
	case '0': // POP takes a mark too
		if len(m.stack) == 0 {
			_, err := m.pop()
			return true, err
		}
		m.stack = m.stack[:len(m.stack)-1]
		return true, nil
	case '1':
		_, err := m.popMark()
		return true, err
	case 'p', 'g':
		n, err = m.index(m.line())
	case 'q', 'h':
		n, err = m.small(1)
	case 'r', 'j':
		n, err = m.small(4)
	case 0x94: // MEMOIZE
		n = len(m.memo)
	default:
		return false, nil
	}
	if err != nil {
		return true, err
	}
	if op == 'g' || op == 'h' || op == 'j' {
		v, ok := m.memo[n]
		if !ok {
			return true, fmt.Errorf("it fetches value %d, which it has not put aside: the file is damaged", n)
		}
		m.push(v)
		return true, nil
	}
	v, err := m.pop()
	if err != nil {
		return true, err
	}
	m.push(v)
	m.memo[n] = v
	return true, nil
}

func (m *machine) small(n int) (int, error) {
	v, err := m.uint(n)
	return int(v), err
}

func (m *machine) index(t []byte, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	v, err := strconv.Atoi(string(t))
	if err != nil {
		return 0, fmt.Errorf("%.40q is not the number of a value", t)
	}
	return v, nil
}
