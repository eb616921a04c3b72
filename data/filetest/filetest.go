// Package filetest makes files of recordings for tests.
package filetest

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/eegprune/eegprune/data/edf"
	"github.com/eegprune/eegprune/data/npy"
)

// An EDF describes a file in EDF+.
type EDF struct {
	Labels      []string // of the signals
	Rates       []int    // one for all, or one each
	Seconds     int
	Annotations []edf.Annotation
	Sample      func(channel, i int) float64
}

// Bytes are the contents of the file.
func (r EDF) Bytes(t testing.TB) []byte {
	t.Helper()
	if r.Sample == nil {
		r.Sample = Wave
	}
	h := &edf.Header{StartDate: "01.01.00", StartTime: "00.00.00", Records: r.Seconds, RecordSeconds: 1, Plus: true}
	var signals [][]float64
	for c, l := range r.Labels {
		rate := r.Rates[min(c, len(r.Rates)-1)]
		h.Signals = append(h.Signals, edf.Signal{Label: l, Dimension: "uV", PhysicalMin: -3276.8, PhysicalMax: 3276.7, DigitalMin: -32768, DigitalMax: 32767, SamplesPerRecord: rate})
		x := make([]float64, rate*r.Seconds)
		for i := range x {
			x[i] = r.Sample(c, i)
		}
		signals = append(signals, x)
	}
	var b bytes.Buffer
	if err := edf.Write(&b, h, signals, r.Annotations); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Plain is a short recording of three electrodes and one other channel.
func Plain() EDF {
	return EDF{Labels: []string{"EEG Fp1", "EEG T3-REF", "Cz..", "ECG"}, Rates: []int{128}, Seconds: 3}
}

// Wave moves at every sample and differs from channel to channel.
func Wave(channel, i int) float64 {
	return 20*math.Sin(float64(i)*0.37+float64(channel)) + 10*math.Sin(float64(i)*0.11*float64(channel+1))
}

// Put writes files below a new directory, and returns that.
func Put(t testing.TB, files map[string][]byte) string {
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

// ByName is a manifest of EDF files whose names have the label.
const ByName = `format: edf
files: '^s(?<subject>\d+)_(?<trial>\d+)_(?<mood>\w+)\.edf$'
label:
  group: mood
  classes: {sad: negative, bad: negative, glad: positive}
`

// ByAnnotation is a manifest of EDF files whose annotations are the labels.
const ByAnnotation = `format: edf
files: '^s(?<subject>\d+)\.edf$'
label:
  annotations: true
  classes: {T1: left, T2: right}
`

// SmallTrial is a recording [channels, samples] that moves everywhere.
func SmallTrial(trial, channels, samples int) [][]float64 {
	rows := make([][]float64, channels)
	for c := range rows {
		rows[c] = make([]float64, samples)
		for i := range rows[c] {
			rows[c][i] = Wave(c+trial, i)
		}
	}
	return rows
}

// Archive is the contents of an .npz file.
func Archive(t testing.TB, arrays ...npy.Named) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := npy.WriteArchive(&b, arrays); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// ByEvent is a manifest of files of EEGLAB whose events are the labels.
const ByEvent = `format: eeglab
files: '^(?<subject>\w+)\.set$'
label: {annotations: true, seconds: 0.6, classes: {S 1: sad, S 2: glad}}
`
