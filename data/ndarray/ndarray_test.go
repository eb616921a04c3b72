package ndarray

import (
	"encoding/binary"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestLineFindsEveryElement: an array of any shape, order and type, whose
// element at index i1, i2, ... is a number made of the indices.
func TestLineFindsEveryElement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := rapid.SliceOfN(rapid.Int64Range(1, 4), 1, 4).Draw(t, "shape")
		kind := rapid.SampledFrom([]string{"f8", "f4", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"}).Draw(t, "type")
		big, fortran := rapid.Bool().Draw(t, "big-endian"), rapid.Bool().Draw(t, "fortran")
		var data []byte
		index := make([]int64, len(shape))
		for {
			data = appendNumber(data, kind, big, number(index))
			if !advance(index, shape, fortran) {
				break
			}
		}
		a, err := New(shape, kind, big, fortran, data)
		if err != nil {
			t.Fatal(err)
		}
		last := len(shape) - 1
		clear(index)
		line := make([]float64, shape[last])
		for {
			lead := make([]int, last)
			for i := range lead {
				lead[i] = int(index[i])
			}
			if err := a.Line(line, lead...); err != nil {
				t.Fatal(err)
			}
			for k, v := range line {
				index[last] = int64(k)
				if v != number(index) {
					t.Fatalf("element %v is %g, want %g", index, v, number(index))
				}
			}
			index[last] = 0
			if last == 0 || !advance(index[:last], shape[:last], false) {
				return
			}
		}
	})
}

func number(index []int64) float64 {
	v := 0.0
	for _, i := range index {
		v = 4*v + float64(i)
	}
	return math.Mod(v, 100)
}

// advance goes to the next index; the first runs fastest in Fortran's order.
func advance(index, shape []int64, fortran bool) bool {
	for k := range index {
		axis := len(index) - 1 - k
		if fortran {
			axis = k
		}
		if index[axis]++; index[axis] < shape[axis] {
			return true
		}
		index[axis] = 0
	}
	return false
}

func appendNumber(b []byte, kind string, big bool, v float64) []byte {
	u := uint64(int64(v))
	switch kind {
	case "f8":
		u = math.Float64bits(v)
	case "f4":
		u = uint64(math.Float32bits(float32(v)))
	}
	width := int(kind[1] - '0')
	eight := binary.LittleEndian.AppendUint64(nil, u)[:width]
	if big {
		for i := range width / 2 {
			eight[i], eight[width-1-i] = eight[width-1-i], eight[i]
		}
	}
	return append(b, eight...)
}

func TestNewRefuses(t *testing.T) {
	for name, err := range map[string]error{
		"objects":  second(New([]int64{1}, "O8", false, false, make([]byte, 8))),
		"negative": second(New([]int64{-1}, "f8", false, false, nil)),
		"too few":  second(New([]int64{2}, "f8", false, false, make([]byte, 15))),
		"overflow": second(New([]int64{math.MaxInt64, math.MaxInt64}, "f8", false, false, nil)),
		"axes":     second(New(make([]int64, 33), "f8", false, false, nil)),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func second(_ *Array, err error) error { return err }
