package train

import (
	"context"
	"fmt"

	"eegprune/models"
	"eegprune/torch"
)

// EvalBatch keeps an evaluation from needing more memory than a training step of the usual
// batch; the result does not depend on it beyond rounding.
const EvalBatch = 64

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

// Evaluate runs the network over rows of d.
func Evaluate(ctx context.Context, n *models.Network, d *Data, rows []int) (Evaluation, error) {
	e := Evaluation{Clips: len(rows), Confusion: make([][]int, n.Arch.Classes)}
	if len(rows) == 0 {
		return e, fmt.Errorf("there are no clips to evaluate on")
	}
	for i := range e.Confusion {
		e.Confusion[i] = make([]int, n.Arch.Classes)
	}
	for at := 0; at < len(rows); at += EvalBatch {
		if ctx.Err() != nil {
			return e, ctx.Err()
		}
		if err := e.batch(n, d, rows[at:min(at+EvalBatch, len(rows))]); err != nil {
			return e, err
		}
	}
	e.Loss /= float64(len(rows))
	e.summarise()
	return e, nil
}

// batch adds up the loss and counts the outcomes of some rows.
func (e *Evaluation) batch(n *models.Network, d *Data, rows []int) error {
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	x, y := s.Select(d.X, 0, rows), s.Select(d.Y, 0, rows)
	logits := n.Forward(s, x, models.Pass{})
	loss, named := s.CrossEntropy(logits, y), s.Argmax(logits, 1)
	if s.Err() != nil {
		return s.Err()
	}
	l, err := loss.Item()
	if err != nil {
		return err
	}
	e.Loss += l * float64(len(rows))
	truth, err := torch.ToSlice[int64](y)
	if err != nil {
		return err
	}
	guess, err := torch.ToSlice[int64](named)
	if err != nil {
		return err
	}
	for i := range truth {
		// libtorch's loss leaves out clips of class -100 without a word.
		if truth[i] < 0 || truth[i] >= int64(len(e.Confusion)) {
			return fmt.Errorf("clip %d has class %d, the network knows 0 to %d", rows[i], truth[i], len(e.Confusion)-1)
		}
		e.Confusion[truth[i]][guess[i]]++
	}
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

// tally sums loss and hits on the device.
type tally struct{ loss, hits *torch.Tensor }

func newTally(device torch.Device) (t tally, err error) {
	if t.loss, err = torch.Full(0, torch.Float64, device); err == nil {
		t.hits, err = torch.Full(0, torch.Float64, device)
	}
	if err != nil {
		t.free()
	}
	return t, err
}

func (t tally) free() {
	t.loss.Free()
	t.hits.Free()
}

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
