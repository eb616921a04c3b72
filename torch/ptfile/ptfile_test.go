package ptfile_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/torch/ptfile"
)

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// values are the elements as Python prints them.
func values(t *testing.T, a ptfile.Array) []string {
	t.Helper()
	v := []string{}
	for b := a.Data; len(b) > 0; b = b[a.Type.Size():] {
		var f float64
		switch a.Type {
		case ptfile.Int64:
			v = append(v, strconv.FormatInt(int64(binary.LittleEndian.Uint64(b)), 10))
			continue
		case ptfile.Bool:
			f = float64(b[0])
		case ptfile.Float32:
			f = float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
		case ptfile.Float64:
			f = math.Float64frombits(binary.LittleEndian.Uint64(b))
		}
		v = append(v, strconv.FormatFloat(f, 'g', -1, 64))
	}
	return v
}

// TestTypes reads tensors of all types and layouts in all forms; types.json holds
// PyTorch's values of them (testdata/make.py).
func TestTypes(t *testing.T) {
	type tensor struct {
		Type   string   `json:"type"`
		Shape  []int    `json:"shape"`
		Values []string `json:"values"`
	}
	want := map[string]tensor{}
	if err := json.Unmarshal(read(t, "types.json"), &want); err != nil {
		t.Fatal(err)
	}
	for name, w := range want {
		if w.Type == "int64" {
			continue
		}
		for i, s := range w.Values {
			f, err := strconv.ParseFloat(s, 64)
			if err != nil {
				t.Fatal(err)
			}
			want[name].Values[i] = strconv.FormatFloat(f, 'g', -1, 64)
		}
	}
	names := []string{"float32", "float64", "int64", "bool"}
	for _, file := range []string{"types.pt", "types_legacy.pt", "types_legacy4.pt", "types_protocol5.pt", "types_nocrc.pt", "tutorial.pt"} {
		f, err := ptfile.Parse(read(t, file))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		got := map[string]tensor{}
		last := f.Dicts[len(f.Dicts)-1] // tutorial.pt has another tensor beside it
		for _, n := range last.Tensors {
			got[n.Name] = tensor{names[n.Type], n.Shape, values(t, n.Array)}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-PyTorch +here):\n%s", file, d)
		}
		if beside := last.Beside(); file == "tutorial.pt" && (last.Key != "model_state_dict" || !slices.Equal(beside, []string{"epoch", "loss", "best"})) {
			t.Errorf("%s: beside it %v", last.Key, beside)
		}
	}
}

func TestLightning(t *testing.T) {
	f, err := ptfile.Parse(read(t, "lightning.ckpt"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	d := f.Dicts[0]
	for _, n := range d.Tensors {
		names = append(names, n.Name)
	}
	want := []string{"model.0.weight", "model.0.bias", "model.1.weight", "model.1.bias", "model.1.running_mean", "model.1.running_var", "model.1.num_batches_tracked"}
	if beside := d.Beside(); d.Key != "state_dict" || !slices.Equal(names, want) || !slices.Contains(beside, "optimizer_states") || !slices.Contains(beside, "hyper_parameters") {
		t.Errorf("%s: tensors %v, beside them %v", d.Key, names, beside)
	}
}

// A value that is no readable tensor is no reason to refuse the others.
func TestOtherValuesAreNamed(t *testing.T) {
	f, err := ptfile.Parse(read(t, "other_types.pt"))
	if err != nil {
		t.Fatal(err)
	}
	want := []ptfile.Other{{"other", "a torch.ComplexFloatStorage"}, {"sparse", "a torch._utils._rebuild_sparse_tensor"}, {"extra", "the value 3"}}
	if d := cmp.Diff(want, f.Dicts[0].Others); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if u := f.Dicts[0].Tensors[1]; u.Name != "u" || u.Type != ptfile.Int64 || !slices.Equal(values(t, u.Array), []string{"1", "1"}) {
		t.Errorf("uint16: %v", u)
	}
}

func TestRefuses(t *testing.T) {
	good, legacy := read(t, "types.pt"), read(t, "types_legacy.pt")
	damaged := bytes.Clone(good)
	offset := bytes.Index(good, binary.LittleEndian.AppendUint32(nil, math.Float32bits(-1.5)))
	damaged[offset] ^= 1
	for name, c := range map[string]struct {
		in   []byte
		want []string
	}{
		"hostile":             {read(t, "hostile.pt"), []string{`"posix.system"`, "refused", "model.state_dict()"}},
		"hostile beside":      {read(t, "hostile_beside.ckpt"), []string{`"posix.system"`, "refused"}},
		"hostile, legacy":     {read(t, "hostile_legacy.pt"), []string{`"posix.system"`, "refused"}},
		"whole model":         {read(t, "whole.pt"), []string{"it holds a torch.nn.modules.linear.Linear", "model.state_dict()"}},
		"script":              {read(t, "script.pt"), []string{"TorchScript"}},
		"truncated":           {good[:len(good)/2], []string{"truncated"}},
		"legacy, truncated":   {legacy[:len(legacy)-3], []string{"truncated"}},
		"legacy, cut earlier": {legacy[:200], []string{"truncated"}},
		"damaged":             {damaged, []string{"checksum", "damaged"}},
		"beyond its storage":  {bytes.Replace(legacy, []byte("K\x02K\x03K\x04\x87"), []byte("K\x02K\x03K\x05\x87"), 1), []string{"tensor plain", "beyond its storage of 24"}},
		"empty":               {nil, []string{"truncated"}},
	} {
		_, err := ptfile.Parse(c.in)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q does not say %q", name, err, w)
			}
		}
	}
	if _, err := os.Stat("/tmp/eegprune-was-here"); err == nil {
		t.Error("a hostile file was executed")
	}
}

// TestNoMemoryBeyondTheFile has a tensor of 2^30 elements that is a view of one.
func TestNoMemoryBeyondTheFile(t *testing.T) {
	in := bytes.Replace(read(t, "types_legacy.pt"), []byte("K\x05\x85"), []byte("J\x00\x00\x00\x40\x85"), 1)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := ptfile.Parse(in)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "eight times") {
		t.Errorf("error %v", err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 2<<20 {
		t.Errorf("%d bytes were allocated for a file of %d", used, len(in))
	}
}

func draw(t *rapid.T) []ptfile.Named {
	var all []ptfile.Named
	for _, name := range rapid.SliceOfNDistinct(rapid.String(), 1, 4, rapid.ID).Draw(t, "names") {
		a := ptfile.Array{Type: ptfile.Type(rapid.IntRange(0, 3).Draw(t, "type")), Shape: rapid.SliceOfN(rapid.IntRange(0, 3), 0, 4).Draw(t, "shape")}
		n := a.Type.Size()
		for _, d := range a.Shape {
			n *= d
		}
		a.Data = rapid.SliceOfN(rapid.Byte(), n, n).Draw(t, "data")
		if a.Type == ptfile.Bool {
			for i := range a.Data {
				a.Data[i] &= 1
			}
		}
		all = append(all, ptfile.Named{Name: name, Array: a})
	}
	return all
}

func TestWrittenFilesAreRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tensors := draw(t)
		want := ptfile.File{Dicts: []ptfile.Dict{{Tensors: tensors}}, Metadata: map[string]string{"note": rapid.String().Draw(t, "note")}}
		var b bytes.Buffer
		if err := ptfile.Write(&b, tensors, want.Metadata); err != nil {
			t.Fatal(err)
		}
		got, err := ptfile.Parse(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(&want, got, cmpopts.IgnoreUnexported(ptfile.Dict{})); d != "" {
			t.Errorf("(-written +read):\n%s", d)
		}
	})
}

func TestStoragesAreAligned(t *testing.T) {
	marker := bytes.Repeat([]byte{0xab}, 12)
	var b bytes.Buffer
	if err := ptfile.Write(&b, []ptfile.Named{{Name: "x", Array: ptfile.Array{Shape: []int{3}, Data: marker}}}, nil); err != nil {
		t.Fatal(err)
	}
	if offset := bytes.Index(b.Bytes(), marker); offset%64 != 0 {
		t.Errorf("the storage begins at byte %d", offset)
	}
}

func TestWriteRefuses(t *testing.T) {
	one := ptfile.Named{Name: "x", Array: ptfile.Array{Shape: []int{1}, Data: make([]byte, 4)}}
	short := ptfile.Named{Name: "y", Array: ptfile.Array{Shape: []int{2}, Data: make([]byte, 4)}}
	for want, all := range map[string][]ptfile.Named{"twice": {one, one}, "has 4 bytes": {short}} {
		if err := ptfile.Write(&bytes.Buffer{}, all, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.[pc][tk]*")
	if err != nil || len(files) < 10 {
		f.Fatal(files, err)
	}
	for _, name := range files {
		f.Add(read(f, filepath.Base(name)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := ptfile.Parse(b)
		if err != nil {
			return
		}
		size := 0
		for _, d := range file.Dicts {
			d.Beside()
			for _, n := range d.Tensors {
				elements := 1
				for _, d := range n.Shape {
					elements *= d
				}
				if elements*n.Type.Size() != len(n.Data) {
					t.Errorf("tensor %q of shape %v has %d bytes", n.Name, n.Shape, len(n.Data))
				}
				size += len(n.Data)
			}
			if _, _, err := ptfile.Effective(d.Tensors); err != nil {
				continue
			}
		}
		if size > 8*len(b)+1<<20 {
			t.Errorf("a file of %d bytes gives %d", len(b), size)
		}
	})
}
