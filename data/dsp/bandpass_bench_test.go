package dsp

import "testing"

// BenchmarkBandpass is one second of one DEAP channel in one band; a DEAP
// subject is 40 x 32 x 63 x 4 of them.
func BenchmarkBandpass(b *testing.B) {
	f, err := NewBandpass(5, 8, 14, 128)
	if err != nil {
		b.Fatal(err)
	}
	x, y := make([]float64, 128), make([]float64, 128)
	for i := range x {
		x[i] = float64(i*i%37) - 18
	}
	for b.Loop() {
		f.Filter(y, x)
		Variance(y)
	}
}
