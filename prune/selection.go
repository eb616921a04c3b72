package prune

import (
	"fmt"
	"math"
	"slices"

	"eegprune/models"
)

// A Keep says for each group, by name, which of its channels stay, in rising order.
// Groups that it does not name stay whole.
type Keep map[string][]int

// CheckRatio returns an error unless 0 <= ratio < 1.
func CheckRatio(ratio float64) error {
	if !(ratio >= 0 && ratio < 1) {
		return fmt.Errorf("pruning ratio %g is outside [0, 1): 0.4 removes 40 %% of the filters", ratio)
	}
	return nil
}

// Layerwise keeps in each group the max(1, round(c(1-ratio))) most important of its c
// channels, the first of equals, rounding half to even as the paper's Python does.
func Layerwise(n *models.Network, c Criterion, ratio float64) (Keep, error) {
	if err := CheckRatio(ratio); err != nil {
		return nil, err
	}
	keep := Keep{}
	for i := range n.Arch.Groups {
		g := &n.Arch.Groups[i]
		scores, err := c.Importance(n, g)
		if err != nil {
			return nil, err
		}
		for ch, s := range scores {
			if math.IsNaN(s) {
				return nil, fmt.Errorf("channel %d of %s has importance NaN: the weights are damaged, train the network anew", ch, g.Name)
			}
		}
		count := max(1, int(math.RoundToEven(float64(g.Channels)*(1-ratio))))
		keep[g.Name] = largest(scores, count)
	}
	return keep, nil
}

// largest returns the indices of the n largest scores, in rising order.
func largest(scores []float64, n int) []int {
	index := make([]int, len(scores))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(a, b int) int {
		switch {
		case scores[a] > scores[b]:
			return -1
		case scores[a] < scores[b]:
			return 1
		}
		return 0
	})
	index = index[:n]
	slices.Sort(index)
	return index
}
