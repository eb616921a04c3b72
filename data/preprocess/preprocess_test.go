package preprocess

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/data/filetest"
	"github.com/eegprune/eegprune/data/montage"
)

type mneValues struct {
	Every, Samples                           int
	Rate                                     float64
	Names                                    []string
	Positions                                map[string][3]float64
	Interpolated, Average, Mastoids, Bipolar map[string][]float64
	Kept                                     []int
	RejectedBy                               [][]string `json:"rejected_by"`
}

func ofMNE(t *testing.T) (v mneValues) {
	t.Helper()
	b, err := os.ReadFile("testdata/mne.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// recording is the first n channels that MNE was given.
func (v mneValues) recording(n int) *Signal {
	s := &Signal{Form: Form{Channels: v.Names[:n], Rate: v.Rate}, Subject: "s01", Workers: 2}
	for k := range n {
		s.Samples = append(s.Samples, filetest.Signal(v.Samples, v.Rate, uint64(k)))
	}
	return s
}

func through(t *testing.T, s *Signal, steps ...Step) {
	t.Helper()
	ready, err := Pipeline(steps).Prepare(s.Form)
	if err != nil {
		t.Fatal(err)
	}
	if err := ready.Apply(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

// holds compares channels with MNE's, within 1e-6 uV, the precision of its volts.
func holds(t *testing.T, what string, s *Signal, every int, want map[string][]float64) {
	t.Helper()
	for name, y := range want {
		row := slices.Index(s.Channels, name)
		if row < 0 || len(y) == 0 || len(y) != (len(s.Samples[row])+every-1)/every {
			t.Fatalf("%s: no channel %s of %d samples among %v", what, name, len(y)*every, s.Channels)
		}
		for i, w := range y {
			if got := s.Samples[row][i*every]; !(math.Abs(got-w) <= 1e-6) {
				t.Errorf("%s: %s, sample %d is %g, MNE has %g", what, name, i*every, got, w)
				break
			}
		}
	}
}

// TestStepsGiveMNEsNumbers: interpolation from places on MNE's own montage, and references.
func TestStepsGiveMNEsNumbers(t *testing.T) {
	v := ofMNE(t)
	scalp := len(v.Names) - 2 // without M1 and M2
	s := v.recording(scalp)
	s.Positions = &montage.Positions{}
	for _, name := range s.Channels {
		p := v.Positions[name]
		s.Positions.Names, s.Positions.Points = append(s.Positions.Names, name), append(s.Positions.Points, montage.Point{X: p[0], Y: p[1], Z: p[2]})
	}
	s.Marked = []string{"Oz"}
	through(t, s, &InterpolateBads{Channels: Words{"T3"}, Marked: true, Stiffness: SplineStiffness}) // T3 is T7
	holds(t, "interpolated", s, v.Every, v.Interpolated)

	s = v.recording(scalp)
	through(t, s, &Reference{Against: Words{Average}})
	holds(t, "average", s, v.Every, v.Average)

	s = v.recording(len(v.Names))
	through(t, s, &Reference{Against: Words{Mastoids}})
	holds(t, "mastoids", s, v.Every, v.Mastoids)
	if slices.Contains(s.Channels, "M1") || len(s.Samples) != scalp || len(s.Channels) != scalp {
		t.Errorf("after the mastoids there are %v", s.Channels)
	}

	s = v.recording(len(v.Names))
	through(t, s, &Bipolar{Pairs: Words{"F3-C3", "T6-M2"}}) // T6 is P8
	holds(t, "bipolar", s, v.Every, v.Bipolar)
	if len(s.Channels) != 2 || len(s.Samples) != 2 {
		t.Errorf("bipolar channels %v", s.Channels)
	}
}

// TestRejectsTheClipsThatMNERejects by the channel that MNE names.
func TestRejectsTheClipsThatMNERejects(t *testing.T) {
	v := ofMNE(t)
	s := v.recording(len(v.Names))
	s.Samples[4][120] += 200
	s.Samples[7][333] -= 150
	const n = 50
	var kept []int
	var by [][]string
	for clip := range v.Samples / n {
		var x []float64
		for _, row := range s.Samples {
			x = append(x, row[clip*n:(clip+1)*n]...)
		}
		if amplitude, channel := PeakToPeak(x, n); amplitude > 160 {
			by = append(by, []string{v.Names[channel]})
			continue
		}
		kept = append(kept, clip)
	}
	if !slices.Equal(kept, v.Kept) || fmt.Sprint(by) != fmt.Sprint(v.RejectedBy) || len(by) == 0 {
		t.Errorf("kept %v, rejected by %v; MNE keeps %v and rejects by %v", kept, by, v.Kept, v.RejectedBy)
	}
}

// TestInterpolationGivesBackSmoothFields: a field that is constant over the head is found exactly,
// and one that varies little nearly.
func TestInterpolationGivesBackSmoothFields(t *testing.T) {
	names := strings.Fields("Fp1 Fpz Fp2 AF7 AF3 AF4 AF8 F7 F3 Fz F4 F8 FC5 FC1 FC2 FC6 T7 C3 Cz C4 T8 CP5 CP1 CP2 CP6 P7 P3 Pz P4 P8 O1 Oz O2")
	rapid.Check(t, func(t *rapid.T) {
		level := rapid.Float64Range(-100, 100).Draw(t, "level")
		slope := [3]float64{}
		for i := range slope {
			slope[i] = rapid.Float64Range(-10, 10).Draw(t, "slope")
		}
		bad := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"C3", "Cz", "FC2", "P3", "F4", "CP1"}), 1, 3, rapid.ID).Draw(t, "bad")
		s := &Signal{Form: Form{Channels: names, Rate: 100}}
		var want []float64
		for _, n := range names {
			at, _ := montage.Position(n)
			v := level + slope[0]*at.X + slope[1]*at.Y + slope[2]*at.Z
			want = append(want, v)
			if slices.Contains(bad, n) {
				v = math.NaN()
			}
			s.Samples = append(s.Samples, []float64{v, level})
		}
		ready, err := Pipeline{&InterpolateBads{Channels: bad, Stiffness: SplineStiffness}}.Prepare(s.Form)
		if err != nil {
			t.Fatal(err)
		}
		if replaced := ready.Replaced(s); len(replaced) != len(bad) {
			t.Fatalf("it replaces %v of %v", replaced, bad)
		}
		for _, n := range bad { // its own samples don't matter, but for the constant one
			s.Samples[slices.Index(names, n)][1] = math.Inf(1)
		}
		if err := ready.Apply(context.Background(), s); err != nil {
			t.Fatal(err)
		}
		for i, x := range s.Samples {
			if !(math.Abs(x[0]-want[i]) < 2) || !(math.Abs(x[1]-level) < 1e-6) {
				t.Fatalf("%s is %v, want about %g and %g", names[i], x, want[i], level)
			}
		}
	})
}

// TestAverageReferenceSumsToNothing, and a signal that all channels share is gone.
func TestAverageReferenceSumsToNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		channels := []string{"F3", "F4", "C3", "C4", "O1"}[:rapid.IntRange(2, 5).Draw(t, "channels")]
		s := &Signal{Form: Form{Channels: channels, Rate: 100}, Baseline: [][]float64{}}
		for range channels {
			s.Samples = append(s.Samples, rapid.SliceOfN(rapid.Float64Range(-100, 100), 3, 3).Draw(t, "x"))
			s.Baseline = append(s.Baseline, rapid.SliceOfN(rapid.Float64Range(-100, 100), 2, 2).Draw(t, "b"))
		}
		ready, err := Pipeline{&Reference{Against: Words{"Average"}}}.Prepare(s.Form)
		if err != nil {
			t.Fatal(err)
		}
		if err := ready.Apply(context.Background(), s); err != nil {
			t.Fatal(err)
		}
		for _, rows := range [][][]float64{s.Samples, s.Baseline} {
			for i := range rows[0] {
				sum := 0.0
				for _, x := range rows {
					sum += x[i]
				}
				if math.Abs(sum) > 1e-9 {
					t.Fatalf("the channels sum to %g", sum)
				}
			}
		}
	})
}

// TestBaselineIsFilteredWithItsTrial: where one follows the other, they are one signal.
func TestBaselineIsFilteredWithItsTrial(t *testing.T) {
	form := Form{Channels: []string{"Cz"}, Rate: 128}
	whole := &Signal{Form: form, Samples: [][]float64{filetest.Signal(1280, 128, 1)}}
	steps := []Step{&BandPass{Low: 1, High: 40, Order: 4}, &Notch{Frequencies: Numbers{50}, Quality: 30}, &Resample{Rate: 100, Level: true}}
	for _, joined := range []bool{true, false} {
		x := filetest.Signal(1280, 128, 1)
		s := &Signal{Form: form, Baseline: [][]float64{x[:384]}, Samples: [][]float64{x[384:]}, Joined: joined, Offset: 384}
		through(t, s, steps...)
		if joined {
			through(t, whole, steps...)
			if len(s.Baseline[0]) != 300 || s.Offset != 300 || s.Rate != 100 {
				t.Fatalf("the baseline has %d samples, the offset is %d at %g Hz", len(s.Baseline[0]), s.Offset, s.Rate)
			}
			if got := slices.Concat(s.Baseline[0], s.Samples[0]); !slices.Equal(got, whole.Samples[0]) {
				t.Error("a joined baseline is not filtered with its trial")
			}
			continue
		}
		if got := slices.Concat(s.Baseline[0], s.Samples[0]); len(got) != 1000 || slices.Equal(got, whole.Samples[0]) {
			t.Error("a baseline that is not joined is filtered with its trial")
		}
	}
}

// TestStepsLeaveWhatWasReadAlone: recordings may share their samples.
func TestStepsLeaveWhatWasReadAlone(t *testing.T) {
	v := ofMNE(t)
	s, before := v.recording(22), v.recording(22)
	read := s.Samples
	through(t, s, &DropChannels{Channels: Words{"O1"}}, &InterpolateBads{Channels: Words{"Cz"}, Stiffness: 4, Marked: true}, &BandPass{Low: 1, Order: 2}, &Reference{Against: Words{"M1"}}, &LastSeconds{Seconds: 2},
		&Resample{Rate: 50, Level: true}, &DropChannels{Channels: Words{"M2"}}, &Reference{Against: Words{"average"}})
	for c := range read {
		if !slices.Equal(read[c], before.Samples[c]) {
			t.Fatalf("%s was changed", v.Names[c])
		}
	}
	if len(s.Samples) != 19 || len(s.Samples[0]) != 100 || s.Offset != 100 {
		t.Errorf("%d channels of %d samples from %d on", len(s.Samples), len(s.Samples[0]), s.Offset)
	}
}

func TestPipelineRefuses(t *testing.T) {
	form := Form{Channels: []string{"Fp1", "C3", "C4", "Foo", "O2"}, Rate: 128}
	for _, c := range []struct {
		steps Pipeline
		says  string
	}{
		{Pipeline{&BandPass{Low: 1, High: 64, Order: 4}}, "BandPass: band 1 to 64 Hz: at 128 samples a second it must end below 64 Hz"},
		{Pipeline{&BandPass{Order: 4}}, "give cut-off frequencies"},
		{Pipeline{&Resample{Rate: 100, Level: true}, &Notch{Frequencies: Numbers{50}, Quality: 30}}, "step 2, Notch: notch at 50 Hz: at 100 samples"},
		{Pipeline{&Notch{Quality: 30}}, "no frequencies"},
		{Pipeline{&Resample{}}, "positive"},
		{Pipeline{&Resample{Rate: 128e4}}, "32768 at the most"},
		{Pipeline{&Resample{Rate: 100.001}}, "ratio"},
		{Pipeline{&Reference{Against: Words{"mastoids"}}}, "no channel M1 (the nearest that they have is"},
		{Pipeline{&Reference{Against: Words{"C3", "C3"}}}, "named twice"},
		{Pipeline{&Reference{}}, "average, mastoids or the names"},
		{Pipeline{&Bipolar{Pairs: Words{"C3"}}}, "no pair"},
		{Pipeline{&Bipolar{Pairs: Words{"C3-T8"}}}, "pair C3-T8: the recordings have no channel T8"},
		{Pipeline{&DropChannels{Channels: Words{"Fp2"}}}, "no channel Fp2"},
		{Pipeline{&DropChannels{Channels: form.Channels}}, "leaves no channel"},
		{Pipeline{&InterpolateBads{Channels: Words{"T7"}, Stiffness: 4}}, "no channel T7"},
		{Pipeline{&InterpolateBads{Subjects: map[string]Words{"s2": {"T7"}}, Stiffness: 4}}, "subject s2: the recordings have no channel T7"},
		{Pipeline{&LastSeconds{}}, "positive number of seconds"},
		{Pipeline{&RejectClips{}}, "microvolts"},
		{Pipeline{&RejectClips{PeakToPeak: 100}, &Resample{Rate: 64}}, "put RejectClips last"},
	} {
		if _, err := c.steps.Prepare(form); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: error %v, want one that says %q", c.steps, err, c.says)
		}
	}
	for _, c := range []struct {
		step Step
		says string
	}{
		{&BandPass{Low: 1, High: 40, Order: 4}, "20 samples are too few for the filter, which needs more than 27"},
		{&LastSeconds{Seconds: 1}, "it lasts 0.1562 s, and the last 1 s of a trial are asked for"},
		{&InterpolateBads{Channels: Words{"Foo"}, Stiffness: 4}, "no place on the head is known of channel Foo"},
		{&InterpolateBads{Channels: Words{"C3"}, Stiffness: 4}, "1 of 5 channels are bad, and 3 good ones whose places are known are too few"},
	} {
		s := &Signal{Form: form}
		for range form.Channels {
			s.Samples = append(s.Samples, make([]float64, 20))
		}
		ready, err := Pipeline{c.step}.Prepare(form)
		if err != nil {
			t.Fatal(err)
		}
		if err := ready.Apply(t.Context(), s); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: error %v, want one that says %q", c.step, err, c.says)
		}
	}
}

// TestFilterSaysWhatItDistorts: a high-pass rings for longer than a short trial lasts.
func TestFilterSaysWhatItDistorts(t *testing.T) {
	for seconds, want := range map[int]int{4: 1, 400: 0} {
		s := &Signal{Form: Form{Channels: []string{"Cz"}, Rate: 100}, Samples: [][]float64{filetest.Signal(100*seconds, 100, 1)}}
		through(t, s, &BandPass{Low: 0.1, Order: 4})
		if len(s.Notes) != want {
			t.Errorf("%d s: notes %v", seconds, s.Notes)
		}
	}
}

// TestPipelineIsWrittenAsItIsRead, with all arguments, in JSON and YAML, under any spelling of a name.
func TestPipelineIsWrittenAsItIsRead(t *testing.T) {
	const text = `[{name: band-pass, args: {low: 1}}, {name: notch, args: {frequencies: 50}}, {name: drop_channels, args: {channels: T7}}, {name: InterpolateBads, args: {subjects: {s1: [Oz]}}},
  {name: Resample, args: {rate: 128}}, {name: reference, args: {against: average}}, {name: Bipolar, args: {pairs: [F3-C3]}}, {name: LastSeconds, args: {seconds: 3}}, {name: RejectClips, args: {peak_to_peak: 90}}]`
	var p, again, third Pipeline
	if err := yaml.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{`{"low":1,"high":0,"order":4}`, `{"frequencies":[50],"quality":30}`, `"marked":true`, `"level":true`} {
		if !strings.Contains(string(b), word) {
			t.Errorf("%s has no %s", b, word)
		}
	}
	y, err := yaml.Marshal(p)
	if err := errors.Join(err, json.Unmarshal(b, &again), yaml.Unmarshal(y, &third)); err != nil {
		t.Fatal(err)
	}
	for _, q := range []Pipeline{again, third} {
		if c, err := json.Marshal(q); err != nil || string(c) != string(b) {
			t.Errorf("written %s, read %s, %v", b, c, err)
		}
	}
	registered := map[string]bool{}
	for _, s := range p {
		registered[s.Name()] = true
	}
	for _, make := range registry() {
		if s := make(); !registered[s.Name()] || s.String() == "" {
			t.Errorf("%s is not in the test, or says nothing of itself", s.Name())
		}
	}
	if _, err := New("Bandpas"); err == nil || !strings.Contains(err.Error(), "did you mean BandPass?") {
		t.Errorf("error %v", err)
	}
}
