package watch

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/internal/tensorboard"
	"github.com/eegprune/eegprune/result"
)

// A Board writes event files for TensorBoard, in a directory for each cell. Work of an earlier run
// is not in them.
type Board struct {
	dir  string
	mu   sync.Mutex // guards the fields below
	runs map[result.Cell]*boardRun
	err  error // the first; nothing is written after it
}

// A boardRun is that of a cell. Its file is made with its first points: only then is it
// known from where on it goes.
type boardRun struct {
	dir, settings string
	*tensorboard.Writer
	epoch int // the last
}

// NewBoard makes the directory, before hours of work that would be lost to it. Where dir is "" the
// board writes nothing.
func NewBoard(dir string) (*Board, error) {
	if dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("making the directory for TensorBoard: %w", err)
		}
	}
	return &Board{dir: dir, runs: map[result.Cell]*boardRun{}}, nil
}

// Observe returns an observer that also tells the board.
func (b *Board) Observe(o experiment.Observer, grid experiment.Grid) experiment.Observer {
	if b.dir == "" {
		return o
	}
	config := func(c result.Cell) experiment.Config {
		i := slices.IndexFunc(grid, func(s *experiment.Study) bool {
			return s.Config.Model == c.Model && (c.Seed == 0 || s.Config.Seed == c.Seed)
		})
		if i < 0 {
			return experiment.Config{}
		}
		return grid[i].Config
	}
	told := o
	o.Start = func(c result.Cell) {
		b.start(c, config(c))
		if told.Start != nil {
			told.Start(c)
		}
	}
	o.Epoch = func(c result.Cell, done int, e result.Epoch) {
		b.write(c, func(r *boardRun) error { return r.trained(done, e) })
		if told.Epoch != nil {
			told.Epoch(c, done, e)
		}
	}
	o.Done = func(c result.Cell, r result.Result, before bool) {
		if !before {
			b.write(c, func(run *boardRun) error { return run.tested(r) })
			b.end(c)
		}
		if told.Done != nil {
			told.Done(c, r, before)
		}
	}
	o.Failed = func(c result.Cell, f experiment.Failure) {
		b.end(c)
		if told.Failed != nil {
			told.Failed(c, f)
		}
	}
	return o
}

// start begins the run of a cell.
func (b *Board) start(c result.Cell, config experiment.Config) {
	b.mu.Lock()
	defer b.mu.Unlock()
	settings, err := json.MarshalIndent(config, "", "  ")
	if err != nil && b.err == nil {
		b.err = fmt.Errorf("describing the study: %w", err)
	}
	b.runs[c] = &boardRun{dir: filepath.Join(b.dir, experiment.CellName(c)),
		settings: fmt.Sprintf("%s\n\n```json\n%s\n```\n", experiment.Describe(c), settings)}
}

// write adds to the run of a cell, unless something could not be written before.
func (b *Board) write(c result.Cell, add func(*boardRun) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = add(b.runs[c])
	}
}

// trained adds an epoch, which is not always the one after that before: a training that was ended,
// or failed and is tried again, goes on from its snapshot.
func (r *boardRun) trained(epoch int, e result.Epoch) error {
	again := r.Writer == nil || epoch <= r.epoch
	r.epoch = epoch
	return r.points(epoch, again, map[string]float64{"loss/train": e.Loss, "loss/validation": e.ValLoss,
		"accuracy/train": e.Accuracy, "accuracy/validation": e.ValAcc, "learning_rate": e.LR})
}

// tested adds how the finished network does. It has the weights of the best epoch, but it is
// tested after the last.
func (r *boardRun) tested(found result.Result) error {
	epochs := len(found.Epochs)
	return r.points(epochs, epochs == 0, map[string]float64{"loss/test": found.Test.Loss, "accuracy/test": found.Test.Accuracy})
}

// points writes a point of each curve; with again those that are there from this step on
// count no more.
func (r *boardRun) points(step int, again bool, values map[string]float64) (err error) {
	now := time.Now()
	first := r.Writer == nil
	if first {
		if r.Writer, err = tensorboard.Create(r.dir); err != nil {
			return err
		}
	}
	if again {
		err = r.Start(int64(step), now)
	}
	if first && err == nil {
		err = r.Text("settings", 0, r.settings, now)
	}
	for tag, v := range values {
		if err == nil {
			err = r.Scalar(tag, int64(step), v, now)
		}
	}
	return err
}

// end ends the run of a cell.
func (b *Board) end(c result.Cell) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = cmp.Or(b.err, b.runs[c].close())
	delete(b.runs, c)
}

func (r *boardRun) close() error {
	if r == nil || r.Writer == nil {
		return nil
	}
	return r.Close()
}

// Close closes the files of unfinished cells, and returns the first error of writing.
func (b *Board) Close() error {
	for _, r := range b.runs {
		b.err = errors.Join(b.err, r.close())
	}
	return b.err
}
