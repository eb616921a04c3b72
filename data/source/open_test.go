package source

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/data/edf"
	"github.com/eegprune/eegprune/data/filetest"
	"github.com/eegprune/eegprune/internal/magic"
	"github.com/eegprune/eegprune/internal/note"
)

func collect(t *testing.T, s *Source) []*Recording {
	t.Helper()
	var list []*Recording
	for r, err := range s.recordings(t.Context(), 1, nil) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

func TestOpenReadsLabelsFromFileNames(t *testing.T) {
	b := filetest.Plain().Bytes(t)
	dir := filetest.Put(t, map[string][]byte{ManifestName: []byte(filetest.ByName), "s10_1_glad.edf": b, "s2_2_bad.edf": b, "s2_1_glad.edf": b, "s2_3_angry.edf": b, "readme.txt": nil})
	s, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	type seen struct {
		Subject string
		Trial   int
		Class   string
	}
	var got []seen
	for _, r := range collect(t, s) {
		got = append(got, seen{r.Subject, r.Trial, s.Classes[int(r.Labels["label"])]})
		if d := cmp.Diff([]string{"Fp1", "T7", "Cz"}, r.Channels); d != "" || r.Rate != 128 || r.Len() != 3*128 {
			t.Errorf("%s: channels %v, %d samples at %g", r.File, r.Channels, r.Len(), r.Rate)
		}
		if math.Abs(r.Samples[1][100]-filetest.Wave(1, 100)) > 0.1 {
			t.Errorf("T7 sample 100 is %g, want %g", r.Samples[1][100], filetest.Wave(1, 100))
		}
	}
	if d := cmp.Diff([]seen{{"2", 1, "positive"}, {"2", 2, "negative"}, {"10", 1, "positive"}}, got); d != "" {
		t.Error(d)
	}
	all := strings.Join(s.Notes.Sentences(), "\n")
	for _, want := range []string{"readme.txt", "s2_3_angry.edf", `"negative" has no file for subject 10`} {
		if !strings.Contains(all, want) {
			t.Errorf("notes don't speak of %s:\n%s", want, all)
		}
	}
}

func TestOpenReadsLabelsFromAnnotations(t *testing.T) {
	f := filetest.Plain()
	f.Seconds = 10
	f.Annotations = []edf.Annotation{{Onset: 0, Duration: 1, Text: "T0"}, {Onset: 1, Duration: 2, Text: "T1"}, {Onset: 4.5, Duration: 1, Text: "T2"}, {Onset: 9.5, Duration: 3, Text: "T1"}}
	dir := filetest.Put(t, map[string][]byte{ManifestName: []byte(filetest.ByAnnotation), "s1.edf": f.Bytes(t)})
	s, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	type seen struct{ Trial, Offset, Length, Class int }
	var got []seen
	for _, r := range collect(t, s) {
		got = append(got, seen{r.Trial, r.Offset, r.Len(), int(r.Labels["label"])})
	}
	// The last runs beyond the file's end.
	if d := cmp.Diff([]seen{{1, 128, 256, 0}, {2, 576, 128, 1}, {3, 1216, 64, 0}}, got); d != "" {
		t.Error(d)
	}
}

func TestTrialsAreCutAndNumberedThroughASession(t *testing.T) {
	f := filetest.Plain()
	f.Seconds = 7
	m := strings.Replace(filetest.ByName, "(?<trial>", "(?<run>", 1) + "trials: {seconds: 2}\ntrim: {start: 1}\n"
	dir := filetest.Put(t, map[string][]byte{ManifestName: []byte(m), "s1_1_sad.edf": f.Bytes(t), "s1_2_glad.edf": f.Bytes(t), "s2_1_sad.edf": f.Bytes(t)})
	s, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range collect(t, s) {
		got = append(got, fmt.Sprintf("%s/%d %d+%d", r.Subject, r.Trial, r.Offset, r.Len()))
	}
	want := []string{"1/1 128+256", "1/2 384+256", "1/3 640+256", "1/4 128+256", "1/5 384+256", "1/6 640+256", "2/1 128+256", "2/2 384+256", "2/3 640+256"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestPaddingAtTheEndIsCut(t *testing.T) {
	f := filetest.Plain()
	f.Sample = func(c, i int) float64 {
		switch {
		case i < 250:
			return filetest.Wave(c, i)
		case i < 330: // two levels, one after the other
			return 5
		}
		return 7
	}
	dir := filetest.Put(t, map[string][]byte{ManifestName: []byte(filetest.ByName), "s1_1_sad.edf": f.Bytes(t), "s1_2_glad.edf": filetest.Plain().Bytes(t)})
	s, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	list := collect(t, s)
	if list[0].Len() != 250 || list[1].Len() != 3*128 {
		t.Errorf("%d and %d samples, want 250 and 384", list[0].Len(), list[1].Len())
	}
	if !slices.ContainsFunc(note.List(list[0].Notes).Sentences(), func(n string) bool { return strings.Contains(n, "padding") }) {
		t.Errorf("no note of the padding: %q", list[0].Notes)
	}
}

func TestBuiltinManifestsAreRecognised(t *testing.T) {
	b := filetest.Plain().Bytes(t)
	for want, files := range map[string][]string{
		"eegmat":   {"Subject00_1.edf", "Subject00_2.edf", "subject-info.csv"},
		"eegmmidb": {"S001/S001R01.edf", "S001/S001R02.edf", "S001/S001R03.edf"},
	} {
		m := map[string][]byte{}
		for _, f := range files {
			m[f] = b
		}
		s, err := Open(filetest.Put(t, m), "")
		if err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		if s.Manifest.Name != want || len(s.Files) != 2 || len(s.Classes) != 2 {
			t.Errorf("%v read as %s, %d files, classes %v", files, s.Manifest.Name, len(s.Files), s.Classes)
		}
	}
}

func TestMissingAndUnreadable(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "none"), ""); err == nil || !strings.Contains(err.Error(), "no directory") {
		t.Errorf("missing directory: %v", err)
	}
	file := filepath.Join(dir, "f.edf")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, ""); err == nil || !strings.Contains(err.Error(), "is a file") {
		t.Errorf("a file for a directory: %v", err)
	}
	if _, err := Open(dir, filepath.Join(dir, "none.yaml")); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("missing manifest: %v", err)
	}
	if err := magic.Explain("x", fmt.Errorf("open x: %w", os.ErrPermission)); !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "chmod") {
		t.Errorf("forbidden: %v", err)
	}
}

func TestManifestIsNamed(t *testing.T) {
	dir := filetest.Put(t, map[string][]byte{"s01.dat": []byte("x")})
	if err := os.WriteFile(filepath.Join(dir, ManifestName), []byte("not: [a manifest"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, ""); err == nil {
		t.Error("the directory's own manifest was not read")
	}
	s, err := Open(dir, "deap")
	if err != nil || s.Manifest.Name != "deap" || len(s.Files) != 1 {
		t.Errorf("by name: %+v, %v", s, err)
	}
	if _, err := Open(dir, "seed"); err == nil || !strings.Contains(err.Error(), "those of seed are") {
		t.Errorf("another set's name: %v", err)
	}
}
