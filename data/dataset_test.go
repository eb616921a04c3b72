package data

import (
	"compress/gzip"
	"encoding/binary"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sbinet/npyio/npz"

	"github.com/eegprune/eegprune/data/filetest"
	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/data/transform"
	"github.com/eegprune/eegprune/internal/note"
)

// deapDir makes a directory in DEAP's format of testdata's one subject (made
// up, 6 trials of 40 x 1024, as Python 2 pickled it).
func deapDir(t *testing.T) string {
	t.Helper()
	f, err := os.Open("testdata/s01.dat.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return filetest.Put(t, map[string][]byte{"s01.dat": b})
}

// TestDEAPMeetsTorcheeg: clips, labels, origins and features of torcheeg's
// DEAPDataset on the same file (deap_expected.npz).
func TestDEAPMeetsTorcheeg(t *testing.T) {
	s, err := source.Open(deapDir(t), "")
	if err != nil {
		t.Fatal(err)
	}
	o := GridOptions()
	o.Transforms = append(o.Transforms, &transform.BaselineRemoval{})
	set, err := Features(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	want, err := npz.Open("testdata/deap_expected.npz")
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	var x []float32
	read := func(name string, into any) {
		t.Helper()
		if err := want.Read(name+".npy", into); err != nil {
			t.Fatal(name, err)
		}
	}
	read("x", &x)
	var y, subject, trial, start, end []int64
	read("y", &y)
	read("subject", &subject)
	read("trial", &trial)
	read("start", &start)
	read("end", &end)
	if set.Len() != 30 {
		t.Fatalf("%d clips, want 30", set.Len())
	}
	// torcheeg took the three files of the directory in no order.
	first := slices.Index(subject, 1)
	subject, trial, start, end, y = subject[first:], trial[first:], start[first:], end[first:], y[first:]
	x = x[first*set.clipSize():]
	for i, c := range set.Clips {
		if c.Subject != "01" || subject[i] != 1 || int64(c.Trial) != trial[i]+1 || int64(c.Start) != start[i] || int64(c.End) != end[i] || set.Y[i] != y[i] {
			t.Fatalf("clip %d is %+v with label %d; torcheeg has trial %d, %d to %d, label %d", i, c, set.Y[i], trial[i], start[i], end[i], y[i])
		}
	}
	for i, v := range set.X {
		if d := math.Abs(float64(v - x[i])); !(d <= 1e-6*max(1, math.Abs(float64(x[i])))) {
			t.Fatalf("value %d is %g, torcheeg's %g", i, v, x[i])
		}
	}
}

func TestDEAPQuadrants(t *testing.T) {
	s, err := source.Open(deapDir(t), "")
	if err != nil {
		t.Fatal(err)
	}
	o := GridOptions()
	o.Label = label.Pipeline{&label.Select{Keys: []string{"valence", "arousal"}}, &label.Binary{Threshold: 5}, &label.BinariesToCategory{}}
	set, err := Features(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Classes) != 4 || set.Classes[1] != "valence < 5, arousal >= 5" {
		t.Errorf("classes %q", set.Classes)
	}
}

func TestDEAPRefuses(t *testing.T) {
	good, err := os.ReadFile(filepath.Join(deapDir(t), "s01.dat"))
	if err != nil {
		t.Fatal(err)
	}
	rating := func(v float64) []byte { // puts a rating in place of the first
		b := append([]byte(nil), good...)
		i := strings.Index(string(b), "T\xc0\x00\x00\x00") + 5 // 6 x 4 float64
		binary.LittleEndian.PutUint64(b[i:], math.Float64bits(v))
		return b
	}
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"hostile":        {[]byte("cos\nsystem\n(S'true'\ntR."), "os.system"},
		"no dict":        {[]byte("K\x01."), "no dict"},
		"no data":        {[]byte("}."), `no array "data"`},
		"no array":       {[]byte("}(U\x04dataK\x01U\x06labelsK\x01u."), `"data" is no array`},
		"rating of 12":   {rating(12), "from 1 to 9"},
		"rating NaN":     {rating(math.NaN()), "from 1 to 9"},
		"trials missing": {[]byte(strings.Replace(string(good), "M\x06\x00M\x28\x00M\x00\x04", "M\x05\x00M\x28\x00M\x00\x04", 1)), "damaged"},
	} {
		if _, err := features(t.Context(), filetest.Put(t, map[string][]byte{"s01.dat": c.b})); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "s01.dat") {
			t.Errorf("%s: error %v, want one that names the file and says %q", name, err, c.want)
		}
	}
	for i := range 16 {
		if _, err := features(t.Context(), filetest.Put(t, map[string][]byte{"s01.dat": good[:len(good)*i/16]})); err == nil || !strings.Contains(err.Error(), "s01.dat") {
			t.Errorf("cut at %d/16: error %v", i, err)
		}
	}
}

// TestSEEDReadsTrialsAndLabels: testdata/seed has three trials of 62 x 220
// whose element r,i of trial t is (7 r + 3 i^2 + 11 t) mod 53 - 26, and the
// labels 1, 0, -1.
func TestSEEDReadsTrialsAndLabels(t *testing.T) {
	s, err := source.Open("testdata/seed", "")
	if err != nil {
		t.Fatal(err)
	}
	list := recordingsOf(t, s)
	if len(list) != 3 {
		t.Fatalf("%d trials", len(list))
	}
	for k, r := range list {
		if r.Subject != "3" || r.Session != "20140101" || r.Trial != k+1 || r.Labels["emotion"] != float64(1-k) || r.Rate != 200 || len(r.Channels) != 62 {
			t.Errorf("trial %d: %s, %s, %d, %v", k+1, r.Subject, r.Session, r.Trial, r.Labels)
		}
		for row, x := range r.Samples {
			for i, v := range x {
				if want := float64((row*7+i*i*3+(k+1)*11)%53 - 26); v != want {
					t.Fatalf("trial %d, row %d, sample %d is %g, want %g", k+1, row, i, v, want)
				}
			}
		}
	}
	set, err := Features(t.Context(), s, GridOptions())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(set.Classes, " ") != "negative neutral positive" || !slices.Equal(set.Y, []int64{2, 1, 0}) {
		t.Errorf("classes %q, labels %v", set.Classes, set.Y)
	}
}

func TestSEEDRefuses(t *testing.T) {
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("testdata/seed", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	trials, labels := read("3_20140101.mat"), read("label.mat")
	for name, c := range map[string]struct {
		files map[string][]byte
		want  string
	}{
		"no labels":     {map[string][]byte{"3_20140101.mat": trials}, "label.mat"},
		"other labels":  {map[string][]byte{"3_20140101.mat": trials, "label.mat": trials}, "no matrix label"},
		"no trials":     {map[string][]byte{"3_20140101.mat": labels, "label.mat": labels}, "trial 1 of 3 is missing"},
		"truncated":     {map[string][]byte{"3_20140101.mat": trials[:len(trials)/2], "label.mat": labels}, "truncated"},
		"trial cut off": {map[string][]byte{"3_20140101.mat": trials[:128], "label.mat": labels}, "is missing"},
	} {
		if _, err := features(t.Context(), filetest.Put(t, c.files)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that says %q", name, err, c.want)
		}
	}
}

const byArray = `format: npy
files: '^p(?<subject>\d+)\.npz$'
label:
  array: y
  classes: {"0": calm, "1": tense}
signal: {rate: 8, electrodes: [Fp1, T3, Cz], array: x, baseline: 0.125}
`

// TestNPZTrialsAndLabels: the array 1.5 i - 7 of shape [2, 3, 4], labels 0, 1,
// one sample of baseline.
func TestNPZTrialsAndLabels(t *testing.T) {
	b, err := os.ReadFile("npy/testdata/compressed.npz")
	if err != nil {
		t.Fatal(err)
	}
	s, err := source.Open(filetest.Put(t, map[string][]byte{source.ManifestName: []byte(byArray), "p7.npz": b}), "")
	if err != nil {
		t.Fatal(err)
	}
	list := recordingsOf(t, s)
	if len(list) != 2 {
		t.Fatalf("%d trials", len(list))
	}
	for k, r := range list {
		if r.Subject != "7" || r.Trial != k+1 || r.Labels["label"] != float64(k) || r.Offset != 1 || strings.Join(r.Channels, " ") != "Fp1 T7 Cz" {
			t.Errorf("trial %d is %+v", k+1, r)
		}
		for c := range 3 {
			for i := range 4 {
				got := r.Baseline[c][0]
				if i > 0 {
					got = r.Samples[c][i-1]
				}
				if want := 1.5*float64(k*12+c*4+i) - 7; got != want {
					t.Errorf("trial %d channel %d sample %d is %g, want %g", k+1, c, i, got, want)
				}
			}
		}
	}
}

func TestNPYRefuses(t *testing.T) {
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("npy/testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := read("compressed.npz")
	for name, c := range map[string]struct {
		manifest string
		b        []byte
		want     string
	}{
		"no such array":   {strings.Replace(byArray, "array: x", "array: z", 1), good, `no array "z"`},
		"array not named": {strings.Replace(byArray, "array: x, ", "", 1), good, "signal.array"},
		"electrodes":      {strings.Replace(byArray, "[Fp1, T3, Cz]", "[Fp1, T3]", 1), good, "3 channels and 2 electrodes are named"},
		"no rate":         {strings.Replace(byArray, "rate: 8, ", "", 1), good, "signal.rate"},
		"long baseline":   {strings.Replace(byArray, "0.125", "2", 1), good, "no more than the baseline"},
		"labels as data":  {strings.Replace(byArray, "array: x", "array: y", 1), good, "must be [channels, samples]"},
		"data as labels":  {strings.Replace(byArray, "array: y", "array: x", 1), good, "must have one axis"},
		"truncated":       {byArray, good[:len(good)/2], "truncated"},
	} {
		if _, err := features(t.Context(), filetest.Put(t, map[string][]byte{source.ManifestName: []byte(c.manifest), "p7.npz": c.b})); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "p7.npz") {
			t.Errorf("%s: error %v, want one that names the file and says %q", name, err, c.want)
		}
	}
}

// recordingsOf are the recordings of a source.
func recordingsOf(t *testing.T, s *source.Source) []*source.Recording {
	t.Helper()
	var list []*source.Recording
	if err := s.Each(t.Context(), source.Walk{Notes: &note.List{}}, func(r *source.Recording) error {
		list = append(list, r)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return list
}
