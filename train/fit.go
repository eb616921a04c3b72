package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// Epoch holds the results of one pass over the training rows.
type Epoch struct {
	LR          float64 `json:"lr"`
	Loss        float64 `json:"loss"` // mean over the training clips, while they are trained on
	Accuracy    float64 `json:"accuracy"`
	ValLoss     float64 `json:"val_loss"`
	ValAcc      float64 `json:"val_accuracy"`
	ValBalanced float64 `json:"val_balanced_accuracy"`
	ValF1       float64 `json:"val_macro_f1"`
	WallClock   float64 `json:"seconds"`
}

// The scores that the best epoch is chosen by, on the validation rows.
const (
	Accuracy = "accuracy"
	Balanced = "balanced" // balanced accuracy
	MacroF1  = "f1"
)

// by returns the epoch's score on the validation rows.
func (e Epoch) by(metric string) float64 {
	switch metric {
	case Balanced:
		return e.ValBalanced
	case MacroF1:
		return e.ValF1
	}
	return e.ValAcc
}

// better reports whether the epoch scores higher than another or, where both score the
// same, has the lower loss on the validation rows.
func (e Epoch) better(than Epoch, metric string) bool {
	if now, before := e.by(metric), than.by(metric); now != before {
		return now > before
	}
	return e.ValLoss < than.ValLoss
}

// History is a whole training. Best is the epoch whose weights the network has after
// it: of those with the highest score on the validation rows the first with the lowest
// loss there.
type History struct {
	Epochs []Epoch `json:"epochs"`
	Best   int     `json:"best"`
	// Resumed is the number of epochs that came from a snapshot.
	Resumed int `json:"-"`
	// Variants are those that layers took.
	Variants models.Variants `json:"-"`
	// Replayed is the number of steps that were replayed from a recording.
	Replayed int `json:"-"`
}

// Observer is told how a training goes on. Both fields may be nil.
type Observer struct {
	Epoch func(epoch int, e Epoch) // after each epoch
	Log   io.Writer                // the running loss and the validation result, as PyTorch's tutorials print them
}

// A Regimen changes a training beyond minimising the cross entropy. Its fields may
// be nil.
type Regimen struct {
	// Loss takes the place of the cross entropy, hard, of the logits of clips x.
	Loss func(s *torch.Scope, x, logits, hard *torch.Tensor) *torch.Tensor
	// Gradients may change the parameters' gradients before each step.
	Gradients func(s *torch.Scope)
	// Epoch is called after the steps of each epoch, with its number from 0, and may change the
	// network. It returns a function that undoes the change, which is called after validation
	// and, where the epoch is the best so far, after its weights were kept.
	Epoch func(epoch int) (restore func() error, err error)
	// Resumed is called where a training goes on from a snapshot, with the weights that it had
	// after that many epochs.
	Resumed func(epochs int) error
	// Since is the first epoch, from 0, that may be the best: before it the network is not yet
	// the one that the method asks for.
	Since int
}

// A Training trains one network on rows of a feature set and chooses its best epoch by others.
type Training struct {
	Network  *models.Network
	Data     *Data
	Fit, Val []int // rows of Data to train on, and to choose the best epoch by
	Options  Options
	Metric   string // by which the best epoch is chosen; "" is Accuracy
	// ClassWeights, where it is not nil, weighs each class's clips in the loss that is
	// trained on, as PyTorch's CrossEntropyLoss(weight) does. The losses in History are
	// without it on the validation rows.
	ClassWeights []float64
	// Generator shuffles the rows and feeds dropout, with the draws of PyTorch's DataLoader
	// and Dropout.
	Generator *torch.Generator
	Regimen   Regimen
	// Trials keeps the trials of [Options].Variants for other trainings; nil keeps them for this one.
	Trials    *Trials
	Watch     Observer
	Snapshots Snapshots
}

// Run trains the network and leaves it with the weights of the epoch that did best on
// the rows Val. Where Snapshots holds a part of the training, it goes on from there. When
// ctx ends, so does the training, after the current step, with ctx's error.
func (t Training) Run(ctx context.Context) (History, error) {
	if err := t.Options.Check(); err != nil {
		return History{}, err
	}
	if len(t.Fit) == 0 || len(t.Val) == 0 {
		return History{}, fmt.Errorf("%d clips to train on and %d to validate on: there must be some of both", len(t.Fit), len(t.Val))
	}
	if n := len(t.ClassWeights); n != 0 && n != t.Network.Arch.Classes {
		return History{}, fmt.Errorf("%d weights of classes for a network of %d", n, t.Network.Arch.Classes)
	}
	var h History
	err := t.Network.Device().OnOwnStream(func() error {
		r, err := newTrainer(ctx, t)
		if err != nil {
			return err
		}
		defer r.free()
		if r.best, err = t.Network.Clone(); err != nil {
			return err
		}
		h, err = r.run(ctx)
		return err
	})
	return h, err
}

// run makes the epochs that are left.
func (t *trainer) run(ctx context.Context) (History, error) {
	rate := t.Options.schedule()
	h, err := t.resume()
	if err != nil {
		return h, err
	}
	if h.Resumed = len(h.Epochs); h.Resumed > 0 && t.Regimen.Resumed != nil {
		if err := t.Regimen.Resumed(h.Resumed); err != nil {
			return h, fmt.Errorf("going on after epoch %d: %w", h.Resumed, err)
		}
	}
	saved := time.Now()
	for epoch := h.Resumed; epoch < t.Options.Epochs; epoch++ {
		e, err := t.epoch(ctx, epoch, rate(epoch))
		if err != nil {
			return h, fmt.Errorf("epoch %d: %w", epoch+1, err)
		}
		h.Epochs = append(h.Epochs, e)
		if epoch <= t.Regimen.Since || e.better(h.Epochs[h.Best], t.Metric) {
			h.Best = epoch
			if err := t.best.CopyFrom(t.Network); err != nil {
				return h, err
			}
		}
		if err := t.restore(); err != nil {
			return h, fmt.Errorf("after epoch %d: %w", epoch+1, err)
		}
		if t.Watch.Log != nil {
			fmt.Fprintf(t.Watch.Log, "Test Error: Accuracy: %.1f%%, Avg loss: %f\n", 100*e.ValAcc, e.ValLoss)
		}
		if t.Watch.Epoch != nil {
			t.Watch.Epoch(epoch+1, e)
		}
		if t.Snapshots.due(epoch+1, saved) {
			if err := t.save(h); err != nil {
				return h, fmt.Errorf("keeping the training after epoch %d: %w", epoch+1, err)
			}
			saved = time.Now()
		}
	}
	h.Replayed, h.Variants = t.replayed, t.Network.Variants()
	return h, t.Network.CopyFrom(t.best)
}

// constrain brings weights to where they must be, before the first step and after each.
func constrain(n *models.Network) error {
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	n.Constrain(s)
	return s.Err()
}

// A trainer holds the state of a training's steps.
type trainer struct {
	Training   // with its options settled
	opt        *torch.Optimizer
	dropout    *torch.Generator // Training's own, or one on the GPU
	best       *models.Network  // with the weights of the best epoch; nil where none is chosen
	weights    *torch.Tensor    // of the classes; nil where all weigh the same
	lr         float64
	total      tally
	restore    func() error       // undoes the change of Regimen.Epoch
	record     bool               // steps, to replay them
	recordings map[int]*recording // by their number of clips
	replayed   int
	trials     []Trial    // of variants
	validation *evaluator // on the rows Val, from the first epoch on
}

// newTrainer prepares the steps of a training, chooses the variants of the network's layers, and brings its
// weights within their bounds. The caller frees it.
func newTrainer(ctx context.Context, t Training) (*trainer, error) {
	device := t.Network.Device()
	t.Options = t.Options.Settle(len(t.Fit))
	r := &trainer{Training: t, dropout: t.Generator, record: device.IsCUDA(), recordings: map[int]*recording{}}
	var err error
	if r.opt, err = t.Options.optimizer(t.Network); err == nil {
		r.total, err = newTally(device)
	}
	if err == nil && device.IsCUDA() {
		// torch.manual_seed gives every device's generator the same seed.
		r.dropout, err = torch.NewGenerator(device, t.Generator.Seed())
	}
	if err == nil {
		r.weights, err = classWeights(t.ClassWeights, device)
	}
	if err == nil {
		err = constrain(t.Network)
	}
	if err == nil {
		err = r.takeVariants(ctx)
	}
	if err != nil {
		r.free()
		return nil, err
	}
	return r, nil
}

func (t *trainer) takeVariants(ctx context.Context) error {
	all := t.Trials
	if all == nil {
		all = &Trials{}
	}
	chosen, trials, err := all.choose(ctx, t.Network, t.Options, min(t.Options.BatchSize, len(t.Fit)))
	if err != nil || len(chosen) == 0 && len(t.Network.Variants()) == 0 {
		return err
	}
	t.trials = trials
	return t.Network.TakeVariants(chosen)
}

func (t *trainer) free() {
	for _, r := range t.recordings {
		r.free()
	}
	if t.validation != nil {
		t.validation.free()
	}
	t.opt.Free()
	t.total.free()
	t.weights.Free()
	if t.dropout != t.Generator {
		t.dropout.Free()
	}
	if t.best != nil {
		t.best.Free()
	}
}

// epoch makes one pass over the training rows and validates. The caller calls restore.
func (t *trainer) epoch(ctx context.Context, epoch int, lr float64) (Epoch, error) {
	start := time.Now()
	e := Epoch{LR: lr}
	t.restore = func() error { return nil }
	order, err := shuffled(t.Fit, t.Generator)
	if err != nil {
		return e, err
	}
	if e.Loss, e.Accuracy, err = t.pass(ctx, order, lr); err != nil {
		return e, err
	}
	if !finite(e.Loss) {
		return e, fmt.Errorf("the loss is %g: %w; lower the learning rate (now %g)", e.Loss, ErrDiverged, lr)
	}
	if t.Regimen.Epoch != nil {
		if t.restore, err = t.Regimen.Epoch(epoch); err != nil {
			return e, err
		}
	}
	v, err := t.validate(ctx)
	if err != nil {
		return e, errors.Join(fmt.Errorf("validating: %w", err), t.restore())
	}
	if !finite(v.Loss) {
		return e, errors.Join(fmt.Errorf("the validation loss is %g: %w; lower the learning rate (now %g)", v.Loss, ErrDiverged, lr), t.restore())
	}
	e.ValLoss, e.ValAcc, e.ValBalanced, e.ValF1 = v.Loss, v.Accuracy, v.Balanced, v.MacroF1
	e.WallClock = time.Since(start).Seconds()
	return e, nil
}

// validate evaluates the network on the rows that choose the epoch.
func (t *trainer) validate(ctx context.Context) (Evaluation, error) {
	if t.validation == nil {
		v, err := newEvaluator(t.Network, t.Data, t.Val)
		if err != nil {
			return Evaluation{}, err
		}
		t.validation = v
	}
	return t.validation.evaluate(ctx)
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
