package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"eegprune/data"
	"eegprune/experiment"
	"eegprune/result"
	"eegprune/train"
)

// progress shows on standard error how far the work has come: on a terminal one line
// for each fold with the time left, else one line when something is finished, and with
// --quiet nothing.
type progress struct {
	w     io.Writer
	quiet bool
	bars  *mpb.Progress // nil where lines are printed

	folds map[string]*foldBar // by barName; not changed once work has begun
	many  bool                // there are too many folds for a line each
	mu    sync.Mutex          // guards what the lines show, and read
	read  *mpb.Bar
}

// A foldBar is the line of one fold.
type foldBar struct {
	bar     *mpb.Bar
	started time.Time // of the first cell that was not done before
	before  int64     // work that was done before it
	stage   string
	epochs  int
	val     float64
}

func (a *app) progress() *progress {
	p := &progress{w: a.stderr, quiet: a.quiet, folds: map[string]*foldBar{}}
	if !a.quiet && terminal(a.stderr) {
		p.bars = mpb.New(mpb.WithOutput(a.stderr), mpb.WithWidth(32), mpb.WithRefreshRate(200*time.Millisecond))
	}
	return p
}

// terminal reports whether somebody may look at what is written.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// close ends the lines where they are.
func (p *progress) close() {
	if p.bars == nil {
		return
	}
	for _, f := range p.folds {
		f.bar.Abort(false)
	}
	if p.read != nil {
		p.read.Abort(true)
	}
	p.bars.Wait()
}

// reading tells of files.
func (p *progress) reading(d data.Progress) {
	if p.bars != nil {
		p.count("recordings", d.Done, d.Total)
	}
}

func (p *progress) count(what string, done, total int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.read == nil {
		p.read = p.bars.AddBar(int64(total), mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name(what+" ")), mpb.AppendDecorators(decor.CountersNoUnit("%d/%d "), decor.AverageETA(decor.ET_STYLE_MMSS)))
	}
	p.read.SetCurrent(int64(done))
}

// cost is the work of one epoch of a stage, in thousandths of an unpruned one: what is
// left of the filters goes into the work twice, as outputs and as inputs.
func cost(c result.Cell) int64 {
	if c.Stage == result.Unpruned || c.Stage == result.TrainedOn || c.Stage == result.Sparse || c.Stage == result.Pruned {
		return 1000
	}
	left := 1 - c.Ratio
	return int64(1000*(0.1+0.9*left*left)) + 1
}

// maxBars is how many lines fit on a small terminal with something above them.
const maxBars = 12

// barName is the line that a cell belongs to.
func (p *progress) barName(c result.Cell) string {
	if p.many {
		return "all folds"
	}
	return c.Model + " " + foldName(c)
}

// foldName is "fold 2", with what tells it from those of other repetitions.
func foldName(c result.Cell) string {
	name := fmt.Sprintf("fold %d", c.Fold)
	if c.Seed != 0 {
		name = fmt.Sprintf("seed %d ", c.Seed) + name
	}
	if c.Inner != 0 {
		name += fmt.Sprintf(".%d", c.Inner)
	}
	return name
}

// observer tells of a whole run.
func (p *progress) observer(grid experiment.Grid, o experiment.RunOptions) experiment.Observer {
	if p.quiet {
		return experiment.Observer{}
	}
	configs := map[string]experiment.Config{}
	folds := 0
	for _, s := range grid {
		configs[s.Config.Model] = s.Config
		folds = max(folds, len(s.Folds)/max(1, s.Config.Split.Inner))
	}
	if p.bars != nil {
		p.addBars(grid, o)
	}
	name := func(c result.Cell) string {
		text := fmt.Sprintf("%s/%d %s", foldName(c), folds, stageName(c))
		if len(configs) > 1 {
			text = c.Model + " " + text
		}
		return text
	}
	return experiment.Observer{
		Changed: func(c experiment.Change) {
			fmt.Fprintf(p.w, "the directory holds another study: of its cells %d hold, %d are new, %d are no longer asked for (their files stay)\n",
				c.Holds, len(c.New), len(c.Dropped))
		},
		Start: func(c result.Cell) { p.stage(c) },
		Epoch: func(c result.Cell, _ int, e result.Epoch) { p.epoch(c, e) },
		Again: func(c result.Cell, reason error) {
			if p.bars == nil {
				fmt.Fprintf(p.w, "%-22s failed and is done once more, alone: %v\n", name(c), reason)
			}
		},
		Fewer: func(why string) {
			if p.bars == nil {
				fmt.Fprintln(p.w, why)
			} else {
				fmt.Fprintln(p.bars, why) // above the lines
			}
		},
		Failed: func(c result.Cell, f experiment.Failure) {
			if p.bars == nil {
				fmt.Fprintf(p.w, "%-22s FAILED: %s\n", name(c), f.Reason)
			} else {
				p.folds[p.barName(c)].bar.IncrInt64(total(configs[c.Model], c))
			}
		},
		Done: func(c result.Cell, r result.Result, before bool) {
			switch {
			case p.bars == nil && before:
				fmt.Fprintf(p.w, "%-22s was done before: accuracy %.1f %%\n", name(c), 100*r.Test.Accuracy)
			case p.bars == nil:
				fmt.Fprintf(p.w, "%-22s accuracy %.1f %%, %.1f s\n", name(c), 100*r.Test.Accuracy, r.Seconds)
				for _, n := range r.Notes {
					fmt.Fprintf(p.w, "%-22s %s\n", "", n)
				}
			case before:
				p.folds[p.barName(c)].bar.IncrInt64(total(configs[c.Model], c))
			}
		},
	}
}

// addBars adds a line for each fold, or one for all.
func (p *progress) addBars(grid experiment.Grid, o experiment.RunOptions) {
	var cells []result.Cell
	totals := map[string]int64{}
	for _, s := range grid {
		cells = append(cells, s.Cells(o)...)
	}
	for _, c := range cells {
		totals[p.barName(c)] = 0
	}
	p.many = len(totals) > maxBars
	totals = map[string]int64{}
	var order []string
	for _, s := range grid {
		for _, c := range s.Cells(o) {
			n := p.barName(c)
			if !slices.Contains(order, n) {
				order = append(order, n)
			}
			totals[n] += total(s.Config, c)
		}
	}
	for _, n := range order {
		p.folds[n] = p.add(n+" ", totals[n])
	}
}

// stageName is what a cell is about in a few letters: "fine-tuned lfp 0.4".
func stageName(c result.Cell) string {
	switch {
	case c.Method == "":
		return c.Stage
	case c.Stage == result.Sparse:
		return c.Stage + " " + c.Method
	}
	return fmt.Sprintf("%s %s %g", c.Stage, c.Method, c.Ratio)
}

// total is the work of a cell, 0 where nothing is trained.
func total(c experiment.Config, cell result.Cell) int64 {
	if cell.Stage == result.ScratchB { // as much as the unpruned network's, in at most twice the epochs
		return int64(c.Train.Epochs) * min(1000, 2*cost(cell))
	}
	return int64(c.Epochs(cell)) * cost(cell)
}

func (p *progress) add(name string, total int64) *foldBar {
	f := &foldBar{}
	locked := func(text func(decor.Statistics) string) decor.Decorator {
		return decor.Any(func(s decor.Statistics) string {
			p.mu.Lock()
			defer p.mu.Unlock()
			return text(s)
		})
	}
	f.bar = p.bars.AddBar(total,
		mpb.PrependDecorators(decor.Name(name), locked(func(decor.Statistics) string { return fmt.Sprintf("%-10s", cmp.Or(f.stage, "waiting")) })),
		mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), locked(f.left), locked(func(decor.Statistics) string {
			if f.epochs == 0 {
				return ""
			}
			return fmt.Sprintf("  validation %.1f %%", 100*f.val)
		})))
	return f
}

// left is the time that the fold still needs at the pace it had so far.
func (f *foldBar) left(s decor.Statistics) string {
	done := s.Current - f.before
	if done <= 0 || s.Completed {
		return "      "
	}
	left := time.Duration(float64(time.Since(f.started)) * float64(s.Total-s.Current) / float64(done))
	return fmt.Sprintf(" %02d:%02d", int(left.Minutes()), int(left.Seconds())%60)
}

func (p *progress) stage(c result.Cell) {
	f := p.folds[p.barName(c)]
	if f == nil {
		return
	}
	before := f.bar.Current() // not under the lock, which the bar's drawing takes too
	p.mu.Lock()
	defer p.mu.Unlock()
	f.stage = stageName(c)
	if f.started.IsZero() {
		f.started, f.before = time.Now(), before
	}
}

func (p *progress) epoch(c result.Cell, e result.Epoch) {
	f := p.folds[p.barName(c)]
	if f == nil {
		return
	}
	p.mu.Lock()
	f.stage, f.val = stageName(c), e.ValAcc
	f.epochs++
	p.mu.Unlock()
	f.bar.IncrInt64(cost(c))
}

// lines tells of cells as they are finished, where it is not known how many there will
// be.
func (p *progress) lines(grid experiment.Grid) experiment.Observer {
	bars := p.bars
	p.bars = nil
	if bars != nil {
		bars.Wait()
	}
	return p.observer(grid, experiment.RunOptions{})
}

// counting tells how many of what is done.
func (p *progress) counting(what string) func(done, total int) {
	if p.bars == nil {
		return func(int, int) {}
	}
	return func(done, total int) { p.count(what, done, total) }
}

// one tells of a single training.
func (p *progress) one(c result.Cell, config experiment.Config) train.Observer {
	if p.bars != nil {
		p.folds[p.barName(c)] = p.add(p.barName(c)+" ", total(config, c))
		p.stage(c)
	}
	return train.Observer{Epoch: func(_ int, e train.Epoch) { p.epoch(c, result.Epoch(e)) }}
}

// verboseObserver prints what the paper's program prints, under a heading for each
// training.
func verboseObserver(w io.Writer) experiment.Observer {
	return experiment.Observer{
		Log:   w,
		Start: func(c result.Cell) { fmt.Fprintln(w, experiment.Describe(c)) },
		Epoch: func(_ result.Cell, done int, _ result.Epoch) { fmt.Fprintf(w, "epoch %d done\n", done) },
	}
}
