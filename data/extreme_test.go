package data

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/data/edf"
	"github.com/eegprune/eegprune/data/filetest"
	"github.com/eegprune/eegprune/data/npy"
	"github.com/eegprune/eegprune/data/source"
)

// TestExtremeNumbers: whatever numbers a manifest or options hold, they end in
// features or an error.
func TestExtremeNumbers(t *testing.T) {
	npz, err := os.ReadFile("npy/testdata/compressed.npz")
	if err != nil {
		t.Fatal(err)
	}
	annotated := filetest.Plain()
	annotated.Annotations = []edf.Annotation{{Onset: 0.5, Duration: 1, Text: "T1"}, {Onset: 1.5, Duration: 1, Text: "T2"}}
	for _, v := range []string{"0", "1e-300", "1e-9", "0.3", "2.999", "1e9", "1e300"} {
		for text, files := range map[string]map[string][]byte{
			filetest.ByName + "trim: {start: " + v + "}\n":                           {"s1_1_sad.edf": filetest.Plain().Bytes(t), "s1_2_glad.edf": filetest.Plain().Bytes(t)},
			filetest.ByName + "trim: {end: " + v + "}\n":                             {"s1_1_sad.edf": filetest.Plain().Bytes(t), "s1_2_glad.edf": filetest.Plain().Bytes(t)},
			filetest.ByName + "trials: {seconds: " + v + "}\n":                       {"s1_1_sad.edf": filetest.Plain().Bytes(t), "s1_2_glad.edf": filetest.Plain().Bytes(t)},
			strings.Replace(filetest.ByAnnotation, "true", "true\n  seconds: "+v, 1): {"s1.edf": annotated.Bytes(t)},
			strings.Replace(byArray, "0.125", v, 1):                                  {"p7.npz": npz},
			strings.Replace(byArray, "rate: 8", "rate: "+v, 1):                       {"p7.npz": npz},
		} {
			all := map[string][]byte{source.ManifestName: []byte(text)}
			for name, b := range files {
				all[name] = b
			}
			s, err := source.Open(filetest.Put(t, all), "")
			if err != nil {
				continue
			}
			for _, seconds := range []float64{1e-300, 0.5, 1, 1e300} {
				o := GridOptions()
				o.Seconds = seconds
				if set, err := Features(t.Context(), s, o); err == nil && set.checkRows() != nil {
					t.Errorf("%s at %s: a set that doesn't hold together", v, text)
				}
			}
		}
	}
}

// TestFeaturesAreNumbers: no set holds values on which a network can't be trained.
func TestFeaturesAreNumbers(t *testing.T) {
	x := make([]float64, 0, 2*3*16)
	for trial := range 2 {
		for _, row := range filetest.SmallTrial(trial, 3, 16) {
			for _, v := range row {
				x = append(x, v*1e200) // its square is more than a number can be
			}
		}
	}
	var b bytes.Buffer
	if err := npy.WriteArchive(&b, []npy.Named{{Name: "x", Shape: []int{2, 3, 16}, Values: x}, {Name: "y", Values: []int64{0, 1}}}); err != nil {
		t.Fatal(err)
	}
	s, err := source.Open(filetest.Put(t, map[string][]byte{source.ManifestName: []byte(strings.Replace(byArray, "0.125", "0.5", 1)), "p7.npz": b.Bytes()}), "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Features(t.Context(), s, lowBand())
	if err == nil || !strings.Contains(err.Error(), "no number") || !strings.Contains(err.Error(), "p7.npz") {
		t.Errorf("error %v", err)
	}
}
