package prune

import (
	"fmt"
	"math"

	"github.com/eegprune/eegprune/internal/cite"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

// SNIP is single-shot network pruning (Lee et al., "SNIP: Single-shot Network Pruning based on
// Connection Sensitivity", ICLR 2019): before the first step of training the weights whose loss
// would change the connection's strength least are masked, by one threshold over all layers, and
// the others are trained as always. Gradients are of the network in evaluation: BatchNorm's
// statistics are still those it starts from.
func snip() Method {
	return Method{
		Name: "snip",
		Doc:  "single shot: before training, weights of least |weight x gradient| over all layers are held at zero (Lee 2019)",
		Cite: cite.Paper{
			Key:     "lee2019",
			Authors: []string{"Lee, Namhoon", "Ajanthan, Thalaiyasingam", "Torr, Philip H. S."},
			Title:   "SNIP: Single-shot Network Pruning based on Connection Sensitivity",
			Book:    "International Conference on Learning Representations", Year: 2019, ArXiv: "1810.02340",
		},
		Masks:  true,
		Score:  connectionSensitivity,
		Needs:  Gradients,
		Global: true,
		Training: &Training{
			Prunes: true,
			Start: func(n *models.Network, j Job) (train.Regimen, error) {
				d, err := j.choose(n, j.Ratio)
				if err != nil {
					return train.Regimen{}, err
				}
				return train.Regimen{}, n.SetMasks(d.Masks)
			},
			End: func(n *models.Network, _ Job) (*models.Network, []string, error) { return n, nil, nil },
		},
	}
}

// connectionSensitivity scores a weight by |w dL/dw|, the gradient summed over the batches.
func connectionSensitivity(n *models.Network, e Evidence) (Score, error) {
	sums := map[string][]float64{} // of each weight's gradient
	err := e.Gradients(func() error {
		s := torch.NewScope(torch.NoGrad)
		defer s.Close()
		for _, t := range n.State() {
			if t.Buffer {
				continue
			}
			gradient := s.GradOf(t.Tensor)
			if s.Err() != nil {
				return s.Err()
			}
			g, err := torch.ToSlice[float32](gradient)
			if err != nil {
				return err
			}
			if sums[t.Name] == nil {
				sums[t.Name] = make([]float64, len(g))
			}
			for i, v := range g {
				sums[t.Name][i] += float64(v)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("gradients for snip: %w", err)
	}
	return func(c *Candidate) ([]float64, error) {
		w, err := torch.ToSlice[float32](n.Tensor(c.Tensor))
		if err != nil {
			return nil, err
		}
		scores := make([]float64, len(w))
		for i, g := range sums[c.Tensor] {
			scores[i] = math.Abs(float64(w[i]) * g)
		}
		return scores, nil
	}, nil
}
