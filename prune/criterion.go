// Package prune decides which channels or weights of a network go, and removes them.
//
// A method is a criterion, which scores channels, and a selection, which says how many
// of which group are kept. The outcome is a [Keep], which [Remove] carries out.
package prune

import (
	"fmt"
	"math"

	"eegprune/models"
	"eegprune/torch"
)

// A Criterion scores the channels of a group: the least important go first.
type Criterion interface {
	Name() string
	// Importance returns one score for each channel of the group.
	Importance(n *models.Network, g *models.Group) ([]float64, error)
}

// FilterNorm scores a channel by the norm of the filters that produce it: the sum of
// magnitudes for P = 1 (Li 2017), the Euclidean norm for P = 2 (He 2018). Where several
// layers produce a channel, their filters count as one.
type FilterNorm struct{ P int }

// Name returns "l1" or "l2".
func (c FilterNorm) Name() string { return fmt.Sprintf("l%d", c.P) }

// Importance reads the producers' weights [out, in/groups, kh, kw], in float64.
func (c FilterNorm) Importance(n *models.Network, g *models.Group) ([]float64, error) {
	scores := make([]float64, g.Channels)
	for _, m := range g.Producers {
		weight := n.Weight(m.Layer, "weight")
		w, err := torch.ToSlice[float32](weight)
		if err != nil {
			return nil, fmt.Errorf("scoring %s: %w", m.Layer, err)
		}
		size := len(w) / g.Channels // of one channel's filters
		for i := range scores {
			for _, v := range w[i*size : (i+1)*size] {
				if c.P == 1 {
					scores[i] += math.Abs(float64(v))
				} else {
					scores[i] += float64(v) * float64(v)
				}
			}
		}
	}
	if c.P == 2 {
		for i := range scores {
			scores[i] = math.Sqrt(scores[i])
		}
	}
	return scores, nil
}
