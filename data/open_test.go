package data

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"eegprune/data/edf"
	"eegprune/data/transform"
	"eegprune/internal/magic"
	"eegprune/internal/note"
)

// recordingFile describes an EDF file to write for a test.
type recordingFile struct {
	labels      []string // of the signals
	rates       []int    // one for all, or one each
	seconds     int
	annotations []edf.Annotation
	sample      func(channel, i int) float64
}

// wave moves at every sample and differs from channel to channel.
func wave(channel, i int) float64 {
	return 20*math.Sin(float64(i)*0.37+float64(channel)) + 10*math.Sin(float64(i)*0.11*float64(channel+1))
}

func (r recordingFile) bytes(t testing.TB) []byte {
	t.Helper()
	if r.sample == nil {
		r.sample = wave
	}
	h := &edf.Header{StartDate: "01.01.00", StartTime: "00.00.00", Records: r.seconds, RecordSeconds: 1, Plus: true}
	var signals [][]float64
	for c, l := range r.labels {
		rate := r.rates[min(c, len(r.rates)-1)]
		h.Signals = append(h.Signals, edf.Signal{Label: l, Dimension: "uV", PhysicalMin: -3276.8, PhysicalMax: 3276.7, DigitalMin: -32768, DigitalMax: 32767, SamplesPerRecord: rate})
		x := make([]float64, rate*r.seconds)
		for i := range x {
			x[i] = r.sample(c, i)
		}
		signals = append(signals, x)
	}
	var b bytes.Buffer
	if err := edf.Write(&b, h, signals, r.annotations); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// plain is a short recording of three electrodes and one other channel.
func plain() recordingFile {
	return recordingFile{labels: []string{"EEG Fp1", "EEG T3-REF", "Cz..", "ECG"}, rates: []int{128}, seconds: 3}
}

// putFiles writes files below a new directory.
func putFiles(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		// An EDF file gets a patient of its own, as no two recordings have one content.
		if bytes.HasPrefix(b, []byte("0       ")) && len(b) > 88 {
			b = slices.Concat(b[:8], []byte(fmt.Sprintf("%-80.80s", name)), b[88:])
		}
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const byName = `format: edf
files: '^s(?<subject>\d+)_(?<trial>\d+)_(?<mood>\w+)\.edf$'
label:
  group: mood
  classes: {sad: negative, bad: negative, glad: positive}
`

const byAnnotation = `format: edf
files: '^s(?<subject>\d+)\.edf$'
label:
  annotations: true
  classes: {T1: left, T2: right}
`

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
	b := plain().bytes(t)
	dir := putFiles(t, map[string][]byte{ManifestName: []byte(byName), "s10_1_glad.edf": b, "s2_2_bad.edf": b, "s2_1_glad.edf": b, "s2_3_angry.edf": b, "readme.txt": nil})
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
		if math.Abs(r.Samples[1][100]-wave(1, 100)) > 0.1 {
			t.Errorf("T7 sample 100 is %g, want %g", r.Samples[1][100], wave(1, 100))
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
	f := plain()
	f.seconds = 10
	f.annotations = []edf.Annotation{{Onset: 0, Duration: 1, Text: "T0"}, {Onset: 1, Duration: 2, Text: "T1"}, {Onset: 4.5, Duration: 1, Text: "T2"}, {Onset: 9.5, Duration: 3, Text: "T1"}}
	dir := putFiles(t, map[string][]byte{ManifestName: []byte(byAnnotation), "s1.edf": f.bytes(t)})
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
	f := plain()
	f.seconds = 7
	m := strings.Replace(byName, "(?<trial>", "(?<run>", 1) + "trials: {seconds: 2}\ntrim: {start: 1}\n"
	dir := putFiles(t, map[string][]byte{ManifestName: []byte(m), "s1_1_sad.edf": f.bytes(t), "s1_2_glad.edf": f.bytes(t), "s2_1_sad.edf": f.bytes(t)})
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
	f := plain()
	f.sample = func(c, i int) float64 {
		switch {
		case i < 250:
			return wave(c, i)
		case i < 330: // two levels, one after the other
			return 5
		}
		return 7
	}
	dir := putFiles(t, map[string][]byte{ManifestName: []byte(byName), "s1_1_sad.edf": f.bytes(t), "s1_2_glad.edf": plain().bytes(t)})
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
	b := plain().bytes(t)
	for want, files := range map[string][]string{
		"eegmat":   {"Subject00_1.edf", "Subject00_2.edf", "subject-info.csv"},
		"eegmmidb": {"S001/S001R01.edf", "S001/S001R02.edf", "S001/S001R03.edf"},
	} {
		m := map[string][]byte{}
		for _, f := range files {
			m[f] = b
		}
		s, err := Open(putFiles(t, m), "")
		if err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		if s.Manifest.Name != want || len(s.Files) != 2 || len(s.Classes) != 2 {
			t.Errorf("%v read as %s, %d files, classes %v", files, s.Manifest.Name, len(s.Files), s.Classes)
		}
	}
}

// TestBadInput: every fault gives one sentence that names the file and says
// what to do or what is wrong.
func TestBadInput(t *testing.T) {
	good := plain().bytes(t)
	with := func(change func(f *recordingFile)) []byte {
		f := plain()
		change(&f)
		return f.bytes(t)
	}
	pair := func(first []byte) map[string][]byte {
		return map[string][]byte{ManifestName: []byte(byName), "s1_1_sad.edf": first, "s1_2_glad.edf": good}
	}
	for name, c := range map[string]struct {
		files map[string][]byte
		want  []string
	}{
		"empty directory": {nil, []string{"is empty"}},
		"unknown names":   {map[string][]byte{"a.xyz": good}, []string{"a.xyz", "eegmat", ManifestName}},
		"no manifest":     {map[string][]byte{"a.edf": good}, []string{"a.edf", "no labels", ManifestName, "format: edf"}},
		"unlabelled":      {map[string][]byte{ManifestName: []byte(strings.Split(byName, "label")[0]), "s1_1_sad.edf": good}, []string{ManifestName, "label: {"}},
		"no match":        {map[string][]byte{ManifestName: []byte(byName), "x.edf": good}, []string{"matches", ManifestName}},
		"no label":        {map[string][]byte{ManifestName: []byte(byName), "s1_1_odd.edf": good}, []string{"label.classes", "s1_1_odd.edf"}},
		"one class":       {map[string][]byte{ManifestName: []byte(byName), "s1_1_sad.edf": good, "s1_2_bad.edf": good}, []string{`"negative"`, "needs two"}},
		"one trial twice": {map[string][]byte{ManifestName: []byte(byName), "s1_1_sad.edf": good, "s1_1_glad.edf": good}, []string{"both trial 1 of subject 1"}},
		"truncated":       {pair(good[:1600]), []string{"s1_1_sad.edf", "truncated", "promises 3 records"}},
		"not EDF":         {pair([]byte("hello")), []string{"s1_1_sad.edf", "5 bytes"}},
		"no electrodes":   {pair(with(func(f *recordingFile) { f.labels = []string{"ECG", "EOG left"} })), []string{"s1_1_sad.edf", "ECG", "channels.pick"}},
		"two of one name": {pair(with(func(f *recordingFile) { f.labels[0] = "T7" })), []string{"s1_1_sad.edf", "T7 and T3 have one place", "channels.exclude"}},
		"different rates": {pair(with(func(f *recordingFile) { f.rates = []int{128, 64, 128, 128} })), []string{"T7 has 64", "channels.exclude"}},
		"another rate":    {pair(with(func(f *recordingFile) { f.rates = []int{256} })), []string{"one rate"}},
		"other channels":  {pair(with(func(f *recordingFile) { f.labels[0] = "Fp2" })), []string{"no channel Fp2", "channels.pick"}},
		"more channels":   {pair(with(func(f *recordingFile) { f.labels = append(f.labels, "Oz") })), []string{"no channel Oz"}},
		"flat channel":    {pair(with(func(f *recordingFile) { f.sample = func(c, i int) float64 { return wave(c, i) * float64(c%2) } })), []string{"s1_1_sad.edf", "channel Fp1 is flat"}},
		"off the grid":    {pair(with(func(f *recordingFile) { f.labels[0] = "TP10" })), []string{"TP10", "nearest"}},
		"no annotation wanted": {map[string][]byte{ManifestName: []byte(byAnnotation), "s1.edf": with(func(f *recordingFile) { f.annotations = []edf.Annotation{{Onset: 1, Duration: 1, Text: "blink"}} })},
			[]string{"s1.edf", `"blink"`, "T1, T2"}},
		"annotation without duration": {map[string][]byte{ManifestName: []byte(byAnnotation), "s1.edf": with(func(f *recordingFile) { f.annotations = []edf.Annotation{{Onset: 1, Text: "T1"}} })},
			[]string{"s1.edf", "label.seconds"}},
		"one annotated class": {map[string][]byte{ManifestName: []byte(byAnnotation), "s1.edf": with(func(f *recordingFile) { f.annotations = []edf.Annotation{{Onset: 1, Duration: 1, Text: "T1"}} })},
			[]string{`the class "left"`, "needs two"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := features(t.Context(), putFiles(t, c.files))
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q doesn't say %q", err, w)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error has several lines: %q", err)
			}
		})
	}
}

func features(ctx context.Context, dir string) (*Set, error) {
	s, err := Open(dir, "")
	if err != nil {
		return nil, err
	}
	return Features(ctx, s, GridOptions())
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

func TestSkipBadGoesOnAndSaysSo(t *testing.T) {
	good := plain().bytes(t)
	dir := putFiles(t, map[string][]byte{ManifestName: []byte(byName), "s1_1_sad.edf": good, "s1_2_glad.edf": good, "s2_1_sad.edf": good[:500]})
	s, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	o := GridOptions()
	o.SkipBad = true
	set, err := Features(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	if set.Len() != 6 || !slices.ContainsFunc(set.Notes.Sentences(), func(n string) bool { return strings.Contains(n, "s2_1_sad.edf") && strings.Contains(n, "Left out") }) {
		t.Errorf("%d clips, notes %q", set.Len(), set.Notes)
	}
}

func TestManifestIsNamed(t *testing.T) {
	dir := deapDir(t)
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

func TestFeaturesStopWhenCancelled(t *testing.T) {
	dir := putFiles(t, map[string][]byte{ManifestName: []byte(byName), "s1_1_sad.edf": plain().bytes(t), "s1_2_glad.edf": plain().bytes(t)})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := features(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

func TestOptionsRefuse(t *testing.T) {
	for name, change := range map[string]func(o *Options){
		"no length":       func(o *Options) { o.Seconds = 0 },
		"NaN":             func(o *Options) { o.Seconds = math.NaN() },
		"whole overlap":   func(o *Options) { o.Overlap = 1 },
		"standardization": func(o *Options) { o.Standardize = "magic" },
		"tiny clip":       func(o *Options) { o.Seconds = 1e-9 },
		"long clip":       func(o *Options) { o.Seconds = 60 },
		"no band":         func(o *Options) { o.Transforms = transform.Pipeline{transform.NewBandDifferentialEntropy(nil)} },
	} {
		s, err := Open(putFiles(t, map[string][]byte{ManifestName: []byte(byName), "s1_1_sad.edf": plain().bytes(t), "s1_2_glad.edf": plain().bytes(t)}), "")
		if err != nil {
			t.Fatal(err)
		}
		o := GridOptions()
		change(&o)
		if _, err := Features(t.Context(), s, o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
