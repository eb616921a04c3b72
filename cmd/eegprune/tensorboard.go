package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"eegprune/experiment"
	"eegprune/internal/tensorboard"
	"eegprune/report"
)

// boardFlag says where TensorBoard finds what is trained.
func boardFlag(s *pflag.FlagSet, dir *string) {
	s.StringVar(dir, "tensorboard", "", "directory of event files for TensorBoard: a run for each network that is made")
}

// A board writes event files, in a directory for each cell. What was done by an earlier run
// is not in them.
type board struct {
	dir     string
	mu      sync.Mutex // guards what follows
	writers map[report.Cell]*tensorboard.Writer
	err     error // the first; nothing is written after it
}

// newBoard makes the directory, before hours of work that would be lost to it.
func newBoard(dir string) (*board, error) {
	if dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("making the directory for TensorBoard: %w", err)
		}
	}
	return &board{dir: dir, writers: map[report.Cell]*tensorboard.Writer{}}, nil
}

// observe tells the board, too, what o is told.
func (b *board) observe(o experiment.Observer, grid experiment.Grid) experiment.Observer {
	if b.dir == "" {
		return o
	}
	configs := map[string]experiment.Config{}
	for _, s := range grid {
		configs[s.Config.Model] = s.Config
	}
	told := o
	o.Start = func(c report.Cell) {
		b.start(c, configs[c.Model])
		if told.Start != nil {
			told.Start(c)
		}
	}
	o.Epoch = func(c report.Cell, done int, e report.Epoch) {
		b.scalars(c, int64(done), map[string]float64{"loss/train": e.Loss, "loss/validation": e.ValLoss,
			"accuracy/train": e.Accuracy, "accuracy/validation": e.ValAcc, "learning_rate": e.LR})
		if told.Epoch != nil {
			told.Epoch(c, done, e)
		}
	}
	o.Done = func(c report.Cell, r report.Result, before bool) {
		if !before {
			b.scalars(c, int64(r.Best), map[string]float64{"loss/test": r.Test.Loss, "accuracy/test": r.Test.Accuracy})
			b.end(c)
		}
		if told.Done != nil {
			told.Done(c, r, before)
		}
	}
	return o
}

// start begins the run of a cell, with the study's settings.
func (b *board) start(c report.Cell, config experiment.Config) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return
	}
	settings, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		b.err = fmt.Errorf("describing the study: %w", err)
		return
	}
	w, err := tensorboard.Create(filepath.Join(b.dir, experiment.CellName(c)))
	if err != nil {
		b.err = err
		return
	}
	b.writers[c] = w
	b.err = w.Text("settings", 0, fmt.Sprintf("%s\n\n```json\n%s\n```\n", experiment.Describe(c), settings), time.Now())
}

// scalars writes a point of each curve.
func (b *board) scalars(c report.Cell, step int64, values map[string]float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	for tag, v := range values {
		if b.err == nil {
			b.err = b.writers[c].Scalar(tag, step, v, now)
		}
	}
}

// end ends the run of a cell.
func (b *board) end(c report.Cell) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if w := b.writers[c]; w != nil {
		delete(b.writers, c)
		b.err = cmp.Or(b.err, w.Close())
	}
}

// close ends what cells left that were not finished, and says whether all was written.
func (b *board) close() error {
	for _, w := range b.writers {
		b.err = errors.Join(b.err, w.Close())
	}
	return b.err
}
