package mat

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// arrays reads all variables of a file.
func arrays(t testing.TB, b []byte) (map[string]*Array, error) {
	t.Helper()
	all := map[string]*Array{}
	for a, err := range Arrays(t.Context(), bytes.NewReader(b), int64(len(b)), nil) {
		if err != nil {
			return all, err
		}
		all[a.Name] = a
	}
	return all, nil
}

// The contents of an array, as testdata/make.py lists them.
type contents struct {
	Class  string
	Dims   []int
	Values []float64
	Texts  []string
}

// flatten puts an array and those in it into all by their paths.
func flatten(path string, a *Array, all map[string]contents) error {
	if a == nil {
		return nil
	}
	for i, c := range a.Cells() {
		if err := flatten(fmt.Sprintf("%s{%d}", path, i+1), c, all); err != nil {
			return err
		}
	}
	for _, f := range a.Fields {
		for i := range a.Len() {
			if err := flatten(fmt.Sprintf("%s(%d).%s", path, i+1, f), a.Field(i, f), all); err != nil {
				return err
			}
		}
	}
	switch {

	case a.Numeric():
		c := contents{Class: a.Class, Dims: a.Dims, Values: make([]float64, a.Len())}
		if err := a.Floats(context.Background(), c.Values, 0); err != nil {
			return err
		}
		all[path] = c
	case a.Class == "char":
		c := contents{Class: a.Class}
		c.Texts, _ = a.Texts()
		all[path] = c
	}
	return nil
}

// TestAsSciPyAndH5pyRead compares all that is in files of SciPy, hdf5storage and h5py.
func TestAsSciPyAndH5pyRead(t *testing.T) {
	var want map[string]map[string]contents
	if err := json.Unmarshal(read(t, "expected.json"), &want); err != nil {
		t.Fatal(err)
	}
	for file, expected := range want {
		t.Run(file, func(t *testing.T) {
			if d := cmp.Diff(expected, everything(t, read(t, file))); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestRowsArePartsOfAMatrix: any rows and columns of a matrix equal those of the whole
// one, however it is stored.
func TestRowsArePartsOfAMatrix(t *testing.T) {
	for _, c := range []struct{ file, name string }{{"v5.mat", "cube"}, {"v5_packed.mat", "cube"}, {"v4.mat", "matrix"}, {"v73_chunks.mat", "all"}, {"v73_chunks.mat", "cube"}, {"v73_chunks.mat", "holes"}, {"v73_latest.mat", "grows"}} {
		list, err := arrays(t, read(t, c.file))
		if err != nil {
			t.Fatal(err)
		}
		a := list[c.name]
		whole := make([]float64, a.Len())
		if err := a.Floats(t.Context(), whole, 0); err != nil {
			t.Fatal(err)
		}
		height := a.Dims[0]
		rapid.Check(t, func(t *rapid.T) {
			rows := rapid.SliceOfN(rapid.IntRange(0, height-1), 1, 2*height).Draw(t, "rows")
			first := rapid.IntRange(0, len(whole)/height).Draw(t, "first")
			n := rapid.IntRange(0, len(whole)/height-first).Draw(t, "columns")
			got, want := make([][]float64, len(rows)), make([][]float64, len(rows))
			for k, r := range rows {
				got[k], want[k] = make([]float64, n), make([]float64, n)
				for i := range want[k] {
					want[k][i] = whole[(first+i)*height+r]
				}
			}
			if err := a.Rows(context.Background(), got, rows, first); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("%s of %s: %s", c.name, c.file, d)
			}
		})
	}
}

// TestOnlyWhatIsWantedIsRead: a field that isn't wanted is listed and not there.
func TestOnlyWhatIsWantedIsRead(t *testing.T) {
	for _, file := range []string{"v5.mat", "v5_packed.mat", "v73.mat"} {
		b := read(t, file)
		n := 0
		for a, err := range Arrays(t.Context(), bytes.NewReader(b), int64(len(b)), Only("EEG.event.latency", "EEG.srate")) {
			if err != nil {
				t.Fatal(err)
			}
			n++
			if rate, ok := a.Field(0, "srate").Number(); !ok || rate != 250 {
				t.Errorf("%s: srate %g", file, rate)
			}
			if a.Field(0, "data") != nil || a.Field(0, "event").Field(1, "type") != nil || a.Field(0, "nothing") != nil || len(a.Fields) != 5 {
				t.Errorf("%s: more than was wanted: %v", file, a.Fields)
			}
			if at, ok := a.Field(0, "event").Field(1, "latency").Number(); !ok || at != 10.5 {
				t.Errorf("%s: the second event is at %g", file, at)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d variables, want 1", file, n)
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
	all, err := arrays(t, bigEndian([]byte{1, 2, 3, 4, 5, 6}, 2, 3))
	if err != nil {
		t.Fatal(err)
	}
	row := make([]float64, 3)
	if err := all["x"].Rows(t.Context(), [][]float64{row}, []int{1}, 0); err != nil || row[0] != 2 || row[1] != 4 || row[2] != 6 {
		t.Errorf("row 1 is %v, %v", row, err)
	}
}

func TestRefuses(t *testing.T) {
	plain, hdf := read(t, "v5.mat"), read(t, "v73.mat")
	for name, c := range map[string]struct {
		in   []byte
		want string
	}{
		"HDF5 that isn't there": {append([]byte("MATLAB 7.3 MAT-file, Platform: GLNXA64"), make([]byte, 600)...), "no HDF5 superblock"},
		"HDF5 that is cut":      {hdf[:len(hdf)/2], "truncated"},
		"short":                 {plain[:100], "100 bytes"},
		"not MAT":               {make([]byte, 300), "no byte-order mark"},
		"truncated":             {plain[:len(plain)-3], "truncated"},
		"bomb":                  {bomb(t), "refused"},
		"too few values":        {bigEndian([]byte{1, 2, 3, 4, 5}, 2, 3), "5 values for 2 x 3"},
		"negative size":         {bigEndian([]byte{1, 2}, 0xFFFFFFFF, 2), "damaged"},
		"overflow":              {bigEndian([]byte{1, 2}, 0x7FFFFFFF, 0x7FFFFFFF), "damaged"},
	} {
		_, err := arrays(t, c.in)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.want)
		}
	}
}

// bomb is a variable that claims more than can be compressed into so few bytes.
func bomb(t testing.TB) []byte {
	t.Helper()
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	if _, err := z.Write(binary.LittleEndian.AppendUint32([]byte{miMATRIX, 0, 0, 0}, 1<<31)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	b := binary.LittleEndian.AppendUint32(bytes.Clone(read(t, "v5.mat")[:headerBytes]), miCOMPRESSED)
	return append(binary.LittleEndian.AppendUint32(b, uint32(packed.Len())), packed.Bytes()...)
}

// TestNamesWhatIsNotRead: the error of an unsupported array names its kind and how to
// save it so that it is read, and the arrays beside it are read all the same.
func TestNamesWhatIsNotRead(t *testing.T) {
	for _, c := range []struct{ file, name, want string }{
		{"others.mat", "sparse", `full\(x\)`}, {"others.mat", "complex", "complex"},
		{"others73.mat", "sparse", `full\(x\)`}, {"others73.mat", "complex", "complex"}, {"others73.mat", "string", `cellstr\(x\)`},
		{"others73.mat", "lzf", "LZF.*h5repack"}, {"others73.mat", "elsewhere", "other files.*h5repack"}, {"others73.mat", "grows", "grows.*h5repack"},
		{"others73.mat", "plain", ""},
	} {
		b := read(t, c.file)
		n := 0
		for a, err := range Arrays(t.Context(), bytes.NewReader(b), int64(len(b)), Only(c.name)) {
			n++
			if err == nil {
				err = a.Floats(t.Context(), make([]float64, 1), 0)
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !regexp.MustCompile(c.want).MatchString(err.Error())) {
				t.Errorf("%s of %s: error %v, want %q", c.name, c.file, err, c.want)
			}
		}
		if n != 1 {
			t.Errorf("%s of %s is there %d times", c.name, c.file, n)
		}
	}
}

// TestCirclesEnd: references in a circle, or to more arrays than a file may hold, are an
// error.
func TestCirclesEnd(t *testing.T) {
	b := read(t, "circles73.mat")
	for name, want := range map[string]string{"cell": "deep", "group": "deep", "many": "more than"} {
		for _, err := range Arrays(t.Context(), bytes.NewReader(b), int64(len(b)), Only(name)) {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want one that says %q", name, err, want)
			}
		}
	}
}

// TestDamageIsNoPanic changes bytes and reads all that is still there.
func TestDamageIsNoPanic(t *testing.T) {
	for _, file := range []string{"v5.mat", "v4.mat", "v73.mat", "v73_latest.mat", "others73.mat", "circles73.mat"} {
		whole := read(t, file)
		// In files of HDF5 the structures that lead to the numbers are spread over all of it.
		rapid.Check(t, func(rt *rapid.T) {
			b := bytes.Clone(whole)
			for range rapid.IntRange(1, 8).Draw(rt, "changes") {
				b[rapid.IntRange(0, len(b)-1).Draw(rt, "at")] = rapid.SampledFrom([]byte{0, 1, 2, 8, 127, 128, 254, 255}).Draw(rt, "to")
			}
			everything(t, b)
		})
	}
}

func TestEveryTruncationIsAnError(t *testing.T) {
	for _, file := range []string{"v5.mat", "v5_packed.mat", "v4.mat", "v73.mat", "v73_latest.mat"} {
		b := read(t, file)
		whole := everything(t, b)
		step := 1 + len(b)/700
		for n := 0; n < len(b); n += step {
			// A cut between two variables can't be told from a shorter file, and one of
			// bytes that nothing refers to makes no difference.
			if got := everything(t, b[:n]); got != nil && len(got) >= len(whole) {
				if d := cmp.Diff(whole, got); d != "" {
					t.Fatalf("%s cut to %d of %d bytes: %s", file, n, len(b), d)
				}
			}
		}
	}
}

// everything is all that is in a file; nil where there is an error.
func everything(t testing.TB, b []byte) map[string]contents {
	t.Helper()
	list, err := arrays(t, b)
	if err != nil {
		return nil
	}
	all := map[string]contents{}
	for name, a := range list {
		if flatten(name, a, all) != nil {
			return nil
		}
	}
	return all
}

// fuzzed reads all there is, a little of each array.
func fuzzed(t *testing.T, a *Array) {
	if n := a.Len(); a.Numeric() && n > 0 {
		some := make([]float64, min(n, 1000))
		_ = a.Floats(t.Context(), some, n-len(some))
		_, _ = a.Number()
	}
	_, _ = a.Texts()
	for _, c := range a.Cells() {
		fuzzed(t, c)
	}
	for _, f := range a.Fields {
		for i := range min(a.Len(), 1000) {
			if x := a.Field(i, f); x != nil {
				fuzzed(t, x)
			}
		}
	}
}

func FuzzArrays(f *testing.F) {
	for _, name := range []string{"v5.mat", "v5_packed.mat", "v4.mat", "v73.mat", "v73_latest.mat", "others73.mat"} {
		f.Add(read(f, name))
	}
	f.Add(bigEndian([]byte{1, 2, 3, 4, 5, 6}, 2, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		for a, err := range Arrays(t.Context(), bytes.NewReader(b), int64(len(b)), nil) {
			if err != nil {
				return
			}
			fuzzed(t, a)
		}
	})
}

// TestTextTooLong: a text that is longer than any that matters is refused, not cut.
func TestTextTooLong(t *testing.T) {
	var b bytes.Buffer
	for _, v := range []uint32{51, 1, maxText + 1, 0, 2} { // type text of bytes, rows, columns, real, length of the name
		b.Write(binary.LittleEndian.AppendUint32(nil, v))
	}
	b.WriteString("a\x00")
	b.Write(bytes.Repeat([]byte("x"), maxText+1))
	for a, err := range Arrays(t.Context(), bytes.NewReader(b.Bytes()), int64(b.Len()), nil) {
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Readable(); err == nil || !strings.Contains(err.Error(), "too long") {
			t.Errorf("error %v, want one that says it is too long", err)
		}
		if text, ok := a.Text(); ok {
			t.Errorf("a text of %d characters is given", len(text))
		}
		return
	}
	t.Error("there is no array")
}
