package mat

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
)

// head4 is the number of bytes before the name of a variable of version 4.
const head4 = 20

// A head is the header of a variable of version 4.
type head struct {
	order      binary.ByteOrder
	kind       string // of its numbers
	text       int    // 0 numbers, 1 text, 2 sparse
	rows, cols int64
	complex    bool
	name       int64
}

// parseHead reads the head of a variable of version 4.
func parseHead(b []byte) (h head, ok bool) {
	if len(b) < head4 {
		return h, false
	}
	h.order = binary.LittleEndian
	word := h.order.Uint32(b)
	if word > 9999 {
		h.order = binary.BigEndian
		word = h.order.Uint32(b)
	}
	machine, zero, precision := word/1000, word/100%10, word/10%10
	if h.text = int(word % 10); h.text > 2 || zero != 0 || precision > 5 || machine > 1 || machine == 1 != (h.order == binary.BigEndian) {
		return h, false
	}
	h.kind = []string{"f8", "f4", "i4", "i2", "u2", "u1"}[precision]
	at := func(i int) int64 { return int64(int32(h.order.Uint32(b[i:]))) }
	h.rows, h.cols, h.complex, h.name = at(4), at(8), at(12) == 1, at(16)
	return h, h.rows >= 0 && h.cols >= 0 && at(12)>>1 == 0 && h.name > 1 && h.name < 256
}

// isVersion4 reports whether a file that begins so is of version 4: its first variable
// has a name, with a zero behind it.
func isVersion4(first []byte) bool {
	h, ok := parseHead(first)
	if !ok || int64(len(first)) < head4+h.name {
		return false
	}
	name := first[head4 : head4+h.name]
	letter := name[0] | 32
	return bytes.IndexByte(name, 0) == len(name)-1 && letter >= 'a' && letter <= 'z'
}

// arrays4 reads a file of version 4.
func arrays4(ctx context.Context, r io.ReaderAt, size int64, want func(string) bool, yield func(*Array, error) bool) {
	w := walk{want: want, most: maxArrays}
	for at := int64(0); at < size; {
		a, next, err := w.element4(r, at, size)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			yield(nil, fmt.Errorf("MAT variable at byte %d: %w", at, err))
			return
		}
		at = next
		if a != nil && !yield(a, nil) {
			return
		}
	}
}

func (w *walk) element4(r io.ReaderAt, at, size int64) (*Array, int64, error) {
	if err := w.enter(0); err != nil {
		return nil, 0, err
	}
	b := make([]byte, head4)
	if size-at < head4 {
		return nil, 0, errTruncated
	}
	if _, err := r.ReadAt(b, at); err != nil {
		return nil, 0, err
	}
	h, ok := parseHead(b)
	if !ok {
		return nil, 0, fmt.Errorf("there is none of version 4: the file is damaged; get it again")
	}
	x := &stored{r: r, at: at + head4 + h.name, kind: h.kind, width: int64(h.kind[1] - '0'), bigEndian: h.order == binary.BigEndian}
	high, n := bits.Mul64(uint64(h.rows), uint64(h.cols))
	parts := int64(1)
	if h.complex {
		parts = 2
	}
	if high != 0 || n > uint64(max(0, size-x.at)/x.width/parts) {
		return nil, 0, errTruncated
	}
	x.len = int64(n)
	name := make([]byte, h.name)
	if _, err := r.ReadAt(name, at+head4); err != nil {
		return nil, 0, err
	}
	name, _, _ = bytes.Cut(name, []byte{0})
	next := x.at + x.len*x.width*parts
	a := &Array{Name: string(name), Class: map[string]string{"f8": "double", "f4": "single", "i4": "int32", "i2": "int16", "u2": "uint16", "u1": "uint8"}[h.kind], Dims: []int{int(h.rows), int(h.cols)}}
	if !w.want(a.Name) {
		return nil, next, nil
	}
	switch {
	case h.text == 2:
		a.Class = "sparse"
		a.refused = notRead(a.Class)
	case h.complex:
		a.refused = complexRefused
	case h.text == 1:
		a.Class = "char"
		if x.len > maxText {
			a.refused = tooLong(x.len, "characters")
			break
		}
		codes := make([]float64, x.len)
		if err := x.Floats(context.Background(), codes, 0); err != nil {
			return nil, 0, err
		}
		a.text = textRows(runes(codes), a.Dims)
	default:
		a.numbers = x
	}
	return a, next, nil
}

// runes are characters by their codes.
func runes(codes []float64) []rune {
	list := make([]rune, len(codes))
	for i, c := range codes {
		list[i] = rune(max(0, min(c, 1<<30))) // an impossible one becomes U+FFFD
	}
	return list
}
