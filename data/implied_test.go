package data

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/data/edf"
	"github.com/eegprune/eegprune/data/filetest"
	"github.com/eegprune/eegprune/data/npy"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/data/transform"
)

func annotatedEDF(t *testing.T) []byte {
	f := filetest.Plain()
	f.Seconds = 8
	f.Annotations = []edf.Annotation{{Onset: 0, Duration: 2, Text: "T0"}, {Onset: 3, Duration: 2, Text: "it's, {odd}"}, {Onset: 6, Duration: 2, Text: "T0"}}
	return f.Bytes(t)
}

// TestFilesWithoutManifest: they are looked at and converted, and the error for features
// gives an example that is a manifest.
func TestFilesWithoutManifest(t *testing.T) {
	plainEDF, npyFile := filetest.Plain().Bytes(t), mustRead(t, "npy/testdata/f8.npy")
	other := slices.Clone(plainEDF)
	header, err := strconv.Atoi(strings.TrimSpace(string(plainEDF[184:192])))
	if err != nil {
		t.Fatal(err)
	}
	other[header] ^= 1 // in the first sample
	for name, c := range map[string]struct {
		format   string // that is asked for
		files    map[string][]byte
		subjects []string
		session  string
		note     string
	}{
		"EDF":             {"", map[string][]byte{"b/rest.edf": plainEDF, "a/rest.EDF": other, "readme.txt": nil}, []string{"a/rest", "b/rest"}, "", "a subject of its own"},
		"EDF by name":     {"edf", map[string][]byte{"Subject00_1.edf": plainEDF, "Subject00_2.edf": other}, []string{"Subject00_1", "Subject00_2"}, "", "a subject of its own"},
		"BIDS":            {"", map[string][]byte{"sub-01/ses-2/eeg/sub-01_ses-2_task-rest_eeg.edf": plainEDF, "sub-02/ses-2/eeg/sub-02_ses-2_task-rest_eeg.edf": other}, []string{"01", "02"}, "2", "sub-"},
		"annotations":     {"", map[string][]byte{"s1.edf": annotatedEDF(t)}, []string{"s1"}, "", `annotations: "T0" 2 times, "it's, {odd}"`},
		"more of another": {"", map[string][]byte{"a.edf": plainEDF, "b.edf": other, "c.npy": npyFile}, []string{"a", "b"}, "", "c.npy"},
		"numbers":         {"", map[string][]byte{"a.npy": npyFile}, []string{"a"}, "", "no label"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filetest.Put(t, c.files)
			s, err := source.Open(dir, c.format)
			if err != nil {
				t.Fatal(err)
			}
			sum := looked(t, s)
			var subjects []string
			for _, x := range sum.Subjects {
				subjects = append(subjects, x.Subject)
				if c.session != "" && !slices.Equal(x.Sessions, []string{c.session}) {
					t.Errorf("sessions %q", x.Sessions)
				}
			}
			if d := cmp.Diff(c.subjects, subjects); d != "" {
				t.Error(d)
			}
			if len(sum.Bad) > 0 || len(sum.Classes) > 0 || !strings.Contains(strings.Join(sum.Notes.Sentences(), "\n"), c.note) {
				t.Errorf("bad %q, classes %q, notes %q", sum.Bad, sum.Classes, sum.Notes)
			}
			_, err = Features(t.Context(), s, GridOptions())
			if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), filepath.Join(dir, source.ManifestName)) {
				t.Fatalf("features without labels: %v", err)
			}
			if _, _, cached := (Cache{t.TempDir()}).Features(t.Context(), s, GridOptions()); cached == nil || cached.Error() != err.Error() {
				t.Errorf("from the cache: %v", cached)
			}
			_, example, _ := strings.Cut(err.Error(), "such as ")
			if _, err := source.ParseManifest([]byte(example), "example"); err != nil {
				t.Error(err)
			}
			out := filepath.Join(t.TempDir(), "out")
			if _, err := Convert(t.Context(), s, out, Options{}); name == "numbers" {
				if err == nil || !strings.Contains(err.Error(), "signal.rate") && !strings.Contains(err.Error(), "rate") {
					t.Errorf("converting without a rate: %v", err)
				}
				return
			} else if err != nil {
				t.Fatal(err)
			}
			converted, err := source.Open(out, "")
			if err != nil {
				t.Fatal(err)
			}
			if got := looked(t, converted); len(got.Bad) > 0 || len(got.Subjects) != len(sum.Subjects) || got.Subjects[0].Seconds != sum.Subjects[0].Seconds {
				t.Errorf("converted: %+v, was %+v", got, sum)
			}
			if _, err := Features(t.Context(), converted, GridOptions()); err == nil || !strings.Contains(err.Error(), "label: {") {
				t.Errorf("features of what was converted: %v", err)
			}
		})
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestExampleOfAnnotationsWorks: the manifest in the message makes features of the
// very recordings that it is about.
func TestExampleOfAnnotationsWorks(t *testing.T) {
	for _, name := range []string{"a_1.edf", "sub-7_run-1_eeg.edf"} {
		dir := filetest.Put(t, map[string][]byte{name: annotatedEDF(t)})
		_, err := features(t.Context(), dir)
		if err == nil {
			t.Fatal("no error")
		}
		_, example, _ := strings.Cut(err.Error(), "such as ")
		if err := os.WriteFile(filepath.Join(dir, source.ManifestName), []byte(example), 0o644); err != nil {
			t.Fatal(err)
		}
		set, err := features(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(set.Classes, []string{"T0", "it's, {odd}"}) || set.Len() != 6 || strings.HasPrefix(name, "sub-") != (set.Clips[0].Subject == "7") {
			t.Errorf("%s: classes %q, %d clips of subject %s", name, set.Classes, set.Len(), set.Clips[0].Subject)
		}
	}
}

// TestArchivesThatDescribeThemselves: the arrays in a file replace the manifest.
func TestArchivesThatDescribeThemselves(t *testing.T) {
	trials := func(which ...int) npy.Named {
		var x []float64
		for _, trial := range which {
			for _, row := range filetest.SmallTrial(trial, 2, 16) {
				x = append(x, row...)
			}
		}
		return npy.Named{Name: "x", Shape: []int{len(which), 2, 16}, Values: x}
	}
	rate, channels := npy.Named{Name: "rate", Values: []float64{8}}, npy.Named{Name: "channels", Values: []string{"Fp1", "T3"}}
	y := npy.Named{Name: "y", Values: []int64{-1, 1, 1}}
	subject, trial := npy.Named{Name: "subject", Values: []int64{3, 3, 12}}, npy.Named{Name: "trial", Values: []int64{5, 6, 5}}
	dir := filetest.Put(t, map[string][]byte{
		"a.npz": filetest.Archive(t, trials(0, 1, 2), rate, channels, y, subject, trial),
		"b.npz": filetest.Archive(t, trials(3), rate, channels, npy.Named{Name: "y", Values: []int64{-1}}, npy.Named{Name: "subject", Values: []string{"3"}},
			npy.Named{Name: "trial", Values: []int64{7}}, npy.Named{Name: "session", Values: []string{"late"}}),
	})
	s, err := source.Open(dir, "npy")
	if err != nil {
		t.Fatal(err)
	}
	set, err := Features(t.Context(), s, lowBand())
	if err != nil {
		t.Fatal(err)
	}
	type seen struct {
		Subject, Session string
		Trial            int
		Class            string
	}
	var got []seen
	for i, c := range set.Clips {
		if x := (seen{c.Subject, c.Session, c.Trial, set.Classes[set.Y[i]]}); len(got) == 0 || got[len(got)-1] != x {
			got = append(got, x)
		}
	}
	if d := cmp.Diff([]seen{{"3", "", 5, "-1"}, {"3", "", 6, "1"}, {"12", "", 5, "1"}, {"3", "late", 7, "-1"}}, got); d != "" {
		t.Error(d)
	}
	if !slices.Equal(set.Channels, []string{"Fp1", "T7"}) || set.Rate != 8 || set.Len() != 16 {
		t.Errorf("channels %q at %g, %d clips", set.Channels, set.Rate, set.Len())
	}
}

// TestWrittenFilesDescribeThemselves: the files of Convert and SaveNPZ are read without a
// manifest, with the labels, subjects and trials that they had.
func TestWrittenFilesDescribeThemselves(t *testing.T) {
	s, err := source.Open(deapDir(t), "")
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	if _, err := Convert(t.Context(), s, out, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(out, source.ManifestName)); err != nil {
		t.Fatal(err)
	}
	o := SignalOptions()
	o.Seconds = 1
	want, err := Features(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	signals := t.TempDir()
	if err := want.SaveNPZ(filepath.Join(signals, "x.npz")); err != nil {
		t.Fatal(err)
	}
	o.Transforms = append(transform.Pipeline{&transform.BaselineRemoval{}}, o.Transforms...)
	for _, dir := range []string{out, signals} {
		again, err := source.Open(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		if again.HasBaseline() != (dir == out) {
			t.Errorf("HasBaseline says %v", again.HasBaseline())
		}
		p := SignalOptions()
		p.Seconds = 1
		got, err := Features(t.Context(), again, p)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(want.Y, got.Y) || !slices.Equal(want.Classes, got.Classes) || !slices.Equal(want.Channels, got.Channels) || len(want.X) != len(got.X) {
			t.Fatalf("labels, classes or channels differ: %q, %q", want.Classes, got.Classes)
		}
		for i := range want.Clips {
			if a, b := want.Clips[i], got.Clips[i]; a.Subject != b.Subject || a.Session != b.Session || a.Trial != b.Trial {
				t.Fatalf("clip %d is of %+v, was of %+v", i, b, a)
			}
		}
	}
	again, err := source.Open(out, "")
	if err != nil {
		t.Fatal(err)
	}
	a, errA := Features(t.Context(), s, o)
	b, errB := Features(t.Context(), again, o)
	if errA != nil || errB != nil || !slices.Equal(a.X, b.X) {
		t.Errorf("with the baseline taken off: %v, %v, or other values", errA, errB)
	}
}

// looked is the summary of Inspect.
func looked(t *testing.T, s *source.Source) *source.Summary {
	t.Helper()
	sum, err := source.Inspect(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}
