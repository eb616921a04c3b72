package mat

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func matrices(t *testing.T, b []byte) (map[string]*Matrix, error) {
	t.Helper()
	all := map[string]*Matrix{}
	for m, err := range Matrices(t.Context(), bytes.NewReader(b), int64(len(b)), nil) {
		if err != nil {
			return all, err
		}
		all[m.Name] = m
	}
	return all, nil
}

// TestScipyFiles: scipy.io.savemat 1.17 wrote element r,c of each matrix from
// i = 10 r + c: f8 and f4 i/2 - 3.25, i2 and i8 i - 20, u1 and whole i.
func TestScipyFiles(t *testing.T) {
	for _, file := range []string{"plain.mat", "compressed.mat"} {
		all, err := matrices(t, read(t, file))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(all) != 8 {
			t.Errorf("%s has %d numeric matrices, want 8", file, len(all))
		}
		for name, of := range map[string]func(i float64) float64{
			"f8": func(i float64) float64 { return i/2 - 3.25 }, "f4": func(i float64) float64 { return i/2 - 3.25 },
			"i2": func(i float64) float64 { return i - 20 }, "i8": func(i float64) float64 { return i - 20 },
			"u1": func(i float64) float64 { return i }, "whole": func(i float64) float64 { return i },
		} {
			m := all[name]
			if m == nil || m.Rows != 6 || m.Cols != 5 {
				t.Fatalf("%s: %s is %+v", file, name, m)
			}
			row := make([]float64, 5)
			for r := range 6 {
				if err := m.Row(row, r); err != nil {
					t.Fatal(err)
				}
				for c, v := range row {
					if want := of(float64(10*r + c)); v != want {
						t.Errorf("%s: %s[%d,%d] = %g, want %g", file, name, r, c, v, want)
					}
				}
			}
		}
	}
}

// bigEndian lays out a file by the format's document: a matrix of class double
// whose values are kept as bytes, as MATLAB does with small whole numbers.
func bigEndian(values []byte, rows, cols uint32) []byte {
	var body bytes.Buffer
	put := func(v ...uint32) {
		for _, x := range v {
			_ = binary.Write(&body, binary.BigEndian, x)
		}
	}
	put(6, 8, 6, 0)       // flags: class double
	put(5, 8, rows, cols) // dimensions
	put(1<<16|1, 'x'<<24) // name within the tag
	put(2, uint32(len(values)))
	body.Write(values)
	body.Write(make([]byte, (8-len(values)%8)%8))
	file := append(make([]byte, 124), 1, 0, 'M', 'I')
	copy(file, "MATLAB 5.0 MAT-file")
	file = binary.BigEndian.AppendUint32(file, miMATRIX)
	file = binary.BigEndian.AppendUint32(file, uint32(body.Len()))
	return append(file, body.Bytes()...)
}

func TestBigEndianCompactedDoubles(t *testing.T) {
	all, err := matrices(t, bigEndian([]byte{1, 2, 3, 4, 5, 6}, 2, 3))
	if err != nil {
		t.Fatal(err)
	}
	row := make([]float64, 3)
	if err := all["x"].Row(row, 1); err != nil || row[0] != 2 || row[1] != 4 || row[2] != 6 {
		t.Errorf("row 1 is %v, %v", row, err)
	}
}

func TestRefuses(t *testing.T) {
	plain := read(t, "plain.mat")
	hdf := append([]byte("MATLAB 7.3 MAT-file, Platform: GLNXA64"), make([]byte, 200)...)
	for name, c := range map[string]struct {
		in   []byte
		want string
	}{
		"version 7.3":    {hdf, "save -v7"},
		"HDF5":           {append([]byte("\x89HDF\r\n\x1a\n"), make([]byte, 200)...), "save -v7"},
		"short":          {plain[:100], "100 bytes"},
		"not MAT":        {make([]byte, 300), "no byte-order mark"},
		"truncated":      {plain[:len(plain)-3], "truncated"},
		"complex":        {read(t, "complex.mat"), "complex"},
		"three axes":     {read(t, "cube.mat"), "3 dimensions"},
		"bomb":           {read(t, "bomb.mat"), "refused"},
		"too few values": {bigEndian([]byte{1, 2, 3, 4, 5}, 2, 3), "5 values for 2 x 3"},
		"negative size":  {bigEndian([]byte{1, 2}, 0xFFFFFFFF, 2), "damaged"},
		"overflow":       {bigEndian([]byte{1, 2}, 0x7FFFFFFF, 0x7FFFFFFF), "damaged"},
	} {
		_, err := matrices(t, c.in)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.want)
		}
	}
}

func TestEveryTruncationIsAnError(t *testing.T) {
	for _, file := range []string{"plain.mat", "compressed.mat"} {
		b := read(t, file)
		whole, err := matrices(t, b)
		if err != nil {
			t.Fatal(err)
		}
		for n := range len(b) {
			// A cut between two elements can't be told from a shorter file.
			if got, err := matrices(t, b[:n]); err == nil && len(got) >= len(whole) {
				t.Errorf("%s cut to %d of %d bytes read whole", file, n, len(b))
			}
		}
	}
}

func FuzzMatrices(f *testing.F) {
	for _, name := range []string{"plain.mat", "compressed.mat", "complex.mat"} {
		f.Add(read(f, name))
	}
	f.Add(bigEndian([]byte{1, 2, 3, 4, 5, 6}, 2, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		for m, err := range Matrices(t.Context(), bytes.NewReader(b), int64(len(b)), nil) {
			if err != nil {
				return
			}
			if m.Rows > 0 && m.Cols < 1<<16 {
				if err := m.Row(make([]float64, m.Cols), m.Rows-1); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
