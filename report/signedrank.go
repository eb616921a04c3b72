package report

import (
	"math"
	"slices"
	"sort"
)

// signedRank drops zeros (scipy's zero_method "wilcox"), gives ties their mean rank, and
// adds up, over all ways of giving these ranks signs, those whose positive ranks sum to
// at least the observed sum.
func signedRank(d []float64) float64 {
	var left []float64
	for _, v := range d {
		if math.Abs(v) > rounding {
			left = append(left, v)
		}
	}
	slices.SortFunc(left, func(a, b float64) int {
		if math.Abs(a) < math.Abs(b) {
			return -1
		}
		return 1
	})
	n := len(left)
	// Twice the rank, so that mean ranks are whole numbers too.
	ranks := make([]int, n)
	seen := 0
	for i := 0; i < n; {
		j := i + 1
		for j < n && math.Abs(left[j])-math.Abs(left[j-1]) <= rounding {
			j++
		}
		for k := i; k < j; k++ {
			ranks[k] = i + j + 1
			if left[k] > 0 {
				seen += ranks[k]
			}
		}
		i = j
	}
	return upperTail(ranks, seen)
}

// upperTail returns the probability that the ranks with positive signs sum to at least
// seen when every sign is as likely as the other.
func upperTail(ranks []int, seen int) float64 {
	total := 0
	for _, r := range ranks {
		total += r
	}
	probability := make([]float64, total+1) // of each sum
	probability[0] = 1
	for _, r := range ranks {
		for s := total; s >= 0; s-- {
			probability[s] /= 2
			if s >= r {
				probability[s] += probability[s-r] / 2
			}
		}
	}
	p := 0.0
	for s := total; s >= seen; s-- { // the small ones first
		p += probability[s]
	}
	return min(p, 1)
}

// walshEnds are the ends of the interval that belongs to the signed-rank test: all shifts
// that it does not reject at tail on either side. p changes only at the means of two
// differences, or of one with itself (Hodges & Lehmann 1963).
func walshEnds(d []float64, tail float64) (low, high float64) {
	var walsh []float64
	for i := range d {
		for _, v := range d[i:] {
			walsh = append(walsh, (d[i]+v)/2)
		}
	}
	slices.Sort(walsh)
	walsh = slices.CompactFunc(walsh, func(a, b float64) bool { return math.Abs(a-b) <= rounding })
	last := len(walsh) - 1
	shifted := make([]float64, len(d))
	// kept says whether shifts between two neighbours are kept by the test on one side.
	kept := func(i int, side float64) bool {
		shift := walsh[0] - 1
		if i > 0 && i <= last {
			shift = (walsh[i-1] + walsh[i]) / 2
		} else if i > last {
			shift = walsh[last] + 1
		}
		for k, v := range d {
			shifted[k] = side * (v - shift)
		}
		return signedRank(shifted) > tail*(1+rounding)
	}
	low, high = math.Inf(-1), math.Inf(1)
	if i := sort.Search(last+1, func(i int) bool { return kept(i, 1) }); i > 0 {
		low = walsh[i-1]
	}
	if i := sort.Search(last+1, func(i int) bool { return kept(last+1-i, -1) }); i > 0 {
		high = walsh[last+1-i]
	}
	return low, high
}
