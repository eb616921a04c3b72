package experiment

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"eegprune/report"
	"eegprune/torch"
)

// RunOptions say how a study is carried out. They do not change its results.
type RunOptions struct {
	Dir     string   // where results go; it is made where it is not there
	Stages  []string // which stages; nil for all that the configuration asks for
	Folds   []int    // which folds, from 1; nil for all
	Jobs    int      // cells that run side by side
	Version string   // of the program, for the record
	Watch   Observer
}

// Cells lists what a run does, each cell after the one that it starts from.
func (s *Study) Cells(o RunOptions) []report.Cell {
	stages := o.Stages
	if stages == nil {
		stages = append([]string{report.Unpruned, report.Pruned}, s.Config.Recover...)
	}
	var cells []report.Cell
	for fold := 1; fold <= len(s.Folds); fold++ {
		if o.Folds != nil && !slices.Contains(o.Folds, fold) {
			continue
		}
		for _, stage := range stages {
			cells = append(cells, s.cell(stage, fold))
		}
	}
	return cells
}

// Run carries out a study and returns the results of the cells that it was asked for.
// What an earlier run did is not done again. When ctx ends or a cell fails, cells that were done
// stay, and come back with the error.
func (s *Study) Run(ctx context.Context, o RunOptions) (*report.Study, error) {
	for _, f := range o.Folds {
		if _, err := s.fold(f); err != nil {
			return nil, err
		}
	}
	for _, d := range []string{"cells", "checkpoints"} {
		if err := os.MkdirAll(filepath.Join(o.Dir, d), 0o755); err != nil {
			return nil, fmt.Errorf("making the results directory: %w", err)
		}
	}
	r := &run{Study: s, dir: o.Dir, version: o.Version, watch: o.Watch}
	results, failed := r.all(ctx, s.Cells(o), max(o.Jobs, 1))
	out, err := r.report(results, o)
	if failed != nil {
		return out, failed
	}
	if err != nil {
		return nil, err
	}
	out.Speeds, err = r.speeds(ctx, results)
	return out, err
}

// all does the cells, jobs of them at a time, and returns the results there are in the
// cells' order.
func (r *run) all(ctx context.Context, cells []report.Cell, jobs int) ([]report.Result, error) {
	results := make([]*report.Result, len(cells))
	finished := map[report.Cell]chan struct{}{}
	for _, c := range cells {
		finished[c] = make(chan struct{})
	}
	group, ctx := errgroup.WithContext(ctx)
	slots := make(chan struct{}, jobs)
	for i, c := range cells {
		group.Go(func() error {
			if before, ok := finished[r.cell(parent(c.Stage), c.Fold)]; ok && parent(c.Stage) != "" {
				select {
				case <-before:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			case <-ctx.Done():
				return ctx.Err()
			}
			result, err := r.one(ctx, c)
			if err != nil {
				return fmt.Errorf("fold %d, %s: %w", c.Fold, c.Stage, err)
			}
			results[i] = &result
			close(finished[c])
			return nil
		})
	}
	err := group.Wait()
	var there []report.Result
	for _, result := range results {
		if result != nil {
			there = append(there, *result)
		}
	}
	return there, err
}

// one does a cell unless it was done before.
func (r *run) one(ctx context.Context, c report.Cell) (report.Result, error) {
	key, err := r.key(c)
	if err != nil {
		return report.Result{}, err
	}
	result, ok, err := r.kept(key)
	if err != nil {
		return result, err
	}
	if ok {
		r.watch.done(c, result, true)
		return result, nil
	}
	r.watch.start(c)
	if result, err = r.do(ctx, c, key); err == nil {
		r.watch.done(c, result, false)
	}
	return result, err
}

func (r *run) report(results []report.Result, o RunOptions) (*report.Study, error) {
	config, err := json.Marshal(r.Config)
	if err != nil {
		return nil, fmt.Errorf("describing the study: %w", err)
	}
	env, err := environment(r.device, o)
	if err != nil {
		return nil, err
	}
	settings := append(r.settings(), env.Settings()...)
	return &report.Study{Schema: report.Schema, Config: config, Settings: settings, Notes: r.Set.Notes, Leak: r.leak,
		Environment: env, Results: results}, nil
}

func environment(device torch.Device, o RunOptions) (report.Environment, error) {
	build, err := torch.Version()
	if err != nil {
		return report.Environment{}, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	env := report.Environment{Version: o.Version, Libtorch: build.Torch, CUDA: build.CUDA, Device: device.String(),
		Host: host, CPU: cpuName(), Cores: runtime.NumCPU(), Jobs: max(o.Jobs, 1)}
	return env, nil
}
