package strictyaml

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type settings struct {
	Name  string  `yaml:"name"`
	Rate  float64 `yaml:"rate"`
	Count int     `yaml:"count"`
	Parts []part  `yaml:"parts"`
	Plain bool
	Not   int `yaml:"-"`
	Both  `yaml:",inline"`
}

type part struct {
	Low *int `yaml:"low"`
}

type Both struct {
	Inner string `yaml:"inner"`
}

func TestUnmarshal(t *testing.T) {
	got := settings{Name: "stays", Rate: 2}
	if err := Unmarshal([]byte("rate: 1.5\nparts: [{low: 3}, {}]\ninner: x\nplain: true\n"), "s.yaml", &got); err != nil {
		t.Fatal(err)
	}
	three := 3
	if d := cmp.Diff(settings{Name: "stays", Rate: 1.5, Parts: []part{{&three}, {}}, Plain: true, Both: Both{"x"}}, got); d != "" {
		t.Error(d)
	}
	for _, empty := range []string{"", "# nothing\n"} {
		if err := Unmarshal([]byte(empty), "s.yaml", &got); err != nil || got.Name != "stays" {
			t.Errorf("%q: %+v, %v", empty, got, err)
		}
	}
	if err := Unmarshal([]byte("parts: [&a {low: 3}, *a]\n"), "s.yaml", &got); err != nil || len(got.Parts) != 2 || *got.Parts[1].Low != 3 {
		t.Errorf("an alias: %+v, %v", got.Parts, err)
	}
}

func TestFaults(t *testing.T) {
	for text, want := range map[string]string{
		"nmae: a\n":                  `s.yaml:1:1: there is no key "nmae" (did you mean name?): there are name, rate, count, parts, plain, inner`,
		"not: 1\n":                   `s.yaml:1:1: there is no key "not"`,
		"name: a\nparts:\n- lo: 1\n": `s.yaml:3:3: there is no key "lo" (did you mean low?)`,
		"rate: fast\n":               `s.yaml:1:7: a number is needed here and not "fast"`,
		"count: 1.5\n":               `s.yaml:1:8: a whole number is needed here and not "1.5"`,
		"plain: 3\n":                 `s.yaml:1:8: true or false is needed here and not "3"`,
		"parts: {low: 1}\n":          `s.yaml:1:8: `,
		"parts: [{low: a}]\n":        `s.yaml:1:15: a whole number is needed here`,
		"name: a\nname: b\n":         `s.yaml:2:1: `,
		"name: [a\n":                 `s.yaml:1:`,
		"name: a\n---\nname: b\n":    `s.yaml:3:`,
		"name: a\n---\n":             `s.yaml: a second document`,
	} {
		err := Unmarshal([]byte(text), "s.yaml", &settings{})
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
}
