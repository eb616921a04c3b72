package source

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/mat"
	"github.com/eegprune/eegprune/data/pickle"
	"github.com/eegprune/eegprune/internal/note"
)

// The files in testdata/{seed_v,faced,dasps} are NumPy's, SciPy's and h5py's: see
// scripts/make_set_files.py, which explains their numbers.

func TestSEEDVFeaturesOfNumPy(t *testing.T) {
	s, err := Open("testdata/seed_v", "")
	if err != nil {
		t.Fatal(err)
	}
	if s.Manifest.Name != "seed-v-features" {
		t.Fatalf("it is taken for %s", s.Manifest.Name)
	}
	n := 0
	err = s.Each(t.Context(), Walk{Notes: &note.List{}}, func(r *Recording) error {
		trial := n
		n++
		if r.Subject != "2" || r.Session != "1" || r.Trial != trial+1 || r.Labels["emotion"] != []float64{4, 1, 3, 2, 0}[trial%5] || r.Len() != 5*(1+trial%2) {
			t.Errorf("trial %d of session %s of subject %s, %v, %d numbers", r.Trial, r.Session, r.Subject, r.Labels, r.Len())
		}
		for e, row := range r.Samples {
			for i, v := range row {
				if want := float64(1000*trial + 400*(i/5) + 5*e + i%5); v != want {
					t.Fatalf("trial %d, %s, number %d is %g, want %g", r.Trial, r.Channels[e], i, v, want)
				}
			}
		}
		return nil
	})
	if err != nil || n != 15 {
		t.Errorf("%d trials, %v", n, err)
	}
}

func TestDASPSOfHDF5(t *testing.T) {
	for _, format := range []string{"", "dasps-raw"} {
		s, err := Open("testdata/dasps", format)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		err = s.Each(t.Context(), Walk{Notes: &note.List{}}, func(r *Recording) error {
			want := map[string]float64{"valence": float64(n/2 + 1), "arousal": float64(9 - n/2), "hamilton-before": 14, "hamilton-after": 26}
			if d := cmp.Diff(want, r.Labels); d != "" || r.Subject != "07" || r.Trial != n/2+1 || r.Stimulus != strconv.Itoa(n/2+1) {
				t.Errorf("recording %d is trial %d of subject %s: %s", n, r.Trial, r.Subject, d)
			}
			for e, row := range r.Samples {
				for i, v := range row {
					if v != float64(1000*n+100*e+i) {
						t.Fatalf("recording %d, %s, sample %d is %g", n, r.Channels[e], i, v)
					}
				}
			}
			n++
			return nil
		})
		if err != nil || n != 12 {
			t.Errorf("%q: %d recordings, %v", format, n, err)
		}
		sum, err := Inspect(t.Context(), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(sum.Subjects) != 1 || sum.Subjects[0].Trials != 6 {
			t.Errorf("%q: subjects %+v", format, sum.Subjects)
		}
	}
}

// facedDir is a directory of FACED with one subject, whose samples are zero but for one.
func facedDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	remarks, err := os.ReadFile("testdata/faced/After_remarks.mat")
	if err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func(*os.File) error{
		"Processed_data/sub004.pkl": func(f *os.File) error {
			return pickle.WriteArray(f, pickle.Named{Shape: []int{28, 32, 3}, Lines: func(yield func([]float64) bool) {
				for range 28 * 32 {
					if !yield([]float64{1, 2, 4}) {
						return
					}
				}
			}})
		},
		"Rating/sub004/After_remarks.mat": func(f *os.File) error { _, err := f.Write(remarks); return err },
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := write(f); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The ratings lie in the order in which a subject saw the clips, and the samples in that of the
// clips.
func TestFACEDRatingsOfSciPy(t *testing.T) {
	dir := facedDir(t)
	s, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	inputs, err := s.Inputs()
	if err != nil || inputs["Rating/sub004/After_remarks.mat"] == "" {
		t.Errorf("labels don't depend on the ratings: %v, %v", inputs, err)
	}
	err = s.Each(t.Context(), Walk{Notes: &note.List{}}, func(r *Recording) error {
		for k, key := range []string{"joy", "tenderness", "inspiration", "amusement", "anger", "disgust", "fear", "sadness", "arousal", "felt-valence", "familiarity", "liking"} {
			v, ok := r.Labels[key]
			if missing := r.Trial == 1 && key == "liking"; ok == missing || ok && v != float64(k+r.Trial)/8 {
				t.Errorf("clip %d: %s is %g, %v", r.Trial, key, v, ok)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Use(Reading{Label: label.Choice{Keys: []string{"liking"}}}); err != nil {
		t.Fatal(err)
	}
	sum, err := Inspect(t.Context(), s, nil)
	if err != nil || len(sum.Bad) != 1 || !strings.Contains(sum.Bad[0], "trial 1: it has no label liking") {
		t.Errorf("bad: %v, %v", sum.Bad, err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "Rating")); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(dir, ""); err != nil {
		t.Fatal(err)
	}
	if sum, err = Inspect(t.Context(), s, nil); err != nil || len(sum.Bad) > 0 {
		t.Fatalf("bad: %v, %v", sum.Bad, err)
	}
	if !slices.ContainsFunc(sum.Notes.Sentences(), func(n string) bool { return strings.Contains(n, "what was felt is not known") }) {
		t.Errorf("nothing says that ratings are missing: %q", sum.Notes.Sentences())
	}
}

// Each label of a data set is divided at its own threshold, unless one is chosen for all.
func TestThresholdsOfLabels(t *testing.T) {
	for threshold, want := range map[float64]string{0: "hamilton-before >= 20", 4: "hamilton-before >= 4"} {
		s, err := Open("testdata/dasps", "")
		if err != nil {
			t.Fatal(err)
		}
		if threshold > 0 {
			if err := s.Use(Reading{Label: label.Choice{Threshold: &threshold}}); err != nil {
				t.Fatal(err)
			}
		}
		sum, err := Inspect(t.Context(), s, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(sum.Labels, func(l LabelSummary) bool { return l.Rule == want }) {
			t.Errorf("with the threshold %g there are %+v", threshold, sum.Labels)
		}
	}
}

// Annotations of EmoEEG-MC make trials: a film that is begun anew is one, times at which all codes
// lie are none, imagery ends at its button, and codes may differ in their tens.
func TestEmoEEGMCTrials(t *testing.T) {
	plan := emoPlan{film: 26, imagery: 25, fade: 23, rating: 24}
	of := func(ten int, list ...float64) (events []event) {
		for i := 0; i < len(list); i += 2 {
			events = append(events, event{onset: list[i], text: "TypeID: " + strconv.Itoa(ten+int(list[i+1]))})
		}
		return events
	}
	list := []float64{0, 0, 5, 3, 6, 4 /* rest */, 10, 6, 20, 6, 80, 4 /* film, anew */, 90, 3, 90, 4, 90, 5, 90, 6 /* all codes */, 100, 5, 150, 3, 155, 3, 160, 4 /* imagery */, 200, 5, 220, 4 /* without a button */, 230, 6}
	want := []emoTrial{{"vid", 50, 80}, {"ima", 120, 150}, {"ima", 200, 220}}
	for _, ten := range []int{20, 0} {
		if got := plan.found(of(ten, list...)); !slices.Equal(got, want) {
			t.Errorf("codes from %d: %v", ten, got)
		}
	}
}

// Each subject's plan has as many trials as the set's README.md says.
func TestEmoEEGMCPlans(t *testing.T) {
	plans, err := emoPlans()
	if err != nil || len(plans) != 60 {
		t.Fatalf("%d plans, %v", len(plans), err)
	}
	fewer := map[string][2]int{"55": {18, 18}, "56": {19, 21}, "57": {17, 15}, "58": {18, 21}, "59": {15, 17}, "60": {7, 9}}
	for subject, p := range plans {
		want, ok := fewer[subject]
		if !ok {
			want = [2]int{21, 21}
		}
		for i, context := range []string{"ima", "vid"} {
			kept := slices.DeleteFunc(slices.Clone(p.trials[context]), func(s string) bool { return s == "-" })
			slices.Sort(kept)
			if len(kept) != want[i] || len(slices.Compact(kept)) != want[i] {
				t.Errorf("subject %s has %d trials of %s", subject, len(kept), context)
			}
			for _, s := range kept {
				if emoEmotion(s) < 0 {
					t.Errorf("subject %s has the stimulus %s", subject, s)
				}
			}
		}
	}
	if emoEmotion("-") != -1 || emoEmotion("dis8") != 1 || emoEmotion("ins4") != 6 {
		t.Error("stimuli have other emotions")
	}
}

// Videos of AMIGOS that hold NaN, as some of the set's do, are left out and said; all others are
// read.
func TestAMIGOSWithNaN(t *testing.T) {
	dir := t.TempDir()
	nan := math.NaN()
	rated := func(valence float64) mat.Numbers {
		return mat.Numbers{Dims: []int{1, 12}, Values: []float64{3, valence, 5, 5, 5, 0, 0, 0, 0, 1, 0, 0}}
	}
	samples := func(last float64) mat.Numbers {
		x := mat.Numbers{Dims: []int{700, 17}, Values: make([]float64, 700*17)}
		for i := range x.Values {
			x.Values[i] = float64(i * i % 101)
		}
		x.Values[14*700-1], x.Values[17*700-1] = last, nan // the last of the EEG, and of an unread channel
		return x
	}
	f, err := os.Create(filepath.Join(dir, "Data_Preprocessed_P01.mat"))
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(mat.WriteHeader(f),
		mat.Write(f, "joined_data", mat.Cell{samples(1), samples(nan), samples(2), samples(3), mat.Numbers{}}),
		mat.Write(f, "labels_selfassessment", mat.Cell{rated(7), rated(7), rated(nan), rated(2), rated(2)}), f.Close())
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	var trials []int
	var notes note.List
	err = s.Each(t.Context(), Walk{Notes: &notes}, func(r *Recording) error {
		trials = append(trials, r.Trial)
		notes.Add(r.File, r.Notes...)
		return nil
	})
	if err != nil || !slices.Equal(trials, []int{1, 4}) {
		t.Errorf("the trials are %v, %v", trials, err)
	}
	if said := strings.Join(notes.Sentences(), " "); !strings.Contains(said, "(NaN): 2, 3") {
		t.Errorf("it is said: %s", said)
	}
}
