package data

import (
	"math/rand/v2"
	"testing"

	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/data/transform"
)

// BenchmarkDEAPSubject makes the features of as much EEG as a subject of DEAP
// has: 40 trials of 32 electrodes and 63 s at 128 Hz, baselines taken off, on
// one core and without the reading.
func BenchmarkDEAPSubject(b *testing.B) {
	m, err := montage.Find("deap")
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	noise := func(n int) [][]float64 {
		rows := make([][]float64, len(m.Electrodes))
		for i := range rows {
			rows[i] = make([]float64, n)
			for k := range rows[i] {
				rows[i][k] = 10 * rng.NormFloat64()
			}
		}
		return rows
	}
	r := &source.Recording{Channels: m.Electrodes, Rate: 128, Samples: noise(60 * 128), Baseline: noise(3 * 128), Labels: map[string]float64{"label": 0}}
	o := GridOptions()
	o.Transforms = append(o.Transforms, &transform.BaselineRemoval{})
	s := &source.Source{Manifest: &source.Manifest{Format: "edf", Label: source.LabelRule{Classes: source.Classes{{Label: "a", Class: "a"}, {Label: "b", Class: "b"}}}}}
	l, err := newLayout(s, o, r, false)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for range 40 {
			if err := l.work(b.Context(), r, nil, &part{}); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkStandardize is all of DEAP: 76,800 clips of 32 subjects.
func BenchmarkStandardize(b *testing.B) {
	const n = 76800
	set := &Set{X: make([]float32, n*4*81), Shape: []int{4, 9, 9}, Clips: make([]Clip, n)}
	for i := range set.Clips {
		set.Clips[i].Subject = string(rune('A' + i/2400))
	}
	for i := range set.X {
		set.X[i] = float32(i%97) / 7
	}
	for b.Loop() {
		if err := standardize(b.Context(), &values{x: set.X}, set, StandardizeSubject, 1); err != nil {
			b.Fatal(err)
		}
	}
}
