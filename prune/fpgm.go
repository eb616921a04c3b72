package prune

import (
	"math"

	"eegprune/models"
)

// FPGM is filter pruning via geometric median (He et al., "Filter Pruning via Geometric
// Median for Deep Convolutional Neural Networks Acceleration", CVPR 2019): the filters
// closest to all others go, since those can stand in for them.
func fpgm() Method {
	return Method{
		Name:     "fpgm",
		Doc:      "geometric median: in each layer the filters closest to all others (He 2019)",
		Channels: always(GeometricMedian{}),
	}
}

// GeometricMedian scores a filter by the sum of its Euclidean distances to the layer's
// other filters. Where several layers produce a channel, their filters count as one.
type GeometricMedian struct{}

// Importance reads the producers' weights [out, in/groups, kh, kw], in float64.
func (GeometricMedian) Importance(n *models.Network, g *models.Group) ([]float64, error) {
	filters := make([][]float32, g.Channels)
	err := perChannel(n, g, func(channel int, row []float32) { filters[channel] = append(filters[channel], row...) })
	if err != nil {
		return nil, err
	}
	scores := make([]float64, g.Channels)
	for i := range filters {
		for j := range i {
			square := 0.0
			for k, v := range filters[i] {
				d := float64(v) - float64(filters[j][k])
				square += d * d
			}
			d := math.Sqrt(square)
			scores[i] += d
			scores[j] += d
		}
	}
	return scores, nil
}
