package npy

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/data/ndarray"
	"github.com/eegprune/eegprune/data/ratio"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// holds checks the array 1.5 i - 7 (times scale) of shape [2, 3, 4] that NumPy 2
// wrote.
func holds(t *testing.T, a *ndarray.Array, scale float64) {
	t.Helper()
	if !slices.Equal(a.Shape, []int{2, 3, 4}) {
		t.Fatalf("shape %v", a.Shape)
	}
	line := make([]float64, 4)
	for i := range 2 {
		for j := range 3 {
			if err := a.Line(line, i, j); err != nil {
				t.Fatal(err)
			}
			for k, v := range line {
				if want := scale * (1.5*float64(i*12+j*4+k) - 7); v != want {
					t.Errorf("element %d,%d,%d is %g, want %g", i, j, k, v, want)
				}
			}
		}
	}
}

func TestArrays(t *testing.T) {
	for _, name := range []string{"f8.npy", "fortran.npy", "big_f4.npy", "version2.npy", "i2.npy"} {
		a, err := Parse(read(t, name))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		holds(t, a, map[bool]float64{true: 2, false: 1}[name == "i2.npy"])
	}
	for _, name := range []string{"plain.npz", "compressed.npz"} {
		b := read(t, name)
		z, err := OpenArchive(b)
		if err != nil {
			t.Fatal(err)
		}
		a, err := z.Array("x")
		if err != nil {
			t.Fatal(err)
		}
		holds(t, a, 1)
		if !slices.Equal(z.Names(), []string{"x", "y"}) {
			t.Errorf("names %v", z.Names())
		}
	}
}

func TestRefuses(t *testing.T) {
	good := string(read(t, "f8.npy"))
	for name, c := range map[string]struct{ in, want string }{
		"another file":  {"hello world", "no .npy file"},
		"truncated":     {good[:len(good)-1], "needs 192 bytes and has 191"},
		"in its header": {good[:50], "truncated"},
		"version 9":     {strings.Replace(good, "NUMPY\x01", "NUMPY\x09", 1), "version is 9"},
		"huge shape":    {strings.Replace(good, "(2, 3, 4)", "(9999999999999999999, 3, 4)", 1), "size"},
		"overflow":      {strings.Replace(good, "(2, 3, 4)", "(9223372036854775807, 9223372036854775807, 4)", 1), "more elements"},
		"objects":       {string(read(t, "objects.npy")), "astype(str)"},
		"no shape":      {strings.Replace(good, "'shape'", "'shapo'", 1), "names no plain type"},
	} {
		if _, err := Parse([]byte(c.in)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.want)
		}
	}
	b := read(t, "compressed.npz")
	z, err := OpenArchive(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Array("z"); err == nil || !strings.Contains(err.Error(), "it has x, y") {
		t.Errorf("missing array: error %v", err)
	}
	for n := range len(b) {
		if z, err := OpenArchive(b[:n]); err == nil {
			if _, err := z.Array("x"); err == nil {
				t.Errorf("cut to %d of %d bytes read whole", n, len(b))
			}
		}
	}
	b[80] ^= 0xFF
	if z, err := OpenArchive(b); err == nil {
		if _, err := z.Array("x"); err == nil {
			t.Error("a changed byte wasn't noticed")
		}
	}
}

// packed is an archive of one array of zeros, of which so many are there, that claims shape.
func packed(t testing.TB, shape string, zeros, claimed uint64) []byte {
	t.Helper()
	head := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': %s, }", shape)
	head += strings.Repeat(" ", 64-(len(head)+11)%64) + "\n"
	var body, file bytes.Buffer
	w, err := flate.NewWriter(&body, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	content := append([]byte("\x93NUMPY\x01\x00"), byte(len(head)), byte(len(head)>>8))
	content = append(append(content, head...), make([]byte, zeros)...)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(&file)
	entry, err := z.CreateRaw(&zip.FileHeader{Name: "x.npy", Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(content),
		CompressedSize64: uint64(body.Len()), UncompressedSize64: claimed + uint64(len(content)) - zeros})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := entry.Write(body.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// TestZerosAreNoBomb: a large array of zeros is read, one of an impossible size is refused
// before anything is allocated for it.
func TestZerosAreNoBomb(t *testing.T) {
	const batch = 64 * 62 * 1000 * 4
	for name, c := range map[string]struct {
		in   []byte
		want string
	}{
		"a batch":          {packed(t, "(64, 62, 1000)", batch, batch), ""},
		"more than can be": {packed(t, "(1000, 1000, 1000)", 4000, 4e9), "refused"},
		"too much of it":   {packed(t, "(1000, 1000, 300)", 1<<22, 1200e6), "refused"},
		"less than it has": {packed(t, "(64, 62, 999)", batch, batch), "needs"},
		"another size":     {packed(t, "(64, 62, 1000)", batch, batch-4), "needs"},
	} {
		z, err := OpenArchive(c.in)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		a, err := z.Array("x")
		if c.want == "" && (err != nil || len(a.Shape) != 3) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"f8.npy", "fortran.npy", "i2.npy", "version2.npy", "objects.npy"} {
		f.Add(read(f, name))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := Parse(b)
		if err != nil || len(a.Shape) == 0 || a.Shape[len(a.Shape)-1] > 1<<16 {
			return
		}
		inside := !slices.Contains(a.Shape, 0)
		if err := a.Line(make([]float64, a.Shape[len(a.Shape)-1]), make([]int, len(a.Shape)-1)...); err != nil && inside {
			t.Fatal(err)
		}
	})
}

func FuzzArchive(f *testing.F) {
	f.Add(read(f, "plain.npz"))
	f.Add(read(f, "compressed.npz"))
	f.Add(read(f, "text.npz"))
	f.Fuzz(func(t *testing.T, b []byte) {
		z, err := OpenArchive(b)
		if err != nil {
			return
		}
		for _, n := range z.Names() {
			if a, err := z.Array(n); err == nil && a == nil {
				t.Fatal("neither an array nor an error")
			}
			if list, err := z.Text(n); err == nil && !ratio.Possible(uint64(len(list)), uint64(len(b)), 1<<16) {
				t.Fatal("more text than bytes")
			}
		}
	})
}
