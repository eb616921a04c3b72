package train

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime"
	"time"

	"eegprune/data"
	"eegprune/models"
	"eegprune/torch"
)

// Data is a feature set on a device.
type Data struct {
	X, Y *torch.Tensor // [clips, shape...] float32, [clips] int64
}

// NewData puts a set on a device; on the CPU it uses the set's own memory, which must
// not change until Free.
func NewData(set *data.Set, device torch.Device) (*Data, error) {
	x, err := torch.Wrap(set.X, append([]int{set.Len()}, set.Shape...)...)
	if err != nil {
		return nil, err
	}
	y, err := torch.Wrap(set.Y, set.Len())
	if err != nil {
		x.Free()
		return nil, err
	}
	d := &Data{X: x, Y: y}
	if !device.IsCUDA() {
		return d, nil
	}
	defer d.Free()
	return d.to(device)
}

// to returns a copy on a device.
func (d *Data) to(device torch.Device) (*Data, error) {
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	there := &Data{}
	var err error
	if there.X, err = s.Keep(s.Clone(s.To(d.X, torch.Float32, device))); err == nil {
		there.Y, err = s.Keep(s.Clone(s.To(d.Y, torch.Int64, device)))
	}
	if err != nil {
		there.Free()
		return nil, fmt.Errorf("putting the feature set on %v: %w", device, err)
	}
	return there, nil
}

// Free frees the tensors.
func (d *Data) Free() {
	d.X.Free()
	d.Y.Free()
}

// Epoch is what one pass over the training rows gave.
type Epoch struct {
	LR        float64 `json:"lr"`
	Loss      float64 `json:"loss"` // mean over the training clips, while they are trained on
	Accuracy  float64 `json:"accuracy"`
	ValLoss   float64 `json:"val_loss"`
	ValAcc    float64 `json:"val_accuracy"`
	WallClock float64 `json:"seconds"`
}

// History is a whole training. Best is the epoch whose weights the network has after
// it: the first of those with the highest validation accuracy.
type History struct {
	Epochs []Epoch `json:"epochs"`
	Best   int     `json:"best"`
}

// Observer is told how a training goes on. Both fields may be nil.
type Observer struct {
	Epoch func(done int, e Epoch) // after each epoch
	Log   io.Writer               // the running loss and the validation result, as PyTorch's tutorials print them
}

// Fit trains the network on the rows fit of d and leaves it with the weights of the
// epoch that did best on the rows val. The generator shuffles the rows and feeds
// dropout, drawing what PyTorch's DataLoader and Dropout would draw. When ctx ends, so
// does the training, after the current step, with ctx's error.
func Fit(ctx context.Context, n *models.Network, d *Data, fit, val []int, o Options, g *torch.Generator, watch Observer) (History, error) {
	var h History
	if err := o.Check(); err != nil {
		return h, err
	}
	if len(fit) == 0 || len(val) == 0 {
		return h, fmt.Errorf("%d clips to train on and %d to validate on: there must be some of both", len(fit), len(val))
	}
	o = o.Settle(len(fit))
	// An OpenMP team belongs to the thread that started it: staying on one thread
	// saves starting more.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	opt, err := o.optimizer(n.Parameters())
	if err != nil {
		return h, err
	}
	defer opt.Free()
	best, err := n.Clone()
	if err != nil {
		return h, err
	}
	defer best.Free()

	t := trainer{n: n, d: d, opt: opt, dropout: g, batch: o.BatchSize, log: watch.Log}
	if n.Device().IsCUDA() {
		// torch.manual_seed gives every device's generator the same seed.
		if t.dropout, err = torch.NewGenerator(n.Device(), g.Seed()); err != nil {
			return h, err
		}
		defer t.dropout.Free()
	}
	rate := o.schedule()
	for epoch := range o.Epochs {
		start := time.Now()
		e := Epoch{LR: rate(epoch)}
		order, err := shuffled(fit, g)
		if err != nil {
			return h, err
		}
		if e.Loss, e.Accuracy, err = t.pass(ctx, order, e.LR); err != nil {
			return h, fmt.Errorf("epoch %d: %w", epoch+1, err)
		}
		if math.IsNaN(e.Loss) || math.IsInf(e.Loss, 0) {
			return h, fmt.Errorf("epoch %d: the loss is %g: %w; lower the learning rate (now %g)", epoch+1, e.Loss, ErrDiverged, e.LR)
		}
		v, err := Evaluate(ctx, n, d, val)
		if err != nil {
			return h, fmt.Errorf("validating after epoch %d: %w", epoch+1, err)
		}
		e.ValLoss, e.ValAcc, e.WallClock = v.Loss, v.Accuracy, time.Since(start).Seconds()
		h.Epochs = append(h.Epochs, e)
		if epoch == 0 || e.ValAcc > h.Epochs[h.Best].ValAcc {
			h.Best = epoch
			if err := best.CopyFrom(n); err != nil {
				return h, err
			}
		}
		if watch.Log != nil {
			fmt.Fprintf(watch.Log, "Test Error: Accuracy: %.1f%%, Avg loss: %f\n", 100*v.Accuracy, v.Loss)
		}
		if watch.Epoch != nil {
			watch.Epoch(epoch+1, e)
		}
	}
	return h, n.CopyFrom(best)
}

// A trainer is what every step of a training needs.
type trainer struct {
	n       *models.Network
	d       *Data
	opt     *torch.Optimizer
	dropout *torch.Generator
	batch   int
	log     io.Writer // may be nil
}

// pass takes one optimizer step for each batch of rows in order, and returns their mean
// loss and accuracy. Both are summed on the device and read once.
func (t *trainer) pass(ctx context.Context, order []int, lr float64) (loss, accuracy float64, err error) {
	total, err := newTally(t.n.Device())
	if err != nil {
		return 0, 0, err
	}
	defer total.free()
	for at := 0; at < len(order); at += t.batch {
		if ctx.Err() != nil {
			return 0, 0, ctx.Err()
		}
		rows := order[at:min(at+t.batch, len(order))]
		first, err := t.step(rows, lr, &total, t.log != nil && at/t.batch%100 == 0)
		if err != nil {
			return 0, 0, err
		}
		if first != nil {
			fmt.Fprintf(t.log, "loss: %f [%5d/%5d]\n", *first, at, len(order))
		}
	}
	return total.read(len(order))
}

// step trains on one batch. It returns the batch's loss where that is asked for, since
// reading it waits for the device.
func (t *trainer) step(rows []int, lr float64, total *tally, wantLoss bool) (*float64, error) {
	s := torch.NewScope(torch.Grad)
	defer s.Close()
	x, y := s.Select(t.d.X, 0, rows), s.Select(t.d.Y, 0, rows)
	logits := t.n.Forward(s, x, models.Pass{Training: true, Generator: t.dropout})
	loss := s.CrossEntropy(logits, y)
	s.Backward(loss)
	total.add(s, logits, y, loss, len(rows))
	if err := s.Err(); err != nil {
		return nil, err
	}
	if err := t.opt.Step(lr); err != nil {
		return nil, err
	}
	if err := t.opt.ZeroGrad(); err != nil {
		return nil, err
	}
	if !wantLoss {
		return nil, nil
	}
	v, err := loss.Item()
	return &v, err
}

// shuffled returns rows in the order in which PyTorch's DataLoader(shuffle=True) would
// take them: one draw for the iterator, one that seeds a generator of the sampler's
// own.
func shuffled(rows []int, g *torch.Generator) ([]int, error) {
	if _, err := g.Int64(); err != nil {
		return nil, err
	}
	seed, err := g.Int64()
	if err != nil {
		return nil, err
	}
	sampler, err := torch.NewGenerator(torch.CPU, uint64(seed))
	if err != nil {
		return nil, err
	}
	defer sampler.Free()
	perm, err := sampler.Perm(len(rows))
	if err != nil {
		return nil, err
	}
	out := make([]int, len(rows))
	for i, p := range perm {
		out[i] = rows[p]
	}
	return out, nil
}
