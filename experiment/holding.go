package experiment

import (
	"context"
	"errors"
	"fmt"

	"github.com/eegprune/eegprune/result"
)

// A holding is a results directory, or a share of it, on which no other program works.
type holding struct {
	directory
	options RunOptions
	before  *Plan // the last plan carried out in it; nil where there is none, or the user was told
	plan    Plan  // all that is carried out in it now
}

// hold does the work while it holds the directory. The work's context ends when another
// program takes the directory over.
func (o RunOptions) hold(ctx context.Context, work func(context.Context, *holding) error) (err error) {
	h := &holding{directory: directory(o.Dir), options: o}
	if err := h.make(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	held, err := h.acquire(o.Share, cancel)
	if err != nil {
		return err
	}
	defer func() {
		if lost := context.Cause(ctx); errors.Is(lost, errTakenOver) {
			err = lost
		}
		err = errors.Join(err, held.release())
	}()
	var before Plan
	begun, err := readJSON(h.in("plan.json"), &before)
	if err != nil {
		return err
	}
	if begun {
		h.before = &before
	}
	return work(ctx, h)
}

// carryOut does the cells of g and returns the results there are, in the cells' order. g is
// all of a study, or one of the parts that are carried out in turn of the study about.
func (h *holding) carryOut(ctx context.Context, g, about Grid) ([]result.Result, error) {
	plan, err := g.Plan(h.options)
	if err != nil {
		return nil, err
	}
	if err := h.plan.add(plan, string(h.directory)); err != nil {
		return nil, err
	}
	if h.plan.Study, err = about.report(nil, h.options); err != nil {
		return nil, err
	}
	if err := writeJSON(h.in("plan.json"), h.plan); err != nil {
		return nil, err
	}
	if h.before != nil && h.options.Watch.Changed != nil {
		if change := h.plan.change(h.before); len(change.New)+len(change.Dropped) > 0 {
			h.options.Watch.Changed(change)
		}
	}
	h.before = nil
	plan = plan.part(h.options.Share)
	if err := h.clearUp(plan); err != nil {
		return nil, fmt.Errorf("clearing up after a program that was killed: %w", err)
	}
	h.options.Watch.planned(plan)
	return g.schedule(ctx, plan, h.options)
}

// clearUp removes an earlier program's leftovers of the cells of plan that are to be done,
// and, where all of the directory is held, of any others.
func (h *holding) clearUp(plan *Plan) error {
	if h.options.Share != (Share{}) {
		return h.removeLeftovers(plan.owns)
	}
	return errors.Join(h.removeLeftovers(func(string) bool { return true }), h.removeFailures(&h.plan))
}
