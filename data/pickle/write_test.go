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
