package data

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/data/edf"
	"github.com/eegprune/eegprune/data/filetest"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/data/transform"
)

func features(ctx context.Context, dir string) (*Set, error) {
	s, err := source.Open(dir, "")
	if err != nil {
		return nil, err
	}
	return Features(ctx, s, GridOptions())
}

// TestBadInput: every fault gives one sentence that names the file and says
// what to do or what is wrong.
func TestBadInput(t *testing.T) {
	good := filetest.Plain().Bytes(t)
	with := func(change func(f *filetest.EDF)) []byte {
		f := filetest.Plain()
		change(&f)
		return f.Bytes(t)
	}
	pair := func(first []byte) map[string][]byte {
		return map[string][]byte{source.ManifestName: []byte(filetest.ByName), "s1_1_sad.edf": first, "s1_2_glad.edf": good}
	}
	for name, c := range map[string]struct {
		files map[string][]byte
		want  []string
	}{
		"empty directory": {nil, []string{"is empty"}},
		"unknown names":   {map[string][]byte{"a.xyz": good}, []string{"a.xyz", "eegmat", source.ManifestName}},
		"no manifest":     {map[string][]byte{"a.edf": good}, []string{"a.edf", "no labels", source.ManifestName, "format: edf"}},
		"unlabelled":      {map[string][]byte{source.ManifestName: []byte(strings.Split(filetest.ByName, "label")[0]), "s1_1_sad.edf": good}, []string{source.ManifestName, "label: {"}},
		"no match":        {map[string][]byte{source.ManifestName: []byte(filetest.ByName), "x.edf": good}, []string{"matches", source.ManifestName}},
		"no label":        {map[string][]byte{source.ManifestName: []byte(filetest.ByName), "s1_1_odd.edf": good}, []string{"label.classes", "s1_1_odd.edf"}},
		"one class":       {map[string][]byte{source.ManifestName: []byte(filetest.ByName), "s1_1_sad.edf": good, "s1_2_bad.edf": good}, []string{`"negative"`, "needs two"}},
		"one trial twice": {map[string][]byte{source.ManifestName: []byte(filetest.ByName), "s1_1_sad.edf": good, "s1_1_glad.edf": good}, []string{"both trial 1 of subject 1"}},
		"truncated":       {pair(good[:1600]), []string{"s1_1_sad.edf", "truncated", "promises 3 records"}},
		"not EDF":         {pair([]byte("hello")), []string{"s1_1_sad.edf", "5 bytes"}},
		"no electrodes":   {pair(with(func(f *filetest.EDF) { f.Labels = []string{"ECG", "EOG left"} })), []string{"s1_1_sad.edf", "ECG", "channels.pick"}},
		"two of one name": {pair(with(func(f *filetest.EDF) { f.Labels[0] = "T7" })), []string{"s1_1_sad.edf", "T7 and T3 have one place", "channels.exclude"}},
		"different rates": {pair(with(func(f *filetest.EDF) { f.Rates = []int{128, 64, 128, 128} })), []string{"T7 has 64", "channels.exclude"}},
		"another rate":    {pair(with(func(f *filetest.EDF) { f.Rates = []int{256} })), []string{"one rate"}},
		"other channels":  {pair(with(func(f *filetest.EDF) { f.Labels[0] = "Fp2" })), []string{"no channel Fp2", "channels.pick"}},
		"more channels":   {pair(with(func(f *filetest.EDF) { f.Labels = append(f.Labels, "Oz") })), []string{"no channel Oz"}},
		"flat channel":    {pair(with(func(f *filetest.EDF) { f.Sample = func(c, i int) float64 { return filetest.Wave(c, i) * float64(c%2) } })), []string{"s1_1_sad.edf", "channel Fp1 is flat"}},
		"off the grid":    {pair(with(func(f *filetest.EDF) { f.Labels[0] = "TP10" })), []string{"TP10", "nearest"}},
		"no annotation wanted": {map[string][]byte{source.ManifestName: []byte(filetest.ByAnnotation), "s1.edf": with(func(f *filetest.EDF) { f.Annotations = []edf.Annotation{{Onset: 1, Duration: 1, Text: "blink"}} })},
			[]string{"s1.edf", `"blink"`, "T1, T2"}},
		"annotation without duration": {map[string][]byte{source.ManifestName: []byte(filetest.ByAnnotation), "s1.edf": with(func(f *filetest.EDF) { f.Annotations = []edf.Annotation{{Onset: 1, Text: "T1"}} })},
			[]string{"s1.edf", "label.seconds"}},
		"one annotated class": {map[string][]byte{source.ManifestName: []byte(filetest.ByAnnotation), "s1.edf": with(func(f *filetest.EDF) { f.Annotations = []edf.Annotation{{Onset: 1, Duration: 1, Text: "T1"}} })},
			[]string{`the class "left"`, "needs two"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := features(t.Context(), filetest.Put(t, c.files))
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

func TestSkipBadGoesOnAndSaysSo(t *testing.T) {
	good := filetest.Plain().Bytes(t)
	dir := filetest.Put(t, map[string][]byte{source.ManifestName: []byte(filetest.ByName), "s1_1_sad.edf": good, "s1_2_glad.edf": good, "s2_1_sad.edf": good[:500]})
	s, err := source.Open(dir, "")
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

func TestFeaturesStopWhenCancelled(t *testing.T) {
	dir := filetest.Put(t, map[string][]byte{source.ManifestName: []byte(filetest.ByName), "s1_1_sad.edf": filetest.Plain().Bytes(t), "s1_2_glad.edf": filetest.Plain().Bytes(t)})
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
		s, err := source.Open(filetest.Put(t, map[string][]byte{source.ManifestName: []byte(filetest.ByName), "s1_1_sad.edf": filetest.Plain().Bytes(t), "s1_2_glad.edf": filetest.Plain().Bytes(t)}), "")
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
