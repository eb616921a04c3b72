package source

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/data/filetest"
)

// TestMATArrays: trials of MAT files in the ways in which laboratories keep them, which
// testdata/mat/make.py wrote by SciPy and hdf5storage. All hold the same three trials.
func TestMATArrays(t *testing.T) {
	var want struct {
		Trials [][][]float64
		Labels []float64
	}
	b, err := os.ReadFile("testdata/mat/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	const numbers = "{array: label, classes: {-1: sad, 0: neutral, 1: glad}}"
	const words = "{array: label, classes: {sad: sad, neutral: neutral, glad: glad}}"
	const hot = "{array: label, classes: {0: sad, 1: neutral, 2: glad}}"
	const signal = "rate: 50, electrodes: [Fp1, C3]"
	for name, c := range map[string]struct{ label, signal string }{
		"cube":          {numbers, "array: eeg, " + signal},
		"cube73":        {numbers, "array: eeg, " + signal},
		"alone":         {numbers, signal},
		"python":        {hot, "array: eeg, axes: [trials, channels, samples], " + signal},
		"python73":      {hot, "array: eeg, axes: [trials, channels, samples], " + signal},
		"cells":         {words, "array: eeg, " + signal},
		"cells73":       {words, "array: eeg, " + signal},
		"structures":    {strings.Replace(words, "label,", "trial.label,", 1), "array: trial.eeg, " + signal},
		"structures73":  {strings.Replace(words, "label,", "trial.label,", 1), "array: trial.eeg, " + signal},
		"nested":        {strings.Replace(numbers, "label,", "S.info.y,", 1), "array: S.data, " + signal},
		"itself":        {numbers, "array: eeg"},
		"int16":         {numbers, "array: eeg, scale: 0.125, " + signal},
		"rows_of_texts": {words, "array: eeg, " + signal},
		"time_first":    {strings.Replace(hot, "label,", "label,", 1), "array: eeg, axes: [samples, channels, trials], " + signal},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("testdata", "mat", name+".mat"))
			if err != nil {
				t.Fatal(err)
			}
			manifest := "format: mat\nfiles: '(?<subject>.*)\\.mat'\nlabel: " + c.label + "\nsignal: {" + c.signal + "}\n"
			s, err := Open(filetest.Put(t, map[string][]byte{name + ".mat": b, ManifestName: []byte(manifest)}), "")
			if err != nil {
				t.Fatal(err)
			}
			trial := 0
			for r, err := range s.recordings(t.Context(), 1, nil) {
				if err != nil {
					t.Fatal(err)
				}
				if trial == len(want.Trials) {
					t.Fatal("too many trials")
				}
				if d := cmp.Diff(want.Trials[trial], r.Samples); d != "" {
					t.Errorf("trial %d: %s", trial+1, d)
				}
				if got := r.Labels["label"]; got != want.Labels[trial] || r.Trial != trial+1 || r.Rate != 50 {
					t.Errorf("trial %d: number %d, class %g, %g Hz", trial+1, r.Trial, got, r.Rate)
				}
				trial++
			}
			if trial != len(want.Trials) {
				t.Errorf("%d trials", trial)
			}
		})
	}
}

func TestMATArraysRefused(t *testing.T) {
	const plain = "label: {array: label, classes: {-1: sad, 0: neutral, 1: glad}}\nsignal: {array: eeg, rate: 50, electrodes: [Fp1, C3]}"
	for name, c := range map[string]struct{ file, manifest, want string }{
		"no such variable":  {"cube", strings.Replace(plain, "array: eeg", "array: data", 1), "no variable data.*eeg"},
		"no such field":     {"structures", strings.NewReplacer("array: eeg", "array: trial.x", "array: label", "array: trial.label").Replace(plain), "no field x.*eeg"},
		"axes":              {"python", strings.Replace(plain, "array: eeg", "array: eeg", 1), "3 channels by its axes.*signal.axes"},
		"several variables": {"several", strings.Replace(plain, "array: eeg, ", "", 1), "signal.array"},
		"string":            {"string73", strings.Replace(plain, "array: label", "array: eeg", 1), "class string.*cellstr"},
		"label":             {"cube", strings.Replace(plain, "-1: sad, 0: neutral, 1: glad", "7: sad, 8: glad", 1), `none of the labels.*"-1"`},
		"wrong axes":        {"cube", strings.Replace(plain, "array: eeg", "array: eeg, axes: [channels, time]", 1), "axes must be channels, samples, trials"},
		"scale of EDF":      {"cube", "label: {annotations: true, classes: {a: a, b: b}}\nsignal: {scale: 2}", "units themselves"},
		"number of labels":  {"cube", strings.Replace(plain, "array: label", "array: rate", 1), "3 trials in eeg and 1 labels"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("testdata", "mat", c.file+".mat"))
			if err != nil {
				t.Fatal(err)
			}
			format := "mat"
			if strings.Contains(c.manifest, "annotations") {
				format = "edf"
			}
			s, err := Open(filetest.Put(t, map[string][]byte{"s.mat": b, ManifestName: []byte("format: " + format + "\nfiles: '(?<subject>.*)\\.mat'\n" + c.manifest + "\n")}), "")
			if err == nil {
				for _, e := range s.recordings(t.Context(), 1, nil) {
					if e != nil {
						err = e
						break
					}
				}
			}
			if err == nil || !regexp.MustCompile(c.want).MatchString(err.Error()) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
		})
	}
}

// TestTrialsWithoutAClassAreSaid: trials whose labels have no class are left out by name.
func TestTrialsWithoutAClassAreSaid(t *testing.T) {
	b, err := os.ReadFile("testdata/mat/cube.mat")
	if err != nil {
		t.Fatal(err)
	}
	for ignore, want := range map[string]int{"": 1, "ignore: ['1'], ": 0} {
		s, err := Open(filetest.Put(t, map[string][]byte{"s.mat": b, ManifestName: []byte("format: mat\nfiles: '(?<subject>.*)\\.mat'\nlabel: {" + ignore + "array: label, classes: {-1: sad, 0: neutral}}\nsignal: {array: eeg, rate: 50, electrodes: [Fp1, C3]}\n")}), "")
		if err != nil {
			t.Fatal(err)
		}
		said := 0
		for r, err := range s.recordings(t.Context(), 1, nil) {
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range r.Notes {
				if r.Trial == 1 && strings.Contains(n.What, `none of label.classes and are left out: "1"`) {
					said++
				}
			}
		}
		if said != want {
			t.Errorf("%q: said %d times", ignore, said)
		}
	}
}

// TestMATWithoutAManifest: the error lists the variables and gives an example of a
// manifest.
func TestMATWithoutAManifest(t *testing.T) {
	for _, name := range []string{"cells73", "cube"} {
		b, err := os.ReadFile(filepath.Join("testdata", "mat", name+".mat"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = Open(filetest.Put(t, map[string][]byte{"s.mat": b}), "")
		for _, want := range map[string][]string{"cells73": {"eeg (cell 1 x 3)", "label (cell 1 x 3)", "format: mat"}, "cube": {"eeg (double 2 x 8 x 3)", "subject (char 1 x 3)", ManifestName}}[name] {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want one that says %s", name, err, want)
			}
		}
	}
}
