package hdf5

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// open opens a file that h5py wrote; see ../mat/testdata/make.py, whose values package mat
// compares.
func open(t testing.TB, b []byte) *File {
	t.Helper()
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "mat", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// dataset returns the data set of that name in the root.
func dataset(t testing.TB, f *File, name string) *Dataset {
	t.Helper()
	root, err := f.Root()
	if err != nil {
		t.Fatal(err)
	}
	links, err := root.Links()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if l.Name != name {
			continue
		}
		o, err := f.Object(l.At)
		if err != nil {
			t.Fatal(err)
		}
		d, err := o.Dataset()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	t.Fatalf("no %s in %v", name, links)
	return nil
}

func TestPartsOfChunks(t *testing.T) {
	for _, file := range []string{"v73_chunks.mat", "v73_latest.mat"} {
		d := dataset(t, open(t, read(t, file)), "all")
		if d := cmp.Diff([]int64{7, 5}, d.Shape); d != "" {
			t.Error(d)
		}
		for first := range int64(35) {
			got, want := make([]float64, 35-first), make([]float64, 35-first)
			for i := range want {
				want[i] = float64(first+int64(i)) / 4
			}
			if err := d.Floats(t.Context(), got, first); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("%s from %d: %s", file, first, d)
			}
		}
		if err := d.Floats(t.Context(), make([]float64, 2), 34); err == nil {
			t.Error("more is read than there is")
		}
	}
}

// TestChecksums: a changed number in a chunk that has a checksum is noticed, whether or not
// it is compressed.
func TestChecksums(t *testing.T) {
	for _, name := range []string{"check", "all"} {
		b := read(t, "v73_chunks.mat")
		k, ok := dataset(t, open(t, b), name).storage.(*chunks)
		if !ok {
			t.Fatal("it has no chunks")
		}
		b[512+int(k.bands[0][0].at)+9] ^= 4
		x := make([]float64, 35)
		if err := dataset(t, open(t, b), name).Floats(t.Context(), x, 0); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// TestFletcher: the checksums of the HDF5 library for bytes 0, 1, 2, ..., as h5py stored them.
func TestFletcher(t *testing.T) {
	for n, want := range map[int]uint32{1: 0x00000000, 2: 0x00010001, 3: 0x02020201, 8: 0x141e0c10, 1001: 0x86ec7984} {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(i)
		}
		if got := fletcher(b); got != want {
			t.Errorf("of %d bytes: %#08x, want %#08x", n, got, want)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	b := read(t, "v73.mat")
	for name, c := range map[string]struct {
		in   []byte
		want string
	}{
		"nothing":     {nil, "no HDF5 superblock"},
		"another":     {make([]byte, 4096), "no HDF5 superblock"},
		"a new one":   {bytes.Replace(b, []byte(Signature+"\x00"), []byte(Signature+"\x09"), 1), "version is 9"},
		"cut in it":   {b[:520], "damaged"},
		"odd numbers": {bytes.Replace(b, []byte(Signature+"\x00\x00\x00\x00\x00\x08"), []byte(Signature+"\x00\x00\x00\x00\x00\x07"), 1), "7 bytes"},
	} {
		if _, err := Open(bytes.NewReader(c.in), int64(len(c.in))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.want)
		}
	}
}
