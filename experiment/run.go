package experiment

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/torch"
)

// RunOptions say how studies are carried out. They do not change their results.
type RunOptions struct {
	Dir     string // where results go; it is made where it is not there
	Folds   []int  // which folds, from 1; nil for all
	Share   Share  // which part of the study; the zero value is all
	Jobs    int    // cells that run side by side
	Every   int    // epochs after which a training is kept; see train.Snapshots
	Version string // of the program, for the record
	Commit  string // of its source, likewise; "" where it is not known
	Watch   Observer
}

// Cells lists the cells of a run, each after those that it starts from.
func (s *Study) Cells(o RunOptions) []result.Cell {
	var cells []result.Cell
	for fold := 1; fold <= len(s.Folds); fold++ {
		all := s.cells(fold)
		if o.Folds == nil || slices.Contains(o.Folds, all[0].Fold) {
			cells = append(cells, all...)
		}
	}
	return cells
}

// A Grid is studies of several networks that are carried out together.
type Grid []*Study

// sameFolds says whether the seeds of the studies of a network test on the same folds. The
// split's own seed may be that of one of them.
func (g Grid) sameFolds(model string) bool {
	return slices.ContainsFunc(g, func(s *Study) bool {
		c := s.Config
		return c.Model == model && result.SameFolds(c.Split.Name, c.Split.Shuffle, c.Split.Seed, c.Seed)
	})
}

// Run carries out the studies, all of whose cells share the jobs, and returns the results of the
// cells that it was asked for. Cells that an earlier run did are not done again. A cell that fails
// is tried once more, with nothing beside it, and then recorded; the others go on, and the error
// is a *FailedError. When ctx ends, or nothing can be written, finished cells stay, and come back
// with the error.
func (g Grid) Run(ctx context.Context, o RunOptions) (*result.Study, error) {
	for _, s := range g {
		for _, f := range o.Folds {
			if _, err := s.fold(f * max(1, s.Config.Split.Inner)); err != nil {
				return nil, err
			}
		}
	}
	var results []result.Result
	failed := o.hold(ctx, func(ctx context.Context, h *holding) (err error) {
		results, err = h.carryOut(ctx, g, g)
		return err
	})
	if results == nil && failed != nil {
		return nil, failed // reports of others, or of earlier runs, stay
	}
	out, err := g.report(results, o)
	if failed != nil {
		return out, failed
	}
	if err != nil {
		return nil, err
	}
	if o.Share != (Share{}) {
		return out, nil // with other shares beside it there is nothing to measure
	}
	out.Speeds, err = g.speeds(ctx, results, o.Dir)
	return out, err
}

// report combines the results that there are.
func (g Grid) report(results []result.Result, o RunOptions) (*result.Study, error) {
	out := &result.Study{Schema: result.Schema}
	var err error
	if out.Environment, err = environment(g[0].devices, o); err != nil {
		return nil, err
	}
	var configs []Config
	var settings [][]result.Setting
	var onData []string
	for _, s := range g {
		configs, settings = append(configs, s.Config), append(settings, s.settings(g.sameFolds(s.Config.Model)))
		for _, n := range s.notes {
			if !slices.Contains(onData, n) {
				onData = append(onData, n)
			}
		}
		for _, l := range s.leaks {
			if !slices.Contains(out.Leaks, l) {
				out.Leaks = append(out.Leaks, l)
			}
		}
		out.Metric = s.Config.Metric
		if l := s.labelled(); !slices.ContainsFunc(out.Labels, func(x result.Labels) bool { return reflect.DeepEqual(x, l) }) {
			out.Labels = append(out.Labels, l)
		}
	}
	var config any = configs
	if len(configs) == 1 {
		config = configs[0]
	}
	if out.Config, err = json.Marshal(config); err != nil {
		return nil, fmt.Errorf("describing the study: %w", err)
	}
	out.Leak = leakLine(out.Leaks)
	out.Results = results
	out.Settings = append(g.merge(settings), out.Environment.Settings()...)
	out.Notes = notes(onData, out.Results)
	return out, nil
}

// merge lists each setting once where all studies share it, else once for each network.
// Repetitions say the same.
func (g Grid) merge(settings [][]result.Setting) []result.Setting {
	var merged []result.Setting
	var networks []string
	settings = slices.Clone(settings)
	for i, s := range g {
		if slices.Contains(networks, s.Config.Model) {
			settings[i] = nil
		} else {
			networks = append(networks, s.Config.Model)
		}
	}
	var names []string
	for _, lines := range settings {
		for _, l := range lines {
			if !slices.Contains(names, l.Name) {
				names = append(names, l.Name)
			}
		}
	}
	for _, name := range names {
		var lines []result.Setting
		for i, all := range settings {
			for _, l := range all {
				if l.Name == name {
					lines = append(lines, result.Setting{Name: name + ", " + g[i].Config.Model, Value: l.Value})
				}
			}
		}
		if slices.IndexFunc(lines, func(l result.Setting) bool { return l.Value != lines[0].Value }) < 0 {
			lines = []result.Setting{{Name: name, Value: lines[0].Value}}
		}
		if name == "model" {
			var models []string
			for _, l := range lines {
				models = append(models, l.Value)
			}
			lines = []result.Setting{{Name: name, Value: strings.Join(models, ", ")}}
		}
		merged = append(merged, lines...)
	}
	return merged
}

// notes are those on the data and on single results; where the latter are too many to
// read, how many there are.
func notes(on []string, results []result.Result) []string {
	all := slices.Clone(on)
	const readable = 12
	var single []string
	for _, r := range results {
		for _, n := range r.Notes {
			single = append(single, Describe(r.Cell)+": "+n)
		}
		if r.Retried != "" {
			single = append(single, Describe(r.Cell)+": it failed beside others and was done once more alone: "+r.Retried)
		}
	}
	if len(single) > readable {
		return append(all, fmt.Sprintf("%d notes on single networks are in %s", len(single), result.File))
	}
	return append(all, single...)
}

func environment(devices []torch.Device, o RunOptions) (result.Environment, error) {
	build, err := torch.Version()
	if err != nil {
		return result.Environment{}, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	env := result.Environment{Version: o.Version, Libtorch: build.Torch, CUDA: build.CUDA, CuDNN: build.CuDNN, Device: deviceNames(devices),
		Host: host, CPU: cpuName(), Cores: runtime.NumCPU(), Jobs: max(o.Jobs, 1)}
	return env, nil
}
