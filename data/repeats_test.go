package data

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/data/filetest"
	"github.com/eegprune/eegprune/data/npy"
	"github.com/eegprune/eegprune/data/source"
)

// TestTrialsThatAreThereTwice: in one file they are taken once, and noted; those of
// another file are noted.
func TestTrialsThatAreThereTwice(t *testing.T) {
	trials := func(which ...int) npy.Named {
		var x []float64
		for _, w := range which {
			for _, row := range filetest.SmallTrial(w, 2, 32) {
				x = append(x, row...)
			}
		}
		return npy.Named{Name: "x", Shape: []int{len(which), 2, 32}, Values: x}
	}
	rate, channels := npy.Named{Name: "rate", Values: []float64{8}}, npy.Named{Name: "channels", Values: []string{"Fp1", "T7"}}
	y := func(list ...int64) npy.Named { return npy.Named{Name: "y", Values: list} }
	s, err := source.Open(filetest.Put(t, map[string][]byte{
		"a.npz": filetest.Archive(t, trials(0, 1, 0, 1), rate, channels, y(0, 1, 0, 0)),
		"b.npz": filetest.Archive(t, trials(2, 1), rate, channels, y(0, 1)),
	}), "")
	if err != nil {
		t.Fatal(err)
	}
	sum := looked(t, s)
	if len(sum.Subjects) != 2 || sum.Subjects[0].Trials != 3 || sum.Subjects[1].Trials != 1 {
		t.Errorf("subjects %+v, want 3 and 1 trials", sum.Subjects)
	}
	said := strings.Join(sum.Notes.Sentences(), "\n")
	for _, w := range []string{"a.npz: Trial 3 has the same samples as trial 1 and is left out", "a.npz: Trial 4 has the same samples as trial 2 and another label", "b.npz: Trial 2 has the same samples as trial 2 of subject a in a.npz and is left out."} {
		if !strings.Contains(said, w) {
			t.Errorf("the notes don't say %q: %s", w, said)
		}
	}
	set, err := Features(t.Context(), s, lowBand())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range set.Clips {
		if filepath.Base(c.File) == "a.npz" && c.Trial == 3 || filepath.Base(c.File) == "b.npz" && c.Trial == 2 {
			t.Error("clips are made of a trial that is there twice")
		}
	}
	o := lowBand()
	o.Strict = true
	if _, err := Features(t.Context(), s, o); err == nil || !strings.Contains(err.Error(), "--strict") {
		t.Errorf("strict: %v", err)
	}
}
