package prune

import (
	"errors"
	"fmt"
	"slices"

	"github.com/eegprune/eegprune/internal/cite"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

// SFP is soft filter pruning (He et al., "Soft Filter Pruning for Accelerating Deep
// Convolutional Neural Networks", 2018): after each epoch of training the filters of
// smallest L2 norm are zeroed, and go on being trained; those of the last are removed.
func sfp() Method {
	return Method{
		Name: "sfp",
		Doc:  "soft filter pruning: after each epoch the filters of smallest L2 norm are zeroed but trained on (He 2018)",
		Cite: cite.Paper{
			Key:     "he2018",
			Authors: []string{"He, Yang", "Kang, Guoliang", "Dong, Xuanyi", "Fu, Yanwei", "Yang, Yi"},
			Title:   "Soft Filter Pruning for Accelerating Deep Convolutional Neural Networks",
			Book:    "International Joint Conference on Artificial Intelligence", Year: 2018, ArXiv: "1808.06866",
		},
		Score:    filterNorm(2),
		Kept:     func(c int, ratio float64) int { return c - int(float64(c)*ratio) },
		Training: &Training{Prunes: true, Start: startSoftly, End: endSoftly},
	}
}

// startSoftly zeroes filters after each epoch.
func startSoftly(n *models.Network, j Job) (train.Regimen, error) {
	return train.Regimen{Epoch: func(int) (func() error, error) {
		now, err := j.choose(n, j.Ratio)
		if err != nil {
			return nil, err
		}
		if err := soften(n, now.Keep); err != nil {
			return nil, err
		}
		return silence(n, now.Keep)
	}}, nil
}

// endSoftly removes the filters that are zero in the best network. The filters are chosen again
// for the notes: those of the best epoch, also where a program that was killed trained it.
func endSoftly(n *models.Network, j Job) (*models.Network, []string, error) {
	again, err := j.choose(n, j.Ratio)
	if err != nil {
		return nil, nil, err
	}
	keep, err := silent(n)
	if err != nil {
		return nil, nil, err
	}
	small, err := Remove(n, keep)
	return small, again.Notes, err
}

// soften zeroes the weights of the filters that keep leaves out, softly: training goes
// on, and may bring them back.
func soften(n *models.Network, keep Keep) error {
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	for name, kept := range keep {
		g := n.Arch.Group(name)
		for _, p := range g.Of(op.Filter) {
			if err := clearRows(s, n, p, kept); err != nil {
				return fmt.Errorf("zeroing filters of %s: %w", p.Layer(), err)
			}
		}
	}
	return s.Err()
}

// silence makes the outputs of the channels that keep leaves out, whose filters soften zeroed,
// zero everywhere, so that removing them changes nothing: it zeroes their biases and
// their BatchNorm scales and shifts. restore brings those back: with a bias of zero a filter
// that feeds a ReLU would get no gradient, and could not come back.
func silence(n *models.Network, keep Keep) (restore func() error, err error) {
	type saved struct{ tensor, copy *torch.Tensor }
	var before []saved
	restore = func() error {
		var errs []error
		for _, b := range slices.Backward(before) { // of a tensor that two groups share the first copy is the whole one
			errs = append(errs, b.tensor.CopyFrom(b.copy))
			b.copy.Free()
		}
		before = nil
		return errors.Join(errs...)
	}
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	zero := func(p op.Part, kept []int) error {
		t := n.Tensor(p.Tensor)
		c, err := s.Keep(s.Clone(t))
		if err != nil {
			return err
		}
		before = append(before, saved{t, c})
		return clearRows(s, n, p, kept)
	}
	for name, kept := range keep {
		for _, p := range n.Arch.Group(name).Of(op.Bias, op.Scale, op.Shift) {
			err = errors.Join(err, zero(p, kept))
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("silencing channels: %w", err), restore())
	}
	return restore, nil
}

// silent finds the channels whose output is always zero, as silence leaves them:
// their filters, biases and BatchNorm parameters are all zero. Every group keeps one.
func silent(n *models.Network) (Keep, error) {
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

// clearRows zeroes the rows of channels that are not kept in a tensor, along its first dimension.
func clearRows(s *torch.Scope, n *models.Network, p op.Part, kept []int) error {
	t := n.Tensor(p.Tensor)
	shape := t.Shape()
	mask := make([]float32, shape[0])
	for i := range mask {
		mask[i] = 1
	}
	for c, index := range p.Index {
		if !slices.Contains(kept, c) {
			for _, i := range index {
				mask[i] = 0
			}
		}
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
