package data

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/data/filetest"
	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/data/transform"
	"github.com/eegprune/eegprune/internal/strictyaml"
)

const featuresFile = `# differential entropy of two bands, arousal in two classes
seconds: 2
overlap: 1
baseline_seconds: 1
transforms:
  - name: BandDifferentialEntropy
    args: {bands: {alpha: [8, 14], beta: [14, 31]}, order: 3}
  - name: ToGrid
label:
  - name: Select
    args: {key: [arousal]}
  - name: Binary
    args: {threshold: 4.5}
standardize: subject
`

func TestReadOptions(t *testing.T) {
	dir := filetest.Put(t, map[string][]byte{"f.yaml": []byte(featuresFile), "short.yaml": []byte("seconds: 2\n"), "empty.yaml": []byte("# as by default\n")})
	var o Options
	if err := ReadOptions(filepath.Join(dir, "f.yaml"), &o); err != nil {
		t.Fatal(err)
	}
	entropy := transform.NewBandDifferentialEntropy(transform.Bands{{Name: "alpha", Low: 8, High: 14}, {Name: "beta", Low: 14, High: 31}})
	entropy.Order, entropy.ApplyToBaseline = 3, false // torcheeg's default
	grid, err := transform.New("ToGrid")
	if err != nil {
		t.Fatal(err)
	}
	want := Options{Seconds: 2, Overlap: 1, BaselineSeconds: 1, Standardize: StandardizeSubject, Transforms: transform.Pipeline{entropy, grid},
		Label: label.Pipeline{&label.Select{Keys: []string{"arousal"}}, &label.Binary{Threshold: 4.5}}}
	if d := cmp.Diff(want, o); d != "" {
		t.Error(d)
	}
	s, err := source.Open(deapDir(t), "")
	if err != nil {
		t.Fatal(err)
	}
	set, err := Features(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(set.Shape, []int{2, 9, 9}) || !slices.Equal(set.Classes, []string{"arousal < 4.5", "arousal >= 4.5"}) {
		t.Errorf("shape %v, classes %q", set.Shape, set.Classes)
	}
	for name, seconds := range map[string]float64{"short.yaml": 2, "empty.yaml": 1} {
		o, want := GridOptions(), GridOptions()
		want.Seconds = seconds
		if err := ReadOptions(filepath.Join(dir, name), &o); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, o); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	if err := ReadOptions(filepath.Join(dir, "none.yaml"), &o); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("no file: %v", err)
	}
}

func TestFaultsOfOptionsHaveTheirPlace(t *testing.T) {
	for name, c := range map[string]struct{ text, place, want string }{
		"unknown key":       {"seconds: 1\nlables: []\n", "2:1: ", "did you mean label?"},
		"word":              {"seconds: long\n", "1:10: ", `a number is needed here and not "long"`},
		"key twice":         {"seconds: 1\nseconds: 2\n", "2:1: ", "seconds"},
		"no mapping":        {"- seconds\n", "1:1: ", "mapping"},
		"no YAML":           {"seconds: [1\n", "1:", ""},
		"two documents":     {"seconds: 1\n---\nseconds: 2\n", "3:", "second document"},
		"no list":           {"transforms: ToGrid\n", "1:13: ", "a list is needed"},
		"no item":           {"transforms: [ToGrid]\n", "1:14: ", "name and args"},
		"no name":           {"transforms:\n  - args: {}\n", "2:", "no name"},
		"unknown transform": {"transforms:\n  - name: ToGird\n", "2:11: ", "did you mean ToGrid?"},
		"unknown of item":   {"transforms:\n  - name: ToGrid\n    arg: {}\n", "3:5: ", "did you mean args?"},
		"unknown argument":  {"transforms:\n  - name: BandSignal\n    args: {ordr: 3}\n", "3:12: ", "did you mean order?"},
		"no arguments":      {"label:\n  - name: BinariesToCategory\n    args: {a: 3}\n", "3:12: ", `no key "a"`},
		"args as a list":    {"label:\n  - name: Binary\n    args: [5]\n", "3:11: ", "map the names"},
		"wrong argument":    {"label:\n  - name: Binary\n    args: {threshold: high}\n", "3:23: ", "can't be a string"},
		"wrong bands":       {"transforms:\n  - name: BandSignal\n    args: {bands: {a: 3}}\n", "3:", "two edges"},
		"unknown label":     {"label: [{name: Select, args: {key: [a]}}, {name: Binry}]\n", "1:50: ", "did you mean Binary?"},
		"standardize":       {"seconds: 1\nstandardize: all\n", "", "all"},
		"no clip":           {"overlap: 3\nseconds: 2\n", "", "overlap by 3 s"},
	} {
		o := GridOptions()
		err := parseOptions([]byte(c.text), "f.yaml", &o)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if !strings.HasPrefix(err.Error(), "f.yaml:"+c.place) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %q, want it at %s and to say %q", name, err, c.place, c.want)
		}
	}
}

// TestOptionsWithinAFile: where a larger file has them as a section, with the places
// of faults that they have there, whether or not its other parts are read strictly.
func TestOptionsWithinAFile(t *testing.T) {
	type study struct {
		Name     string  `yaml:"name"`
		Features Options `yaml:"features"`
	}
	s := study{Features: GridOptions()}
	if err := strictyaml.Unmarshal([]byte("name: a\nfeatures:\n  seconds: 2\n"), "s.yaml", &s); err != nil {
		t.Fatal(err)
	}
	if s.Features.Seconds != 2 || len(s.Features.Transforms) != 2 {
		t.Errorf("%+v", s.Features)
	}
	err := strictyaml.Unmarshal([]byte("name: a\nfeatures:\n  seconds: 2\n  transforms:\n    - name: Foo\n"), "s.yaml", &s)
	if err == nil || !strings.HasPrefix(err.Error(), "s.yaml:5:13: ") {
		t.Errorf("error %v", err)
	}
	if err := yaml.Unmarshal([]byte("features: {second: 2}"), &s); err == nil || !strings.Contains(err.Error(), "did you mean seconds?") {
		t.Errorf("not strict: %v", err)
	}
}

// FuzzReadOptions: any text gives options that survive writing and reading, or an
// error of one line.
func FuzzReadOptions(f *testing.F) {
	f.Add([]byte(featuresFile))
	f.Add([]byte("transforms: &a [{name: To2d}]\nlabel: *a"))
	f.Add([]byte("label: [{name: Mapping, args: {classes: [{value: -1, class: a}]}}]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		o := GridOptions()
		if err := parseOptions(b, "f.yaml", &o); err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("several lines: %q", err)
			}
			return
		}
		text, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		var again Options
		if err := parseOptions(text, "again.yaml", &again); err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if second, err := yaml.Marshal(again); err != nil || string(second) != string(text) {
			t.Fatalf("%s\nbecomes\n%s, %v", text, second, err)
		}
	})
}
