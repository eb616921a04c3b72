package prune

import (
	"errors"
	"fmt"

	"eegprune/models"
	"eegprune/models/op"
	"eegprune/torch"
)

// SFP is soft filter pruning (He et al., "Soft Filter Pruning for Accelerating Deep
// Convolutional Neural Networks", 2018): after each epoch of training the filters of
// smallest L2 norm are zeroed, and go on being trained; those of the last are removed.
func sfp() Method {
	return Method{
		Name:     "sfp",
		Doc:      "soft filter pruning: after each epoch the filters of smallest L2 norm are zeroed but trained on (He 2018)",
		Channels: always(FilterNorm{P: 2}),
		Training: Soft,
		Kept:     func(c int, ratio float64) int { return c - int(float64(c)*ratio) },
	}
}

// Soften zeroes the weights of the filters that keep leaves out, softly: training goes
// on, and may bring them back.
func Soften(n *models.Network, keep Keep) error {
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	for name, kept := range keep {
		g := n.Arch.Group(name)
		for _, p := range g.Of(op.Filter) {
			if err := clear(s, n, p, kept); err != nil {
				return fmt.Errorf("zeroing filters of %s: %w", p.Layer(), err)
			}
		}
	}
	return s.Err()
}

// Silence makes the channels that keep leaves out, whose filters Soften zeroed, give
// nothing but zero, so that removing them changes nothing: it zeroes their biases and
// what BatchNorm makes of them. restore brings those back: with a bias of zero a filter
// that feeds a ReLU would get no gradient, and could not come back.
func Silence(n *models.Network, keep Keep) (restore func() error, err error) {
	type saved struct{ tensor, copy *torch.Tensor }
	var before []saved
	restore = func() error {
		var errs []error
		for _, b := range before {
			errs = append(errs, b.tensor.CopyFrom(b.copy))
			b.copy.Free()
		}
		before = nil
		return errors.Join(errs...)
	}
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	silence := func(p op.Part, kept []int) error {
		t := n.Tensor(p.Tensor)
		c, err := s.Keep(s.Clone(t))
		if err != nil {
			return err
		}
		before = append(before, saved{t, c})
		return clear(s, n, p, kept)
	}
	for name, kept := range keep {
		for _, p := range n.Arch.Group(name).Of(op.Bias, op.Scale, op.Shift) {
			err = errors.Join(err, silence(p, kept))
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("silencing channels: %w", err), restore())
	}
	return restore, nil
}

// Silent finds the channels that give nothing but zero, as those do that Silence left:
// whose filters, biases and BatchNorm parameters are all zero. Every group keeps one.
func Silent(n *models.Network) (Keep, error) {
	keep := Keep{}
	for i := range n.Arch.Groups {
		g := &n.Arch.Groups[i]
		loud := make([]bool, g.Channels)
		for _, p := range g.Of(op.Filter, op.Bias, op.Scale, op.Shift) {
			err := rows(n, p, func(channel int, row []float32) {
				for _, x := range row {
					loud[channel] = loud[channel] || x != 0
				}
			})
			if err != nil {
				return nil, fmt.Errorf("looking for silent channels of %s: %w", p.Layer(), err)
			}
		}
		var kept []int
		for c, l := range loud {
			if l {
				kept = append(kept, c)
			}
		}
		if kept == nil {
			kept = []int{0}
		}
		if len(kept) < g.Channels {
			keep[g.Name] = kept
		}
	}
	return keep, nil
}

// clear zeroes what channels that are not kept have of a tensor, along its first dimension.
func clear(s *torch.Scope, n *models.Network, p op.Part, kept []int) error {
	t := n.Tensor(p.Tensor)
	shape := t.Shape()
	mask := make([]float32, shape[0])
	for _, r := range p.Rows(kept) {
		mask[r] = 1
	}
	for i := range shape[1:] {
		shape[i+1] = 1
	}
	host, err := torch.FromSlice(mask, shape...)
	if err != nil {
		return err
	}
	defer host.Free()
	s.MulInPlace(t, s.To(host, torch.Float32, t.Info().Device))
	return s.Err()
}
