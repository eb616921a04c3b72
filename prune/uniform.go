package prune

import (
	"fmt"
	"math"

	"github.com/eegprune/eegprune/models"
)

// UniformWidth returns the network with every layer that may be pruned narrowed by one
// factor, the widest whose MACs are not above the number given: the control that tells
// whether choosing where to prune was worth anything (Blalock et al., "What is the State
// of Neural Network Pruning?", 2020).
func UniformWidth(a *models.Arch, macs int64, o Options) (*models.Arch, error) {
	groups, err := o.groups(a)
	if err != nil {
		return nil, err
	}
	at := func(factor float64) (*models.Arch, int64, error) {
		keep := Keep{}
		for _, g := range groups {
			keep[g.Name] = all(o.floor(int(math.Round(factor*float64(g.Size))), g.Size))
		}
		c, err := shrink(a, keep)
		if err != nil {
			return nil, 0, err
		}
		for i := range c.arch.Groups {
			c.arch.Groups[i].Kept = nil // nothing of an unpruned network is in it
		}
		counts, err := c.arch.Count()
		return c.arch, counts.MACs(), err
	}
	best, needs, err := at(0)
	if err != nil {
		return nil, err
	}
	if needs > macs {
		return nil, fmt.Errorf("%s can't be narrowed to %d MACs: with the least channels that may stay it needs %d", a.Model, macs, needs)
	}
	low, high := 0.0, 1.0
	for range 40 {
		mid := (low + high) / 2
		narrow, needs, err := at(mid)
		if err != nil {
			return nil, err
		}
		if needs <= macs {
			low, best = mid, narrow
		} else {
			high = mid
		}
	}
	return best, best.Regroup()
}
