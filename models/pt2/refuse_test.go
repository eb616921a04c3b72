package pt2

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch/ptfile"
)

// example is the path of an archive of testdata.
func example(name string) string { return "testdata/" + name + ".pt2" }

// records are the records of an archive, below its folder.
func records(t testing.TB, path string) map[string][]byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ptfile.OpenRecords(b)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, n := range r.Names() {
		_, rest, _ := strings.Cut(n, "/")
		if all[rest], err = r.Get(n); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// packed is the archive of records.
func packed(t testing.TB, records map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := ptfile.NewRecordWriter(&b)
	for _, n := range slices.Sorted(maps.Keys(records)) {
		if err := z.Add("net/"+n, records[n]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const modelJSON, weightsJSON, constantsJSON = "models/model.json", "data/weights/model_weights_config.json", "data/constants/model_constants_config.json"

func TestFilesThatAreNoNetworksAreRefused(t *testing.T) {
	change := func(record, from, to string) func(r map[string][]byte) {
		return func(r map[string][]byte) {
			if !bytes.Contains(r[record], []byte(from)) {
				t.Errorf("%s has no %s", record, from)
			}
			r[record] = bytes.ReplaceAll(r[record], []byte(from), []byte(to))
		}
	}
	for _, c := range []struct {
		example string
		edit    func(r map[string][]byte)
		want    string
	}{
		{"cnn.2.15", func(r map[string][]byte) { delete(r, formatRecord) }, "no archive of torch.export"},
		{"cnn.2.15", func(r map[string][]byte) { delete(r, modelJSON) }, "holds no network"},
		{"cnn.2.15", func(r map[string][]byte) { r["models/other.json"] = r[modelJSON] }, "holds 2 networks"},
		{"cnn.2.15", func(r map[string][]byte) { r["data/weights/model.pt"] = nil }, "PyTorch 2.8 or before"},
		{"cnn.2.15", func(r map[string][]byte) { r[orderRecord] = []byte("big") }, "big-endian"},
		{"cnn.2.15", func(r map[string][]byte) { r[modelJSON] = []byte(`{"graph_module":`) }, "not what torch.export writes"},
		{"cnn.2.15", func(r map[string][]byte) { r[modelJSON] = bytes.Repeat([]byte("["), 1<<20) }, "not what torch.export writes"},
		{"cnn.2.15", func(r map[string][]byte) { r[modelJSON] = []byte("null") }, "version 0 of torch.export's format"},
		{"cnn.2.15", change(modelJSON, `"major":8`, `"major":9`), "version 9 of torch.export's format"},
		{"cnn.2.15", func(r map[string][]byte) { delete(r, weightsJSON) }, "lacks the record"},
		{"cnn.2.15", func(r map[string][]byte) { delete(r, "data/weights/weight_0") }, "lacks the record"},
		{"cnn.2.15", func(r map[string][]byte) { r["data/weights/weight_0"] = r["data/weights/weight_0"][4:] }, "goes beyond its storage"},
		{"cnn.2.15", func(r map[string][]byte) { r["data/weights/weight_0"] = nil }, "exported under a FakeTensorMode"},
		{"cnn.2.15", change(weightsJSON, `"fc.weight"`, `"fc.other"`), "has no numbers in the archive"},
		{"cnn.2.15", change(weightsJSON, `"use_pickle": false`, `"use_pickle": true`), "object of a class of its own"},
		{"cnn.2.15", change(weightsJSON, `"dtype": 7`, `"dtype": 13`), "are of bfloat16"},
		{"cnn.2.15", change(weightsJSON, `"dtype": 7`, `"dtype": 99`), "a type that is not known here"},
		{"cnn.2.15", change(weightsJSON, `"layout": 7`, `"layout": 1`), "sparse"},
		{"cnn.2.15", change(weightsJSON, `{"as_int": 64}`, `{"as_int": 65}`), "in the graph and"},
		{"cnn.2.15", change(weightsJSON, `"path_name": "weight_1"`, `"path_name": "weight_4"`), "parts of the same numbers"},
		{"cnn.2.15", change(modelJSON, `torch.ops.aten.elu.default`, `torch.ops.prims.elu.default`), "none of PyTorch's own"},
		{"cnn.2.15", change(modelJSON, `torch.ops.aten.elu.default`, `os.system`), "none of PyTorch's own"},
		{"cnn.2.15", change(modelJSON, `{"as_tensor":{"name":"unsqueeze"}},"kind":1`, `{"as_tensor":{"name":"linear"}},"kind":1`), "not there before it"},
		{"cnn.2.15", change(modelJSON, `"arg":{"as_tensor":{"name":"unsqueeze"}}`, `"arg":{"as_graph":{"name":"g","graph":{}}}`), "a program or an object"},
		{"cnn.2.15", change(modelJSON, `{"as_tensor":{"name":"unsqueeze"}}`, `{}`), "one field is due"},
		{"cnn.2.15", change(modelJSON, `"name":"flatten"`, `"name":"elu"`), "two values"},
		{"cnn.2.15", change(modelJSON, `"elu":{"dtype"`, `"elu":{"dtype":0,"d"`), "not known here (0)"},
		{"cnn.2.15", change(modelJSON, `"train","arg":{"as_bool":true}`, `"train","arg":{"as_bool":1}`), "is no as_bool"},
		{"cnn.2.15", change(modelJSON, `"as_bool":true`, `"as_bool":false`), "evaluation mode"},
		{"cnn.2.15", change(modelJSON, `"min_val":2,"max_val":64`, `"min_val":9,"max_val":3`), "9 to 3 clips"},
		{"cnn.2.15", change(modelJSON, `Symbol('s77', positive=True, integer=True)`, `Symbol('s77', positive=True, integer=True`), "ends too early"},
		{"cnn.2.15", change(modelJSON, `{"name":"x"}},"kind"`, `{"name":"y"}},"kind"`), "not there before it"},
		{"cnn.2.15", change(modelJSON, `"user_output"`, `"parameter_mutation"`), "changes a parameter"},
		{"cnn.2.15", change(modelJSON, `"user_output"`, `"user_input_mutation"`), "changes its input"},
		{"cnn.2.15", change(modelJSON, `"user_output"`, `"token"`), "gives its logits alone"},
		{"cnn.2.15", change(modelJSON, `{"user_input":{"arg":{"as_tensor":`, `{"user_input":{"arg":{"as_custom_obj":`), "no tensor"},
		{"cnn.2.15", change(modelJSON, `{"user_input":{"arg"`, `{"custom_obj":{"arg"`), "object of a class"},
		{"cnn.2.15", change(modelJSON, `"parameter_name":"fc.weight"`, `"parameter_name":"input"`), "rename"},
		{"cnn.2.15", change(modelJSON, `"parameter_name":"fc.weight"`, `"parameter_name":"fc.bias"`), "two of its tensors"},
		{"attention.2.9", change(modelJSON, `Mul(Integer(32), Symbol('s31', positive=True, integer=True))`, `Mul(Symbol('s31'), Symbol('s31'))`), "Mul does not give"},
		{"attention.2.9", change(modelJSON, `Mul(Integer(32), Symbol('s31', positive=True, integer=True))`, strings.Repeat("Add(", 99)), "nested too deeply"},
		{"attention.2.9", change(modelJSON, `Mul(Integer(32), Symbol('s31', positive=True, integer=True))`, `Mul(Integer(32), Symbol('u0', integer=True))`), "depends on another"},
		{"constants.2.15", change(constantsJSON, `"order"`, `"ordre"`), "has no numbers"},
		{"cnn.2.15", change(weightsJSON, `"strides": [{"as_int": 1}]`, `"strides": [{"as_int": -1}]`), "that is no number"},
	} {
		r := records(t, example(c.example))
		c.edit(r)
		if _, err := parse(packed(t, r)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("of a file of which it should say %q it says %v", c.want, err)
		}
	}
}

func TestManyOperationsAreRefused(t *testing.T) {
	r := records(t, example("cnn.2.15"))
	one := `{"target":"torch.ops.aten.relu.default","inputs":[],"outputs":[],"metadata":{}},`
	r[modelJSON] = bytes.Replace(r[modelJSON], []byte(`"nodes":[`), []byte(`"nodes":[`+strings.Repeat(one, 1_000_000)), 1)
	if _, err := parse(packed(t, r)); err == nil || !strings.Contains(err.Error(), "more than 200000 operations") {
		t.Error(err)
	}
}

func TestViewsOfFewNumbersDoNotFillTheMemory(t *testing.T) {
	r := records(t, example("norms.2.15"))
	for _, record := range []string{weightsJSON, modelJSON} {
		r[record] = bytes.ReplaceAll(r[record], []byte(`"as_int": 5}`), []byte(`"as_int": 1099511627776}`))
		r[record] = bytes.ReplaceAll(r[record], []byte(`"as_int":5}`), []byte(`"as_int":1099511627776}`))
	}
	r[weightsJSON] = bytes.ReplaceAll(r[weightsJSON], []byte(`"strides": [{"as_int": 1}]`), []byte(`"strides": [{"as_int": 0}]`))
	if _, err := parse(packed(t, r)); err == nil || !strings.Contains(err.Error(), "eight times the file's size") {
		t.Error(err)
	}
}

func TestTruncatedAndCompressedArchivesAreRefused(t *testing.T) {
	b, err := os.ReadFile("testdata/cnn.2.15.pt2")
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(b) {
		if n%97 != 0 && len(b)-n > 200 {
			continue
		}
		if _, err := parse(b[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes are read", n, len(b))
		}
	}
	if !IsArchive(b[:len(b)/2]) {
		t.Error("half an archive is not known for one")
	}
	var squeezed bytes.Buffer
	z := zip.NewWriter(&squeezed)
	for name, content := range records(t, example("cnn.2.15")) {
		f, err := z.Create("net/" + name) // compressed
		if err == nil {
			_, err = f.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := parse(squeezed.Bytes()); err == nil || !strings.Contains(err.Error(), "compressed") && !strings.Contains(err.Error(), "no archive") {
		t.Error(err)
	}
}

func TestIsTellsArchivesFromStateDicts(t *testing.T) {
	for _, file := range examples(t) {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !IsArchive(b) || !Is(file) {
			t.Errorf("%s is no archive", file)
		}
	}
	var state, old bytes.Buffer
	if err := ptfile.Write(&state, nil, map[string]string{"models/model.json": "{}"}); err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(&old) // as PyTorch 2.7 wrote it
	for _, name := range []string{"version", oldGraph, "serialized_state_dict.pt"} {
		if _, err := z.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, c := range map[string]struct {
		content []byte
		is      bool
	}{"state.pt": {state.Bytes(), false}, "old.pt2": {old.Bytes(), true}, "empty": {nil, false}, "text": {[]byte("PK, but no archive of any kind at all"), false}} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, c.content, 0o644); err != nil {
			t.Fatal(err)
		}
		if IsArchive(c.content) != c.is || Is(path) != c.is {
			t.Errorf("%s is an archive: %t, %t", name, IsArchive(c.content), Is(path))
		}
	}
	if _, err := parse(old.Bytes()); err == nil || !strings.Contains(err.Error(), "2.8 or before") {
		t.Error(err)
	}
	if Is(filepath.Join(dir, "none")) || Is(dir) {
		t.Error("what is no file is an archive")
	}
}

func TestExpressionsOfSizes(t *testing.T) {
	const b = "Symbol('s7', positive=True, integer=True)"
	for text, want := range map[string]string{
		b:                                        "{1 0}",
		"Integer(-4)":                            "{0 -4}",
		"Mul(Integer(6), " + b + ")":             "{6 0}",
		"Mul(" + b + ", Integer(2), Integer(3))": "{6 0}",
		"FloorDiv(Mul(Integer(6), " + b + "), Integer(3))":                                    "{2 0}",
		"FloorDiv(Mul(Integer(6), " + b + "), Mul(Integer(2), " + b + "))":                    "{0 3}",
		"FloorDiv(Mul(Integer(6), " + b + "), Integer(4))":                                    "error",
		"FloorDiv(Mul(Integer(7), " + b + "), Mul(Integer(2), " + b + "))":                    "{0 3}",
		"Add(" + b + ", Mul(Integer(-1), " + b + "), Integer(5))":                             "{0 5}",
		"Add(" + b + ", Integer(1))":                                                          "{1 1}",
		"Mod(Mul(Integer(6), " + b + "), Integer(3))":                                         "{0 0}",
		"PythonMod(Mul(Integer(6), " + b + "), " + b + ")":                                    "{0 0}",
		"Max(Integer(1), " + b + ")":                                                          "{1 0}",
		"Max(Integer(3), " + b + ")":                                                          "error",
		"Min(Integer(64), " + b + ")":                                                         "{1 0}",
		"Max(Integer(64), " + b + ")":                                                         "{0 64}",
		"Identity(" + b + ")":                                                                 "{1 0}",
		"Mul(" + b + ", " + b + ")":                                                           "error",
		"Pow(" + b + ", Integer(2))":                                                          "error",
		"Mul(Integer(1099511627776), Integer(1099511627776), Integer(1099511627776))":         "error",
		"Add(Mul(Integer(1099511627776), " + b + "), Mul(Integer(1099511627776), " + b + "))": "error",
		"Integer(99999999999999999999)":                                                       "error",
		"FloorDiv(Integer(7), Integer(0))":                                                    "error",
		"Symbol('s8', integer=True)":                                                          "error",
		"Add()":                                                                               "error",
		"":                                                                                    "error",
		b + ")":                                                                               "error",
	} {
		s := symbols{batch: "s7", min: 2, max: 64, known: map[string]size{}}
		v, err := s.eval(text)
		got := fmt.Sprint(v)
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s is %s (%v), want %s", text, got, err, want)
		}
	}
}

// again writes and reads a program that was read, which must be the same.
func again(t *testing.T, p *Program) {
	t.Helper()
	w, err := newWriter(p)
	var b bytes.Buffer
	if err == nil {
		err = w.write(&b)
	}
	if err != nil {
		t.Fatalf("what was read is not written: %v", err)
	}
	q, err := parse(b.Bytes())
	if err != nil {
		t.Fatalf("what was written is not read: %v", err)
	}
	if !reflect.DeepEqual(p, q) {
		if d := cmp.Diff(p, q, cmpopts.EquateNaNs()); d != "" {
			t.Fatal(d)
		}
	}
}

// tiny is a program with something of each kind, which is small enough to be fuzzed.
func tiny() *Program {
	numbers := func(name string, n int) Tensor {
		return Tensor{Tensor: op.Tensor{Name: name, Shape: []int{n}}, Data: ptfile.Array{Shape: []int{n}, Data: make([]byte, 4*n)}}
	}
	w, lifted, rows := numbers("w", 2), numbers("k", 2), numbers("rows", 1)
	lifted.Buffer, lifted.Constant, lifted.Lifted = true, true, true
	rows.Buffer, rows.Type = true, "int64"
	rows.Data = ptfile.Array{Type: ptfile.Int64, Shape: []int{1}, Data: make([]byte, 8)}
	ref := func(names ...op.Ref) []op.Ref { return names }
	return &Program{Input: op.Value{Name: "input", Shape: []int{op.Batch, 2}}, Output: "c", Torch: "2.15.0", MinClips: 2, MaxClips: 9,
		Tensors: []Tensor{w, lifted, rows}, Extra: map[string]string{"a": "b"}, Nodes: []op.Node{
			{Name: "a", Op: "aten.view.default", Args: op.Args{"self": op.Ref("input"), "size": []op.Size{{N: 2, Clips: true}, {N: 1}}},
				Gives: []op.Value{{Name: "a", Shape: []int{-2, 1}}}},
			{Name: "split", Op: "aten.split.Tensor", Args: op.Args{"self": op.Ref("w"), "split_size": 2},
				Gives: []op.Value{{Name: "b", Shape: []int{2}}}},
			{Name: "i", Op: "aten.index.Tensor", Args: op.Args{"self": op.Ref("a"), "indices": ref("", "rows")},
				Gives: []op.Value{{Name: "i", Shape: []int{-2, 1}}}},
			{Name: "drop", Op: "aten.native_dropout.default", Args: op.Args{"input": op.Ref("i"), "p": 0.5, "train": true, "x": nil, "y": "s", "z": []float64{1, 2.5}},
				Gives: []op.Value{{Name: "d", Shape: []int{-2, 1}}, {}}},
			{Name: "c", Op: "aten.cat.default", Args: op.Args{"tensors": ref("d", "k"), "dtype": op.Choice("float64"), "l": []bool{true}},
				Gives: []op.Value{{Name: "c", Shape: []int{-1, 2}, Type: "float64"}}},
		}}
}

func TestProgramsOfOthersAreWritten(t *testing.T) {
	p := tiny()
	path := filepath.Join(t.TempDir(), "x.pt2")
	if err := Write(path, p); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(p, read(t, path)); d != "" {
		t.Error(d)
	}
}

func FuzzRead(f *testing.F) {
	w, err := newWriter(tiny())
	if err != nil {
		f.Fatal(err)
	}
	var b bytes.Buffer
	if err := w.write(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		IsArchive(b)
		if p, err := parse(b); err == nil {
			again(t, p)
		}
	})
}

// FuzzDescription changes an archive's description of its network, under checksums that are right.
func FuzzDescription(f *testing.F) {
	path := filepath.Join(f.TempDir(), "x.pt2")
	if err := Write(path, tiny()); err != nil {
		f.Fatal(err)
	}
	r := records(f, path)
	f.Add(r[modelJSON], r[weightsJSON], r[constantsJSON])
	f.Fuzz(func(t *testing.T, model, weights, constants []byte) {
		r := maps.Clone(r)
		r[modelJSON], r[weightsJSON], r[constantsJSON] = model, weights, constants
		if p, err := parse(packed(t, r)); err == nil {
			again(t, p)
		}
	})
}

// FuzzSizes reads expressions of sizes.
func FuzzSizes(f *testing.F) {
	f.Add("FloorDiv(Mul(Integer(6), Symbol('s7', positive=True, integer=True)), Max(Integer(3), Add(Integer(1), Integer(2))))", 2, 64)
	f.Fuzz(func(t *testing.T, text string, low, high int) {
		s := symbols{batch: "s7", min: max(low, 1), max: max(high, low, 1), known: map[string]size{}}
		if v, err := s.eval(text); err == nil && (abs(v.times) > maxSize || abs(v.plus) > maxSize) {
			t.Error(v)
		}
	})
}

// FuzzParts puts parts of an archive's description in places of others, and values that fit
// nowhere, so that the input stays JSON of the right form for longer than by changing bytes.
func FuzzParts(f *testing.F) {
	var all []map[string][]byte
	for _, file := range examples(f) {
		all = append(all, records(f, file))
	}
	f.Add(uint8(0), []byte{0, 0, 0, 9, 1, 0, 0, 40})
	f.Add(uint8(2), []byte{3, 0, 200, 0, 250})
	f.Fuzz(func(t *testing.T, which uint8, changes []byte) {
		r := maps.Clone(all[int(which)%len(all)])
		for ; len(changes) >= 5 && len(changes) < 100; changes = changes[5:] {
			record := []string{modelJSON, modelJSON, modelJSON, weightsJSON, constantsJSON}[changes[0]%5]
			var tree any
			if err := json.Unmarshal(r[record], &tree); err != nil {
				t.Fatal(err)
			}
			var parts []any     // of the description, in order
			var set []func(any) // functions that replace each
			collect(tree, func(v any, put func(any)) { parts, set = append(parts, v), append(set, put) })
			if len(parts) == 0 {
				continue
			}
			odd := []any{nil, -1.0, 1e18, "", "x", []any{}, map[string]any{}, true, 0.5, "Symbol('s0')"}
			to, from := int(changes[1])<<8+int(changes[2]), int(changes[3])<<8+int(changes[4])
			if v := parts[from%len(parts)]; changes[3] < 200 {
				set[to%len(parts)](v)
			} else {
				set[to%len(parts)](odd[int(changes[4])%len(odd)])
			}
			b, err := json.Marshal(tree)
			if err != nil || len(b) > 1<<20 { // a part that is in itself
				return
			}
			r[record] = b
		}
		if p, err := parse(packed(t, r)); err == nil {
			again(t, p)
		}
	})
}

// collect visits all parts below v.
func collect(v any, visit func(v any, put func(any))) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			visit(v[k], func(w any) { v[k] = w })
			collect(v[k], visit)
		}
	case []any:
		for i := range v {
			visit(v[i], func(w any) { v[i] = w })
			collect(v[i], visit)
		}
	}
}
