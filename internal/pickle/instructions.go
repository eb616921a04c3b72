package pickle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
)

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
	case ']', 0x8f: // EMPTY_LIST, EMPTY_SET
		m.push(&List{})
	case '}':
		m.push(&Dict{})
	case 't', 'l', 'd', 0x91: // the last is FROZENSET
		values, err := m.popMark()
		if err != nil {
			return true, err
		}
		switch op {
		case 't':
			m.push(Tuple(values))
		case 'l', 0x91:
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
	case 'e', 'u', 0x90: // APPENDS, SETITEMS, ADDITEMS
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
	return m.objects.Extend(top, dict, values)
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
