package pickle

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestWrittenDictsAreRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, cols := rapid.IntRange(1, 4).Draw(t, "rows"), rapid.IntRange(1, 300).Draw(t, "columns")
		lines := rapid.SliceOfN(rapid.SliceOfN(rapid.Float64(), cols, cols), rows, rows).Draw(t, "lines")
		each := func(yield func([]float64) bool) {
			for _, l := range lines {
				if !yield(l) {
					return
				}
			}
		}
		var b bytes.Buffer
		if err := WriteDict(&b, []Named{{"first", []int{rows, cols}, each}, {"again", []int{1, rows, cols}, each}}); err != nil {
			t.Fatal(err)
		}
		v, err := Load(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		for name, lead := range map[string][]int{"first": nil, "again": {0}} {
			a, err := Array(v.(*Dict), name)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]float64, cols)
			for r := range rows {
				if err := a.Line(got, append(lead, r)...); err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(lines[r], got); d != "" {
					t.Fatal(d)
				}
			}
		}
	})
}

func TestWriteRefuses(t *testing.T) {
	one := func(yield func([]float64) bool) { yield([]float64{1}) }
	for want, a := range map[string]Named{
		"given 1 values": {"x", []int{2}, one},
		"larger than":    {"x", []int{1 << 30}, one},
		"the size -1":    {"x", []int{-1}, one},
		"can't be":       {strings.Repeat("x", 256), []int{1}, one},
	} {
		if err := WriteDict(&bytes.Buffer{}, []Named{a}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}

func TestNumberedDicts(t *testing.T) {
	var b bytes.Buffer
	of := func(v float64) Named {
		return Named{Shape: []int{1}, Lines: func(yield func([]float64) bool) { yield([]float64{v}) }}
	}
	if err := WriteNumbered(&b, []Named{of(7), of(8)}); err != nil {
		t.Fatal(err)
	}
	good := b.String()
	for in, want := range map[string]string{
		good: "",
		strings.Replace(good, "J\x01\x00\x00\x00cnumpy", "J\x00\x00\x00\x00cnumpy", 1): "each once: it has 0",
		strings.Replace(good, "J\x01\x00\x00\x00cnumpy", "J\x02\x00\x00\x00cnumpy", 1): "from 0 to 1, each once: it has 2",
		strings.Replace(good, "J\x01\x00\x00\x00cnumpy", "U\x01acnumpy", 1):            "it has a",
		"\x80\x02}J\x00\x00\x00\x00K\x01s.":                                            "element 0: it holds no array",
	} {
		v, err := Load([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		list, err := Numbered(v.(*Dict))
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one that says %q", err, want)
			}
			continue
		}
		for i, a := range list {
			x := make([]float64, 1)
			if err := a.Line(x); err != nil || x[0] != float64(7+i) {
				t.Errorf("element %d is %v, %v", i, x, err)
			}
		}
	}
}
