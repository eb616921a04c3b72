// Package prune decides which channels or weights of a network go, and removes them.
//
// A [Method] is a criterion, which scores channels or weights, with the selection that
// its paper uses. [Choose] turns both, and [Options], into a [Decision], which
// [Decision.Apply] carries out: by surgery for channels, by masks for weights.
package prune

import (
	"fmt"
	"math"

	"eegprune/models"
	"eegprune/models/op"
	"eegprune/torch"
)

// A Criterion scores the channels of a group: the least important go first.
type Criterion interface {
	// Importance returns one score for each channel of the group, or nil where the
	// criterion can't say anything of this group, which then stays whole.
	Importance(n *models.Network, g *models.Group) ([]float64, error)
}

// A WeightCriterion scores the weights of a layer: the least important are masked first.
type WeightCriterion interface {
	// Scores returns one score for each element of the layer's weight, row-major.
	Scores(weight []float32) []float64
}

// Evidence is what criteria may look at beside the network.
type Evidence struct {
	Seed uint64 // of criteria that draw
	// Gradients calls use once for each of a few batches of training clips, with the
	// gradients of the mean loss over the batch in the network's parameters. It is nil
	// where no data is at hand.
	Gradients func(use func() error) error
}

// perChannel adds up f over each channel's filters: over the rows that it has in the
// weights of all layers that produce it.
func perChannel(n *models.Network, g *models.Group, f func(channel int, row []float32)) error {
	for _, p := range g.Of(op.Filter) {
		err := rows(n, p, f)
		if err != nil {
			return fmt.Errorf("scoring %s: %w", p.Layer(), err)
		}
	}
	return nil
}

// rows calls f with each row that a channel has of a tensor, along its first dimension.
func rows(n *models.Network, p op.Part, f func(channel int, row []float32)) error {
	v, err := torch.ToSlice[float32](n.Tensor(p.Tensor))
	if err != nil {
		return err
	}
	size := len(v) / n.Tensor(p.Tensor).Shape()[0]
	for c, index := range p.Index {
		for _, i := range index {
			f(c, v[i*size:(i+1)*size])
		}
	}
	return nil
}

// FilterNorm scores a channel by the norm of the filters that produce it: the sum of
// magnitudes for P = 1 (Li 2017), the Euclidean norm for P = 2 (He 2018). Where several
// layers produce a channel, their filters count as one.
type FilterNorm struct{ P int }

// Importance reads the producers' weights [out, in/groups, kh, kw], in float64.
func (c FilterNorm) Importance(n *models.Network, g *models.Group) ([]float64, error) {
	scores := make([]float64, g.Channels)
	err := perChannel(n, g, func(channel int, row []float32) {
		for _, v := range row {
			if c.P == 1 {
				scores[channel] += math.Abs(float64(v))
			} else {
				scores[channel] += float64(v) * float64(v)
			}
		}
	})
	if c.P == 2 {
		for i := range scores {
			scores[i] = math.Sqrt(scores[i])
		}
	}
	return scores, err
}
