package prune

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/eegprune/eegprune/internal/cite"
	"github.com/eegprune/eegprune/models"
)

// FPGM is filter pruning via geometric median (He et al., "Filter Pruning via Geometric
// Median for Deep Convolutional Neural Networks Acceleration", CVPR 2019): the filters
// closest to all others go, since those can stand in for them.
func fpgm() Method {
	return Method{
		Name: "fpgm",
		Doc:  "geometric median: in each layer the filters closest to all others (He 2019)",
		Cite: cite.Paper{
			Key:     "he2019",
			Authors: []string{"He, Yang", "Liu, Ping", "Wang, Ziwei", "Hu, Zhilan", "Yang, Yi"},
			Title:   "Filter Pruning via Geometric Median for Deep Convolutional Neural Networks Acceleration",
			Book:    "IEEE Conference on Computer Vision and Pattern Recognition", Year: 2019, Pages: "4340--4349", ArXiv: "1811.00250",
		},
		Score: geometricMedian,
	}
}

// geometricMedian scores a filter [out, in/groups, kh, kw] by the sum of its Euclidean distances
// to the layer's other filters, in float64. Where several layers produce a channel, their filters
// count as one. The distances come of the filters' inner products: |a-b|² = |a|² + |b|² - 2ab.
func geometricMedian(n *models.Network, _ Evidence) (Score, error) {
	return func(c *Candidate) ([]float64, error) {
		filters := make([][]float64, c.Size)
		err := byRows(n, c.Group, func(channel int, row []float32) {
			for _, v := range row {
				filters[channel] = append(filters[channel], float64(v))
			}
		})
		if err != nil {
			return nil, err
		}
		f := mat.NewDense(c.Size, len(filters[0]), slices.Concat(filters...))
		var inner mat.Dense
		inner.Mul(f, f.T())
		scores := make([]float64, c.Size)
		for i := range filters {
			for j := range filters {
				square := inner.At(i, i) + inner.At(j, j) - 2*inner.At(i, j)
				scores[i] += math.Sqrt(max(square, 0)) // of equal filters it may round below zero
			}
		}
		return scores, nil
	}, nil
}
