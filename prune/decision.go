package prune

import (
	"maps"

	"github.com/eegprune/eegprune/models"
)

// A Keep says for each group, by name, which of its channels stay, in rising order.
// Groups that it does not name stay whole.
type Keep map[string][]int

// A Decision says which channels or weights stay.
type Decision struct {
	Keep      Keep         // of methods that remove channels
	Masks     models.Masks // of methods that mask weights
	Threshold float64      // where there was one over all layers
	Notes     []string     // for the user to know, such as a layer that was kept from vanishing
}

// Count counts the architecture that a decision leaves: for masks, the nonzeros.
func (d Decision) Count(a *models.Arch) (models.Counts, error) {
	if d.Masks != nil {
		return a.CountMasked(d.Masks)
	}
	c, err := shrink(a, d.Keep)
	if err != nil {
		return models.Counts{}, err
	}
	return c.arch.Count()
}

// Apply returns a network as decided: smaller, or with masked weights. The caller frees
// it; n is unchanged.
func (d Decision) Apply(n *models.Network) (*models.Network, error) {
	if d.Masks == nil {
		return Remove(n, d.Keep)
	}
	masked, err := n.Clone()
	if err != nil {
		return nil, err
	}
	masks := maps.Clone(d.Masks)
	for name, before := range n.Masks() {
		if m := masks[name]; m != nil {
			m.And(before)
		} else {
			masks[name] = before
		}
	}
	if err := masked.SetMasks(masks); err != nil {
		masked.Free()
		return nil, err
	}
	return masked, nil
}
