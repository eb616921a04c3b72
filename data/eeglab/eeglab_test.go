package eeglab

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// expected holds MNE-Python's reading of the data sets of testdata.
type expected struct {
	Samples [][]float64
	Sets    map[string]struct {
		Channels        []string
		Rate            float64
		Epochs, Samples int
		Start           float64
		Events          []struct {
			Type              string
			Latency, Duration float64
		}
	}
}

func fromMNE(t testing.TB) (e expected) {
	t.Helper()
	b, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func open(t testing.TB, path string) *File {
	t.Helper()
	f, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// TestAsMNEReads: data sets in each of their file layouts are read as MNE-Python reads
// them.
func TestAsMNEReads(t *testing.T) {
	want := fromMNE(t)
	if len(want.Sets) < 12 {
		t.Fatalf("%d sets are expected", len(want.Sets))
	}
	for name, set := range want.Sets {
		t.Run(name, func(t *testing.T) {
			f := open(t, filepath.Join("testdata", name))
			if f.Rate != set.Rate || f.Epochs != set.Epochs || f.Samples != set.Samples || math.Abs(f.Start-set.Start) > 1e-9 {
				t.Errorf("%g Hz, %d epochs of %d samples from %g s on", f.Rate, f.Epochs, f.Samples, f.Start)
			}
			var names []string
			for _, c := range f.Channels {
				names = append(names, c.Label)
			}
			if d := cmp.Diff(set.Channels, names); d != "" {
				t.Error(d)
			}
			rows := []int{0, 1, 2}
			got := make([][]float64, len(rows))
			for i := range got {
				got[i] = make([]float64, f.Samples*f.Epochs)
			}
			if err := f.Read(t.Context(), got, rows, 0); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want.Samples, got); d != "" {
				t.Error(d)
			}
			if set.Events == nil { // of epochs MNE gives no list
				return
			}
			var events []Event
			for _, e := range set.Events {
				events = append(events, Event{e.Type, e.Latency, e.Duration, e.Type == "boundary"})
			}
			if d := cmp.Diff(events, f.Events, cmpopts.EquateApprox(0, 1e-9)); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestReadsParts: any channels from any sample on equal that part of the whole.
func TestReadsParts(t *testing.T) {
	whole := fromMNE(t).Samples
	for _, name := range []string{"v5_packed.set", "v73.set", "fdt.set", "dat.set", "epochs73.set"} {
		f := open(t, filepath.Join("testdata", name))
		rapid.Check(t, func(t *rapid.T) {
			rows := rapid.SliceOfN(rapid.IntRange(0, 2), 1, 5).Draw(t, "rows")
			first := rapid.IntRange(0, len(whole[0])).Draw(t, "first")
			n := rapid.IntRange(0, len(whole[0])-first).Draw(t, "samples")
			got, want := make([][]float64, len(rows)), make([][]float64, len(rows))
			for k, r := range rows {
				got[k], want[k] = make([]float64, n), whole[r][first:first+n]
			}
			if err := f.Read(context.Background(), got, rows, first); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
				t.Fatalf("%s: %s", name, d)
			}
		})
	}
}

// TestRenamed: samples that were renamed with the .set are found, with a note.
func TestRenamed(t *testing.T) {
	f := open(t, "testdata/renamed.set")
	if len(f.Notes) != 1 || !strings.Contains(f.Notes[0].What, "renamed.fdt") || !strings.Contains(f.Notes[0].What, "first name.fdt") {
		t.Errorf("notes %v", f.Notes)
	}
	if d := cmp.Diff([]string{"testdata/renamed.fdt"}, Parts("testdata/renamed.set")); d != "" {
		t.Error(d)
	}
	if parts := Parts("testdata/v5.set"); parts != nil {
		t.Errorf("a data set in one file has the parts %v", parts)
	}
}

func TestPlaces(t *testing.T) {
	channels, err := Places(t.Context(), "testdata/v73.set")
	if err != nil {
		t.Fatal(err)
	}
	nan := math.NaN()
	want := []Channel{{"Fp1", "EEG", 80.8, 26.1, -4, nan, nan}, {"C3", "EEG", 3.2, 59.1, 61.1, nan, nan}, {"HEOG", "EOG", nan, nan, nan, nan, nan}}
	if d := cmp.Diff(want, channels, cmpopts.EquateNaNs()); d != "" {
		t.Error(d)
	}
}

func TestRefuses(t *testing.T) {
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	samples := read("fdt.fdt")
	for name, c := range map[string]struct {
		set, fdt []byte
		want     string
	}{
		"cut samples":    {read("fdt.set"), samples[:700], "fdt.fdt.*700 bytes.*720.*truncated"},
		"other samples":  {read("fdt.set"), append(samples, 0), "721 bytes.*720"},
		"no samples":     {read("fdt.set"), nil, "fdt.fdt, which isn't there: put"},
		"a pointer":      {read("fdt.set"), []byte("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"), "fdt.fdt, which is a pointer of Git LFS.*git lfs pull"},
		"cut":            {read("v5.set")[:2000], nil, "truncated"},
		"exchanged":      {read("exchanged.set"), nil, "60000 channels of 1 samples.*exchanged"},
		"a list":         {read("list.set"), nil, "list of data sets"},
		"several":        {read("several.set"), nil, "1 x 2 of class struct"},
		"no rate":        {read("no_rate.set"), nil, "EEG.srate"},
		"other channels": {read("other_channels.set"), nil, "samples of 3 channels and lists 2"},
		"no data set":    {read("../../mat/testdata/v4.mat"), nil, "no data set of EEGLAB"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "fdt.set")
		if err := os.WriteFile(path, c.set, 0o644); err != nil {
			t.Fatal(err)
		}
		if c.fdt != nil {
			if err := os.WriteFile(filepath.Join(dir, "fdt.fdt"), c.fdt, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		_, err := Open(t.Context(), path)
		if err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.want)
		}
	}
	f := open(t, "testdata/v5.set")
	for _, c := range []struct {
		rows  []int
		n     int
		first int
	}{{[]int{3}, 1, 0}, {[]int{-1}, 1, 0}, {[]int{0}, 61, 0}, {[]int{0}, 1, 60}, {[]int{0}, 1, -1}} {
		if err := f.Read(t.Context(), [][]float64{make([]float64, c.n)}, c.rows, c.first); err == nil {
			t.Errorf("%v is read", c)
		}
	}
}
