package data

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"eegprune/data/edf"
	"eegprune/data/transform"
)

// TestExtremeNumbers: whatever numbers a manifest or options hold, they end in
// features or an error.
func TestExtremeNumbers(t *testing.T) {
	npz, err := os.ReadFile("npy/testdata/compressed.npz")
	if err != nil {
		t.Fatal(err)
	}
	annotated := plain()
	annotated.annotations = []edf.Annotation{{Onset: 0.5, Duration: 1, Text: "T1"}, {Onset: 1.5, Duration: 1, Text: "T2"}}
	for _, v := range []string{"0", "1e-300", "1e-9", "0.3", "2.999", "1e9", "1e300"} {
		for text, files := range map[string]map[string][]byte{
			byName + "trim: {start: " + v + "}\n":                           {"s1_1_sad.edf": plain().bytes(t), "s1_2_glad.edf": plain().bytes(t)},
			byName + "trim: {end: " + v + "}\n":                             {"s1_1_sad.edf": plain().bytes(t), "s1_2_glad.edf": plain().bytes(t)},
			byName + "trials: {seconds: " + v + "}\n":                       {"s1_1_sad.edf": plain().bytes(t), "s1_2_glad.edf": plain().bytes(t)},
			strings.Replace(byAnnotation, "true", "true\n  seconds: "+v, 1): {"s1.edf": annotated.bytes(t)},
			strings.Replace(byArray, "0.125", v, 1):                         {"p7.npz": npz},
			strings.Replace(byArray, "rate: 8", "rate: "+v, 1):              {"p7.npz": npz},
		} {
			all := map[string][]byte{ManifestName: []byte(text)}
			for name, b := range files {
				all[name] = b
			}
			s, err := Open(putFiles(t, all), "")
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

// FuzzRecordings: whatever is in an EDF file, its recordings are rectangular and
// their features numbers, or there is an error.
func FuzzRecordings(f *testing.F) {
	annotated := recordingFile{labels: []string{"Fp1", "ECG"}, rates: []int{8}, seconds: 3}
	annotated.annotations = []edf.Annotation{{Onset: 0.5, Duration: 1, Text: "T1"}, {Onset: 1.5, Duration: 1, Text: "T2"}}
	f.Add(annotated.bytes(f))
	f.Add(bytes.Replace(annotated.bytes(f), []byte("EDF+C"), []byte("EDF+D"), 1))
	f.Add(plain().bytes(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Open(putFiles(t, map[string][]byte{ManifestName: []byte(byAnnotation), "s1.edf": b}), "")
		if err != nil {
			t.Fatal(err)
		}
		for r, err := range s.Recordings(t.Context()) {
			if err != nil {
				return
			}
			for _, x := range r.Samples {
				if len(x) != r.length() || len(r.Samples) != len(r.Channels) {
					t.Fatalf("%d channels, rows of %d and %d samples", len(r.Channels), len(x), r.length())
				}
			}
		}
		o := Options{Seconds: 0.5, Transforms: transform.Pipeline{transform.NewBandDifferentialEntropy(transform.Bands{{Name: "low", Low: 1, High: 2}})}}
		if set, err := Features(t.Context(), s, o); err == nil && set.checkRows() != nil {
			t.Fatal("a set that doesn't hold together")
		}
	})
}
