package prune

import (
	"fmt"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// A Score returns one score for each channel, or each weight, of a candidate, or nil where
// the method can't say anything of it, which then stays whole.
type Score func(c *Candidate) ([]float64, error)

// Needs is the part of the training clips that a method's scores look at.
type Needs int

// The kinds of Needs.
const (
	Weights     Needs = iota // nothing but the network
	Gradients                // of the loss over training clips
	Activations              // of the layers on training clips
)

// Evidence holds the data that scores may look at beside the network. Its functions are nil where no
// data is at hand.
type Evidence struct {
	Seed uint64 // of methods that draw
	// Gradients calls use once for each of a few batches of training clips, with the
	// gradients of the mean loss over the batch in the network's parameters.
	Gradients func(use func() error) error
	// Activations calls use for the output of each operation, [clips, ...], over the same
	// batches, in evaluation.
	Activations func(use func(node *op.Node, out *torch.Tensor) error) error
}

// byRows calls f for each channel of a group and each of its filters: its rows in
// the weights of all layers that produce it.
func byRows(n *models.Network, g *models.Group, f func(channel int, row []float32)) error {
	for _, p := range g.Of(op.Filter) {
		if err := rows(n, p, f); err != nil {
			return fmt.Errorf("scoring %s: %w", p.Layer(), err)
		}
	}
	return nil
}

// rows calls f with each row of a channel in a tensor, along the part's dimension: a filter,
// or a feature's numbers in an embedding.
func rows(n *models.Network, p op.Part, f func(channel int, row []float32)) error {
	v, err := torch.ToSlice[float32](n.Tensor(p.Tensor))
	if err != nil {
		return err
	}
	shape := n.Tensor(p.Tensor).Shape()
	outer, inner := 1, 1
	for d, size := range shape {
		switch {
		case d < p.Dim:
			outer *= size
		case d > p.Dim:
			inner *= size
		}
	}
	row := make([]float32, outer*inner)
	for c, index := range p.Index {
		for _, i := range index {
			if outer == 1 {
				f(c, v[i*inner:(i+1)*inner])
				continue
			}
			for o := range outer {
				from := (o*shape[p.Dim] + i) * inner
				copy(row[o*inner:], v[from:from+inner])
			}
			f(c, row)
		}
	}
	return nil
}

// elementwise returns a Score of each weight of a tensor by the tensor's values alone.
func elementwise(f func(weight []float32) []float64) func(*models.Network, Evidence) (Score, error) {
	return func(n *models.Network, _ Evidence) (Score, error) {
		return func(c *Candidate) ([]float64, error) {
			w, err := torch.ToSlice[float32](n.Tensor(c.Tensor))
			if err != nil {
				return nil, err
			}
			return f(w), nil
		}, nil
	}
}
