package data

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sbinet/npyio/npz"

	"github.com/eegprune/eegprune/data/edf"
	"github.com/eegprune/eegprune/data/filetest"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/data/transform"
	"github.com/eegprune/eegprune/internal/note"
)

// TestConvertedRecordingsGiveTheSameFeatures: through .npz and back, with and
// without a baseline.
func TestConvertedRecordingsGiveTheSameFeatures(t *testing.T) {
	f := filetest.Plain()
	f.Seconds = 10
	f.Annotations = []edf.Annotation{{Onset: 1, Duration: 3, Text: "T1"}, {Onset: 5, Duration: 2, Text: "T2"}}
	for name, dir := range map[string]string{
		"annotated EDF": filetest.Put(t, map[string][]byte{source.ManifestName: []byte(filetest.ByAnnotation), "s1.edf": f.Bytes(t)}),
		"DEAP":          deapDir(t),
		"SEED":          "testdata/seed",
	} {
		s, err := source.Open(dir, "")
		if err != nil {
			t.Fatal(name, err)
		}
		o := GridOptions()
		if s.HasBaseline() != (name == "DEAP") {
			t.Errorf("%s: HasBaseline says %v", name, s.HasBaseline())
		}
		if s.HasBaseline() {
			o.Transforms = append(o.Transforms, &transform.BaselineRemoval{})
		}
		want, err := Features(t.Context(), s, o)
		if err != nil {
			t.Fatal(name, err)
		}
		out := t.TempDir()
		if _, err := Convert(t.Context(), s, out, Options{}); err != nil {
			t.Fatal(name, err)
		}
		if s, err = source.Open(out, ""); err != nil {
			t.Fatal(name, err)
		}
		got, err := Features(t.Context(), s, o)
		if err != nil {
			t.Fatal(name, err)
		}
		if d := cmp.Diff(want.X, got.X); d != "" {
			t.Errorf("%s: features differ: %s", name, d)
		}
		if !slices.Equal(want.Y, got.Y) || !slices.Equal(want.Classes, got.Classes) || !slices.Equal(want.Channels, got.Channels) {
			t.Errorf("%s: labels, classes or channels differ", name)
		}
		for i := range want.Clips {
			if a, b := want.Clips[i], got.Clips[i]; a.Subject != b.Subject || a.Session != b.Session || a.Trial != b.Trial {
				t.Errorf("%s: clip %d is of %+v, was of %+v", name, i, b, a)
			}
		}
	}
}

// TestSaveNPZ reads the arrays by another library.
func TestSaveNPZ(t *testing.T) {
	set, err := Features(t.Context(), madeSource(t, 2, 2), GridOptions())
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.npz")
	if err := set.SaveNPZ(path); err != nil {
		t.Fatal(err)
	}
	r, err := npz.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if !slices.Equal(r.Header("x.npy").Descr.Shape, []int{set.Len(), 4, 9, 9}) {
		t.Errorf("shape %v", r.Header("x.npy").Descr.Shape)
	}
	var x []float32
	var y, start []int64
	for name, v := range map[string]any{"x.npy": &x, "y.npy": &y, "start.npy": &start} {
		if err := r.Read(name, v); err != nil {
			t.Fatal(name, err)
		}
	}
	if !slices.Equal(x, set.X) || !slices.Equal(y, set.Y) || start[1] != int64(set.Clips[1].Start) {
		t.Error("values differ")
	}
	if d := r.Header("subject.npy").Descr; d.Type != "<U1" || !slices.Equal(d.Shape, []int{set.Len()}) {
		t.Errorf("subject is %+v", d)
	}
}

func TestConvertIsWholeOrNotThere(t *testing.T) {
	good := filetest.Plain().Bytes(t)
	files := map[string][]byte{source.ManifestName: []byte(filetest.ByName), "s1_1_sad.edf": good, "s1_2_glad.edf": good, "s2_1_sad.edf": good[:500]}
	s, err := source.Open(filetest.Put(t, files), "")
	if err != nil {
		t.Fatal(err)
	}
	parent := t.TempDir()
	out := filepath.Join(parent, "converted")
	if err := os.Mkdir(out, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Convert(t.Context(), s, out, Options{}); err == nil || !strings.Contains(err.Error(), "s2_1_sad.edf") {
		t.Errorf("a cut file: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(parent, "*", "*")); err != nil || len(left) > 0 {
		t.Errorf("a failure left %v behind, %v", left, err)
	}
	said, err := Convert(t.Context(), s, out, Options{SkipBad: true})
	if err != nil || !slices.ContainsFunc(said.Sentences(), func(n string) bool { return strings.Contains(n, "Left out") && strings.Contains(n, "s2_1_sad.edf") }) {
		t.Errorf("skipping: %q, %v", said, err)
	}
	if entries, err := os.ReadDir(parent); err != nil || len(entries) != 1 {
		t.Errorf("beside the result there are %v, %v", entries, err)
	}
	if _, err := Convert(t.Context(), s, out, Options{SkipBad: true}); err == nil || !strings.Contains(err.Error(), out) {
		t.Errorf("into a directory with something in it: %v", err)
	}
}

// TestFileNamesAreOneToOne: names that can't stand in a file's name, or that meet where no
// case is known, stay apart.
func TestFileNamesAreOneToOne(t *testing.T) {
	var n fileNames
	seen := map[string]string{}
	for _, name := range []string{"s_1", "s-1", "S-1", "s/1", "s:1", "", "s_session-2", "s-session-2", "geöffnet", "geo\u0308ffnet", strings.Repeat("x", 300), strings.Repeat("x", 299) + "y", "s\xff1", "~2"} {
		plain := n.of(name)
		if other, ok := seen[strings.ToLower(plain)]; ok {
			t.Errorf("%q and %q are both %q", other, name, plain)
		}
		seen[strings.ToLower(plain)] = name
		if n.of(name) != plain || strings.ContainsAny(plain, `/\:*?"<>|`) || len(plain) > longestName+5 {
			t.Errorf("%q is %q", name, plain)
		}
	}
	if n.of("s_1") != "s_1" {
		t.Errorf("s_1 is renamed %q", n.of("s_1"))
	}
	if notes := n.notes("subjects"); len(notes) != 1 || notes[0].Kind != note.About {
		t.Errorf("notes %q", notes)
	}
}
