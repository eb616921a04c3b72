package data

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/data/filetest"
	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/data/transform"
)

// madeSource writes some subjects' recordings and opens them.
func madeSource(t *testing.T, subjects, seconds int) *source.Source {
	t.Helper()
	files := map[string][]byte{source.ManifestName: []byte(filetest.ByName)}
	for s := range subjects {
		for trial, mood := range []string{"sad", "glad"} {
			f := filetest.Plain()
			f.Seconds = seconds
			f.Sample = func(c, i int) float64 { return filetest.Wave(c+3*s, i*(trial+1)) * float64(s+1) }
			files["s"+string(rune('1'+s))+"_"+string(rune('1'+trial))+"_"+mood+".edf"] = f.Bytes(t)
		}
	}
	s, err := source.Open(filetest.Put(t, files), "")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFeaturesAreTheSameForAnyNumberOfWorkers(t *testing.T) {
	s := madeSource(t, 4, 5)
	var sets []*Set
	for _, workers := range []int{1, 3, 16} {
		o := GridOptions()
		o.Workers, o.Standardize = workers, StandardizeSubject
		set, err := Features(t.Context(), s, o)
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, set)
	}
	for _, other := range sets[1:] {
		if d := cmp.Diff(sets[0], other, cmpopts.IgnoreUnexported(Set{})); d != "" {
			t.Error(d)
		}
	}
}

// TestFeaturesCutClipsAsTorcheegDoes: chunk_size and overlap in samples, the
// last clip whole, and each the transform of exactly its samples.
func TestFeaturesCutClipsAsTorcheegDoes(t *testing.T) {
	s := madeSource(t, 1, 3)
	o := GridOptions()
	o.Overlap = 0.25
	set, err := Features(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	// 384 samples, clips of 128 that advance by 96: 0, 96, 192; 288+128 > 384.
	want := []Clip{{Start: 0, End: 128}, {Start: 96, End: 224}, {Start: 192, End: 320}}
	for i, c := range set.Clips {
		w := want[i%3]
		if c.Start != w.Start || c.End != w.End || c.Trial != 1+i/3 || c.Subject != "1" || set.Y[i] != int64(i/3) {
			t.Errorf("clip %d is %+v with label %d", i, c, set.Y[i])
		}
	}
	if set.Len() != 6 || !slices.Equal(set.Shape, []int{4, 9, 9}) || set.Rate != 128 {
		t.Fatalf("%d clips of %v at %g", set.Len(), set.Shape, set.Rate)
	}
	rec := recordingsOf(t, s)[1]
	p, err := o.Transforms.Prepare(transform.Form{Shape: []int{3, 128}, Electrodes: rec.Channels, Rate: 128, Time: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	x := transform.NewArray(3, 128)
	for c := range 3 {
		copy(x.Data[c*128:], rec.Samples[c][96:224])
	}
	for i, v := range p.Apply(x, nil).Data {
		if set.X[4*len(p.Apply(x, nil).Data)+i] != float32(v) {
			t.Fatalf("value %d of clip 4 is not the transform of its samples", i)
		}
	}
}

func TestSignalOptionsGiveNormalisedElectrodes(t *testing.T) {
	o := SignalOptions()
	o.Seconds = 2
	set, err := Features(t.Context(), madeSource(t, 1, 5), o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(set.Shape, []int{1, 3, 256}) || set.Len() != 4 {
		t.Fatalf("%d clips of %v", set.Len(), set.Shape)
	}
	for row := range set.Len() * 3 {
		mean, sq := moments(set.X[row*256 : (row+1)*256])
		if math.Abs(mean) > 1e-6 || math.Abs(sq-1) > 1e-5 {
			t.Errorf("row %d has mean %g and variance %g", row, mean, sq)
		}
	}
}

// TestStandardizedSignals: each electrode over all samples of a subject, also
// when electrodes were picked and samples dropped.
func TestStandardizedSignals(t *testing.T) {
	o := Options{Seconds: 1, Standardize: StandardizeSubject, Transforms: transform.Pipeline{
		&transform.PickElectrode{Electrodes: []string{"Cz", "Fp1"}}, &transform.Downsample{NumPoints: 64}, &transform.To2d{}}}
	set, err := Features(t.Context(), madeSource(t, 2, 5), o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(set.Channels, []string{"Cz", "Fp1"}) || set.Rate != 64 || !slices.Equal(set.Shape, []int{1, 2, 64}) {
		t.Fatalf("channels %v at %g, clips of %v", set.Channels, set.Rate, set.Shape)
	}
	for s := range 2 {
		for e := range 2 {
			var all []float32
			for i, c := range set.Clips {
				if c.Subject == string(rune('1'+s)) {
					at := (i*2 + e) * 64
					all = append(all, set.X[at:at+64]...)
				}
			}
			if mean, variance := moments(all); math.Abs(mean) > 1e-5 || math.Abs(variance-1) > 1e-4 {
				t.Errorf("electrode %d of subject %d has mean %g and variance %g", e, s, mean, variance)
			}
		}
	}
}

func moments(x []float32) (mean, variance float64) {
	for _, v := range x {
		mean += float64(v) / float64(len(x))
	}
	for _, v := range x {
		variance += (float64(v) - mean) * (float64(v) - mean) / float64(len(x))
	}
	return mean, variance
}

// TestStandardizeSubject: afterwards every value has mean 0 and variance 1 (or
// is 0 throughout) over each subject's clips, and adding a constant to or
// scaling one subject's data would have changed nothing.
func TestStandardizeSubject(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		subjects, clipsEach, size := rapid.IntRange(1, 3).Draw(t, "subjects"), rapid.IntRange(2, 6).Draw(t, "clips"), 4
		a := &Set{Shape: []int{1, 2, 2}, Classes: []string{"a", "b"}}
		b := &Set{Shape: a.Shape, Classes: a.Classes}
		for s := range subjects {
			shift, scale := rapid.Float32Range(-5, 5).Draw(t, "shift"), rapid.Float32Range(0.5, 2).Draw(t, "scale")
			for range clipsEach {
				clip := Clip{Subject: string(rune('a' + s))}
				a.Clips, b.Clips = append(a.Clips, clip), append(b.Clips, clip)
				for i := range size {
					v := float32(rapid.IntRange(-1000, 1000).Draw(t, "v")) / 100
					if i == 0 {
						v = 0.1 // never moves
					}
					a.X, b.X = append(a.X, v), append(b.X, v*scale+shift)
				}
			}
		}
		for _, set := range []*Set{a, b} {
			if err := standardize(t.Context(), &values{x: set.X}, set, StandardizeSubject, 1); err != nil {
				t.Fatal(err)
			}
		}
		for s := range subjects {
			for i := range size {
				var column []float32
				for c := range clipsEach {
					column = append(column, a.X[(s*clipsEach+c)*size+i])
				}
				mean, variance := moments(column)
				still := !slices.ContainsFunc(column, func(v float32) bool { return v != 0 })
				if math.Abs(mean) > 1e-5 || (math.Abs(variance-1) > 1e-4 && !still) || (i == 0 && !still) {
					t.Fatalf("value %d of subject %d has mean %g and variance %g", i, s, mean, variance)
				}
			}
		}
		for i := range a.X {
			if math.Abs(float64(a.X[i]-b.X[i])) > 0.01 {
				t.Fatalf("value %d is %g, and %g after a shift and a scale", i, a.X[i], b.X[i])
			}
		}
	})
}

func TestShortTrialsAndDeadStretchesAreNoted(t *testing.T) {
	dead := filetest.Plain()
	dead.Sample = func(c, i int) float64 {
		if c == 1 && i >= 128 && i < 256 {
			return 3
		}
		return filetest.Wave(c, i)
	}
	short := filetest.Plain()
	short.Seconds = 1
	dir := filetest.Put(t, map[string][]byte{source.ManifestName: []byte(filetest.ByName + "trim: {start: 0.1}\n"),
		"s1_1_sad.edf": dead.Bytes(t), "s1_2_glad.edf": short.Bytes(t), "s1_3_glad.edf": filetest.Plain().Bytes(t)})
	s, err := source.Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	o := GridOptions()
	o.Seconds = 0.5
	set, err := Features(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(set.Notes.Sentences(), "\n")
	if !strings.Contains(all, "left out, as a channel stands still in them: trial 1 of subject 1") {
		t.Errorf("no note of the dead stretch:\n%s", all)
	}
	o.Seconds = 1
	if set, err = Features(t.Context(), s, o); err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(set.Notes.Sentences(), "\n"); !strings.Contains(all, "1 trial(s) are shorter than a clip of 1 s and give none: trial 2 of subject 1 (0.898 s)") {
		t.Errorf("no note of the short trial:\n%s", all)
	}
}

func TestProgressCountsFiles(t *testing.T) {
	var seen []source.Progress
	o := GridOptions()
	o.Progress = func(p source.Progress) { seen = append(seen, p) }
	if _, err := Features(t.Context(), madeSource(t, 2, 2), o); err != nil {
		t.Fatal(err)
	}
	last := seen[len(seen)-1]
	if len(seen) != 5 || last.Done != 4 || last.Total != 4 || seen[0].Done != 0 || seen[3].Done != 3 {
		t.Errorf("progress %+v", seen)
	}

	// Bad files are files too.
	seen = nil
	o.SkipBad = true
	good := filetest.Plain().Bytes(t)
	s, err := source.Open(filetest.Put(t, map[string][]byte{source.ManifestName: []byte(filetest.ByName), "s1_1_sad.edf": good[:500], "s1_2_glad.edf": good, "s2_1_sad.edf": good, "s2_2_sad.edf": good[:300]}), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Features(t.Context(), s, o); err != nil {
		t.Fatal(err)
	}
	if last := seen[len(seen)-1]; len(seen) != 5 || last.Done != 4 || last.Total != 4 {
		t.Errorf("progress with bad files %+v", seen)
	}
}

func TestOptionsSurviveWriting(t *testing.T) {
	o := GridOptions()
	o.Overlap, o.Standardize, o.BaselineSeconds = 0.5, StandardizeSubject, 1
	o.Label = label.Pipeline{&label.Select{Keys: []string{"valence"}}, &label.Binary{Threshold: 5}}
	b, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var got Options
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(o, got); d != "" {
		t.Errorf("JSON: %s", d)
	}
	if b, err = yaml.Marshal(o); err != nil {
		t.Fatal(err)
	}
	got = Options{}
	if err := yaml.UnmarshalWithOptions(b, &got, yaml.Strict()); err != nil {
		t.Fatalf("%v in\n%s", err, b)
	}
	if d := cmp.Diff(o, got); d != "" {
		t.Errorf("YAML: %s", d)
	}
}
