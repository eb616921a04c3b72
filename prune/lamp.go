package prune

import (
	"math"
	"slices"

	"github.com/eegprune/eegprune/internal/cite"
)

// LAMP is layer-adaptive magnitude pruning (Lee et al., "Layer-adaptive Sparsity for the
// Magnitude-based Pruning", ICLR 2021): magnitudes are scaled so that one threshold over
// all layers gives each the sparsity that distorts its output least.
func lamp() Method {
	return Method{
		Name: "lamp",
		Doc:  "layer-adaptive magnitude: as uwmp, weights scaled within their layer so that no layer vanishes (Lee 2021)",
		Cite: cite.Paper{
			Key:     "lee2021",
			Authors: []string{"Lee, Jaeho", "Park, Sejun", "Mo, Sangwoo", "Ahn, Sungsoo", "Shin, Jinwoo"},
			Title:   "Layer-adaptive Sparsity for the Magnitude-based Pruning",
			Book:    "International Conference on Learning Representations", Year: 2021, ArXiv: "2010.07611",
		},
		Masks:  true,
		Score:  elementwise(lampScores),
		Global: true,
	}
}

// lampScores scores a weight by w² over the sum of the squares of its layer's weights that are
// not smaller than it; of equal weights the first counts as the smaller.
func lampScores(weight []float32) []float64 {
	// The bits of magnitudes are in the order of the magnitudes.
	order := make([]uint64, len(weight))
	for i, w := range weight {
		order[i] = uint64(math.Float32bits(w)&^(1<<31))<<32 | uint64(i)
	}
	slices.Sort(order)
	scores := make([]float64, len(weight))
	sum := 0.0
	for _, key := range slices.Backward(order) {
		i := uint32(key)
		square := float64(weight[i]) * float64(weight[i])
		sum += square
		if sum > 0 {
			scores[i] = square / sum
		}
	}
	return scores
}
