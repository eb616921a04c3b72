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
		for ch, s := range scores {
			if math.IsNaN(s) {
				return nil, nil, fmt.Errorf("channel %d of %s has importance NaN: the weights are damaged, train the network anew", ch, g.Name)
			}
		}
		all = append(all, scored{g, scores, o.own(n.Arch, g)})
	}
	return all, notes, nil
}

// selectChannels keeps the most important channels at a ratio of filters: of each group,
// or of all by one threshold, the sorted scores' element int(total*ratio), below which
// channels go.
func selectChannels(all []scored, m Method, global bool, ratio float64, o Options) Decision {
	d := Decision{Keep: Keep{}}
	if global {
		var pool []float64
		for _, s := range all {
			if s.own == nil {
				pool = append(pool, s.scores...)
			}
		}
		slices.Sort(pool)
		if len(pool) > 0 {
			d.Threshold = pool[min(int(float64(len(pool))*ratio), len(pool)-1)]
		}
	}
	for _, s := range all {
		c := s.group.Channels
		var kept int
		switch {
		case s.own != nil:
			kept = m.kept(c, *s.own)
		case global:
			for _, v := range s.scores {
				if v >= d.Threshold {
					kept++
				}
			}
		default:
			kept = m.kept(c, ratio)
		}
		wanted := kept
		kept = o.floor(kept, c)
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
