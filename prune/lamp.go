package prune

import (
	"cmp"
	"slices"
)

// LAMP is layer-adaptive magnitude pruning (Lee et al., "Layer-adaptive Sparsity for the
// Magnitude-based Pruning", ICLR 2021): magnitudes are scaled so that one threshold over
// all layers gives each the sparsity that distorts its output least.
func lamp() Method {
	return Method{
		Name:    "lamp",
		Doc:     "layer-adaptive magnitude: as uwmp, weights scaled within their layer so that no layer vanishes (Lee 2021)",
		Weights: LAMP{},
		Global:  true,
	}
}

// LAMP scores a weight by w² over the sum of the squares of its layer's weights that are
// not smaller than it.
type LAMP struct{}

// Scores returns the LAMP scores; equal weights are taken in their order.
func (LAMP) Scores(weight []float32) []float64 {
	order := make([]int, len(weight))
	for i := range order {
		order[i] = i
	}
	square := func(i int) float64 { return float64(weight[i]) * float64(weight[i]) }
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(square(a), square(b)) })
	scores := make([]float64, len(weight))
	sum := 0.0
	for k := len(order) - 1; k >= 0; k-- {
		i := order[k]
		sum += square(i)
		if sum > 0 {
			scores[i] = square(i) / sum
		}
	}
	return scores
}
