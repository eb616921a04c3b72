package mat

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Written values come back by the reader, which scipy's files hold to the format.
func TestWrittenValuesComeBack(t *testing.T) {
	var b bytes.Buffer
	if err := WriteHeader(&b); err != nil {
		t.Fatal(err)
	}
	s := Struct{{"name", Text("Fp1 µ")}, {"x", Numbers{[]int{2, 3, 2}, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}}}, {"list", Cell{Column(1, 2), Numbers{}, Struct{{"deep", Column(7)}}}}}
	if err := Write(&b, "S", s); err != nil {
		t.Fatal(err)
	}
	var got *Array
	for a, err := range Arrays(t.Context(), bytes.NewReader(b.Bytes()), int64(b.Len()), nil) {
		if err != nil {
			t.Fatal(err)
		}
		got = a
	}
	if text, _ := got.Field(0, "name").Text(); text != "Fp1 µ" {
		t.Errorf("the text is %q", text)
	}
	x := make([]float64, 12)
	if err := got.Field(0, "x").Floats(t.Context(), x, 0); err != nil || x[11] != 12 {
		t.Errorf("numbers %v, %v", x, err)
	}
	if d := cmp.Diff([]int{2, 3, 2}, got.Field(0, "x").Dims); d != "" {
		t.Error(d)
	}
	cells := got.Field(0, "list").Cells()
	if len(cells) != 3 || cells[1].Len() != 0 {
		t.Fatalf("%d cells", len(cells))
	}
	if v, _ := cells[2].Field(0, "deep").Number(); v != 7 {
		t.Errorf("deep is %g", v)
	}
	if err := Write(&b, "bad", Numbers{[]int{2, 2}, []float64{1}}); err == nil {
		t.Error("one number for four is written")
	}
}

func TestWrittenStructuresOfSeveralElements(t *testing.T) {
	var b bytes.Buffer
	if err := WriteHeader(&b); err != nil {
		t.Fatal(err)
	}
	if err := Write(&b, "S", Structs{{{"a", Column(1)}, {"b", Text("x")}}, {{"a", Column(2, 3)}, {"b", Text("y")}}}); err != nil {
		t.Fatal(err)
	}
	for a, err := range Arrays(t.Context(), bytes.NewReader(b.Bytes()), int64(b.Len()), nil) {
		if err != nil {
			t.Fatal(err)
		}
		one, _ := a.Field(1, "a").Vector(t.Context())
		text, _ := a.Field(0, "b").Text()
		if d := cmp.Diff([]float64{2, 3}, one); d != "" || text != "x" || a.Len() != 2 {
			t.Errorf("%s, %q, %d elements", d, text, a.Len())
		}
	}
	if err := Write(&b, "S", Structs{{{"a", Column(1)}}, {{"b", Column(1)}}}); err == nil {
		t.Error("elements with different fields are written")
	}
}
