package prune

import (
	"fmt"
	"math"
	"slices"

	"eegprune/models"
	"eegprune/models/op"
	"eegprune/torch"
)

// weighed is a layer whose weights have scores.
type weighed struct {
	name   string // of the layer
	scores []float64
	own    *float64 // the ratio that Options give this layer alone
}

// weigh has the criterion score the weights of the layers that may be pruned.
func weigh(n *models.Network, c WeightCriterion, layers []string, o Options) ([]weighed, error) {
	var all []weighed
	for _, name := range layers {
		w, err := torch.ToSlice[float32](n.Weight(name, "weight"))
		if err != nil {
			return nil, fmt.Errorf("scoring %s: %w", name, err)
		}
		scores := c.Scores(w)
		if err := checkScores(scores, "weight", name); err != nil {
			return nil, err
		}
		l := weighed{name: name, scores: scores}
		if own, named := o.Layers[name]; named {
			l.own = &own
		}
		all = append(all, l)
	}
	return all, nil
}

// weightChooser returns what is masked at a ratio of weights: those whose score is not
// above the sorted scores' element int(total*ratio), of each layer or of all. At a ratio
// of 0 nothing is masked.
func weightChooser(all []weighed, global bool) func(ratio float64) Decision {
	// Sorted once, since reaching a target asks for many ratios.
	var pool []float64
	sorted := map[string][]float64{}
	for _, l := range all {
		if global && l.own == nil {
			pool = append(pool, l.scores...)
		} else {
			sorted[l.name] = slices.Sorted(slices.Values(l.scores))
		}
	}
	slices.Sort(pool)
	return func(ratio float64) Decision {
		d := Decision{Masks: models.Masks{}}
		if global {
			d.Threshold = element(pool, ratio)
		}
		for _, l := range all {
			threshold := d.Threshold
			switch {
			case l.own != nil:
				threshold = element(sorted[l.name], *l.own)
			case !global:
				threshold = element(sorted[l.name], ratio)
			}
			mask := models.NewMask(len(l.scores))
			for i, s := range l.scores {
				if s > threshold {
					mask.Keep(i)
				}
			}
			if mask.Count() == 0 {
				d.Notes = append(d.Notes, fmt.Sprintf("%s: the threshold masks all of its %d weights, so that nothing passes it; leave it out with --exclude or use lamp", l.name, len(l.scores)))
			}
			d.Masks[l.name+".weight"] = mask
		}
		return d
	}
}

// element is the threshold at a ratio, below all scores where nothing is to go.
func element(sorted []float64, ratio float64) float64 {
	if ratio == 0 || len(sorted) == 0 {
		return math.Inf(-1)
	}
	return quantile(sorted, ratio)
}

// FreshMasked gives masked convolutions the weights that training from scratch starts
// from under a mask: N(0, sqrt(2/n)), n the nonzeros per input channel (Liu et al.,
// "Rethinking the Value of Network Pruning", 2019).
func FreshMasked(n *models.Network, masks models.Masks, g *torch.Generator) error {
	for _, t := range n.Arch.Tensors {
		mask := masks[t.Name]
		if mask == nil || n.Arch.Kind(t.Name) != op.Conv || mask.Count() == 0 {
			continue
		}
		owner, _ := n.Arch.Owner(t.Name)
		inputs := t.Shape[1]
		if groups, ok := owner.Args["groups"].(int); ok {
			inputs *= groups
		}
		perInput := float64(mask.Count()) / float64(inputs)
		if err := g.Normal(n.Tensor(t.Name), 0, math.Sqrt(2/perInput)); err != nil {
			return fmt.Errorf("drawing weights of %s: %w", t.Layer(), err)
		}
	}
	return n.SetMasks(masks)
}
