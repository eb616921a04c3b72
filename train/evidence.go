package train

import (
	"errors"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// The data that pruning may look at.

// Gradients calls use with the gradients of the mean loss over each of a few batches of
// rows, taken in their order, in the network's parameters; in evaluation mode, so that
// the network is not changed. Gradients are forgotten after each.
func Gradients(n *models.Network, d *Data, rows []int, batch, batches int, use func() error) error {
	return batched(rows, batch, batches, func(rows []int) error { return gradients(n, d, rows, use) })
}

// batched calls do with a few batches of rows, in their order.
func batched(rows []int, batch, batches int, do func(rows []int) error) error {
	for first := 0; first < min(len(rows), batch*batches); first += batch {
		if err := do(rows[first:min(first+batch, len(rows))]); err != nil {
			return err
		}
	}
	return nil
}

func gradients(n *models.Network, d *Data, rows []int, use func() error) (err error) {
	opt, err := torch.NewSGD(n.Parameters(), torch.SGDOptions{}) // it knows how to forget gradients
	if err != nil {
		return err
	}
	defer opt.Free()
	s := torch.NewScope(torch.Grad)
	defer s.Close()
	x, y := d.take(s, s.Index(rows, d.rowsOn(n.Device())), n.Device())
	s.Backward(s.CrossEntropy(n.Forward(s, x, models.Pass{}), y))
	if s.Err() != nil {
		return s.Err()
	}
	return errors.Join(d.lost(), use(), opt.ZeroGrad())
}

// Activations calls use with the output of each operation of a network, [clips, ...], on each of a
// few batches of rows, taken in their order; in evaluation mode. The tensors are freed after.
func Activations(n *models.Network, d *Data, rows []int, batch, batches int, use func(node *op.Node, out *torch.Tensor) error) error {
	return batched(rows, batch, batches, func(rows []int) error {
		s := torch.NewScope(torch.NoGrad)
		defer s.Close()
		x := d.clips(s, s.Index(rows, d.rowsOn(n.Device())), n.Device())
		n.Forward(s, x, models.Pass{After: func(s *torch.Scope, node *op.Node, out *torch.Tensor) *torch.Tensor {
			if s.Err() == nil {
				if err := use(node, out); err != nil {
					s.Fail(err)
				}
			}
			return out
		}})
		return errors.Join(d.lost(), s.Err())
	})
}
