//go:build real

package data

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/eegprune/eegprune/data/dsp"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/data/transform"
)

// The tests of this file read real recordings (PhysioNet's eegmat and
// eegmmidb), which lie in the directory that EEG_DATA names.
func realDir(t *testing.T, name string) string {
	t.Helper()
	root := os.Getenv("EEG_DATA")
	if root == "" {
		t.Fatal("set EEG_DATA to the directory that holds eegmat and eegmmidb")
	}
	return filepath.Join(root, name)
}

func TestRealEEGMAT(t *testing.T) {
	s, err := source.Open(realDir(t, "eegmat"), "")
	if err != nil {
		t.Fatal(err)
	}
	set, err := Features(t.Context(), s, GridOptions())
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string][2]int{}
	for i, c := range set.Clips {
		n := counts[c.Subject]
		n[set.Y[i]]++
		counts[c.Subject] = n
	}
	// A rest of about 180 s and a task of 60 s for every subject.
	for subject, n := range counts {
		if n[0] < 160 || n[0] > 190 || n[1] < 58 || n[1] > 62 {
			t.Errorf("subject %s has %d clips of rest and %d of arithmetic", subject, n[0], n[1])
		}
	}
	if len(set.Channels) != 19 || set.Rate != 500 || slices.ContainsFunc(set.X, func(v float32) bool { return math.IsInf(float64(v), 0) || math.IsNaN(float64(v)) }) {
		t.Errorf("%d channels at %g, or features that are no numbers", len(set.Channels), set.Rate)
	}
	for _, n := range set.Notes {
		t.Log(n)
	}
}

// TestRealEyesClosedRaiseAlpha: Berger's first finding must be seen here, over the back
// of the head more than over the front.
func TestRealEyesClosedRaiseAlpha(t *testing.T) {
	s, err := source.Open(realDir(t, "eegmmidb"), "")
	if err != nil {
		t.Fatal(err)
	}
	set, err := Features(t.Context(), s, Options{Seconds: 1, Transforms: transform.Pipeline{transform.NewBandDifferentialEntropy(transform.DefaultBands())}})
	if err != nil {
		t.Fatal(err)
	}
	rise := func(electrode string) float64 {
		e, bands := slices.Index(set.Channels, electrode), set.Shape[1]
		var sum, n [2]float64
		for i, y := range set.Y {
			sum[y] += float64(set.X[i*set.clipSize()+e*bands+1])
			n[y]++
		}
		return 2 * (sum[1]/n[1] - sum[0]/n[0]) // differential entropy is half a logarithm of power
	}
	oz, fz := rise("Oz"), rise("Fz")
	t.Logf("log2 alpha power, closed less open: Oz %.2f, Fz %.2f", oz, fz)
	if oz < 2 || oz < fz {
		t.Errorf("alpha rises by %.2f bit at Oz and %.2f at Fz", oz, fz)
	}
}

func TestRealMotorAnnotations(t *testing.T) {
	m := filepath.Join(t.TempDir(), "motor.yaml")
	text := "format: edf\nfiles: '(^|/)S(?<subject>\\d{3})R(?<session>03|07|11)\\.edf$'\nlabel: {annotations: true, classes: {T1: left fist, T2: right fist}}\n"
	if err := os.WriteFile(m, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := source.Open(realDir(t, "eegmmidb"), m)
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for _, r := range recordingsOf(t, s) {
		n[r.Session+s.Classes[int(r.Labels["label"])]]++
		if seconds := float64(r.Len()) / r.Rate; seconds < 4 || seconds > 4.3 {
			t.Errorf("trial %d of run %s lasts %g s, not the 4.1 to 4.2 of the protocol", r.Trial, r.Session, seconds)
		}
		for c, x := range r.Samples {
			if v := dsp.Variance(x); v < 1 || v > 1e5 {
				t.Errorf("%s has variance %g uV^2", r.Channels[c], v)
			}
		}
	}
	for k, v := range n {
		if v < 7 || v > 8 {
			t.Errorf("%s has %d trials, not 7 or 8", k, v)
		}
	}
}
