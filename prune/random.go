package prune

import (
	"hash/fnv"
	"math/rand/v2"

	"github.com/eegprune/eegprune/internal/cite"
	"github.com/eegprune/eegprune/models"
)

// Random is the control: a criterion must beat it to be worth anything.
func random() Method {
	return Method{
		Name: "random",
		Doc:  "filters drawn at random in each layer: the control that a criterion must beat",
		Cite: cite.Paper{
			Key:     "mittal2018",
			Authors: []string{"Mittal, Deepak", "Bhardwaj, Shweta", "Khapra, Mitesh M.", "Ravindran, Balaraman"},
			Title:   "Recovering from Random Pruning: On the Plasticity of Deep Convolutional Neural Networks",
			Book:    "IEEE Winter Conference on Applications of Computer Vision", Year: 2018, ArXiv: "1801.10447",
		},
		Score: func(_ *models.Network, e Evidence) (Score, error) {
			return func(c *Candidate) ([]float64, error) { return drawn(e.Seed, c), nil }, nil
		},
	}
}

// drawn are numbers of [0, 1) that follow from the seed and the candidate's name.
func drawn(seed uint64, c *Candidate) []float64 {
	h := fnv.New64a()
	h.Write([]byte(c.Name))
	r := rand.New(rand.NewPCG(seed, h.Sum64()))
	scores := make([]float64, c.Size)
	for i := range scores {
		scores[i] = r.Float64()
	}
	return scores
}
