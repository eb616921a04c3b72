package pickle

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

var errQuotes = errors.New("a string of protocol 0 isn't in quotes: the file is damaged")

// unquote undoes Python 2's repr of a byte string.
func unquote(b []byte) ([]byte, error) {
	b = bytes.TrimRight(b, "\r ")
	if len(b) < 2 || b[0] != b[len(b)-1] || (b[0] != '\'' && b[0] != '"') {
		return nil, errQuotes
	}
	b = b[1 : len(b)-1]
	if bytes.IndexByte(b, '\\') < 0 {
		return b, nil
	}
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		if b[0] != '\\' {
			out, b = append(out, b[0]), b[1:]
			continue
		}
		c, rest, err := escape(b)
		if err != nil {
			return nil, err
		}
		out, b = append(out, c), rest
	}
	return out, nil
}

// escape reads one backslash escape off the front of b.
func escape(b []byte) (c byte, rest []byte, err error) {
	if len(b) < 2 {
		return 0, nil, errQuotes
	}
	switch b[1] {
	case 'n':
		return '\n', b[2:], nil
	case 'r':
		return '\r', b[2:], nil
	case 't':
		return '\t', b[2:], nil
	case '\\', '\'', '"':
		return b[1], b[2:], nil
	case 'x':
		if len(b) >= 4 {
			if v, err := strconv.ParseUint(string(b[2:4]), 16, 8); err == nil {
				return byte(v), b[4:], nil
			}
		}
	}
	return 0, nil, fmt.Errorf("%.6q is no escape that Python writes", b)
}

// unescapeUnicode undoes Python's raw-unicode-escape: Latin-1 bytes, and \u and
// \U for the rest.
func unescapeUnicode(b []byte) ([]byte, error) {
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		digits := 0
		if len(b) >= 2 && b[0] == '\\' {
			digits = map[byte]int{'u': 4, 'U': 8}[b[1]]
		}
		if digits == 0 {
			out, b = utf8.AppendRune(out, rune(b[0])), b[1:]
			continue
		}
		if len(b) < 2+digits {
			return nil, fmt.Errorf("%.10q is no escape that Python writes", b)
		}
		v, err := strconv.ParseUint(string(b[2:2+digits]), 16, 32)
		if err != nil || v > utf8.MaxRune {
			return nil, fmt.Errorf("%.10q is no escape that Python writes", b)
		}
		out, b = utf8.AppendRune(out, rune(v)), b[2+digits:]
	}
	return out, nil
}
