package prune

import (
	"math"

	"github.com/eegprune/eegprune/internal/cite"
	"github.com/eegprune/eegprune/models"
)

// LFP is layer-wise filter pruning (Li et al., "Pruning Filters for Efficient
// ConvNets", 2017): in each layer the filters of smallest L1 norm go.
func lfp() Method {
	return Method{
		Name: "lfp",
		Doc:  "layer-wise filter pruning: the filters of smallest L1 norm in each layer (Li 2017)",
		Cite: cite.Paper{
			Key:     "li2017",
			Authors: []string{"Li, Hao", "Kadav, Asim", "Durdanovic, Igor", "Samet, Hanan", "Graf, Hans Peter"},
			Title:   "Pruning Filters for Efficient ConvNets",
			Book:    "International Conference on Learning Representations", Year: 2017, ArXiv: "1608.08710",
		},
		Score: filterNorm(1),
	}
}

// filterNorm scores a channel by the norm of the filters that produce it, [out, in/groups, kh,
// kw], in float64: the sum of magnitudes for p = 1 (Li 2017), the Euclidean norm for p = 2 (He
// 2018). Where several layers produce a channel, their filters count as one.
func filterNorm(p int) func(*models.Network, Evidence) (Score, error) {
	return func(n *models.Network, _ Evidence) (Score, error) {
		return func(c *Candidate) ([]float64, error) {
			scores := make([]float64, c.Size)
			err := byRows(n, c.Group, func(channel int, row []float32) {
				for _, v := range row {
					if p == 1 {
						scores[channel] += math.Abs(float64(v))
					} else {
						scores[channel] += float64(v) * float64(v)
					}
				}
			})
			if p == 2 {
				for i := range scores {
					scores[i] = math.Sqrt(scores[i])
				}
			}
			return scores, err
		}, nil
	}
}
