package prune

import (
	"fmt"
	"math"

	"github.com/eegprune/eegprune/internal/cite"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

// NSFP is network slimming (Liu et al., "Learning Efficient Convolutional Networks
// through Network Slimming", 2017): trained with an L1 penalty on the scales of
// BatchNorm, the channels of smallest scale go, by one threshold over all layers.
func nsfp() Method {
	return Method{
		Name: "nsfp",
		Doc:  "network slimming: trained with an L1 penalty on BatchNorm scales, the smallest of all layers go (Liu 2017)",
		Cite: cite.Paper{
			Key:     "liu2017",
			Authors: []string{"Liu, Zhuang", "Li, Jianguo", "Shen, Zhiqiang", "Huang, Gao", "Yan, Shoumeng", "Zhang, Changshui"},
			Title:   "Learning Efficient Convolutional Networks through Network Slimming",
			Book:    "IEEE International Conference on Computer Vision", Year: 2017, ArXiv: "1708.06519",
		},
		Score:  scales(false),
		Check:  needsNorm,
		Global: true,
		Training: &Training{
			Penalised: true,
			Start: func(n *models.Network, j Job) (train.Regimen, error) {
				all := gammas(n)
				return train.Regimen{Gradients: func(s *torch.Scope) { penalise(s, all, j.Strength) }}, nil
			},
			End: func(n *models.Network, j Job) (*models.Network, []string, error) {
				near, all, err := nearZero(n)
				return n, []string{fmt.Sprintf("%d of %d BatchNorm scales are below %g after training with sparsity %g", near, all, nearlyZero, j.Strength)}, err
			},
		},
	}
}

// bnSum is network slimming without its training, for groups that several BatchNorms
// share: their scales are added up, as Torch-Pruning does.
func bnSum() Method {
	return Method{
		Name: "bn-sum",
		Doc:  "BatchNorm scales of a plainly trained network, summed over a group (as Torch-Pruning's BNScale)",
		Cite: cite.Paper{
			Key:     "fang2023",
			Authors: []string{"Fang, Gongfan", "Ma, Xinyin", "Song, Mingli", "Mi, Michael Bi", "Wang, Xinchao"},
			Title:   "DepGraph: Towards Any Structural Pruning",
			Book:    "IEEE/CVF Conference on Computer Vision and Pattern Recognition", Year: 2023, ArXiv: "2301.12900",
		},
		Score:  scales(true),
		Check:  needsNorm,
		Global: true,
	}
}

// needsNorm says why a method that goes by BatchNorm's scales can't be used.
func needsNorm(a *models.Arch) error {
	for _, g := range a.Groups {
		if len(g.Of(op.Scale)) > 0 {
			return nil
		}
	}
	return fmt.Errorf("%s has no BatchNorm, whose scales this method prunes by: use another method, such as lfp", a.Model)
}

// scales scores a channel by the magnitude of its BatchNorm scales [channels]: their mean, or
// their sum. Groups without BatchNorm stay whole.
func scales(sum bool) func(*models.Network, Evidence) (Score, error) {
	return func(n *models.Network, _ Evidence) (Score, error) {
		return func(c *Candidate) ([]float64, error) {
			norms := c.Group.Of(op.Scale)
			if len(norms) == 0 {
				return nil, nil
			}
			scores := make([]float64, c.Size)
			count := 0 // of scales that a channel has
			for _, p := range norms {
				err := rows(n, p, func(channel int, gamma []float32) { scores[channel] += math.Abs(float64(gamma[0])) })
				if err != nil {
					return nil, fmt.Errorf("scoring %s: %w", p.Layer(), err)
				}
				count += len(p.Index[0])
			}
			if !sum {
				for i := range scores {
					scores[i] /= float64(count)
				}
			}
			return scores, nil
		}, nil
	}
}

// penalise adds the subgradient of strength * sum |gamma| over scales of BatchNorms to their
// gradients: to be called between Backward and the optimizer's step.
func penalise(s *torch.Scope, all []*torch.Tensor, strength float64) {
	for _, gamma := range all {
		s.AddInPlace(s.GradOf(gamma), s.Sign(s.Detach(gamma)), strength)
	}
}

// gammas are the scales of all BatchNorms.
func gammas(n *models.Network) []*torch.Tensor {
	var all []*torch.Tensor
	for _, t := range n.Arch.Tensors {
		if owner, arg := n.Arch.Owner(t.Name); owner != nil && owner.Op == op.BatchNorm && arg == "weight" {
			all = append(all, n.Tensor(t.Name))
		}
	}
	return all
}

// nearlyZero is a tenth of a BatchNorm scale's initial value, and far above the step of a
// penalty of the usual strength.
const nearlyZero = 0.1

// nearZero counts a network's BatchNorm scales below 0.1, where they
// start from 1: the effect of sparsity training.
func nearZero(n *models.Network) (near, all int, err error) {
	for _, gamma := range gammas(n) {
		v, err := torch.ToSlice[float32](gamma)
		if err != nil {
			return 0, 0, fmt.Errorf("reading the scales of BatchNorm: %w", err)
		}
		all += len(v)
		for _, x := range v {
			if math.Abs(float64(x)) < nearlyZero {
				near++
			}
		}
	}
	return near, all, nil
}
