package filetest

import "math"

// Signal is n samples, in microvolts, of an offset, a drift, 10 Hz, 50 Hz and noise by key: those
// of scripts/make_preprocess.py.
func Signal(n int, rate float64, key uint64) []float64 {
	x := make([]float64, n)
	for i := range x {
		h := (uint64(i+1)*2654435761 + key*40503) & 0xFFFFFFFF
		h ^= h >> 15
		h = h * 2246822519 & 0xFFFFFFFF
		h ^= h >> 13
		t := float64(i) / rate
		x[i] = 300 + 20*float64(key) + 15*t + 20*math.Sin(2*math.Pi*10*t+float64(key)) + 5*math.Sin(2*math.Pi*50*t) + 60*(float64(h)/(1<<32)-0.5)
	}
	return x
}
