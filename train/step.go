package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// warmUp is how many steps of a batch size are taken one operation after another before one
// is recorded: in them libtorch chooses algorithms and reserves memory.
const warmUp = 3

// A recording is a step on a number of clips, which a GPU does at one launch.
type recording struct {
	taken int // steps on that many clips so far
	// Where data is on the device: int64 [clips], the rows of it that the recorded step is on.
	rows *torch.Tensor
	// Where it is on the host: the clips that the recorded step is on, and their classes.
	x, y  *torch.Tensor
	graph *torch.Graph
}

func (r *recording) free() {
	r.graph.Free()
	for _, t := range []*torch.Tensor{r.rows, r.x, r.y} {
		t.Free()
	}
}

// hold makes the tensors that the recorded step reads.
func (r *recording) hold(d *Data, rows *torch.Tensor, device torch.Device) (err error) {
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	if !d.onHost {
		r.rows, err = s.Keep(s.Clone(rows))
		return err
	}
	x, y := d.take(s, rows, device)
	if r.x, err = s.Keep(s.Clone(x)); err == nil {
		r.y, err = s.Keep(s.Clone(y))
	}
	return err
}

// clips are those that the recorded step is on.
func (r *recording) clips(s *torch.Scope, d *Data, device torch.Device) (x, y *torch.Tensor) {
	if d.onHost {
		return r.x, r.y
	}
	return d.take(s, r.rows, device)
}

// set has the next replay on other rows.
func (r *recording) set(d *Data, rows *torch.Tensor) error {
	if !d.onHost {
		return r.rows.CopyFrom(rows)
	}
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	x, y := d.take(s, rows, torch.CPU)
	if err := s.Err(); err != nil {
		return err
	}
	return errors.Join(r.x.CopyFrom(x), r.y.CopyFrom(y))
}

// pass takes one optimizer step for each batch of rows in order, and returns their mean
// loss and accuracy. Both are summed on the device and read once.
func (t *trainer) pass(ctx context.Context, order []int, lr float64) (loss, accuracy float64, err error) {
	t.lr = lr
	if err := t.total.reset(); err != nil {
		return 0, 0, err
	}
	err = t.batches(ctx, order, func(rows *torch.Tensor, first, clips int) error {
		if t.Watch.Log == nil || first/t.Options.BatchSize%100 != 0 {
			return t.step(rows, clips)
		}
		// Reading a number waits for the device.
		before, err := t.total.loss.Item()
		if err != nil {
			return err
		}
		if err := t.step(rows, clips); err != nil {
			return err
		}
		after, err := t.total.loss.Item()
		if err == nil {
			fmt.Fprintf(t.Watch.Log, "loss: %f [%5d/%5d]\n", (after-before)/float64(clips), first, len(order))
		}
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	return t.total.read(len(order))
}

// batches calls do for each batch of rows in order, with the rows as a tensor where the data
// is, and with where the batch begins. The order is uploaded once.
func (t *trainer) batches(ctx context.Context, order []int, do func(rows *torch.Tensor, first, clips int) error) error {
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	all := s.Index(order, t.Data.rowsOn(t.Network.Device()))
	for first := 0; first < len(order); first += t.Options.BatchSize {
		clips := min(t.Options.BatchSize, len(order)-first)
		rows := s.Narrow(all, 0, first, clips)
		if err := cmp.Or(ctx.Err(), s.Err()); err != nil {
			return err
		}
		if err := cmp.Or(do(rows, first, clips), t.Data.lost()); err != nil {
			return err
		}
		s.Release(rows)
	}
	return s.Err()
}

// step takes an optimizer step on rows of the data. Where steps are recorded, each number of
// clips has its own recording: the last batch of an epoch is smaller than the others, and
// comes again in the next.
func (t *trainer) step(rows *torch.Tensor, clips int) error {
	if !t.record {
		return t.ask(rows, clips)
	}
	// Not within the recording, which would then be one of a step at this rate.
	if err := t.opt.SetLR(t.lr); err != nil {
		return err
	}
	r := t.recordings[clips]
	if r == nil {
		r = &recording{}
		t.recordings[clips] = r
	}
	if r.taken++; r.taken <= warmUp {
		return t.ask(rows, clips)
	}
	if r.graph == nil {
		device := t.Network.Device()
		if err := r.hold(t.Data, rows, device); err != nil {
			return err
		}
		recorded := func(s *torch.Scope) (x, y *torch.Tensor) { return r.clips(s, t.Data, device) }
		var err error
		if r.graph, err = torch.Record(device, []*torch.Generator{t.dropout}, func() error { return t.askOn(recorded, clips) }); err != nil {
			return fmt.Errorf("recording a step on %d clips: %w", clips, err)
		}
	}
	if err := r.set(t.Data, rows); err != nil {
		return err
	}
	t.replayed++
	return r.graph.Replay()
}

// ask asks the device for a step on the rows of the data that rows names, and waits for
// nothing.
func (t *trainer) ask(rows *torch.Tensor, clips int) error {
	return t.askOn(func(s *torch.Scope) (x, y *torch.Tensor) { return t.Data.take(s, rows, t.Network.Device()) }, clips)
}

// askOn is ask for the clips that take returns, with their classes.
func (t *trainer) askOn(take func(s *torch.Scope) (x, y *torch.Tensor), clips int) error {
	s := torch.NewScope(torch.Grad)
	defer s.Close()
	if t.Options.Precision == BF16 {
		s.Autocast()
	}
	x, y := take(s)
	logits := t.Network.Forward(s, x, models.Pass{Training: true, Generator: t.dropout})
	loss := t.loss(s, x, logits, y)
	s.Backward(loss)
	if t.Regimen.Gradients != nil {
		t.Regimen.Gradients(s)
	}
	t.total.add(s, logits, y, loss, clips)
	if err := s.Err(); err != nil {
		return err
	}
	if err := t.opt.Step(t.lr); err != nil {
		return err
	}
	if err := t.opt.ZeroGrad(); err != nil {
		return err
	}
	return constrain(t.Network)
}

func (t *trainer) loss(s *torch.Scope, x, logits, y *torch.Tensor) *torch.Tensor {
	hard := t.crossEntropy(s, logits, y)
	if t.Regimen.Loss != nil {
		return t.Regimen.Loss(s, x, logits, hard)
	}
	return hard
}
