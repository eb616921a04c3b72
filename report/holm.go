package report

import (
	"cmp"
	"slices"
)

// Holm corrects the p values of a family of tests for their number (Holm, Scandinavian
// Journal of Statistics 6, 1979): where those that come back at most at a level are called
// significant, one or more of them are so by chance with at most that probability.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	corrected := make([]float64, len(p))
	least := 0.0
	for i, test := range order {
		least = max(least, min(1, p[test]*float64(len(p)-i)))
		corrected[test] = least
	}
	return corrected
}

// holmOf corrects those of the values that there are.
func holmOf(p []*float64) []*float64 {
	var family []float64
	for _, v := range p {
		if v != nil {
			family = append(family, *v)
		}
	}
	family = Holm(family)
	corrected := make([]*float64, len(p))
	for i, v := range p {
		if v != nil {
			corrected[i], family = &family[0], family[1:]
		}
	}
	return corrected
}
