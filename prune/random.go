package prune

import (
	"hash/fnv"
	"math/rand/v2"

	"eegprune/models"
)

// Random is the control: a criterion must beat it to be worth anything.
func random() Method {
	return Method{
		Name: "random",
		Doc:  "filters drawn at random in each layer: the control that a criterion must beat",
		Channels: func(_ *models.Network, e Evidence) (Criterion, error) {
			return Random{Seed: e.Seed}, nil
		},
	}
}

// Random scores channels by numbers drawn from the seed and the group's name.
type Random struct{ Seed uint64 }

// Importance returns numbers of [0, 1).
func (c Random) Importance(_ *models.Network, g *models.Group) ([]float64, error) {
	h := fnv.New64a()
	h.Write([]byte(g.Name))
	r := rand.New(rand.NewPCG(c.Seed, h.Sum64()))
	scores := make([]float64, g.Channels)
	for i := range scores {
		scores[i] = r.Float64()
	}
	return scores, nil
}
