package prune

import "github.com/eegprune/eegprune/internal/cite"

import "math"

// UWMP is unstructured weight magnitude pruning (Han et al., "Learning both Weights and
// Connections for Efficient Neural Networks", 2015): one threshold over the magnitudes
// of all convolutions' weights; weights that are not above it are masked.
func uwmp() Method {
	return Method{
		Name: "uwmp",
		Doc:  "unstructured weight magnitude: the smallest weights of all convolutions are held at zero (Han 2015)",
		Cite: cite.Paper{
			Key:     "han2015",
			Authors: []string{"Han, Song", "Pool, Jeff", "Tran, John", "Dally, William"},
			Title:   "Learning both Weights and Connections for Efficient Neural Network",
			Book:    "Advances in Neural Information Processing Systems", Year: 2015, Volume: "28", Pages: "1135--1143", ArXiv: "1506.02626",
		},
		Masks:  true,
		Score:  elementwise(magnitudes),
		Global: true,
	}
}

// magnitudes returns |w|.
func magnitudes(weight []float32) []float64 {
	s := make([]float64, len(weight))
	for i, w := range weight {
		s[i] = math.Abs(float64(w))
	}
	return s
}
