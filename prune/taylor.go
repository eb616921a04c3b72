package prune

import (
	"fmt"

	"github.com/eegprune/eegprune/internal/cite"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// Taylor is the first-order Taylor criterion (Molchanov et al., "Importance Estimation
// for Neural Network Pruning", CVPR 2019): the filters whose removal changes the loss
// least, to first order, go.
func taylor() Method {
	return Method{
		Name: "taylor",
		Doc:  "first-order Taylor: the filters whose removal changes the training loss least, over all layers (Molchanov 2019)",
		Cite: cite.Paper{
			Key:     "molchanov2019",
			Authors: []string{"Molchanov, Pavlo", "Mallya, Arun", "Tyree, Stephen", "Frosio, Iuri", "Kautz, Jan"},
			Title:   "Importance Estimation for Neural Network Pruning",
			Book:    "IEEE Conference on Computer Vision and Pattern Recognition", Year: 2019, Pages: "11264--11272",
		},
		Score:  taylorScores,
		Global: true,
		Needs:  Gradients,
	}
}

// taylorScores scores a channel by the mean over batches of the squared sum of weight times
// gradient.
func taylorScores(n *models.Network, e Evidence) (Score, error) {
	scores := map[string][]float64{} // of each group
	batches := 0
	err := e.Gradients(func() error {
		batches++
		for i := range n.Arch.Groups {
			g := &n.Arch.Groups[i]
			rows, err := weightTimesGradient(n, g)
			if err != nil {
				return err
			}
			if scores[g.Name] == nil {
				scores[g.Name] = make([]float64, g.Channels)
			}
			for c, v := range rows {
				scores[g.Name][c] += v * v
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("gradients for the taylor criterion: %w", err)
	}
	for _, s := range scores {
		for c := range s {
			s[c] /= float64(batches)
		}
	}
	return func(c *Candidate) ([]float64, error) { return scores[c.Name], nil }, nil
}

// weightTimesGradient returns the sum of weight times gradient over each channel's
// filters and their biases.
func weightTimesGradient(n *models.Network, g *models.Group) ([]float64, error) {
	sums := make([]float64, g.Channels)
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	for _, p := range g.Of(op.Filter, op.Bias) {
		t := n.Tensor(p.Tensor)
		w, err := torch.ToSlice[float32](t)
		if err != nil {
			return nil, err
		}
		gradient := s.GradOf(t)
		if s.Err() != nil {
			return nil, s.Err()
		}
		d, err := torch.ToSlice[float32](gradient)
		if err != nil {
			return nil, err
		}
		size := len(w) / t.Shape()[0]
		for c, index := range p.Index {
			for _, i := range index {
				for k := i * size; k < (i+1)*size; k++ {
					sums[c] += float64(w[k]) * float64(d[k])
				}
			}
		}
	}
	return sums, nil
}
