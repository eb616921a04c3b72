package data

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/data/edf"
	"github.com/eegprune/eegprune/data/filetest"
	"github.com/eegprune/eegprune/data/mat"
	"github.com/eegprune/eegprune/data/npy"
	"github.com/eegprune/eegprune/data/pickle"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/data/transform"
	"github.com/eegprune/eegprune/internal/note"
)

// fuzzedDirectory opens and reads a directory of which one file or more may hold
// anything: recordings are rectangular and their features numbers, or there is an
// error.
func fuzzedDirectory(t *testing.T, files map[string][]byte) {
	t.Helper()
	s, err := source.Open(filetest.Put(t, files), "")
	if err != nil {
		return
	}
	// Errors are for Inspect to report.
	_ = s.Each(t.Context(), source.Walk{Notes: &note.List{}}, func(r *source.Recording) error {
		checkRecording(t, r)
		return nil
	})
	if _, err := source.Inspect(t.Context(), s, nil); err != nil {
		t.Fatalf("looking at what can be read: %v", err)
	}
	o := lowBand()
	o.SkipBad = true
	if s.HasBaseline() {
		o.Transforms = append(o.Transforms, &transform.BaselineRemoval{})
	}
	set, err := Features(t.Context(), s, o)
	if err != nil {
		return
	}
	if err := set.checkRows(); err != nil {
		t.Fatalf("a set that doesn't hold together: %v", err)
	}
	for i, v := range set.X {
		if v != v || math.IsInf(float64(v), 0) {
			t.Fatalf("feature %d is %g", i, v)
		}
	}
}

// lowBand are features of signals of a few samples a second.
func lowBand() Options {
	return Options{Seconds: 0.5, BaselineSeconds: 0.5, Transforms: transform.Pipeline{
		transform.NewBandDifferentialEntropy(transform.Bands{{Name: "low", Low: 1, High: 2}})}}
}

func checkRecording(t *testing.T, r *source.Recording) {
	t.Helper()
	if r.Trial < 1 || r.Offset < 0 || len(r.Samples) != len(r.Channels) || r.Baseline != nil && len(r.Baseline) != len(r.Channels) {
		t.Fatalf("trial %d at %d: %d channels, %d rows, %d of baseline", r.Trial, r.Offset, len(r.Channels), len(r.Samples), len(r.Baseline))
	}
	for _, rows := range [][][]float64{r.Samples, r.Baseline} {
		for _, x := range rows {
			if len(x) != len(rows[0]) {
				t.Fatalf("rows of %d and %d samples", len(rows[0]), len(x))
			}
		}
	}
}

func FuzzReadEDF(f *testing.F) {
	annotated := filetest.EDF{Labels: []string{"Fp1", "ECG"}, Rates: []int{8}, Seconds: 3}
	annotated.Annotations = []edf.Annotation{{Onset: 0.5, Duration: 1, Text: "T1"}, {Onset: 1.5, Duration: 1, Text: "T2"}}
	f.Add(annotated.Bytes(f), true)
	f.Add(annotated.Bytes(f), false)
	f.Add(bytes.Replace(annotated.Bytes(f), []byte("EDF+C"), []byte("EDF+D"), 1), true)
	f.Add(filetest.Plain().Bytes(f), true)
	f.Fuzz(func(t *testing.T, b []byte, manifest bool) {
		files := map[string][]byte{"s1.edf": b}
		if manifest {
			files[source.ManifestName] = []byte(filetest.ByAnnotation)
		}
		fuzzedDirectory(t, files)
	})
}

func FuzzReadDEAP(f *testing.F) {
	lines := func(rows ...[][]float64) func(func([]float64) bool) {
		return func(yield func([]float64) bool) {
			for _, trial := range rows {
				for _, row := range trial {
					if !yield(row) {
						return
					}
				}
			}
		}
	}
	var b bytes.Buffer
	if err := pickle.WriteDict(&b, []pickle.Named{
		{Name: "data", Shape: []int{2, 3, 16}, Lines: lines(filetest.SmallTrial(0, 3, 16), filetest.SmallTrial(1, 3, 16))},
		{Name: "labels", Shape: []int{2, 4}, Lines: lines([][]float64{{2, 3, 4, 5}, {8, 7, 6, 5}})},
	}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("}(U\x04dataK\x01U\x06labelsK\x01u."))
	const manifest = `format: deap
files: '^s(?<subject>\d+)\.dat$'
label: {transforms: [{name: Select, args: {key: [valence]}}, {name: Binary}]}
signal: {rate: 8, electrodes: [Fp1, T7], baseline: 1}
`
	f.Fuzz(func(t *testing.T, b []byte) {
		fuzzedDirectory(t, map[string][]byte{source.ManifestName: []byte(manifest), "s1.dat": b})
	})
}

// unpacked is a MAT file with its compressed parts decompressed, so that a change of a
// byte changes the reader's input.
func unpacked(f *testing.F, b []byte) []byte {
	f.Helper()
	out := bytes.Clone(b[:128])
	for b = b[128:]; len(b) > 0; {
		n := binary.LittleEndian.Uint32(b[4:])
		z, err := zlib.NewReader(bytes.NewReader(b[8 : 8+n]))
		if err != nil {
			f.Fatal(err)
		}
		open, err := io.ReadAll(z)
		if err != nil {
			f.Fatal(err)
		}
		out, b = append(out, open...), b[8+n:]
	}
	return out
}

func FuzzReadSEED(f *testing.F) {
	file := func(names []string, matrices ...[][]float64) []byte {
		var b bytes.Buffer
		if err := mat.WriteHeader(&b); err != nil {
			f.Fatal(err)
		}
		for i, m := range matrices {
			if err := mat.WriteMatrix(&b, names[i], m); err != nil {
				f.Fatal(err)
			}
		}
		return b.Bytes()
	}
	trials := file([]string{"x_eeg1", "x_eeg2"}, filetest.SmallTrial(0, 2, 16), filetest.SmallTrial(1, 2, 12))
	labels := file([]string{"label"}, [][]float64{{-1, 1}})
	f.Add(trials, labels)
	f.Add(unpacked(f, trials), unpacked(f, labels))
	const manifest = `format: seed
files: '^(?<subject>\d+)\.mat$'
label: {transforms: [{name: Mapping, args: {classes: [{value: -1, class: sad}, {value: 1, class: glad}]}}]}
signal: {rate: 8, electrodes: [Fp1, T7]}
`
	f.Fuzz(func(t *testing.T, trials, labels []byte) {
		fuzzedDirectory(t, map[string][]byte{source.ManifestName: []byte(manifest), "1.mat": trials, "label.mat": labels})
	})
}

// FuzzReadNPY changes the arrays within an archive: a change of the archive itself
// hardly ever gets past its checksums.
func FuzzReadNPY(f *testing.F) {
	var x []float64
	for trial := range 2 {
		for _, row := range filetest.SmallTrial(trial, 3, 16) {
			x = append(x, row...)
		}
	}
	entry := func(a npy.Named) []byte {
		var b bytes.Buffer
		if err := npy.WriteArchive(&b, []npy.Named{a}); err != nil {
			f.Fatal(err)
		}
		z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			f.Fatal(err)
		}
		r, err := z.File[0].Open()
		if err != nil {
			f.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			f.Fatal(err)
		}
		return content
	}
	samples := entry(npy.Named{Name: "x", Shape: []int{2, 3, 16}, Values: x})
	y, trial := entry(npy.Named{Name: "y", Values: []int64{0, 1}}), entry(npy.Named{Name: "trial", Values: []int64{1, 2}})
	rate, baseline := entry(npy.Named{Name: "rate", Values: []float64{8}}), entry(npy.Named{Name: "baseline", Values: []float64{0.5}})
	channels, subject := entry(npy.Named{Name: "channels", Values: []string{"Fp1", "T3", "Cz"}}), entry(npy.Named{Name: "subject", Values: []string{"1", "2"}})
	f.Add(samples, y, trial, rate, baseline, channels, subject, true)
	f.Add(samples, y, trial, rate, baseline, channels, subject, false)
	f.Add(samples, []byte(nil), []byte(nil), []byte(nil), []byte(nil), []byte(nil), []byte(nil), false)
	f.Fuzz(func(t *testing.T, x, y, trial, rate, baseline, channels, subject []byte, manifest bool) {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, a := range []struct {
			name    string
			content []byte
		}{{"x", x}, {"y", y}, {"trial", trial}, {"rate", rate}, {"baseline", baseline}, {"channels", channels}, {"subject", subject}} {
			if len(a.content) == 0 {
				continue
			}
			w, err := z.CreateHeader(&zip.FileHeader{Name: a.name + ".npy"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(a.content); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		files := map[string][]byte{"p7.npz": b.Bytes()}
		if manifest {
			files[source.ManifestName] = []byte(strings.Replace(byArray, "0.125", "0.5", 1))
		} else if len(y) == 0 {
			files = map[string][]byte{"p7.npy": x}
		}
		fuzzedDirectory(t, files)
	})
}

func FuzzReadEEGLAB(f *testing.F) {
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("eeglab", "testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		return b
	}
	samples := read("fdt.fdt")
	for _, name := range []string{"v5.set", "v5_packed.set", "v5_fields.set", "epochs.set", "fdt.set", "fdt73.set", "epochs73.set"} {
		f.Add(read(name), samples, true)
	}
	f.Add(unpacked(f, read("v5_packed.set")), []byte(nil), false)
	f.Fuzz(func(t *testing.T, set, samples []byte, manifest bool) {
		files := map[string][]byte{"fdt.set": set}
		if len(samples) > 0 {
			files["fdt.fdt"] = samples
		}
		if manifest {
			files[source.ManifestName] = []byte(strings.Replace(filetest.ByEvent, "0.6", "0.5", 1))
		}
		fuzzedDirectory(t, files)
	})
}

func FuzzReadMAT(f *testing.F) {
	names := []string{"cube.mat", "cells73.mat", "structures.mat", "structures73.mat", "alone.mat"}
	paths := []string{"array: eeg, ", "array: trial.eeg, axes: [trials, channels, samples], ", ""}
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join("source", "testdata", "mat", name))
		if err != nil {
			f.Fatal(err)
		}
		for way := range paths {
			f.Add(b, uint8(way))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, way uint8) {
		label := "label"
		if way%3 == 1 {
			label = "trial.label"
		}
		manifest := "format: mat\nfiles: '(?<subject>.*)\\.mat'\nlabel: {array: " + label + ", classes: {-1: sad, 1: glad, sad: sad, glad: glad}}\nsignal: {" + paths[way%3] + "rate: 8, electrodes: [Fp1, C3]}\n"
		fuzzedDirectory(t, map[string][]byte{"1.mat": b, source.ManifestName: []byte(manifest)})
	})
}
