package prune

import (
	"fmt"
	"math"

	"eegprune/models"
	"eegprune/models/op"
	"eegprune/torch"
)

// NSFP is network slimming (Liu et al., "Learning Efficient Convolutional Networks
// through Network Slimming", 2017): trained with an L1 penalty on the scales of
// BatchNorm, the channels of smallest scale go, by one threshold over all layers.
func nsfp() Method {
	return Method{
		Name:     "nsfp",
		Doc:      "network slimming: trained with an L1 penalty on BatchNorm scales, the smallest of all layers go (Liu 2017)",
		Channels: always(Scales{}),
		Check:    needsNorm,
		Global:   true,
		Training: Sparse,
	}
}

// bnSum is network slimming without its training, for groups that several BatchNorms
// share: their scales are added up, as Torch-Pruning does.
func bnSum() Method {
	return Method{
		Name:     "bn-sum",
		Doc:      "BatchNorm scales of a plainly trained network, summed over a group (as Torch-Pruning's BNScale)",
		Channels: always(Scales{Sum: true}),
		Check:    needsNorm,
		Global:   true,
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

// Scales scores a channel by the magnitude of its BatchNorm scales: their mean, or
// their sum. Groups without BatchNorm stay whole.
type Scales struct{ Sum bool }

// Importance reads the norms' weights [channels].
func (c Scales) Importance(n *models.Network, g *models.Group) ([]float64, error) {
	if len(g.Of(op.Scale)) == 0 {
		return nil, nil
	}
	scores := make([]float64, g.Channels)
	count := 0 // of scales that a channel has
	for _, p := range g.Of(op.Scale) {
		err := rows(n, p, func(channel int, gamma []float32) { scores[channel] += math.Abs(float64(gamma[0])) })
		if err != nil {
			return nil, fmt.Errorf("scoring %s: %w", p.Layer(), err)
		}
		count += len(p.Index[0])
	}
	if !c.Sum {
		for i := range scores {
			scores[i] /= float64(count)
		}
	}
	return scores, nil
}

// Penalise adds the subgradient of strength * sum |gamma| over the scales of all
// BatchNorms to their gradients: to be called between Backward and the optimizer's step.
func Penalise(s *torch.Scope, n *models.Network, strength float64) {
	for _, gamma := range gammas(n) {
		s.AddInPlace(s.GradOf(gamma), s.Sign(s.Detach(gamma)), strength)
	}
}

func gammas(n *models.Network) []*torch.Tensor {
	var all []*torch.Tensor
	for _, t := range n.Arch.Tensors {
		if owner, arg := n.Arch.Owner(t.Name); owner != nil && owner.Op == op.BatchNorm && arg == "weight" {
			all = append(all, n.Tensor(t.Name))
		}
	}
	return all
}

// nearZero is a tenth of what a BatchNorm scale starts from, and far above the step of a
// penalty of the usual strength.
const nearZero = 0.1

// NearZero says how many of a network's BatchNorm scales are below 0.1, where they
// start from 1: what sparsity training has achieved.
func NearZero(n *models.Network) (near, all int, err error) {
	for _, gamma := range gammas(n) {
		v, err := torch.ToSlice[float32](gamma)
		if err != nil {
			return 0, 0, fmt.Errorf("reading the scales of BatchNorm: %w", err)
		}
		all += len(v)
		for _, x := range v {
			if math.Abs(float64(x)) < nearZero {
				near++
			}
		}
	}
	return near, all, nil
}
