package watch

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/result"
)

func cell(stage, method string, ratio float64) result.Cell {
	return result.Cell{Variant: result.Variant{Model: "fbccnn", Stage: stage, Method: method, Ratio: ratio}, Fold: 1}
}

// TestTimeLeftIsThePlans holds the time that a line shows against Plan.Left at the pace that the
// cells had so far, whatever their kinds, after any number of epochs.
func TestTimeLeftIsThePlans(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stages := []string{result.Unpruned, result.Pruned, result.FineTuned, result.Scratch}
		plan := &experiment.Plan{}
		done := rapid.IntRange(0, len(stages)-1).Draw(t, "done")
		before := rapid.IntRange(0, done).Draw(t, "before")
		finished := int64(0)
		for i, stage := range stages {
			c := experiment.Planned{Cell: cell(stage, "lfp", 0.4), MACs: rapid.Int64Range(1e10, 1e14).Draw(t, "MACs"), Epochs: 10, Done: i < before}
			if stage == result.Pruned {
				c.Epochs = 0
			}
			if i >= before && i < done {
				finished += c.MACs
			}
			plan.Cells = append(plan.Cells, c)
		}
		w := newTally()
		for _, c := range plan.Cells {
			w.plan(c)
		}
		start := time.Now()
		if _, ok := w.left(start); ok {
			t.Fatal("there is time left before there is a pace")
		}
		w.start(start)
		for i, c := range plan.Cells[:done] {
			if i >= before {
				w.train(c.Cell, 7)
				w.finish(c.Cell)
				plan.Cells[i].Done = true
			}
		}
		const elapsed = time.Hour
		left, ok := w.left(start.Add(elapsed))
		if !ok {
			if finished > 0 {
				t.Fatal("no time is left, though cells are")
			}
			return
		}
		plan.SecondsPerTeraMAC = map[string]float64{"fbccnn": elapsed.Seconds() / (float64(finished) / 1e12)}
		want := plan.Left(1)
		if d := (left - want).Abs(); float64(d) > 1e-6*float64(want)+float64(time.Millisecond) {
			t.Fatalf("%v left, by the plan %v", left, want)
		}
	})
}

// Epochs of networks of other sizes are other parts of the work.
func TestEpochsAreWorthTheirMACs(t *testing.T) {
	whole, small := cell(result.Unpruned, "", 0), cell(result.ScratchB, "lfp", 0.4)
	w := newTally()
	w.plan(experiment.Planned{Cell: whole, MACs: 900, Epochs: 9})
	w.plan(experiment.Planned{Cell: small, MACs: 100, Epochs: 20})
	for _, step := range []struct {
		do   func()
		want int64
	}{
		{func() { w.train(whole, 3) }, 300},
		{func() { w.train(small, 10) }, 350},
		{func() { w.train(small, 2) }, 310}, // it failed and is done once more
		{func() { w.finish(small) }, 400},
		{func() { w.train(small, 19) }, 395},
		{func() { w.finish(small) }, 400},
		{func() { w.train(whole, 12) }, 1000}, // no more than all
		{func() { w.finish(whole) }, 1000},
	} {
		if step.do(); w.current != step.want {
			t.Fatalf("%d of %d MACs are done, want %d", w.current, w.total, step.want)
		}
	}
	if _, ok := w.left(time.Now()); ok {
		t.Error("time is left when all is done")
	}
}

func TestLinesSayWhatBecameOfCells(t *testing.T) {
	var b bytes.Buffer
	p := New(&b, false)
	o := p.Study(nil)
	c := cell(result.FineTuned, "lfp", 0.4)
	o.Again(c, errors.New("no memory"))
	r := result.Result{Cell: c, Test: result.Score{Accuracy: 0.75}, Notes: []string{"one layer stays whole"}}
	r.Seconds = 2
	o.Done(c, r, false)
	o.Done(c, result.Result{Cell: c, Test: result.Score{Accuracy: 0.75}}, true)
	o.Failed(c, experiment.Failure{Reason: "it diverged"})
	p.Close()
	for i, want := range []string{"failed and is done once more, alone: no memory", "accuracy 75.0 %, 2.0 s", "one layer stays whole", "was done before: accuracy 75.0 %", "FAILED: it diverged"} {
		line := strings.Split(b.String(), "\n")[i]
		if !strings.HasSuffix(line, want) || i != 2 && !strings.HasPrefix(line, "fold 1/0 fine-tuned lfp 0.4 ") {
			t.Errorf("line %d is %q, want %q", i, line, want)
		}
	}
	b.Reset()
	quiet := New(&b, true)
	if o := quiet.Study(nil); o.Done != nil || o.Failed != nil {
		t.Error("quiet progress listens")
	}
	if quiet.Close(); b.Len() > 0 {
		t.Errorf("quiet progress says %q", b.String())
	}
}
