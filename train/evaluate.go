package train

import (
	"context"
	"errors"
	"fmt"

	"eegprune/models"
	"eegprune/torch"
)

// EvalBatch keeps an evaluation from needing more memory than a training step of the usual
// batch; the result does not depend on it beyond rounding.
const EvalBatch = 64

// evalBatchGPU is the same for a GPU, which fewer clips don't fill.
const evalBatchGPU = 512

// Evaluation is how a network does on some rows.
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
func Evaluate(ctx context.Context, n *models.Network, d *Data, rows []int) (Evaluation, error) {
	e := Evaluation{Clips: len(rows), Confusion: make([][]int, n.Arch.Classes)}
	if len(rows) == 0 {
		return e, fmt.Errorf("there are no clips to evaluate on")
	}
	for i := range e.Confusion {
		e.Confusion[i] = make([]int, n.Arch.Classes)
	}
	device, size := n.Device(), EvalBatch
	if device.IsCUDA() {
		size = evalBatchGPU
	}
	s := torch.NewScope(torch.NoGrad) // of what outlives a batch
	defer s.Close()
	which := s.Index(rows, device)
	loss, err := torch.Full(0, torch.Float64, device)
	if err != nil {
		return e, err
	}
	defer loss.Free()
	truth := s.IndexSelect(d.Y, 0, which)
	var named []*torch.Tensor
	defer func() {
		for _, t := range named {
			t.Free()
		}
	}()
	for at := 0; at < len(rows); at += size {
		if ctx.Err() != nil {
			return e, ctx.Err()
		}
		batch, err := classify(n, d, which, truth, at, min(size, len(rows)-at), loss)
		if err != nil {
			return e, err
		}
		named = append(named, batch)
	}
	all := s.Cat(0, named...)
	if err := s.Err(); err != nil {
		return e, err
	}
	err = e.count(rows, truth, all, loss)
	return e, err
}

// classify asks the device for the classes that the network names for some of the rows in
// which, and adds the sum of their losses to loss. It waits for nothing. The caller owns the
// classes.
func classify(n *models.Network, d *Data, which, truth *torch.Tensor, at, clips int, loss *torch.Tensor) (*torch.Tensor, error) {
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	logits := n.Forward(s, s.IndexSelect(d.X, 0, s.Narrow(which, 0, at, clips)), models.Pass{})
	s.AddInPlace(loss, s.CrossEntropy(logits, s.Narrow(truth, 0, at, clips)), float64(clips))
	return s.Keep(s.Argmax(logits, 1))
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

// summarise fills in what follows from the confusion matrix.
func (e *Evaluation) summarise() {
	hits, most, present, seen := 0, 0, 0, 0
	for c, row := range e.Confusion {
		of, named := 0, 0
		for k := range row {
			of += row[k]
			named += e.Confusion[k][c]
		}
		hits += row[c]
		most = max(most, of)
		if of+named > 0 {
			seen++
			e.MacroF1 += 2 * float64(row[c]) / float64(of+named)
		}
		if of > 0 {
			present++
			e.Balanced += float64(row[c]) / float64(of)
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
