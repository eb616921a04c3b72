package pickle

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/data/ndarray"
	"github.com/eegprune/eegprune/internal/pickle"
)

// load reads the array "data" of a file. The files were written by Python 3.11
// with NumPy 1.26 and 2 in its six protocols, and by the rules of Python 2's cPickle.
func load(t *testing.T, name string) (*ndarray.Array, *Dict) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	v, err := Load(b)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	d, ok := v.(*Dict)
	if !ok {
		t.Fatalf("%s holds a %T", name, v)
	}
	a, err := Array(d, "data")
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return a, d
}

// TestArrays: every file holds the array 1.5 i - 7 of shape [2, 3, 4], i2.pkl
// twice that.
func TestArrays(t *testing.T) {
	for _, name := range []string{"py3_protocol0.pkl", "py3_protocol1.pkl", "py3_protocol2.pkl", "py3_protocol3.pkl", "py3_protocol4.pkl", "py3_protocol5.pkl",
		"py3_numpy2_protocol0.pkl", "py3_numpy2_protocol1.pkl", "py3_numpy2_protocol2.pkl", "py3_numpy2_protocol3.pkl", "py3_numpy2_protocol4.pkl", "py3_numpy2_protocol5.pkl",
		"py2_protocol0.pkl", "fortran.pkl", "fortran5.pkl", "big_endian_f4.pkl", "i2.pkl"} {
		t.Run(name, func(t *testing.T) {
			a, _ := load(t, name)
			if !slices.Equal(a.Shape, []int{2, 3, 4}) {
				t.Fatalf("shape %v", a.Shape)
			}
			scale := 1.0
			if name == "i2.pkl" {
				scale = 2
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
		})
	}
}

func TestLabelsBesideData(t *testing.T) {
	_, d := load(t, "py3_protocol4.pkl")
	a, err := Array(d, "labels")
	if err != nil {
		t.Fatal(err)
	}
	line := make([]float64, 2)
	if err := a.Line(line, 1); err != nil || line[0] != 3 || line[1] != 4 {
		t.Errorf("labels %v, %v", line, err)
	}
}

func TestLineRefuses(t *testing.T) {
	a, _ := load(t, "py3_protocol2.pkl")
	for _, err := range []error{a.Line(make([]float64, 4), 2, 0), a.Line(make([]float64, 4), 0, -1), a.Line(make([]float64, 3), 0, 0), a.Line(make([]float64, 4), 0), (&ndarray.Array{}).Line(nil)} {
		if err == nil {
			t.Error("no error")
		}
	}
}

func TestRefuses(t *testing.T) {
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	good := read("py3_protocol2.pkl")
	for name, c := range map[string]struct{ in, want string }{
		"os.system":          {read("hostile_system.pkl"), "system"},
		"os.system inside":   {read("hostile_nested.pkl"), "system"},
		"eval":               {"c__builtin__\neval\n(S'1'\ntR.", "eval"},
		"instance":           {"(ios\nsystem\n.", "0x69"},
		"extension":          {"\x82\x01.", "0x82"},
		"persistent object":  {"Px\n.", "0x50"},
		"next buffer":        {"\x97.", "0x97"},
		"opcode 255":         {"\xff", "0xff"},
		"truncated":          {good[:len(good)/2], "truncated"},
		"empty":              {"", "truncated"},
		"huge string":        {"\x8e\xff\xff\xff\xff\xff\xff\xff\x7fx.", "truncated"},
		"huge long":          {"\x8b\xff\xff\xff\x7f.", "truncated"},
		"long of nothing":    {"\x8a\x00" + strings.Repeat("0", 2) + ".", "takes a value"},
		"odd dict":           {"(K\x01d.", "no value"},
		"wrong array size":   {strings.Replace(good, "K\x02K\x03K\x04\x87", "K\x02K\x03K\x05\x87", 1), "needs 240 bytes and has 192"},
		"overflowing shape":  {"cnumpy.core.multiarray\n_reconstruct\n(tR(K\x01(\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7ftcnumpy\ndtype\n(S'f8'\ntR\x89S''\ntb.", "more elements"},
		"objects":            {"cnumpy\ndtype\n(S'O8'\ntR.", "no real numbers"},
		"call of a number":   {"K\x01)R.", "no function"},
		"deep stack":         {strings.Repeat("K\x01", pickle.MaxDepth+1), "puts more than"},
		"missing memo":       {"h\x05.", "value 5"},
		"protocol 9":         {"\x80\x09.", "protocol is 9"},
		"append to a number": {"K\x01K\x02a.", "neither a list nor a dict"},
	} {
		_, err := Load([]byte(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "at byte") {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.want)
		}
	}
}

// TestDeepNesting: a tuple in a tuple a million times over is read, or refused,
// without recursion.
func TestDeepNesting(t *testing.T) {
	if _, err := Load([]byte(")" + strings.Repeat("\x85", 1_000_000) + ".")); err != nil {
		t.Error(err)
	}
}

func TestNoMemoryBeyondTheInput(t *testing.T) {
	in := []byte("\x8d\x00\x00\x00\x00\x04\x00\x00\x00" + "x") // claims 16 GiB
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := Load(in); err == nil {
		t.Fatal("no error")
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d bytes were allocated for an input of %d", used, len(in))
	}
}

func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*.pkl")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := Load(b)
		if err != nil {
			return
		}
		d, ok := v.(*Dict)
		if !ok {
			return
		}
		a, err := Array(d, "data")
		if err != nil || len(a.Shape) == 0 {
			return
		}
		line := make([]float64, min(a.Shape[len(a.Shape)-1], 1<<16))
		if err := a.Line(line, make([]int, len(a.Shape)-1)...); err == nil && len(line) > 0 && math.IsNaN(line[0]) {
			return
		}
	})
}
