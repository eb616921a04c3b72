package mat

import (
	"bytes"
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestWrittenMatricesAreRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, cols := rapid.IntRange(1, 5).Draw(t, "rows"), rapid.IntRange(1, 200).Draw(t, "columns")
		x := rapid.SliceOfN(rapid.SliceOfN(rapid.Float64(), cols, cols), rows, rows).Draw(t, "x")
		name := rapid.StringMatching(`[a-z]\w{0,20}`).Draw(t, "name")
		var b bytes.Buffer
		if err := WriteHeader(&b); err != nil {
			t.Fatal(err)
		}
		for _, n := range []string{name, "other"} {
			if err := WriteMatrix(&b, n, x); err != nil {
				t.Fatal(err)
			}
		}
		seen := 0
		for m, err := range Arrays(context.Background(), bytes.NewReader(b.Bytes()), int64(b.Len()), func(n string) bool { return n == name }) {
			if err != nil {
				t.Fatal(err)
			}
			seen++
			row := make([]float64, cols)
			for r := range rows {
				if err := m.Rows(context.Background(), [][]float64{row}, []int{r}, 0); err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(x[r], row); d != "" {
					t.Fatal(d)
				}
			}
		}
		if want := map[bool]int{true: 2, false: 1}[name == "other"]; seen != want {
			t.Fatalf("%d matrices of that name, want %d", seen, want)
		}
	})
}

func TestWriteRefuses(t *testing.T) {
	for name, err := range map[string]error{
		"no name": WriteMatrix(&bytes.Buffer{}, "", [][]float64{{1}}),
		"no rows": WriteMatrix(&bytes.Buffer{}, "x", nil),
		"ragged":  WriteMatrix(&bytes.Buffer{}, "x", [][]float64{{1, 2}, {1}}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
