package train

import (
	"context"
	"errors"
	"fmt"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// EvalBatch keeps an evaluation on a CPU from needing more memory than a training step of
// the usual batch; the result does not depend on it beyond rounding.
const EvalBatch = 64

// Evaluation holds a network's scores on some rows.
type Evaluation struct {
	Clips    int     `json:"clips"`
	Loss     float64 `json:"loss"`
	Accuracy float64 `json:"accuracy"`
	MacroF1  float64 `json:"macro_f1"`
	// Balanced is the mean over the classes of the share of their clips that were
	// recognised.
	Balanced float64 `json:"balanced_accuracy"`
	// Majority is the accuracy of always naming the class that most rows have.
	Majority float64 `json:"majority"`
	// Confusion counts clips: Confusion[true class][named class].
	Confusion [][]int `json:"confusion"`
}

// Evaluate runs the network over rows of d. Losses and named classes stay on the device
// until all are there.
func Evaluate(ctx context.Context, n *models.Network, d *Data, rows []int) (e Evaluation, err error) {
	err = n.Device().OnOwnStream(func() error {
		v, err := newEvaluator(n, d, rows)
		if err != nil {
			return err
		}
		defer v.free()
		e, err = v.evaluate(ctx)
		return err
	})
	return e, err
}

// count fills in the evaluation from all rows' classes and the sum of their losses.
func (e *Evaluation) count(rows []int, truth, named, loss *torch.Tensor) error {
	want, err := torch.ToSlice[int64](truth)
	if err != nil {
		return err
	}
	got, err := torch.ToSlice[int64](named)
	if err != nil {
		return err
	}
	for i := range want {
		// libtorch's loss leaves out clips of class -100 without a word.
		if want[i] < 0 || want[i] >= int64(len(e.Confusion)) {
			return fmt.Errorf("clip %d has class %d, the network knows 0 to %d", rows[i], want[i], len(e.Confusion)-1)
		}
		e.Confusion[want[i]][got[i]]++
	}
	if e.Loss, err = loss.Item(); err != nil {
		return err
	}
	e.Loss /= float64(len(rows))
	e.summarise()
	return nil
}

// summarise fills in the scores that follow from the confusion matrix.
func (e *Evaluation) summarise() {
	hits, most, present, seen := 0, 0, 0, 0
	for c, row := range e.Confusion {
		members, named := 0, 0
		for k := range row {
			members += row[k]
			named += e.Confusion[k][c]
		}
		hits += row[c]
		most = max(most, members)
		if members+named > 0 {
			seen++
			e.MacroF1 += 2 * float64(row[c]) / float64(members+named)
		}
		if members > 0 {
			present++
			e.Balanced += float64(row[c]) / float64(members)
		}
	}
	e.Accuracy = float64(hits) / float64(e.Clips)
	e.Majority = float64(most) / float64(e.Clips)
	// As scikit-learn does: a class that these rows do not have can't be recognised, but
	// naming it is a mistake that its F1 of 0 counts.
	e.Balanced /= float64(present)
	e.MacroF1 /= float64(seen)
}

// tally sums loss and hits on the device, always in the same tensors.
type tally struct{ loss, hits, zero *torch.Tensor }

func newTally(device torch.Device) (t tally, err error) {
	if t.loss, err = torch.Full(0, torch.Float64, device); err == nil {
		t.hits, err = torch.Full(0, torch.Float64, device)
	}
	if err == nil {
		t.zero, err = torch.Full(0, torch.Float64, device)
	}
	if err != nil {
		t.free()
	}
	return t, err
}

func (t tally) free() {
	t.loss.Free()
	t.hits.Free()
	t.zero.Free()
}

func (t tally) reset() error { return errors.Join(t.loss.CopyFrom(t.zero), t.hits.CopyFrom(t.zero)) }

func (t tally) add(s *torch.Scope, logits, y, loss *torch.Tensor, clips int) {
	s.AddInPlace(t.loss, s.Detach(loss), float64(clips))
	s.AddInPlace(t.hits, s.Sum(s.Eq(s.Argmax(s.Detach(logits), 1), y)), 1)
}

func (t tally) read(clips int) (loss, accuracy float64, err error) {
	if loss, err = t.loss.Item(); err != nil {
		return 0, 0, err
	}
	hits, err := t.hits.Item()
	return loss / float64(clips), hits / float64(clips), err
}
