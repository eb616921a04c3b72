package experiment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/internal/meter"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

// A task is a cell of one of the studies.
type task struct {
	study    *Study
	cell     result.Cell
	key      string
	finished chan struct{} // closed when it is done, or will not be
	result   *result.Result
	before   bool // it was done by an earlier run
	failure  *Failure
}

// A schedule does tasks.
type schedule struct {
	dir     directory
	options RunOptions
	tasks   map[result.Cell]*task
	places  chan *place // one for each job
}

// FailedError says which cells of a study could not be done.
type FailedError struct {
	Failures []Failure
	Of       int // cells in all
}

func (e *FailedError) Error() string {
	var own []Failure
	for _, f := range e.Failures {
		if !f.Follows {
			own = append(own, f)
		}
	}
	text := fmt.Sprintf("%d of %d cells failed: %s: %s", len(e.Failures), e.Of, Describe(own[0].Cell), own[0].Reason)
	if more := len(own) - 1; more > 0 {
		text += fmt.Sprintf("; and %d more, whose reasons are in failed/", more)
	}
	return text + "; what was done is kept, and the same command tries these again"
}

// schedule does the planned cells, jobs at a time, and returns the results there are in the plan's
// order.
func (g Grid) schedule(ctx context.Context, plan *Plan, o RunOptions) ([]result.Result, error) {
	s := &schedule{dir: directory(o.Dir), options: o, tasks: map[result.Cell]*task{}}
	free, err := s.open(ctx, g, max(o.Jobs, 1))
	if err != nil {
		return nil, err
	}
	defer free()
	type repetition struct {
		model string
		seed  uint64
	}
	studies := map[repetition]*Study{}
	for _, study := range g {
		c := study.cells(1)[0]
		studies[repetition{c.Model, c.Seed}] = study
	}
	var tasks []*task
	for _, p := range plan.Cells {
		t := &task{study: studies[repetition{p.Cell.Model, p.Cell.Seed}], cell: p.Cell, key: p.Key, finished: make(chan struct{}), before: p.Done}
		if p.Done {
			t.result = &p.result
		}
		tasks, s.tasks[p.Cell] = append(tasks, t), t
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, t := range tasks {
		group.Go(func() error { return s.do(ctx, t) })
	}
	err = group.Wait()
	var results []result.Result
	failed := &FailedError{Of: len(tasks)}
	for _, t := range tasks {
		if t.result != nil {
			results = append(results, *t.result)
		}
		if t.failure != nil {
			failed.Failures = append(failed.Failures, *t.failure)
		}
	}
	if err == nil && len(failed.Failures) > 0 {
		err = failed
	}
	return results, err
}

// open puts the studies' data on every device and makes a place for each job, in turn on
// each device.
func (s *schedule) open(ctx context.Context, g Grid, jobs int) (free func(), err error) {
	var copies []*Study
	var places []*place
	free = func() {
		for _, p := range places {
			p.meter.Close()
		}
		for _, c := range copies {
			if !c.borrowed {
				c.data.Free() // the set is the study's
			}
		}
	}
	for i, device := range g[0].devices {
		p, err := newPlace(device, s.options)
		if err != nil {
			free()
			return nil, err
		}
		places = append(places, p)
		for _, study := range g {
			p.studies[study] = study
			if i == 0 {
				continue // where they were opened
			}
			c := *study
			c.device = device
			if same := slices.IndexFunc(copies, func(o *Study) bool { return o.Set == study.Set && o.device == device }); same >= 0 {
				c.data, c.borrowed = copies[same].data, true
			} else if c.data, err = train.NewData(study.Set, device); err != nil {
				free()
				return nil, err
			}
			copies = append(copies, &c)
			p.studies[study] = &c
		}
		for _, study := range p.studies {
			if why := study.data.OnHost(); why != "" && !study.borrowed {
				s.options.Watch.fewer(fmt.Sprintf("%s: %s", device, why))
			}
		}
	}
	s.places = make(chan *place, jobs)
	left := make([]int, len(places))
	for i := range jobs {
		left[i%len(places)]++
	}
	for i, p := range places {
		if left[i] == 0 {
			continue
		}
		n, why, err := p.fit(ctx, g, left[i])
		if err != nil {
			free()
			return nil, err
		}
		if why != "" {
			s.options.Watch.fewer(why)
		}
		left[i] = n
		p.jobs.Store(int32(n))
	}
	for turn := range jobs {
		for i, p := range places {
			if turn < left[i] {
				s.places <- p
			}
		}
	}
	return free, nil
}

// do does a task when those that it starts from are done. Its error ends the run; a fault of the
// cell itself is recorded.
func (s *schedule) do(ctx context.Context, t *task) error {
	if t.before {
		// A program that was killed when it had written the result did not clear up.
		if err := s.dir.forget(t.key); err != nil {
			return wrap(t.cell, err)
		}
		close(t.finished)
		s.options.Watch.done(t.cell, *t.result, true)
		return nil
	}
	for _, o := range t.study.origins(t.cell) {
		from := s.tasks[o]
		select {
		case <-from.finished:
		case <-ctx.Done():
			return ctx.Err()
		}
		if from.failure != nil {
			return s.fail(t, fmt.Errorf("not tried, since %s failed", Describe(o)), true)
		}
	}
	var free *place
	select {
	case free = <-s.places:
	case <-ctx.Done():
		return ctx.Err()
	}
	s.options.Watch.start(t.cell)
	c := cell{Study: free.studies[t.study], Cell: t.cell, key: t.key, schedule: s, place: free}
	found, fewer, err := free.attempt(ctx, t.cell, s.options.Watch, func(retried string) (result.Result, error) {
		c.retried = retried
		r, err := c.makeOnOwnStream(ctx)
		if retried != "" && ctx.Err() == nil {
			err = c.withMend(ctx, err)
		}
		return r, err
	})
	if !fewer {
		defer func() { s.places <- free }()
	}
	switch {
	case err == nil:
	case ctx.Err() != nil || endsAll(err):
		_ = os.Remove(s.dir.running(t.key)) // it is only shown
		return wrap(t.cell, err)
	default:
		return s.fail(t, err, false)
	}
	t.result = &found
	close(t.finished)
	s.options.Watch.done(t.cell, found, false)
	return nil
}

// endsAll reports whether going on makes no sense: results can't be kept, or there is nothing left
// to train on.
func endsAll(err error) bool {
	return errors.Is(err, data.ErrLost) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EROFS) ||
		errors.Is(err, syscall.EFBIG) || errors.Is(err, os.ErrPermission)
}

func wrap(c result.Cell, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", Describe(c), err)
}

// fail records why a cell could not be done.
func (s *schedule) fail(t *task, reason error, follows bool) error {
	f := Failure{Cell: t.cell, Key: t.key, Reason: reason.Error(), At: time.Now().UTC().Truncate(time.Second), Follows: follows}
	if err := writeJSON(s.dir.failure(t.key), f); err != nil {
		return wrap(t.cell, err)
	}
	if err := os.Remove(s.dir.running(t.key)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return wrap(t.cell, err)
	}
	t.failure = &f
	close(t.finished)
	s.options.Watch.failed(t.cell, f)
	return nil
}

// A cell is one that is being done.
type cell struct {
	*Study
	result.Cell
	*schedule
	place   *place
	key     string
	retried string // why it is done a second time
}

func (c cell) makeOnOwnStream(ctx context.Context) (found result.Result, err error) {
	err = c.device.OnOwnStream(func() error {
		found, err = c.make(ctx)
		return err
	})
	return found, err
}

// make makes the result of the cell and its files.
func (c cell) make(ctx context.Context) (result.Result, error) {
	found := result.Result{Schema: result.Schema, Key: c.key, Cell: c.Cell, Checkpoint: checkpoint(c.Cell), FoldSeed: c.seed(c.At(c.Cell)), Run: c.place.made}
	f := c.Folds[c.At(c.Cell)-1]
	found.Clips = result.FoldClips{Fit: len(f.Fit), Validation: len(f.Val), Test: len(f.Test)}
	found.Retried = c.retried
	found.Deterministic = c.Config.Train.Reproducible(c.device) && c.Config.FineTune.Reproducible(c.device)
	found.Started = time.Now().UTC().Truncate(time.Millisecond)
	scope := meter.Thread
	if c.options.Jobs <= 1 {
		scope = meter.Process
	}
	span := c.place.meter.Start(scope)
	err := c.find(ctx, &found)
	used := span.Stop()
	if err != nil {
		return found, err
	}
	found.Seconds, found.PeakMemory, found.CPUJoules, found.GPUJoules = used.Wall.Seconds(), used.PeakMemory, used.CPUJoules, used.GPUJoules
	if used.CPU > 0 {
		found.CPUSeconds, found.CPUScope = used.CPU.Seconds(), scope.String()
	}
	if c.device.IsCUDA() {
		found.GPUSeconds = found.Seconds
	}
	return found, c.dir.keep(found)
}

// find makes the cell's network and its checkpoint, and says in the result how it does.
func (c cell) find(ctx context.Context, found *result.Result) error {
	made, err := c.network(ctx)
	if err != nil {
		return err
	}
	n := made.Network
	defer n.Free()
	found.Resumed = made.History.Resumed
	found.Variants = made.History.Variants
	if len(made.History.Epochs) > 0 {
		found.Best = made.History.Best + 1
	}
	for _, e := range made.History.Epochs {
		found.Epochs = append(found.Epochs, result.Epoch(e))
	}
	if found.Test, err = c.Evaluate(ctx, n, c.At(c.Cell)); err != nil {
		return err
	}
	if found.Subjects, err = c.bySubject(ctx, n, c.Folds[c.At(c.Cell)-1].Test); err != nil {
		return err
	}
	v, err := train.Evaluate(ctx, n, c.data, c.Folds[c.At(c.Cell)-1].Val)
	if err != nil {
		return err
	}
	found.Validation = result.Score(v)
	if sum := found.Test.Loss + v.Loss; math.IsNaN(sum) || math.IsInf(sum, 0) {
		return fmt.Errorf("its loss is %g on the test clips and %g on the validation clips: %w; lower the learning rate", found.Test.Loss, v.Loss, train.ErrDiverged)
	}
	p := c.Provenance(c.Cell, c.options.Version, found.Test)
	p.Key = c.key
	path := c.dir.in(found.Checkpoint)
	if err := n.Save(path, p); err != nil {
		return err
	}
	found.Widths, found.Notes = Widths(c.Arch, n.Arch), made.Notes
	found.Size, err = SizeOf(n.Arch, n.Masks(), path)
	return err
}

// network makes the network of the cell.
func (c cell) network(ctx context.Context) (Made, error) {
	over, err := c.oversight()
	if err != nil {
		return Made{}, err
	}
	var from []*models.Network
	defer func() {
		for _, n := range from {
			n.Free()
		}
	}()
	for _, o := range c.origins(c.Cell) {
		n, _, err := models.Load(c.dir.in(c.tasks[o].result.Checkpoint), c.device)
		if err != nil {
			return Made{}, err
		}
		from = append(from, n)
	}
	how, err := stageOf(c.Stage)
	if err != nil {
		return Made{}, err
	}
	return how.make(ctx, job{Study: c.Study, Cell: c.Cell, fold: c.At(c.Cell), from: from, over: over})
}

// oversight keeps the cell's training, and how far it has come.
func (c cell) oversight() (Oversight, error) {
	p := Progress{Cell: c.Cell, Host: c.place.made.Host, PID: os.Getpid(), Started: time.Now().UTC(), Epochs: c.Config.Epochs(c.Cell)}
	write := func() error {
		p.At = time.Now().UTC()
		return writeJSON(c.dir.running(c.key), p)
	}
	const often = 2 * time.Second
	watch := train.Observer{Log: c.options.Watch.Log, Epoch: func(done int, e train.Epoch) {
		c.options.Watch.epoch(c.Cell, done, result.Epoch(e))
		if p.Epoch = done; time.Since(p.At) > often {
			_ = write() // it is only shown
		}
	}}
	return Oversight{Watch: watch, Snapshots: train.Snapshots{Path: c.dir.snapshot(c.key), Every: c.options.Every}}, write()
}

// An Observer is told how a run goes on, from several goroutines at once. Its fields
// may be nil.
type Observer struct {
	// Changed is called before the first cell where the directory holds another study.
	Changed func(c Change)
	// Planned is called before the first cell with the plan; where that grows on the way, as of
	// Savings, before each part.
	Planned func(p *Plan)
	Start   func(c result.Cell)
	Epoch   func(c result.Cell, done int, e result.Epoch)
	Done    func(c result.Cell, r result.Result, before bool) // before: it was done by an earlier run
	Failed  func(c result.Cell, f Failure)
	// Again is called before a cell that failed is done once more, with nothing beside it.
	Again func(c result.Cell, reason error)
	// Fewer is called where memory lets fewer cells run side by side than were asked for.
	Fewer func(why string)
	Log   io.Writer // see train.Observer
}

func (o Observer) planned(p *Plan) {
	if o.Planned != nil {
		o.Planned(p)
	}
}

func (o Observer) start(c result.Cell) {
	if o.Start != nil {
		o.Start(c)
	}
}

func (o Observer) epoch(c result.Cell, done int, e result.Epoch) {
	if o.Epoch != nil {
		o.Epoch(c, done, e)
	}
}

func (o Observer) done(c result.Cell, r result.Result, before bool) {
	if o.Done != nil {
		o.Done(c, r, before)
	}
}

func (o Observer) again(c result.Cell, reason error) {
	if o.Again != nil {
		o.Again(c, reason)
	}
}

func (o Observer) fewer(why string) {
	if o.Fewer != nil {
		o.Fewer(why)
	}
}

func (o Observer) failed(c result.Cell, f Failure) {
	if o.Failed != nil {
		o.Failed(c, f)
	}
}

// deviceNames lists devices as a user writes them.
func deviceNames(devices []torch.Device) string {
	var names []string
	for _, d := range devices {
		names = append(names, d.String())
	}
	return strings.Join(names, ",")
}
