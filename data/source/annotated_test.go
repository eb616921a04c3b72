package source

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/data/edf"
	"github.com/eegprune/eegprune/data/filetest"
	"github.com/eegprune/eegprune/internal/note"
)

// trialsOf opens a file with these annotations and returns its trials, as
// "class first+samples", and the notes.
func trialsOf(t *testing.T, rule string, annotations ...edf.Annotation) (trials []string, notes note.List, err error) {
	t.Helper()
	f := filetest.Plain()
	f.Labels, f.Seconds, f.Annotations = []string{"Fp1", "Cz"}, 8, annotations
	s, err := Open(filetest.Put(t, map[string][]byte{"s1.edf": f.Bytes(t), ManifestName: []byte("format: edf\nfiles: 's(?<subject>\\d+)\\.edf$'\nlabel: {annotations: true, " + rule + "}\n")}), "")
	if err != nil {
		t.Fatal(err)
	}
	for r, e := range s.recordings(t.Context(), 1, nil) {
		if e != nil {
			return nil, nil, e
		}
		trials = append(trials, fmt.Sprintf("%s %d+%d", s.Classes[int(r.Labels["label"])], r.Offset, r.Len()))
		notes.Add(r.File, r.Notes...)
	}
	return trials, notes, nil
}

func TestAnnotationsAreTakenOnceOrNamed(t *testing.T) {
	const rule = "classes: {rest: a, task: b}"
	at := func(onset, duration float64, text string) edf.Annotation {
		return edf.Annotation{Onset: onset, Duration: duration, Text: text}
	}
	for name, c := range map[string]struct {
		rule        string
		annotations []edf.Annotation
		want        []string
		kind        note.Kind // of the one note; empty where there is none
		words       []string
	}{
		"plain":                      {rule, []edf.Annotation{at(0, 1, "rest"), at(2, 1, "task")}, []string{"a 0+128", "b 256+128"}, "", nil},
		"twice":                      {rule, []edf.Annotation{at(0, 1, "rest"), at(0, 1, "rest"), at(0, 1, "rest")}, []string{"a 0+128"}, note.Repeated, []string{"2 annotation(s)", `"rest" at 0 s`}},
		"twice, once without length": {rule, []edf.Annotation{at(0, 0, "rest"), at(0, 1, "rest")}, []string{"a 0+128"}, note.Repeated, []string{`"rest" at 0 s`}},
		"once a channel":             {rule, []edf.Annotation{at(1, 1, "rest@@Fp1"), at(1, 1, "rest@@Cz")}, []string{"a 128+128"}, note.Repeated, []string{"rest@@Cz", `"rest" at 1 s`}},
		"a text with marks":          {"classes: {'rest@@Fp1': a, task: b}", []edf.Annotation{at(1, 1, "rest@@Fp1")}, []string{"a 128+128"}, "", nil},
		"over another":               {rule, []edf.Annotation{at(0, 2, "rest"), at(1, 2, "task")}, []string{"a 0+256", "b 128+256"}, note.Repeated, []string{`"task" at 1 s over "rest" at 0 s`}},
		"inside another":             {rule, []edf.Annotation{at(0, 6, "rest"), at(1, 1, "task"), at(3, 1, "task")}, []string{"a 0+768", "b 128+128", "b 384+128"}, note.Repeated, []string{"2 annotation(s)", `"task" at 3 s over "rest" at 0 s`}},
		"one after another":          {rule, []edf.Annotation{at(0, 1, "rest"), at(1, 1, "task")}, []string{"a 0+128", "b 128+128"}, "", nil},
		"longer than the file":       {rule, []edf.Annotation{at(7, 3, "rest")}, []string{"a 896+128"}, note.LeftOut, []string{`"rest" at 7 s`, "1 s of 3 s"}},
		"other case":                 {rule, []edf.Annotation{at(0, 1, "rest"), at(2, 1, "Rest"), at(4, 1, "TASK")}, []string{"a 0+128"}, note.LeftOut, []string{`"Rest"`, `"TASK"`, "only the case"}},
		"other blanks":               {rule, []edf.Annotation{at(0, 1, " rest "), at(2, 1, "task\u00a0")}, []string{"a 0+128", "b 256+128"}, "", nil},
		"other form":                 {"classes: {geöffnet: a, 'zu  jetzt': b}", []edf.Annotation{at(0, 1, "geo\u0308ffnet"), at(2, 1, "zu jetzt")}, []string{"a 0+128", "b 256+128"}, "", nil},
		"unlisted":                   {rule, []edf.Annotation{at(0, 1, "rest"), at(1, 1, "blink"), at(2, 1, "blink")}, []string{"a 0+128"}, note.LeftOut, []string{`"blink" 2 times`}},
		"ignored":                    {rule + ", ignore: [Blink, blink]", []edf.Annotation{at(0, 1, "rest"), at(1, 1, "blink")}, []string{"a 0+128"}, "", nil},
		"seconds instead of length":  {rule + ", seconds: 2", []edf.Annotation{at(0, 7, "rest"), at(2, 0, "task")}, []string{"a 0+256", "b 256+256"}, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			trials, notes, err := trialsOf(t, c.rule, c.annotations...)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, trials); d != "" {
				t.Error(d)
			}
			if (c.kind == "") != (len(notes) == 0) || c.kind != "" && !slices.ContainsFunc(notes, func(n note.Note) bool { return n.Kind == c.kind }) {
				t.Errorf("notes %q, want one of kind %q", notes, c.kind)
			}
			for _, w := range c.words {
				if all := strings.Join(notes.Sentences(), "\n"); !strings.Contains(all, w) {
					t.Errorf("the notes don't say %q: %s", w, all)
				}
			}
		})
	}
}

// TestAnnotationsOutside: annotations before the start, in a gap and after the end are each
// noted.
func TestAnnotationsOutside(t *testing.T) {
	m := &Manifest{Format: "edf", Label: LabelRule{Annotations: true, Classes: Classes{{"rest", "a"}, {"task", "b"}}}}
	part := func(start float64) stretch {
		r := &Recording{Channels: []string{"Cz"}, Rate: 10, Samples: [][]float64{make([]float64, 20)}}
		return stretch{Recording: r, start: start, end: start + 2, sample: sampleAt(start, 10)}
	}
	list, err := annotated(m, []stretch{part(1), part(6)}, []event{{onset: 0, duration: 0.5, text: "rest"}, {onset: 1, duration: 1, text: "rest"}, {onset: 4, duration: 1, text: "task"}, {onset: 2.5, duration: 4.5, text: "task"}, {onset: 8, duration: 1, text: "rest"}, {onset: 20, duration: 1, text: "task"}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range list {
		got = append(got, fmt.Sprint(r.Trial, " ", r.Offset, "+", r.Len()))
	}
	// The one over the gap is one trial in two recordings.
	if d := cmp.Diff([]string{"2 0+10", "3 15+5", "3 0+10"}, got); d != "" {
		t.Error(d)
	}
	said := note.List(list[0].Notes).Sentences()
	for _, w := range []string{`"rest" at 0 s (before the start`, `"task" at 4 s (in a gap`, `"rest" at 8 s (after the end at 8 s`, `"task" at 20 s (after the end`, `"task" at 2.5 s (1.5 s of 4.5 s`} {
		if !strings.Contains(strings.Join(said, "\n"), w) {
			t.Errorf("the notes don't say %q: %q", w, said)
		}
	}
	if _, err := annotated(m, []stretch{part(1)}, []event{{onset: 20, duration: 1, text: "task"}}); err == nil || !strings.Contains(err.Error(), "outside the recording") {
		t.Errorf("all outside: error %v", err)
	}
}

// TestEncodingOfAnnotations: texts that aren't UTF-8 are Latin-1 unless the manifest or the
// user says otherwise, and the error names the encoding that makes them labels.
func TestEncodingOfAnnotations(t *testing.T) {
	for name, c := range map[string]struct {
		texts  [2]string // as the file has them
		labels string
		given  string
		fails  string
	}{
		"latin1":             {[2]string{"ge\xf6ffnet", "zu"}, "geöffnet: a, zu: b", "", ""},
		"gbk":                {[2]string{"\xd5\xf6\xd1\xdb", "\xb1\xd5\xd1\xdb"}, "睁眼: a, 闭眼: b", "gbk", ""},
		"shift-jis":          {[2]string{"\x8aJ\x8a\xe1", "\x95\xc2\x8a\xe1"}, "開眼: a, 閉眼: b", "shift_jis", ""},
		"gbk without a word": {[2]string{"\xd5\xf6\xd1\xdb", "\xb1\xd5\xd1\xdb"}, "睁眼: a, 闭眼: b", "", "--encoding gbk"},
		"of none":            {[2]string{"\xd5\xf6\xd1\xdb", "\xb1\xd5\xd1\xdb"}, "auf: a, zu: b", "", "--encoding"},
	} {
		t.Run(name, func(t *testing.T) {
			f := filetest.Plain()
			f.Labels, f.Seconds = []string{"Fp1", "Cz"}, 4
			f.Annotations = []edf.Annotation{{Onset: 0, Duration: 1, Text: c.texts[0]}, {Onset: 2, Duration: 1, Text: c.texts[1]}}
			for _, manifest := range []string{"", "encoding: " + c.given + "\n"} {
				if c.given == "" && manifest != "" {
					continue
				}
				s, err := Open(filetest.Put(t, map[string][]byte{"s1.edf": f.Bytes(t), ManifestName: []byte("format: edf\n" + manifest + "files: 's(?<subject>\\d+)\\.edf$'\nlabel: {annotations: true, classes: {" + c.labels + "}}\n")}), "")
				if err != nil {
					t.Fatal(err)
				}
				if manifest == "" {
					if err := s.Use(Reading{Encoding: c.given}); err != nil {
						t.Fatal(err)
					}
				}
				sum := inspected(t, s)
				if c.fails != "" {
					if len(sum.Bad) != 1 || !strings.Contains(sum.Bad[0], c.fails) {
						t.Errorf("bad %q, want what says %q", sum.Bad, c.fails)
					}
					continue
				}
				if len(sum.Bad) > 0 || len(sum.Subjects) != 1 || !slices.Equal(sum.Subjects[0].Classes, []int{1, 1}) {
					t.Errorf("bad %q, subjects %+v", sum.Bad, sum.Subjects)
				}
				if said := strings.Contains(strings.Join(sum.Notes.Sentences(), "\n"), "Latin-1"); said != (c.given == "") {
					t.Errorf("notes %q", sum.Notes)
				}
			}
		})
	}
	s, err := Open(filetest.Put(t, map[string][]byte{"s1.edf": filetest.Plain().Bytes(t)}), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Use(Reading{Encoding: "klingon"}); err == nil {
		t.Error("an unknown encoding is used")
	}
}

// TestAccentsOfFileNames: systems write them in two ways, which are one name.
func TestAccentsOfFileNames(t *testing.T) {
	one, two := filetest.Plain(), filetest.Plain()
	two.Seconds = 4
	s, err := Open(filetest.Put(t, map[string][]byte{"Jose\u0301_ge\u00f6ffnet.edf": one.Bytes(t), "Jos\u00e9_zu.edf": two.Bytes(t),
		ManifestName: []byte("format: edf\nfiles: '^(?<subject>Jos\u00e9)_(?<eyes>[^_]+)\\.edf$'\nlabel: {group: eyes, classes: {geo\u0308ffnet: a, zu: b}}\n")}), "")
	if err != nil {
		t.Fatal(err)
	}
	sum := inspected(t, s)
	if len(sum.Subjects) != 1 || !slices.Equal(sum.Subjects[0].Classes, []int{1, 1}) || len(sum.Bad) > 0 {
		t.Errorf("subjects %+v, bad %q", sum.Subjects, sum.Bad)
	}
}
