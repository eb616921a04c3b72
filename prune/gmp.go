package prune

import (
	"math"

	"github.com/eegprune/eegprune/internal/cite"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

// GMP is gradual magnitude pruning (Zhu & Gupta, "To Prune, or Not to Prune: Exploring the
// Efficacy of Pruning for Model Compression", 2017): while the network is trained the smallest
// weights are masked after each epoch, a share of them that rises from 0 to the ratio along a
// cubic curve; once masked they stay so. For the last quarter of the epochs it is trained at the
// ratio, and the best of these is kept.
func gmp() Method {
	return Method{
		Name: "gmp",
		Doc:  "gradual magnitude: in training, a share of the smallest weights that rises to the ratio is held at zero (Zhu 2017)",
		Cite: cite.Paper{
			Key:     "zhu2017",
			Authors: []string{"Zhu, Michael", "Gupta, Suyog"},
			Title:   "To prune, or not to prune: exploring the efficacy of pruning for model compression",
			Year:    2017, ArXiv: "1710.01878",
		},
		Masks:  true,
		Score:  elementwise(magnitudes),
		Global: true,
		Training: &Training{
			Prunes: true,
			Start:  startGradually,
			End:    endGradually,
		},
	}
}

// rising is the share of the epochs over which the ratio rises.
const rising = 0.75

// gradual is the share of weights to mask after an epoch, from 0, of a number of epochs.
func gradual(ratio float64, epoch, epochs int) float64 {
	last := max(1, math.Round(rising*float64(epochs)))
	left := 1 - math.Min(1, float64(epoch+1)/last)
	return ratio * (1 - left*left*left)
}

func startGradually(n *models.Network, j Job) (train.Regimen, error) {
	// Masks that leave nothing out, so that steps that a GPU records include the later masks.
	none, err := j.choose(n, 0)
	if err != nil {
		return train.Regimen{}, err
	}
	mask := func(epoch int) error {
		d, err := j.choose(n, gradual(j.Ratio, epoch, j.Epochs))
		if err != nil {
			return err
		}
		return n.SetMasks(d.Masks)
	}
	return train.Regimen{
		Since:   max(0, int(math.Round(rising*float64(j.Epochs)))-1),
		Epoch:   func(epoch int) (func() error, error) { return func() error { return nil }, mask(epoch) },
		Resumed: func(epochs int) error { return mask(epochs - 1) }, // the weights that were masked are zero, and so the least
	}, n.SetMasks(none.Masks)
}

// endGradually masks the zero weights of the best network, which may be of an earlier epoch than the
// last masks. It returns the notes of the last choice.
func endGradually(n *models.Network, j Job) (*models.Network, []string, error) {
	last, err := j.choose(n, j.Ratio)
	if err != nil {
		return nil, nil, err
	}
	masks := models.Masks{}
	for name := range last.Masks {
		v, err := torch.ToSlice[float32](n.Tensor(name))
		if err != nil {
			return nil, nil, err
		}
		m := models.NewMask(len(v))
		for i, x := range v {
			if x != 0 {
				m.Keep(i)
			}
		}
		masks[name] = m
	}
	return n, last.Notes, n.SetMasks(masks)
}
