package prune

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/eegprune/eegprune/models"
)

// A scored candidate has a score for each channel, or weight.
type scored struct {
	*Candidate
	scores []float64
}

// A ranking is all that may go with its scores, from which a choice is made at any ratio.
type ranking struct {
	method  Method
	options Options
	global  bool // one threshold over all that have no ratio of their own
	all     []scored
	pool    []float64            // their scores, sorted
	sorted  map[string][]float64 // by candidate, the scores of the others
}

// sort sorts the scores once, since reaching a target asks for many ratios.
func (r *ranking) sort() {
	r.sorted = map[string][]float64{}
	for _, c := range r.all {
		if r.global && c.own == nil {
			r.pool = append(r.pool, c.scores...)
		} else {
			r.sorted[c.Name] = slices.Sorted(slices.Values(c.scores))
		}
	}
	slices.Sort(r.pool)
}

// channels chooses at a ratio of filters: of each group the most important channels, or those
// of all that are not below one threshold, the sorted scores' element int(total*ratio).
func (r *ranking) channels(ratio float64) Decision {
	d := Decision{Keep: Keep{}}
	if len(r.pool) > 0 {
		d.Threshold = quantile(r.pool, ratio)
	}
	for _, c := range r.all {
		wanted := r.wanted(c, ratio, d.Threshold)
		kept := r.options.floor(wanted, c.Size)
		if least := r.options.MinChannels; wanted < min(max(least, 1), c.Size) && (r.global || least > 1) {
			why := "the ratio"
			if r.global && c.own == nil {
				why = "the global threshold"
			}
			d.Notes = append(d.Notes, fmt.Sprintf("%s: %s would have left %d of %d channels; %d stay", c.Name, why, wanted, c.Size, kept))
		}
		d.Keep[c.Name] = largest(c.scores, kept)
	}
	return d
}

// wanted is how many channels of a group the method would keep.
func (r *ranking) wanted(c scored, ratio, threshold float64) int {
	switch {
	case c.own != nil:
		return r.method.kept(c.Size, *c.own)
	case !r.global:
		return r.method.kept(c.Size, ratio)
	}
	n := 0
	for _, v := range c.scores {
		if v >= threshold {
			n++
		}
	}
	return n
}

// weights chooses the masked weights at a ratio of weights: those whose score is not above the
// sorted scores' element int(total*ratio), of each layer or of all. At a ratio of 0 nothing is
// masked.
func (r *ranking) weights(ratio float64) Decision {
	d := Decision{Masks: models.Masks{}}
	if r.global {
		d.Threshold = element(r.pool, ratio)
	}
	for _, c := range r.all {
		threshold := d.Threshold
		switch {
		case c.own != nil:
			threshold = element(r.sorted[c.Name], *c.own)
		case !r.global:
			threshold = element(r.sorted[c.Name], ratio)
		}
		mask := models.NewMask(c.Size)
		for i, s := range c.scores {
			if s > threshold {
				mask.Keep(i)
			}
		}
		if mask.Count() == 0 {
			d.Notes = append(d.Notes, fmt.Sprintf("%s: the threshold masks all of its %d weights, so that nothing passes it; leave it out with --exclude or use lamp", c.Name, c.Size))
		}
		d.Masks[c.Tensor] = mask
	}
	return d
}

// element is the threshold at a ratio, below all scores where nothing is to go.
func element(sorted []float64, ratio float64) float64 {
	if ratio == 0 || len(sorted) == 0 {
		return math.Inf(-1)
	}
	return quantile(sorted, ratio)
}

// quantile is the sorted scores' element int(total*ratio).
func quantile(sorted []float64, ratio float64) float64 {
	return sorted[min(int(float64(len(sorted))*ratio), len(sorted)-1)]
}

// largest returns the indices of the n largest scores, the first of equals, in rising
// order.
func largest(scores []float64, n int) []int {
	index := make([]int, len(scores))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	index = index[:n]
	slices.Sort(index)
	return index
}
