package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sbinet/npyio/npz"

	"github.com/eegprune/eegprune/data/source"
)

// simulated makes recordings in a format, two subjects in two classes or three, and
// keeps features out of the user's cache.
func simulated(t *testing.T, format string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	must(t, dir, "data", "simulate", "--out", "recordings", "--format", format, "--subjects", "2", "--trials", "6", "--seconds", "3")
	return dir
}

func info(t *testing.T, dir string, args ...string) source.Summary {
	t.Helper()
	var s source.Summary
	if err := json.Unmarshal([]byte(must(t, dir, append([]string{"data", "info", "--json"}, args...)...).stdout), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDataInfoShowsWhatWasSimulated(t *testing.T) {
	for _, c := range []struct {
		format   string
		channels int
		rate     float64
		classes  int
	}{{"edf", 32, 128, 2}, {"deap", 32, 128, 2}, {"seed", 62, 200, 3}} {
		dir := simulated(t, c.format)
		s := info(t, dir, "recordings")
		if len(s.Caps) != 1 || len(s.Caps[0].Channels) != c.channels || s.Caps[0].Rate != c.rate || s.Caps[0].Recordings != 12 {
			t.Errorf("%s: channels %+v, want %d at %g Hz in 12 recordings", c.format, s.Caps, c.channels, c.rate)
		}
		if len(s.Subjects) != 2 || len(s.Classes) != c.classes || len(s.Bad)+len(s.Faults) > 0 {
			t.Fatalf("%s: %+v", c.format, s)
		}
		for _, x := range s.Subjects {
			each := slices.Repeat([]int{6 / c.classes}, c.classes)
			if x.Trials != 6 || x.Seconds != 18 || !slices.Equal(x.Classes, each) {
				t.Errorf("%s: subject %+v, want 6 trials of 3 s, %v of the classes", c.format, x, each)
			}
		}
		text := must(t, dir, "data", "info", "recordings").stdout
		for _, word := range append(s.Classes, s.Caps[0].Channels[0], fmt.Sprintf("%g Hz", c.rate), "36.0", "all") {
			if !strings.Contains(text, word) {
				t.Errorf("%s: the table does not say %q:\n%s", c.format, word, text)
			}
		}
	}
}

func TestDataConvertKeepsEverything(t *testing.T) {
	for _, format := range []string{"edf", "deap", "seed"} {
		dir := simulated(t, format)
		must(t, dir, "data", "convert", "recordings", "--out", "made/converted")
		before, after := info(t, dir, "recordings"), info(t, dir, "made/converted")
		before.Format, after.Format = "", ""
		before.Labels, before.Rule = nil, "" // a converted recording has the class that was chosen
		if d := cmp.Diff(before, after); d != "" {
			t.Errorf("%s (-before +after):\n%s", format, d)
		}
		remove := []string{}
		if format == "deap" {
			remove = append(remove, "--remove-baseline")
		}
		a, b := featuresOf(t, dir, append(remove, "recordings")...), featuresOf(t, dir, append(remove, "made/converted")...)
		if format != "deap" { // there a clip's place is that in the file, not in the trial
			a.Start, a.End, b.Start, b.End = nil, nil, nil, nil
		}
		if d := cmp.Diff(a, b); d != "" {
			t.Errorf("%s: features differ (-before +after):\n%s", format, d)
		}
		r := eegprune(t, dir, "data", "convert", "recordings", "--out", "made/converted")
		if r.code != 1 {
			t.Errorf("converting into a directory with files: exit code %d, want 1", r.code)
		}
		oneSentence(t, r, "made/converted")
	}
}

// arrays are features as Python reads them.
type arrays struct {
	X                    []float32
	Y, Trial, Start, End []int64
	Shape                []int
}

func featuresOf(t *testing.T, dir string, args ...string) arrays {
	t.Helper()
	must(t, dir, append([]string{"data", "features", "--out", "features.npz"}, args...)...)
	r, err := npz.Open(filepath.Join(dir, "features.npz"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var a arrays
	for name, v := range map[string]any{"x.npy": &a.X, "y.npy": &a.Y, "trial.npy": &a.Trial, "start.npy": &a.Start, "end.npy": &a.End} {
		if err := r.Read(name, v); err != nil {
			t.Fatal(name, err)
		}
	}
	a.Shape = r.Header("x.npy").Descr.Shape
	for _, name := range []string{"subject.npy", "classes.npy"} {
		if r.Header(name) == nil {
			t.Errorf("there is no %s", name)
		}
	}
	return a
}

func TestDataFeaturesForPython(t *testing.T) {
	dir := simulated(t, "deap")
	a := featuresOf(t, dir, "recordings")
	if !slices.Equal(a.Shape, []int{36, 4, 9, 9}) || len(a.X) != 36*4*81 {
		t.Errorf("x is %v with %d values, want [36 4 9 9]", a.Shape, len(a.X))
	}
	for i := range a.Y {
		start := int64(384 + 128*(i%3)) // after 3 s of baseline
		if a.Start[i] != start || a.End[i] != start+128 || a.Trial[i] != int64(i/3%6+1) {
			t.Errorf("clip %d is samples %d to %d of trial %d", i, a.Start[i], a.End[i], a.Trial[i])
		}
	}
	for _, c := range []struct {
		args  []string
		shape []int
	}{
		{[]string{"--model", "tsception", "--clip", "1.5"}, []int{24, 1, 32, 192}},
		{[]string{"--bands", "alpha=8-14"}, []int{36, 1, 9, 9}},
		{[]string{"--overlap", "0.5"}, []int{60, 4, 9, 9}},
	} {
		if got := featuresOf(t, dir, append(c.args, "--data", "recordings")...); !slices.Equal(got.Shape, c.shape) {
			t.Errorf("%v gives %v, want %v", c.args, got.Shape, c.shape)
		}
	}
	// These flags keep the shape and change the numbers.
	for _, flags := range [][]string{{"--remove-baseline"}, {"--filter", "ba"}, {"--standardize", "subject"}} {
		b := featuresOf(t, dir, append(flags, "recordings")...)
		if !slices.Equal(b.Shape, a.Shape) || slices.Equal(b.X, a.X) {
			t.Errorf("%v gives %v, and the same numbers: %v", flags, b.Shape, slices.Equal(b.X, a.X))
		}
	}
}

func TestDataFeaturesAreCached(t *testing.T) {
	dir := simulated(t, "edf")
	report := func() (r struct {
		Cached bool
		Clips  int
		Cache  string
	}) {
		t.Helper()
		if err := json.Unmarshal([]byte(must(t, dir, "data", "features", "--json", "recordings").stdout), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	first := report()
	if first.Cached || first.Clips != 36 || first.Cache != filepath.Join(dir, "cache", "eegprune") {
		t.Errorf("at first: %+v", first)
	}
	if again := report(); !again.Cached || again.Clips != 36 {
		t.Errorf("again: %+v", again)
	}
	sets, err := filepath.Glob(filepath.Join(first.Cache, "*.set"))
	if err != nil || len(sets) != 1 {
		t.Fatalf("sets %v, %v", sets, err)
	}
	edit(t, sets[0], func(b []byte) []byte { b[len(b)/2]++; return b })
	if damaged := report(); damaged.Cached || damaged.Clips != 36 {
		t.Errorf("a damaged file was used: %+v", damaged)
	}
	if mended := report(); !mended.Cached {
		t.Errorf("a damaged file was not made anew: %+v", mended)
	}
}

func TestDataMontages(t *testing.T) {
	dir := t.TempDir()
	var list []struct {
		Name       string
		Electrodes []string
	}
	if err := json.Unmarshal([]byte(must(t, dir, "data", "montage", "--json").stdout), &list); err != nil || len(list) < 4 {
		t.Fatalf("%d montages, %v", len(list), err)
	}
	all := must(t, dir, "data", "montage").stdout
	for _, m := range list {
		drawn := strings.Fields(must(t, dir, "data", "montage", m.Name).stdout)
		for _, e := range m.Electrodes {
			if !slices.Contains(drawn, e) {
				t.Errorf("%s is drawn without %s", m.Name, e)
			}
		}
		if !strings.Contains(all, m.Name) {
			t.Errorf("%s is not in the list", m.Name)
		}
	}
	// The nose is at the top and the left ear on the left.
	picture := must(t, dir, "data", "montage", "10-20").stdout
	if !(strings.Index(picture, "Fp1") < strings.Index(picture, "T7") && strings.Index(picture, "T7") < strings.Index(picture, "T8") && strings.Index(picture, "T8") < strings.Index(picture, "O1")) {
		t.Errorf("the head is turned:\n%s", picture)
	}
}

func TestDataUsageErrors(t *testing.T) {
	dir := simulated(t, "edf")
	for _, c := range []struct {
		args  []string
		words []string
	}{
		{[]string{"frobnicate"}, []string{"frobnicate"}},
		{[]string{"info"}, []string{"arg"}},
		{[]string{"info", "recordings", "--format", "xls"}, []string{"--format", "xls", "deap", "seed"}},
		{[]string{"info", "recordings", "--format", "deap", "--manifest", "x.yaml"}, []string{"--format", "--manifest"}},
		{[]string{"features"}, []string{"--data"}},
		{[]string{"features", "recordings", "--data", "others"}, []string{"recordings", "others"}},
		{[]string{"features", "recordings", "--filter", "fir"}, []string{"--filter", "fir", "sos"}},
		{[]string{"features", "recordings", "--bands", "alpha"}, []string{"--bands", "alpha"}},
		{[]string{"features", "recordings", "--model", "resnet"}, []string{"resnet", "fbccnn"}},
		{[]string{"features", "recordings", "--remove-baseline"}, []string{"--remove-baseline", "recordings"}},
		{[]string{"convert", "recordings"}, []string{"out"}},
		{[]string{"montage", "9-19"}, []string{"9-19", "10-20"}},
		{[]string{"fetch", "everything", "--out", "x"}, []string{"everything", "eegmat"}},
		{[]string{"simulate", "--out", "x", "--format", "xls"}, []string{"--format", "xls", "seed"}},
		{[]string{"bench", "recordings", "--batch", "0"}, []string{"--batch"}},
	} {
		r := eegprune(t, dir, append([]string{"data"}, c.args...)...)
		if r.code != 2 || r.stdout != "" {
			t.Errorf("eegprune data %s: exit code %d, want 2; says %q %q", strings.Join(c.args, " "), r.code, r.stdout, r.stderr)
		}
		oneSentence(t, r, c.words...)
	}
	if _, err := os.Stat(filepath.Join(dir, "x")); err == nil {
		t.Error("a call that was refused left something behind")
	}
}

func TestDataNeedsNoLibtorch(t *testing.T) {
	dir := simulated(t, "seed")
	t.Setenv("EEGPRUNE_SHIM", filepath.Join(dir, "nowhere.so"))
	for _, args := range [][]string{{"info", "recordings"}, {"features", "recordings"}, {"convert", "recordings", "--out", "converted"}, {"montage"}} {
		if r := must(t, dir, append([]string{"data", "--quiet"}, args...)...); r.stderr != "" || r.stdout == "" {
			t.Errorf("data %v says %q, and on standard error %q", args, r.stdout, r.stderr)
		}
	}
}
