package watch

import (
	"time"

	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/result"
)

// A tally is how far some cells of a study have come, in the MACs of its plan.
type tally struct {
	cells   map[result.Cell]experiment.Planned
	done    map[result.Cell]int64
	total   int64
	current int64
	started time.Time // of the first cell
	before  int64     // the work of earlier runs
}

func newTally() *tally {
	return &tally{cells: map[result.Cell]experiment.Planned{}, done: map[result.Cell]int64{}}
}

// plan adds a cell, which an earlier run may have done.
func (t *tally) plan(c experiment.Planned) {
	t.cells[c.Cell] = c
	t.total += c.MACs
	if c.Done {
		t.finish(c.Cell)
		t.before += c.MACs
	}
}

// start notes that a cell is begun.
func (t *tally) start(now time.Time) {
	if t.started.IsZero() {
		t.started = now
	}
}

// train notes that so many epochs of a cell are done: fewer than before where it failed and is
// done once more.
func (t *tally) train(c result.Cell, epochs int) {
	p := t.cells[c]
	if p.Epochs > 0 {
		t.set(c, int64(float64(p.MACs)*float64(epochs)/float64(p.Epochs)))
	}
}

// finish notes that nothing of a cell is left to do.
func (t *tally) finish(c result.Cell) { t.set(c, t.cells[c].MACs) }

func (t *tally) set(c result.Cell, macs int64) {
	macs = min(macs, t.cells[c].MACs)
	t.current += macs - t.done[c]
	t.done[c] = macs
}

// left is the time that is left at the pace of this run; ok is false where it has none yet, or
// nothing is left.
func (t *tally) left(now time.Time) (left time.Duration, ok bool) {
	done := t.current - t.before
	if done <= 0 || t.current >= t.total {
		return 0, false
	}
	return time.Duration(float64(now.Sub(t.started)) * float64(t.total-t.current) / float64(done)), true
}
