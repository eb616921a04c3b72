package npy

import (
	"bytes"
	"slices"
	"testing"

	"github.com/sbinet/npyio/npz"
	"pgregory.net/rapid"
)

// TestWrittenArchivesAreRead by this package and by npyio.
func TestWrittenArchivesAreRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, cols := rapid.IntRange(1, 4).Draw(t, "rows"), rapid.IntRange(1, 60).Draw(t, "columns")
		x := rapid.SliceOfN(rapid.Float64(), rows*cols, rows*cols).Draw(t, "x")
		y := rapid.SliceOfN(rapid.Int64(), rows, rows).Draw(t, "y")
		var b bytes.Buffer
		if err := WriteArchive(&b, []Named{{"x", []int{rows, cols}, x}, {"y", nil, y}, {"z", nil, []float32{1.5, -2}}, {"name", nil, []string{"ä", "abc", ""}}}); err != nil {
			t.Fatal(err)
		}
		z, err := OpenArchive(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		a, err := z.Array("x")
		if err != nil {
			t.Fatal(err)
		}
		line := make([]float64, cols)
		for r := range rows {
			if err := a.Line(line, r); err != nil || !slices.Equal(line, x[r*cols:(r+1)*cols]) {
				t.Fatalf("row %d is %v, %v", r, line, err)
			}
		}
		other, err := npz.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		var gotX []float64
		var gotY []int64
		var gotZ []float32
		for name, into := range map[string]any{"x.npy": &gotX, "y.npy": &gotY, "z.npy": &gotZ} {
			if err := other.Read(name, into); err != nil {
				t.Fatal(name, err)
			}
		}
		if !slices.Equal(gotX, x) || !slices.Equal(gotY, y) || !slices.Equal(gotZ, []float32{1.5, -2}) {
			t.Fatal("npyio reads other values")
		}
	})
}

func TestWriteRefuses(t *testing.T) {
	for _, a := range []Named{{"x", []int{3}, []float64{1}}, {"x", nil, []bool{true}}} {
		if err := WriteArchive(&bytes.Buffer{}, []Named{a}); err == nil {
			t.Errorf("%+v: no error", a)
		}
	}
}

// A string of bytes comes back whole, whatever it ends in.
func TestBytesComeBack(t *testing.T) {
	var b bytes.Buffer
	if err := WriteArchive(&b, []Named{{Name: "bytes", Values: []byte("a\x00b\x00")}, {Name: "text", Values: []string{"ab"}}, {Name: "numbers", Values: []float64{1}}}); err != nil {
		t.Fatal(err)
	}
	z, err := OpenArchive(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := z.Bytes("bytes"); err != nil || string(got) != "a\x00b\x00" {
		t.Errorf("%q, %v", got, err)
	}
	for _, name := range []string{"text", "numbers", "none"} {
		if _, err := z.Bytes(name); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
