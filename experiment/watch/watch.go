// Package watch tells how far a study has come while it is carried out: bars on a terminal, lines
// elsewhere, and curves for TensorBoard.
package watch

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

	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/train"
)

// A Progress shows how far some work has come: on a terminal a line for each fold with the time
// left, elsewhere a line when something is finished.
type Progress struct {
	w     io.Writer
	quiet bool
	bars  *mpb.Progress // nil where lines are printed

	folds   map[string]*foldBar // by barName; not changed once a cell is begun
	many    bool                // there are too many folds for a line each
	mu      sync.Mutex          // guards the lines' contents, and reading
	reading *mpb.Bar
}

// A foldBar is the line of one fold.
type foldBar struct {
	bar    *mpb.Bar
	work   *tally
	stage  string
	epochs int
	val    float64
}

// New shows progress on w; with quiet it shows nothing.
func New(w io.Writer, quiet bool) *Progress {
	p := &Progress{w: w, quiet: quiet, folds: map[string]*foldBar{}}
	if !quiet && IsTerminal(w) {
		p.bars = mpb.New(mpb.WithOutput(w), mpb.WithWidth(32), mpb.WithRefreshRate(200*time.Millisecond))
	}
	return p
}

// IsTerminal reports whether somebody may look at the output.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Close ends the lines where they are.
func (p *Progress) Close() {
	if p.bars == nil {
		return
	}
	for _, f := range p.folds {
		f.bar.Abort(false)
	}
	if p.reading != nil {
		p.reading.Abort(true)
	}
	p.bars.Wait()
}

// Reading tells of files.
func (p *Progress) Reading(d source.Progress) { p.count("recordings", d.Done, d.Total) }

// Counting shows how many of the named things are done.
func (p *Progress) Counting(what string) func(done, total int) {
	return func(done, total int) { p.count(what, done, total) }
}

func (p *Progress) count(what string, done, total int) {
	if p.bars == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reading == nil {
		p.reading = p.bars.AddBar(int64(total), mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name(what+" ")), mpb.AppendDecorators(decor.CountersNoUnit("%d/%d "), decor.AverageETA(decor.ET_STYLE_MMSS)))
	}
	p.reading.SetCurrent(int64(done))
}

// Study tells of a whole run.
func (p *Progress) Study(g experiment.Grid) experiment.Observer {
	if p.quiet {
		return experiment.Observer{}
	}
	if p.bars == nil {
		return p.lines(g)
	}
	return experiment.Observer{
		Changed: p.changed,
		Planned: p.plan,
		Start:   p.start,
		Epoch:   func(c result.Cell, done int, e result.Epoch) { p.epoch(c, done, e.ValAcc) },
		Fewer:   func(why string) { fmt.Fprintln(p.bars, why) }, // above the lines
		Failed:  func(c result.Cell, _ experiment.Failure) { p.finish(c) },
		Done:    func(c result.Cell, _ result.Result, _ bool) { p.finish(c) },
	}
}

// Lines tells of cells as they are finished, where it is not known how many there will be.
func (p *Progress) Lines(g experiment.Grid) experiment.Observer {
	if p.bars != nil {
		p.bars.Wait()
		p.bars = nil
	}
	return p.Study(g)
}

func (p *Progress) lines(g experiment.Grid) experiment.Observer {
	var models []string
	folds := 0
	for _, s := range g {
		if !slices.Contains(models, s.Config.Model) {
			models = append(models, s.Config.Model)
		}
		folds = max(folds, len(s.Folds)/max(1, s.Config.Split.Inner))
	}
	name := func(c result.Cell) string {
		text := fmt.Sprintf("%s/%d %s", experiment.FoldName(c), folds, experiment.Label(c))
		if len(models) > 1 {
			text = c.Model + " " + text
		}
		return text
	}
	return experiment.Observer{
		Changed: p.changed,
		Again: func(c result.Cell, reason error) {
			fmt.Fprintf(p.w, "%-22s failed and is done once more, alone: %v\n", name(c), reason)
		},
		Fewer: func(why string) { fmt.Fprintln(p.w, why) },
		Failed: func(c result.Cell, f experiment.Failure) {
			fmt.Fprintf(p.w, "%-22s FAILED: %s\n", name(c), f.Reason)
		},
		Done: func(c result.Cell, r result.Result, before bool) {
			if before {
				fmt.Fprintf(p.w, "%-22s was done before: accuracy %.1f %%\n", name(c), 100*r.Test.Accuracy)
				return
			}
			fmt.Fprintf(p.w, "%-22s accuracy %.1f %%, %.1f s\n", name(c), 100*r.Test.Accuracy, r.Seconds)
			for _, n := range r.Notes {
				fmt.Fprintf(p.w, "%-22s %s\n", "", n)
			}
		},
	}
}

func (p *Progress) changed(c experiment.Change) {
	fmt.Fprintf(p.w, "the directory holds another study: of its cells %d hold, %d are new, %d are no longer asked for (their files stay)\n",
		c.Holds, len(c.New), len(c.Dropped))
}

// maxBars is how many lines fit on a small terminal with something above them.
const maxBars = 12

// barName is the line that a cell belongs to.
func (p *Progress) barName(c result.Cell) string {
	if p.many {
		return "all folds"
	}
	return c.Model + " " + experiment.FoldName(c)
}

// plan adds a line for each fold, or one for all, before any cell is begun.
func (p *Progress) plan(plan *experiment.Plan) {
	names := map[string]bool{}
	for _, c := range plan.Cells {
		names[p.barName(c.Cell)] = true
	}
	p.many = len(names) > maxBars
	var order []string
	work := map[string]*tally{}
	for _, c := range plan.Cells {
		n := p.barName(c.Cell)
		if work[n] == nil {
			work[n] = newTally()
			order = append(order, n)
		}
		work[n].plan(c)
	}
	for _, n := range order {
		p.folds[n] = p.add(n+" ", work[n])
	}
}

// add adds a line. Its texts are drawn at any time, and so take the lock.
func (p *Progress) add(name string, work *tally) *foldBar {
	f := &foldBar{work: work}
	locked := func(text func() string) decor.Decorator {
		return decor.Any(func(decor.Statistics) string {
			p.mu.Lock()
			defer p.mu.Unlock()
			return text()
		})
	}
	f.bar = p.bars.AddBar(work.total,
		mpb.PrependDecorators(decor.Name(name), locked(func() string { return fmt.Sprintf("%-10s", cmp.Or(f.stage, "waiting")) })),
		mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), locked(f.left), locked(f.validation)))
	f.bar.IncrInt64(work.current)
	return f
}

func (f *foldBar) left() string {
	left, ok := f.work.left(time.Now())
	if !ok {
		return "      "
	}
	return fmt.Sprintf(" %02d:%02d", int(left.Minutes()), int(left.Seconds())%60)
}

func (f *foldBar) validation() string {
	if f.epochs == 0 {
		return ""
	}
	return fmt.Sprintf("  validation %.1f %%", 100*f.val)
}

// on changes the line of a cell, and moves its bar. The bar's drawing takes the lock, too, and so
// is not waited for while it is held.
func (p *Progress) on(c result.Cell, change func(*foldBar)) {
	p.mu.Lock()
	f := p.folds[p.barName(c)]
	if f == nil {
		p.mu.Unlock()
		return
	}
	before := f.work.current
	change(f)
	more := f.work.current - before
	p.mu.Unlock()
	f.bar.IncrInt64(more)
}

func (p *Progress) start(c result.Cell) {
	p.on(c, func(f *foldBar) {
		f.stage = experiment.Label(c)
		f.work.start(time.Now())
	})
}

func (p *Progress) epoch(c result.Cell, done int, val float64) {
	p.on(c, func(f *foldBar) {
		f.stage, f.val = experiment.Label(c), val
		f.epochs++
		f.work.train(c, done)
	})
}

func (p *Progress) finish(c result.Cell) { p.on(c, func(f *foldBar) { f.work.finish(c) }) }

// Training tells of a single training of so many epochs.
func (p *Progress) Training(c result.Cell, epochs int) train.Observer {
	if p.bars == nil {
		return train.Observer{}
	}
	p.plan(&experiment.Plan{Cells: []experiment.Planned{{Cell: c, Epochs: epochs, MACs: int64(epochs)}}}) // each as much as another
	p.start(c)
	return train.Observer{Epoch: func(done int, e train.Epoch) { p.epoch(c, done, e.ValAcc) }}
}

// Verbose prints the output of the paper's program, under a heading for each training.
func Verbose(w io.Writer) experiment.Observer {
	return experiment.Observer{
		Log:   w,
		Start: func(c result.Cell) { fmt.Fprintln(w, experiment.Describe(c)) },
		Epoch: func(_ result.Cell, done int, _ result.Epoch) { fmt.Fprintf(w, "epoch %d done\n", done) },
	}
}
