package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"eegprune/data"
	"eegprune/experiment"
	"eegprune/report"
	"eegprune/train"
)

// progress shows on standard error how far the work has come: on a terminal one line
// for each fold with the time left, else one line when something is finished, and with
// --quiet nothing.
type progress struct {
	w     io.Writer
	quiet bool
	bars  *mpb.Progress // nil where lines are printed

	mu    sync.Mutex
	folds map[int]*foldBar
	read  *mpb.Bar
}

// A foldBar is the line of one fold.
type foldBar struct {
	bar   *mpb.Bar
	stage string
	val   float64
}

func (a *app) progress() *progress {
	p := &progress{w: a.stderr, quiet: a.quiet, folds: map[int]*foldBar{}}
	if f, ok := a.stderr.(*os.File); ok && !a.quiet && term.IsTerminal(int(f.Fd())) {
		p.bars = mpb.New(mpb.WithOutput(f), mpb.WithWidth(32), mpb.WithRefreshRate(200*time.Millisecond))
	}
	return p
}

// close ends the lines where they are.
func (p *progress) close() {
	if p.bars == nil {
		return
	}
	p.mu.Lock()
	for _, f := range p.folds {
		f.bar.Abort(false)
	}
	if p.read != nil {
		p.read.Abort(true)
	}
	p.mu.Unlock()
	p.bars.Wait()
}

// reading tells of files.
func (p *progress) reading(d data.Progress) {
	if p.bars == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.read == nil {
		p.read = p.bars.AddBar(int64(d.Total), mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name("recordings ")), mpb.AppendDecorators(decor.CountersNoUnit("%d/%d "), left()))
	}
	p.read.SetCurrent(int64(d.Done))
}

func left() decor.Decorator {
	return decor.OnComplete(decor.OnAbort(decor.AverageETA(decor.ET_STYLE_MMSS, decor.WC{W: 6}), ""), "")
}

// cost is the work of one epoch of a stage, in thousandths of an unpruned one: what is
// left of the filters goes into the work twice, as outputs and as inputs.
func cost(c report.Cell) int64 {
	if c.Stage == report.Unpruned {
		return 1000
	}
	left := 1 - c.Ratio
	return int64(1000*(0.1+0.9*left*left)) + 1
}

// observer tells of a whole run.
func (p *progress) observer(s *experiment.Study, o experiment.RunOptions) experiment.Observer {
	if p.quiet {
		return experiment.Observer{}
	}
	if p.bars != nil {
		totals := map[int]int64{}
		for _, c := range s.Cells(o) {
			totals[c.Fold] += total(s.Config, c)
		}
		for fold := 1; fold <= len(s.Folds); fold++ {
			if n := totals[fold]; n > 0 {
				p.folds[fold] = p.add(fmt.Sprintf("fold %d/%d ", fold, len(s.Folds)), n)
			}
		}
	}
	return experiment.Observer{
		Start: func(c report.Cell) { p.stage(c) },
		Epoch: func(c report.Cell, _ int, e report.Epoch) { p.epoch(c, e) },
		Done: func(c report.Cell, r report.Result, before bool) {
			switch {
			case p.bars == nil && before:
				fmt.Fprintf(p.w, "fold %d/%d %-10s was done before: accuracy %.1f %%\n", c.Fold, len(s.Folds), c.Stage, 100*r.Test.Accuracy)
			case p.bars == nil:
				fmt.Fprintf(p.w, "fold %d/%d %-10s accuracy %.1f %%, %.1f s\n", c.Fold, len(s.Folds), c.Stage, 100*r.Test.Accuracy, r.Seconds)
			case before:
				p.folds[c.Fold].bar.IncrInt64(total(s.Config, c))
			}
		},
	}
}

// total is the work of a cell, 0 where nothing is trained.
func total(c experiment.Config, cell report.Cell) int64 {
	if cell.Stage == report.Pruned {
		return 0
	}
	return int64(epochsOf(c, cell.Stage)) * cost(cell)
}

func (p *progress) add(name string, total int64) *foldBar {
	f := &foldBar{}
	f.bar = p.bars.AddBar(total,
		mpb.PrependDecorators(decor.Name(name), decor.Any(func(decor.Statistics) string {
			p.mu.Lock()
			defer p.mu.Unlock()
			if f.stage == "" {
				return fmt.Sprintf("%-10s", "waiting")
			}
			return fmt.Sprintf("%-10s", f.stage)
		})),
		mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), left(), decor.Any(func(decor.Statistics) string {
			p.mu.Lock()
			defer p.mu.Unlock()
			return fmt.Sprintf("  validation %.1f %%", 100*f.val)
		})))
	return f
}

func (p *progress) stage(c report.Cell) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f := p.folds[c.Fold]; f != nil {
		f.stage = c.Stage
	}
}

func (p *progress) epoch(c report.Cell, e report.Epoch) {
	p.mu.Lock()
	f := p.folds[c.Fold]
	if f != nil {
		f.stage, f.val = c.Stage, e.ValAcc
	}
	p.mu.Unlock()
	if f != nil {
		f.bar.IncrInt64(cost(c))
	}
}

// one tells of a single training.
func (p *progress) one(c report.Cell, epochs int) train.Observer {
	if p.bars != nil {
		p.folds[c.Fold] = p.add(fmt.Sprintf("fold %d ", c.Fold), int64(epochs)*cost(c))
	}
	return train.Observer{Epoch: func(_ int, e train.Epoch) { p.epoch(c, report.Epoch(e)) }}
}

// verboseObserver prints what the paper's program prints, under a heading for each
// training.
func verboseObserver(w io.Writer) experiment.Observer {
	return experiment.Observer{
		Log:   w,
		Start: func(c report.Cell) { fmt.Fprintf(w, "fold %d, %s\n", c.Fold, c.Stage) },
		Epoch: func(_ report.Cell, done int, _ report.Epoch) { fmt.Fprintf(w, "epoch %d done\n", done) },
	}
}
