package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// An evaluator runs one network, whose weights may change, over the same rows again and
// again: on a GPU in batches that are as large as their memory allows, and from the second
// time on as one recording.
type evaluator struct {
	network      *models.Network
	data         *Data
	rows         []int
	batch        int
	which, truth *torch.Tensor // int64 [rows]: the rows, where the data is, and their classes
	loss, zero   *torch.Tensor // float64 []: the sum of losses
	named        *torch.Tensor // int64 [rows]: the classes that were named
	record       bool          // passes, to replay them
	passes       int
	graph        *torch.Graph
}

// newEvaluator and the evaluator's methods are called within [torch.Device.OnOwnStream]. The
// caller frees the evaluator.
func newEvaluator(n *models.Network, d *Data, rows []int) (*evaluator, error) {
	if len(rows) == 0 {
		return nil, errors.New("there are no clips to evaluate on")
	}
	// Copies from the host can't be recorded.
	v := &evaluator{network: n, data: d, rows: rows, record: n.Device().IsCUDA() && !d.onHost}
	err := v.prepare()
	if err != nil {
		v.free()
		return nil, err
	}
	return v, nil
}

func (v *evaluator) prepare() (err error) {
	device := v.network.Device()
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	if v.which, err = s.Keep(s.Clone(s.Index(v.rows, v.data.rowsOn(device)))); err != nil {
		return err
	}
	if v.truth, err = s.Keep(v.data.classes(s, v.which, device)); err != nil {
		return err
	}
	if v.loss, err = torch.Full(0, torch.Float64, device); err != nil {
		return err
	}
	if v.zero, err = torch.Full(0, torch.Float64, device); err != nil {
		return err
	}
	if v.named, err = torch.Full(0, torch.Int64, device, len(v.rows)); err != nil {
		return err
	}
	v.batch = EvalBatch
	if v.record {
		v.batch, err = evaluationBatch(len(v.rows), v.needs)
	}
	return err
}

func (v *evaluator) free() {
	v.graph.Free()
	for _, t := range []*torch.Tensor{v.which, v.truth, v.loss, v.zero, v.named} {
		t.Free()
	}
}

// evaluate makes one pass over the rows.
func (v *evaluator) evaluate(ctx context.Context) (Evaluation, error) {
	e := Evaluation{Clips: len(v.rows), Confusion: make([][]int, v.network.Arch.Classes)}
	for i := range e.Confusion {
		e.Confusion[i] = make([]int, v.network.Arch.Classes)
	}
	if err := v.pass(ctx); err != nil {
		return e, err
	}
	err := e.count(v.rows, v.truth, v.named, v.loss)
	return e, cmp.Or(v.data.lost(), err)
}

// pass fills in loss and named.
func (v *evaluator) pass(ctx context.Context) error {
	v.passes++
	if !v.record || v.passes == 1 {
		return v.ask(ctx)
	}
	if v.graph == nil {
		var err error
		if v.graph, err = torch.Record(v.network.Device(), nil, func() error { return v.ask(ctx) }); err != nil {
			return fmt.Errorf("recording an evaluation of %d clips: %w", len(v.rows), err)
		}
	}
	return v.graph.Replay()
}

// ask asks the device for a pass and waits for nothing.
func (v *evaluator) ask(ctx context.Context) error {
	if err := v.loss.CopyFrom(v.zero); err != nil {
		return err
	}
	for first := 0; first < len(v.rows); first += v.batch {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := v.classify(first, min(v.batch, len(v.rows)-first)); err != nil {
			return err
		}
	}
	return nil
}

// classify asks the device for the classes that the network names for some of the rows, and
// adds the sum of their losses to loss.
func (v *evaluator) classify(first, clips int) error {
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	x := v.data.clips(s, s.Narrow(v.which, 0, first, clips), v.network.Device())
	logits := v.network.Forward(s, x, models.Pass{})
	s.AddInPlace(v.loss, s.CrossEntropy(logits, s.Narrow(v.truth, 0, first, clips)), float64(clips))
	named, batch := s.Argmax(logits, 1), s.Narrow(v.named, 0, first, clips)
	if err := s.Err(); err != nil {
		return err
	}
	return batch.CopyFrom(named)
}

// needs returns the memory that a batch of so many clips takes on a GPU.
func (v *evaluator) needs(clips int) (int64, error) {
	once := func() error { return v.classify(0, clips) }
	if err := once(); err != nil { // in which libtorch chooses algorithms
		return 0, err
	}
	bytes, err := torch.Needs(v.network.Device(), nil, once)
	if err != nil {
		return 0, fmt.Errorf("measuring what an evaluation of %d clips needs: %w", clips, err)
	}
	return bytes, nil
}

// evaluationMemory is the part of a GPU that an evaluation takes if there are enough clips. It
// is a constant, and not a share of the free memory, so that the bits of a loss depend on
// nothing else that runs.
const evaluationMemory = 1 << 30

// evaluationBatch returns how many of so many clips are evaluated at once: EvalBatch times a
// power of two, by the memory that a part of them needs.
func evaluationBatch(clips int, needs func(clips int) (int64, error)) (int, error) {
	part := min(4*EvalBatch, clips)
	if part <= EvalBatch {
		return EvalBatch, nil
	}
	bytes, err := needs(part)
	if err != nil {
		return 0, err
	}
	batch := EvalBatch
	for batch < clips && bytes/int64(part)*int64(2*batch) <= evaluationMemory {
		batch *= 2
	}
	return batch, nil
}
