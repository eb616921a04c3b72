package source

import (
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/eegprune/eegprune/data/filetest"
)

func TestManifestFaultsHaveTheirPlace(t *testing.T) {
	head := "format: edf\nfiles: 's(?<subject>\\d+)_(?<x>.)'\n"
	for name, c := range map[string]struct{ text, place, want string }{
		"unknown key":           {head + "lable: {group: x}\n", "3:1", "lable"},
		"unknown inner key":     {head + "label: {group: x, klasses: {}}\n", "3:19", "klasses"},
		"unknown format":        {"format: xls\nfiles: x\n", "1:9", `unknown format "xls"`},
		"no format":             {"files: x\n", "", "format is missing"},
		"bad expression":        {"format: edf\nfiles: '('\n", "2:8", "regular expression"},
		"no subject":            {"format: edf\nfiles: 'x'\n", "2:8", "(?<subject>...)"},
		"no files":              {"format: edf\n", "", "files is missing"},
		"empty label":           {head + "label: {classes: {a: b}}\n", "3:", "label needs either"},
		"both labels":           {head + "label: {group: x, annotations: true}\n", "3:", "label needs either"},
		"unknown group":         {head + "label: {group: y, classes: {a: b, c: d}}\n", "3:16", "(?<y>...)"},
		"one class":             {head + "label: {group: x, classes: {a: b, c: b}}\n", "3:", "needs two"},
		"classes as a list":     {head + "label: {group: x, classes: [a, b]}\n", "3:", "classes must map"},
		"class as a list":       {head + "label: {group: x, classes: {a: [b], c: d}}\n", "3:29", "must be a name"},
		"trial and annotations": {"format: edf\nfiles: '(?<subject>.)(?<trial>.)'\nlabel: {annotations: true, classes: {a: b, c: d}}\n", "2:8", "session instead"},
		"negative trim":         {head + "label: {group: x, classes: {a: b, c: d}}\ntrim: {start: -1}\n", "4:15", "-1"},
		"word for a number":     {head + "trim: {start: soon}\n", "3:15", ""},
		"not YAML":              {"format: [edf\n", "", ""},
		"key given twice":       {"format: edf\nformat: edf\n", "2:1", "format"},
		"empty":                 {"", "", "format is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseManifest([]byte(c.text), "m.yaml")
			if err == nil {
				t.Fatal("no error")
			}
			if !strings.HasPrefix(err.Error(), "m.yaml:"+c.place) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q, want it at %s and to say %q", err, c.place, c.want)
			}
		})
	}
}

func TestManifestKeepsOrderAndSpelling(t *testing.T) {
	m, err := ParseManifest([]byte("format: edf\nfiles: '(?<subject>.)(?<run>..)'\nlabel: {group: run, classes: {02: closed, 01: open, \"1\": other, 03: open}}\n"), "m.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Classes{{"02", "closed"}, {"01", "open"}, {"1", "other"}, {"03", "open"}}, m.Label.Classes); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"closed", "open", "other"}, m.Label.Classes.Names()); d != "" {
		t.Error(d)
	}
}

func TestManifestSurvivesWritingAndReading(t *testing.T) {
	list, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range list {
		b, err := yaml.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseManifest(b, want.Name)
		if err != nil {
			t.Fatalf("%v in\n%s", err, b)
		}
		if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Manifest{}), cmp.Comparer(func(a, b *regexp.Regexp) bool { return a.String() == b.String() })); d != "" {
			t.Error(d)
		}
	}
}

// FuzzParseManifest: any text gives a manifest or an error of one line.
func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(filetest.ByName))
	f.Add([]byte(filetest.ByAnnotation))
	f.Add([]byte("label: {classes: {a: &x b, c: *x}}"))
	f.Add([]byte("a\n--- "))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseManifest(b, "m.yaml")
		if err == nil && (m.files == nil || m.Format == "") {
			t.Fatalf("accepted %q", b)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Fatalf("several lines: %q", err)
		}
	})
}
