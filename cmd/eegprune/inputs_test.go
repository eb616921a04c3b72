package main_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/data/npy"
)

// A check is the right outcome for one of testdata/inputs: files as laboratories have them,
// made up after public reports. expected.json names the reports, and has the values of the
// signals.
type check struct {
	Kind    string
	Of      []check // of either
	Dir     string
	Args    []string
	Command []string
	Code    int

	Says    []string
	SaysNot []string `json:"says_not"`
	JSON    map[string]any

	Parts    []converted
	Channels []string
	Rate     float64

	Model, Clips string
	Logits       [][]float64
	Tolerance    float64
	ClipsInAll   int `json:"clips_in_all"`
}

type converted struct {
	Samples  int
	Channels int
	Class    string
	First    map[string][]float64
}

func TestInputsOfLaboratories(t *testing.T) {
	b, err := os.ReadFile("testdata/inputs/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string]struct {
		Right  string
		Checks []check
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	dirs, err := os.ReadDir("testdata/inputs")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for _, d := range dirs {
		if !d.IsDir() {
			continue
		}
		c, known := cases[d.Name()]
		if !known {
			t.Errorf("%s is not in expected.json", d.Name())
		}
		t.Run(d.Name(), func(t *testing.T) {
			for _, k := range c.Checks {
				if err := k.hold(t, filepath.Join("testdata/inputs", d.Name())); err != nil {
					t.Errorf("right is: %s. %v", c.Right, err)
				}
			}
		})
	}
}

// hold returns why the program's outcome isn't the right one.
func (c check) hold(t *testing.T, dir string) error {
	t.Helper()
	switch c.Kind {
	case "either":
		var wrong []string
		for _, k := range c.Of {
			err := k.hold(t, dir)
			if err == nil {
				return nil
			}
			wrong = append(wrong, err.Error())
		}
		return fmt.Errorf("%s", strings.Join(wrong, " | or | "))
	case "fails":
		return c.fails(t, dir)
	case "info":
		return c.info(t, dir)
	case "convert":
		return c.convert(t, dir)
	case "predict":
		return c.predict(t, dir)
	}
	return fmt.Errorf("no check %q is known", c.Kind)
}

func (c check) said(text string) error {
	for _, w := range c.Says {
		if !regexp.MustCompile("(?is)" + w).MatchString(text) {
			return fmt.Errorf("it does not say /%s/: %s", w, text)
		}
	}
	for _, w := range c.SaysNot {
		if regexp.MustCompile("(?is)" + w).MatchString(text) {
			return fmt.Errorf("it says /%s/: %s", w, text)
		}
	}
	return nil
}

func (c check) fails(t *testing.T, dir string) error {
	tmp := t.TempDir()
	var args []string
	for _, a := range c.Command {
		args = append(args, strings.ReplaceAll(a, "{tmp}", tmp))
	}
	r := eegprune(t, dir, args...)
	if r.code == 0 {
		return fmt.Errorf("it goes through: %s", r.stdout)
	}
	return c.said(r.stderr)
}

func (c check) info(t *testing.T, dir string) error {
	args := append([]string{"data", "info", c.dir()}, c.Args...)
	r := eegprune(t, dir, args...)
	if r.code != c.Code {
		return fmt.Errorf("data info ended with %d: %s", r.code, r.stderr)
	}
	if err := c.said(r.stdout + r.stderr); err != nil || len(c.JSON) == 0 {
		return err
	}
	var got any
	if err := json.Unmarshal([]byte(eegprune(t, dir, append(args, "--json")...).stdout), &got); err != nil {
		return err
	}
	for path, want := range c.JSON {
		at := got
		for _, key := range strings.Split(path, ".") {
			switch x := at.(type) {
			case map[string]any:
				at = x[key]
			case []any:
				i, err := strconv.Atoi(key)
				if err != nil || i >= len(x) {
					return fmt.Errorf("--json has no %s", path)
				}
				at = x[i]
			}
		}
		if at != want {
			return fmt.Errorf("--json has %v at %s, right is %v", at, path, want)
		}
	}
	return nil
}

func (c check) dir() string {
	if c.Dir == "" {
		return "."
	}
	return c.Dir
}

func (c check) convert(t *testing.T, dir string) error {
	out := filepath.Join(t.TempDir(), "c")
	r := eegprune(t, dir, append([]string{"data", "convert", c.dir(), "--out", out}, c.Args...)...)
	if r.code != 0 {
		return fmt.Errorf("data convert failed: %s", r.stderr)
	}
	if err := c.said(r.stdout + r.stderr); err != nil {
		return err
	}
	names, err := filepath.Glob(filepath.Join(out, "*.npz"))
	if err != nil || len(names) != len(c.Parts) {
		return fmt.Errorf("it has %d recordings and %d are right (%v)", len(names), len(c.Parts), err)
	}
	slices.SortFunc(names, compareNames)
	for i, name := range names {
		if err := c.part(t, name, c.Parts[i]); err != nil {
			return fmt.Errorf("recording %d: %w", i+1, err)
		}
	}
	return nil
}

var nameNumber = regexp.MustCompile(`\d+`)

// compareNames orders names with their numbers by value.
func compareNames(a, b string) int {
	wide := func(s string) string {
		return nameNumber.ReplaceAllStringFunc(s, func(n string) string { return fmt.Sprintf("%020s", n) })
	}
	return strings.Compare(wide(a), wide(b))
}

func (c check) part(t *testing.T, path string, want converted) error {
	z := archiveOf(t, path)
	channels, rate, x := texts(t, z, "channels"), numbersOf(t, z, "rate")[0], array(t, z, "x")
	if len(c.Channels) > 0 && !slices.Equal(channels, c.Channels) || want.Channels > 0 && len(channels) != want.Channels {
		return fmt.Errorf("channels %q, right are %q (%d)", channels, c.Channels, want.Channels)
	}
	if c.Rate > 0 && math.Abs(rate-c.Rate) > 1e-6*c.Rate {
		return fmt.Errorf("%g Hz, right is %g", rate, c.Rate)
	}
	if len(x[0]) != want.Samples {
		return fmt.Errorf("%d samples, right are %d", len(x[0]), want.Samples)
	}
	for name, values := range want.First {
		i := slices.Index(channels, name)
		if i < 0 || !allNear(x[i][:len(values)], values, 1e-4, 1e-6) {
			return fmt.Errorf("%s (row %d) does not begin with %v", name, i, values)
		}
	}
	if want.Class != "" {
		if got := texts(t, z, "classes")[int(numbersOf(t, z, "y")[0])]; got != want.Class {
			return fmt.Errorf("class %s, right is %s", got, want.Class)
		}
	}
	return nil
}

func (c check) predict(t *testing.T, dir string) error {
	out := filepath.Join(t.TempDir(), "p.npz")
	r := eegprune(t, dir, append([]string{"predict", c.Model, c.Clips, "--out", out}, c.Args...)...)
	if r.code != 0 {
		return fmt.Errorf("predict failed: %s", r.stderr)
	}
	logits := array(t, archiveOf(t, out), "logits")
	want := slices.Repeat(c.Logits, max(1, c.ClipsInAll))
	if len(logits) != len(want) {
		return fmt.Errorf("logits of %d clips, right are %d", len(logits), len(want))
	}
	for i, row := range want {
		if !allNear(logits[i], row, c.Tolerance, 0) {
			return fmt.Errorf("logits %v of clip %d, right are %v", logits[i], i, row)
		}
	}
	return c.said(r.stdout + r.stderr)
}

func allNear(got, want []float64, tolerance, relative float64) bool {
	for i := range want {
		if math.Abs(got[i]-want[i]) > tolerance+relative*math.Abs(want[i]) {
			return false
		}
	}
	return len(got) == len(want)
}

func archiveOf(t *testing.T, path string) *npy.Archive {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := npy.OpenArchive(b)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func texts(t *testing.T, z *npy.Archive, name string) []string {
	t.Helper()
	list, err := z.Text(name)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func numbersOf(t *testing.T, z *npy.Archive, name string) []float64 {
	t.Helper()
	list, err := z.Numbers(name)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// array reads one of two axes.
func array(t *testing.T, z *npy.Archive, name string) [][]float64 {
	t.Helper()
	a, err := z.Array(name)
	if err != nil || len(a.Shape) != 2 {
		t.Fatal(name, err)
	}
	rows := make([][]float64, a.Shape[0])
	for i := range rows {
		rows[i] = make([]float64, a.Shape[1])
		if err := a.Line(rows[i], i); err != nil {
			t.Fatal(err)
		}
	}
	return rows
}
