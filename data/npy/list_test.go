package npy

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestLists reads lists of texts of NumPy 2 (text.npz).
func TestLists(t *testing.T) {
	b := read(t, "text.npz")
	z, err := OpenArchive(b)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		"unicode": {"ä", "abc", ""}, "big": {"ä", "abc", ""}, "bytes": {"a", "abc", ""}, "one": {"s01"}, "number": {"7.5"}, "integers": {"3", "-1"},
	} {
		if got, err := z.Text(name); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
	for name, want := range map[string][]float64{"number": {7.5}, "integers": {3, -1}} {
		if got, err := z.Numbers(name); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, want)
		}
	}
	if _, err := z.Numbers("unicode"); err == nil || !strings.Contains(err.Error(), `"unicode"`) {
		t.Errorf("text as numbers: %v", err)
	}
	for _, name := range []string{"objects", "none"} {
		if _, err := z.Text(name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// kinds returns arrays of NumPy of many types, and their values in NumPy.
func kinds(t testing.TB) (z *Archive, want struct {
	Numbers map[string]struct {
		Shape  []int
		Values []string
	}
	Labels   map[string][]string
	NoLabels []string `json:"no_labels"`
}) {
	t.Helper()
	if err := json.Unmarshal(read(t, "kinds.json"), &want); err != nil {
		t.Fatal(err)
	}
	b := read(t, "kinds.npz")
	z, err := OpenArchive(b)
	if err != nil {
		t.Fatal(err)
	}
	return z, want
}

func TestNumbersOfEveryType(t *testing.T) {
	z, want := kinds(t)
	for name, w := range want.Numbers {
		a, err := z.Array("n_" + name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !slices.Equal(a.Shape, w.Shape) {
			t.Errorf("%s has the shape %v, want %v", name, a.Shape, w.Shape)
		}
		var got []float64
		for i := range a.Shape[0] {
			line := make([]float64, a.Shape[1])
			if err := a.Line(line, i); err != nil {
				t.Fatal(err)
			}
			got = append(got, line...)
		}
		for i, text := range w.Values {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			if math.Float64bits(got[i]) != math.Float64bits(v) {
				t.Errorf("%s: element %d is %g, want %g", name, i, got[i], v)
			}
		}
	}
}

// TestLabels: labels are words, numbers, columns, rows, and rows of which one element is 1.
func TestLabels(t *testing.T) {
	z, want := kinds(t)
	for name, w := range want.Labels {
		got, words, err := z.Labels("l_" + name)
		if err != nil || !slices.Equal(got, w) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, w)
		}
		if is := strings.Contains(name, "words") || name == "bytes"; words != is {
			t.Errorf("%s: words %v", name, words)
		}
	}
	for _, name := range want.NoLabels {
		if got, _, err := z.Labels("x_" + name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %q, error %v", name, got, err)
		}
	}
}

// FuzzLabels changes an array of labels: a change of the archive itself hardly ever gets
// past its checksums.
func FuzzLabels(f *testing.F) {
	z, want := kinds(f)
	for name := range want.Labels {
		for _, file := range z.files {
			if file.Name != "l_"+name+".npy" {
				continue
			}
			r, err := file.Open()
			if err != nil {
				f.Fatal(err)
			}
			b, err := io.ReadAll(r)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		entry, err := w.CreateHeader(&zip.FileHeader{Name: "y.npy"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		z, err := OpenArchive(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if list, _, err := z.Labels("y"); err == nil && len(list) > len(content) {
			t.Fatalf("%d labels in %d bytes", len(list), len(content))
		}
		if list, err := z.Numbers("y"); err == nil && len(list) > len(content) {
			t.Fatalf("%d numbers in %d bytes", len(list), len(content))
		}
	})
}
