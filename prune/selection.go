package prune

import (
	"cmp"
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
		return fmt.Errorf("pruning ratio %g is outside [0, 1): 0.4 removes 40 %%", ratio)
	}
	return nil
}

// scored is a group whose channels have scores.
type scored struct {
	group  *models.Group
	scores []float64
	own    *float64 // the ratio that Options give this group alone
}

// score has the criterion score the groups that may be pruned. Those that it can't
// score stay whole, which a note says.
func score(n *models.Network, c Criterion, groups []*models.Group, o Options) (all []scored, notes []string, err error) {
	for _, g := range groups {
		scores, err := c.Importance(n, g)
		if err != nil {
			return nil, nil, err
		}
		if scores == nil {
			notes = append(notes, fmt.Sprintf("%s stays whole: it has nothing that the method goes by", g.Name))
			continue
		}
		if err := checkScores(scores, "channel", g.Name); err != nil {
			return nil, nil, err
		}
		all = append(all, scored{g, scores, o.own(g)})
	}
	return all, notes, nil
}

// channelChooser returns what is kept at a ratio of filters: of each group the most
// important channels, or those of all that are not below one threshold, the sorted scores'
// element int(total*ratio).
func channelChooser(all []scored, m Method, global bool, o Options) func(ratio float64) Decision {
	var pool []float64
	for _, s := range all {
		if global && s.own == nil {
			pool = append(pool, s.scores...)
		}
	}
	slices.Sort(pool) // once, since reaching a target asks for many ratios
	return func(ratio float64) Decision {
		d := Decision{Keep: Keep{}}
		if len(pool) > 0 {
			d.Threshold = quantile(pool, ratio)
		}
		for _, s := range all {
			wanted := s.wanted(m, global, ratio, d.Threshold)
			c := s.group.Channels
			kept := o.floor(wanted, c)
			if wanted < min(max(o.MinChannels, 1), c) && (global || o.MinChannels > 1) {
				why := "the ratio"
				if global && s.own == nil {
					why = "the global threshold"
				}
				d.Notes = append(d.Notes, fmt.Sprintf("%s: %s would have left %d of %d channels; %d stay", s.group.Name, why, wanted, c, kept))
			}
			d.Keep[s.group.Name] = largest(s.scores, kept)
		}
		return d
	}
}

// wanted is how many channels of a group the method would keep.
func (s scored) wanted(m Method, global bool, ratio, threshold float64) int {
	switch {
	case s.own != nil:
		return m.kept(s.group.Channels, *s.own)
	case !global:
		return m.kept(s.group.Channels, ratio)
	}
	n := 0
	for _, v := range s.scores {
		if v >= threshold {
			n++
		}
	}
	return n
}

// quantile is the sorted scores' element int(total*ratio).
func quantile(sorted []float64, ratio float64) float64 {
	return sorted[min(int(float64(len(sorted))*ratio), len(sorted)-1)]
}

// checkScores returns an error if a score is no number: which of what it is of.
func checkScores(scores []float64, which, of string) error {
	if i := slices.IndexFunc(scores, math.IsNaN); i >= 0 {
		return fmt.Errorf("%s %d of %s has importance NaN: the weights are damaged, train the network anew", which, i, of)
	}
	return nil
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
