package experiment

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"eegprune/internal/meter"
	"eegprune/report"
	"eegprune/torch"
)

// RunOptions say how studies are carried out. They do not change their results.
type RunOptions struct {
	Dir     string // where results go; it is made where it is not there
	Folds   []int  // which folds, from 1; nil for all
	Jobs    int    // cells that run side by side
	Version string // of the program, for the record
	Commit  string // of its source, likewise; "" where it is not known
	Watch   Observer
}

// Cells lists what a run does, each cell after those that it starts from.
func (s *Study) Cells(o RunOptions) []report.Cell {
	var cells []report.Cell
	for fold := 1; fold <= len(s.Folds); fold++ {
		if o.Folds == nil || slices.Contains(o.Folds, fold) {
			cells = append(cells, s.cells(fold)...)
		}
	}
	return cells
}

// A Grid is studies of several networks that are carried out together.
type Grid []*Study

// A task is a cell of one of the studies.
type task struct {
	*run
	cell     report.Cell
	finished chan struct{}
	result   *report.Result // nil until it is finished
}

// Run carries out a study and returns the results of the cells that it was asked for.
// What an earlier run did is not done again. When ctx ends or a cell fails, cells that
// were done stay, and come back with the error.
func (s *Study) Run(ctx context.Context, o RunOptions) (*report.Study, error) {
	return Grid{s}.Run(ctx, o)
}

// Run carries out the studies, all of whose cells share the jobs; see Study.Run.
func (g Grid) Run(ctx context.Context, o RunOptions) (*report.Study, error) {
	results, failed := g.cells(ctx, o)
	out, err := g.report(results, o)
	if failed != nil {
		return out, failed
	}
	if err != nil {
		return nil, err
	}
	out.Speeds, err = g.speeds(ctx, results, o.Dir)
	return out, err
}

// cells does the cells and returns the results there are, in the cells' order.
func (g Grid) cells(ctx context.Context, o RunOptions) ([]report.Result, error) {
	for _, s := range g {
		for _, f := range o.Folds {
			if _, err := s.fold(f); err != nil {
				return nil, err
			}
		}
	}
	for _, d := range []string{"cells", "checkpoints"} {
		if err := os.MkdirAll(filepath.Join(o.Dir, d), 0o755); err != nil {
			return nil, fmt.Errorf("making the results directory: %w", err)
		}
	}
	var tasks []*task
	for _, s := range g {
		r, err := s.in(o)
		if err != nil {
			return nil, err
		}
		defer r.meter.Close()
		for _, c := range s.Cells(o) {
			tasks = append(tasks, &task{run: r, cell: c, finished: make(chan struct{})})
		}
	}
	err := all(ctx, tasks, max(o.Jobs, 1))
	var results []report.Result
	for _, t := range tasks {
		if t.result != nil {
			results = append(results, *t.result)
		}
	}
	return results, err
}

// all does the tasks, jobs of them at a time.
func all(ctx context.Context, tasks []*task, jobs int) error {
	of := map[report.Cell]*task{}
	for _, t := range tasks {
		of[t.cell] = t
	}
	group, ctx := errgroup.WithContext(ctx)
	slots := make(chan struct{}, jobs)
	for _, t := range tasks {
		group.Go(func() error {
			for _, o := range t.origins(t.cell) {
				select {
				case <-of[o].finished:
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
			result, err := t.one(ctx, t.cell)
			if err != nil {
				return fmt.Errorf("%s: %w", Describe(t.cell), err)
			}
			t.result = &result
			close(t.finished)
			return nil
		})
	}
	return group.Wait()
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

// report puts together what there is.
func (g Grid) report(results []report.Result, o RunOptions) (*report.Study, error) {
	out := &report.Study{Schema: report.Schema}
	var err error
	if out.Environment, err = environment(g[0].device, o); err != nil {
		return nil, err
	}
	var configs []Config
	var settings [][]report.Setting
	var onData []string
	for _, s := range g {
		configs, settings = append(configs, s.Config), append(settings, s.settings())
		for _, n := range s.notes {
			if !slices.Contains(onData, n) {
				onData = append(onData, n)
			}
		}
		if s.leak != "" {
			out.Leak = s.leak
		}
	}
	var config any = configs
	if len(configs) == 1 {
		config = configs[0]
	}
	if out.Config, err = json.Marshal(config); err != nil {
		return nil, fmt.Errorf("describing the study: %w", err)
	}
	out.Results = results
	out.Settings = append(g.merge(settings), out.Environment.Settings()...)
	out.Notes = notes(onData, out.Results)
	return out, nil
}

// merge lists each setting once where all studies share it, else once for each network.
func (g Grid) merge(settings [][]report.Setting) []report.Setting {
	var merged []report.Setting
	var names []string
	for _, of := range settings {
		for _, l := range of {
			if !slices.Contains(names, l.Name) {
				names = append(names, l.Name)
			}
		}
	}
	for _, name := range names {
		var lines []report.Setting
		for i, of := range settings {
			for _, l := range of {
				if l.Name == name {
					lines = append(lines, report.Setting{Name: name + ", " + g[i].Config.Model, Value: l.Value})
				}
			}
		}
		if slices.IndexFunc(lines, func(l report.Setting) bool { return l.Value != lines[0].Value }) < 0 {
			lines = []report.Setting{{Name: name, Value: lines[0].Value}}
		}
		if name == "model" {
			var models []string
			for _, s := range g {
				models = append(models, s.Config.Model)
			}
			lines = []report.Setting{{Name: name, Value: strings.Join(models, ", ")}}
		}
		merged = append(merged, lines...)
	}
	return merged
}

// notes are those on the data and on single results; where the latter are too many to
// read, how many there are.
func notes(on []string, results []report.Result) []string {
	all := slices.Clone(on)
	const readable = 12
	var single []string
	for _, r := range results {
		for _, n := range r.Notes {
			single = append(single, Describe(r.Cell)+": "+n)
		}
	}
	if len(single) > readable {
		return append(all, fmt.Sprintf("%d notes on single networks are in %s", len(single), report.JSONFile))
	}
	return append(all, single...)
}

// Describe names a cell in a sentence: "fold 2, fine-tuned after lfp at 0.4".
func Describe(c report.Cell) string {
	text := fmt.Sprintf("fold %d, %s", c.Fold, c.Stage)
	switch {
	case c.Stage == report.Sparse:
		return text + " for " + c.Method
	case c.Stage == report.Pruned:
		return text + fmt.Sprintf(" by %s at %g", c.Method, c.Ratio)
	case c.Method != "":
		return text + fmt.Sprintf(" after %s at %g", c.Method, c.Ratio)
	}
	return text
}

// in begins to carry a study out in a directory.
func (s *Study) in(o RunOptions) (*run, error) {
	env, err := environment(s.device, o)
	if err != nil {
		return nil, err
	}
	r := &run{Study: s, dir: o.Dir, watch: o.Watch, scope: meter.Thread,
		machine: report.Run{Version: env.Version, Commit: o.Commit, Libtorch: env.Libtorch, CUDA: env.CUDA, CuDNN: env.CuDNN,
			Device: env.Device, Processor: env.CPU, Host: env.Host}}
	if env.Jobs == 1 {
		r.scope = meter.Process
	}
	gpu := meter.NoGPU
	if s.device.IsCUDA() {
		gpu = s.device.Index()
		about, err := torch.DescribeGPU(gpu)
		if err != nil {
			return nil, err
		}
		r.machine.Processor = about.Name
	}
	r.meter = meter.New(gpu)
	return r, nil
}

// took notes what a cell used.
func took(r *report.Run, u meter.Usage, scope meter.Scope, device torch.Device) {
	r.Seconds, r.PeakMemory, r.CPUJoules, r.GPUJoules = u.Wall.Seconds(), u.PeakMemory, u.CPUJoules, u.GPUJoules
	if u.CPU > 0 {
		r.CPUSeconds, r.CPUScope = u.CPU.Seconds(), scope.String()
	}
	if device.IsCUDA() {
		r.GPUSeconds = r.Seconds
	}
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
	env := report.Environment{Version: o.Version, Libtorch: build.Torch, CUDA: build.CUDA, CuDNN: build.CuDNN, Device: device.String(),
		Host: host, CPU: cpuName(), Cores: runtime.NumCPU(), Jobs: max(o.Jobs, 1)}
	return env, nil
}
