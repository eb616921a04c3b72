package torch_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/torch"
)

// drawTensor draws a tensor of any type and shape, and its bits.
func drawTensor(t *rapid.T) (x *torch.Tensor, bits any) {
	shape := rapid.SliceOfN(rapid.IntRange(0, 3), 0, 4).Draw(t, "shape")
	n := 1
	for _, d := range shape {
		n *= d
	}
	var err error
	switch rapid.IntRange(0, 3).Draw(t, "type") {
	case 0:
		v := rapid.SliceOfN(rapid.Uint32(), n, n).Draw(t, "float32 bits")
		f := make([]float32, n)
		for i := range v {
			f[i] = math.Float32frombits(v[i])
		}
		bits = v
		x, err = torch.FromSlice(f, shape...)
	case 1:
		v := rapid.SliceOfN(rapid.Uint64(), n, n).Draw(t, "float64 bits")
		f := make([]float64, n)
		for i := range v {
			f[i] = math.Float64frombits(v[i])
		}
		bits = v
		x, err = torch.FromSlice(f, shape...)
	case 2:
		v := rapid.SliceOfN(rapid.Int64(), n, n).Draw(t, "int64")
		bits = v
		x, err = torch.FromSlice(v, shape...)
	default:
		v := rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "bool")
		bits = v
		x, err = torch.FromSlice(v, shape...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return x, bits
}

func bitsOf(t *rapid.T, x *torch.Tensor) any {
	var err error
	defer func() {
		if err != nil {
			t.Fatal(err)
		}
	}()
	switch x.Info().DType {
	case torch.Float32:
		var v []float32
		v, err = torch.ToSlice[float32](x)
		bits := make([]uint32, len(v))
		for i := range v {
			bits[i] = math.Float32bits(v[i])
		}
		return bits
	case torch.Float64:
		var v []float64
		v, err = torch.ToSlice[float64](x)
		bits := make([]uint64, len(v))
		for i := range v {
			bits[i] = math.Float64bits(v[i])
		}
		return bits
	case torch.Int64:
		var v []int64
		v, err = torch.ToSlice[int64](x)
		return v
	}
	var v []bool
	v, err = torch.ToSlice[bool](x)
	return v
}

func TestSafetensorsGoRound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String()
		metadata := rapid.MapOfN(text, text, 0, 3).Draw(t, "metadata")
		names := rapid.SliceOfNDistinct(text.Filter(func(s string) bool { return s != "__metadata__" }), 0, 4, rapid.ID).Draw(t, "names")
		want := map[string]any{}
		var state []torch.Named
		for _, name := range names {
			x, bits := drawTensor(t)
			defer x.Free()
			state = append(state, torch.Named{Name: name, Tensor: x})
			want[name] = bits
		}
		var once, twice bytes.Buffer
		if err := torch.WriteSafetensors(&once, state, metadata); err != nil {
			t.Fatal(err)
		}
		slices.Reverse(state)
		if err := torch.WriteSafetensors(&twice, state, metadata); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(once.Bytes(), twice.Bytes()) {
			t.Error("the same tensors in another order give other bytes")
		}
		tensors, gotMetadata, err := torch.ParseSafetensors(once.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		defer torch.FreeAll(tensors)
		if !maps.Equal(metadata, gotMetadata) {
			t.Errorf("metadata %q came back as %q", metadata, gotMetadata)
		}
		got := map[string]any{}
		for name, x := range tensors {
			got[name] = bitsOf(t, x)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("tensors (-written +read):\n%s", d)
		}
		for _, n := range state {
			if x := tensors[n.Name]; x != nil && !slices.Equal(x.Shape(), n.Tensor.Shape()) {
				t.Errorf("%q of shape %v came back as %v", n.Name, n.Tensor.Shape(), x.Shape())
			}
		}
	})
}

func TestSafetensorsNamesThatCantBeWritten(t *testing.T) {
	x := f32(t, []float32{1}, 1)
	for what, err := range map[string]error{
		"a name twice":        torch.WriteSafetensors(&bytes.Buffer{}, []torch.Named{{Name: "a", Tensor: x}, {Name: "a", Tensor: x}}, nil),
		"the metadata's":      torch.WriteSafetensors(&bytes.Buffer{}, []torch.Named{{Name: "__metadata__", Tensor: x}}, nil),
		"a name of no text":   torch.WriteSafetensors(&bytes.Buffer{}, []torch.Named{{Name: "\xff", Tensor: x}}, nil),
		"metadata of no text": torch.WriteSafetensors(&bytes.Buffer{}, nil, map[string]string{"a": "\xff"}),
	} {
		if err == nil {
			t.Errorf("%s is no error", what)
		}
	}
}

const fromPython = "testdata/tsception.safetensors" // written by Python's safetensors package

func TestTruncatedSafetensorsAreErrors(t *testing.T) {
	data, err := os.ReadFile(fromPython)
	if err != nil {
		t.Fatal(err)
	}
	before := torch.LiveTensors()
	path := filepath.Join(t.TempDir(), "cut.safetensors")
	for i := range 16 {
		if err := os.WriteFile(path, data[:len(data)*i/16], 0o644); err != nil {
			t.Fatal(err)
		}
		tensors, _, err := torch.LoadSafetensors(path)
		torch.FreeAll(tensors)
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%d/16 of a file: error %v, want one that names the file", i, err)
		}
		if _, err := torch.ReadStateFile(path); err == nil {
			t.Errorf("metadata of %d/16 of a file is no error", i)
		}
	}
	longer := append(slices.Clone(data), 0)
	if tensors, _, err := torch.ParseSafetensors(longer); err == nil {
		torch.FreeAll(tensors)
		t.Error("a byte too many is no error")
	}
	if n := torch.LiveTensors() - before; n != 0 {
		t.Errorf("%d tensors are left", n)
	}
	if _, _, err := torch.LoadSafetensors(path + "no"); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("a missing file: %v", err)
	}
}

// headed puts a header and so many bytes of data into a file's form.
func headed(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func TestUnsupportedElementTypeIsNamed(t *testing.T) {
	before := torch.LiveTensors()
	_, _, err := torch.ParseSafetensors(headed(`{"fine":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"long":{"dtype":"U64","shape":[1],"data_offsets":[4,12]}}`, 12))
	if err == nil || !strings.Contains(err.Error(), "long") || !strings.Contains(err.Error(), "U64") {
		t.Errorf("error %v, want one that names the tensor and U64", err)
	}
	if n := torch.LiveTensors() - before; n != 0 {
		t.Errorf("%d tensors are left", n)
	}
}

func TestSaveFailsWholeAndNamesTheFile(t *testing.T) {
	dir := t.TempDir()
	x := f32(t, []float32{1}, 1)
	state := []torch.Named{{Name: "x", Tensor: x}}
	file, full := filepath.Join(dir, "file"), filepath.Join(dir, "directory")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(full, "with something in it"), 0o755); err != nil {
		t.Fatal(err)
	}
	freed, err := torch.Zeros(1)
	if err != nil {
		t.Fatal(err)
	}
	freed.Free()
	good := filepath.Join(dir, "good.safetensors")
	for path, state := range map[string][]torch.Named{
		filepath.Join(dir, "nosuch", "x.safetensors"): state,
		filepath.Join(file, "x.safetensors"):          state, // in a file: no user may write there
		full:                                          state, // can't be replaced by a file
		good:                                          {{Name: "x", Tensor: freed}},
	} {
		err := torch.SaveSafetensors(path, state, nil)
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("saving to %s: error %v, want one that names it", path, err)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 2 {
		t.Errorf("the directory has %v after failed saves, want only what was there before", left)
	}
	if err := torch.SaveSafetensors(good, state, map[string]string{"k": "v"}); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(good)
	if torch.SaveSafetensors(good, []torch.Named{{Name: "x", Tensor: freed}}, nil) == nil {
		t.Error("saving a freed tensor is no error")
	}
	if after, _ := os.ReadFile(good); len(before) == 0 || !bytes.Equal(before, after) {
		t.Error("a failed save changed the file that was there")
	}
}

func TestNoSpaceLeftIsAnError(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	err = torch.WriteSafetensors(full, []torch.Named{{Name: "x", Tensor: f32(t, []float32{1}, 1)}}, nil)
	if err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("error %v, want no space left", err)
	}
}

// FuzzParseSafetensors also compares the parsed tensors with their shapes: they have as
// many bytes as the file.
func FuzzParseSafetensors(f *testing.F) {
	if data, err := os.ReadFile(fromPython); err == nil {
		f.Add(data[:len(data)/2])
	}
	f.Add([]byte{})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, '{', '}'})
	f.Add(headed(`null`, 0))
	f.Add(headed(`{}`, 0))
	for _, header := range []string{
		`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`,
		`{"a":{"dtype":"BOOL","shape":[8],"data_offsets":[0,8]}}`,
		`{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}`,
		`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`,
		`{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]}}`,
		`{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}`,
		`{"a":{"dtype":"I64","shape":[0,9223372036854775807,18446744073709551615],"data_offsets":[0,0]}}`,
		`{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}`,
		`{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}`,
		`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551608]}}`,
		`{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}}`,
		`{"a":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}}`,
		`{"a":null,"__metadata__":{"a":1}}`,
		`{"__metadata__":{"a":"b"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1}}`,
	} {
		f.Add(headed(header, 8))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := torch.LiveTensors()
		tensors, _, err := torch.ParseSafetensors(data)
		if err != nil && tensors != nil {
			t.Error("tensors came with an error")
		}
		bytes := 0
		for _, x := range tensors {
			bytes += x.Len() * x.Info().DType.Size()
		}
		if bytes > len(data) {
			t.Errorf("tensors of %d bytes came from %d", bytes, len(data))
		}
		torch.FreeAll(tensors)
		if n := torch.LiveTensors() - before; n != 0 {
			t.Errorf("%d tensors are left", n)
		}
	})
}
