package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/experiment/watch"
	"github.com/eegprune/eegprune/report"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/train"
)

// A runner carries studies out in a directory.
type runner struct {
	a       *app
	device  deviceFlags
	cache   func() (string, error) // directory that keeps features
	out     string
	jobs    int
	every   int
	verbose bool
	board   string // directory for TensorBoard; "" for none
}

func (r *runner) register(c *cobra.Command) {
	f := c.Flags()
	r.device.register(f)
	jobsFlag(f, &r.jobs)
	boardFlag(f, &r.board)
	everyFlag(f, &r.every)
	outFlag(c, &r.out, "dir", "directory of the results; what is done there already is not done again")
	f.BoolVarP(&r.verbose, "verbose", "v", false, "print the running loss and each epoch, one training after another")
	group(f, ofOutput)
}

// studyCommand is the part that commands which make a study of flags share.
type studyCommand struct {
	runner
	data  dataFlags
	study studyFlags
	train trainFlags
}

func (a *app) studyOfFlags() *studyCommand {
	s := &studyCommand{runner: runner{a: a}}
	s.cache = s.data.cache.dir
	return s
}

func (s *studyCommand) register(c *cobra.Command) {
	s.runner.register(c)
	s.data.register(c.Flags())
	s.study.register(c.Flags())
	s.train.register(c.Flags())
	_ = c.MarkFlagRequired("data")
}

// configs puts the flags together, for each network and seed one.
func (s *studyCommand) configs(more func(*experiment.Config) error) ([]experiment.Config, error) {
	seeds, err := s.study.repetitions()
	if err != nil {
		return nil, err
	}
	var all []experiment.Config
	networks, exported, err := s.study.networks()
	if err != nil {
		return nil, err
	}
	for _, model := range networks {
		for _, seed := range seeds {
			c, err := s.config(model, exported, seed, more)
			if err != nil {
				return nil, err
			}
			if len(seeds) > 1 {
				c.Seeds = seeds
			}
			if err := c.Check(); err != nil {
				return nil, usageError{err}
			}
			all = append(all, c)
		}
	}
	return all, nil
}

func (s *studyCommand) config(model string, exported *experiment.Exported, seed uint64, more func(*experiment.Config) error) (experiment.Config, error) {
	c := experiment.Config{Network: exported}
	s.study.apply(&c, model, seed)
	if err := s.data.apply(&c); err != nil {
		return c, err
	}
	c.Train = train.Paper(c.Model)
	if err := s.train.apply(&c.Train); err != nil {
		return c, err
	}
	c.FineTune = c.Train
	if more == nil {
		return c, nil
	}
	return c, more(&c)
}

// open opens the studies; the caller closes them.
func (r *runner) open(ctx context.Context, configs []experiment.Config) (experiment.Grid, error) {
	devices, err := r.device.openAll()
	if err != nil {
		return nil, err
	}
	if r.out != "" { // before hours of work, not after
		if err := os.MkdirAll(r.out, 0o755); err != nil {
			return nil, fmt.Errorf("making the results directory: %w", err)
		}
	}
	cache, err := r.cache()
	if err != nil {
		return nil, err
	}
	p := r.a.progress()
	defer p.Close()
	grid, err := experiment.OpenGrid(ctx, configs, experiment.OpenOptions{Devices: devices, Cache: cache, Progress: p.Reading})
	if err != nil {
		return nil, err
	}
	warned := map[string]bool{}
	for _, study := range grid {
		if leak := study.Leak(); leak != "" && !r.a.quiet && !warned[leak] {
			warned[leak] = true
			fmt.Fprintln(r.a.stderr, leak)
		}
	}
	return grid, nil
}

// settle puts the flags' settings into o.
func (r *runner) settle(o experiment.RunOptions) experiment.RunOptions {
	o.Dir, o.Jobs, o.Every, o.Version, o.Commit = r.out, r.jobs, r.every, version(), commit()
	return o
}

// carryOut runs studies and writes their results.
func (r *runner) carryOut(ctx context.Context, grid experiment.Grid, o experiment.RunOptions) (*result.Study, error) {
	return r.watched(grid, o, (*watch.Progress).Study, func(o experiment.RunOptions) (*result.Study, error) { return grid.Run(ctx, o) })
}

// watched has work run studies as the flags say, shows how it goes on, and writes the results.
func (r *runner) watched(grid experiment.Grid, o experiment.RunOptions, shown func(*watch.Progress, experiment.Grid) experiment.Observer,
	work func(experiment.RunOptions) (*result.Study, error)) (*result.Study, error) {
	o = r.settle(o)
	b, err := watch.NewBoard(r.board)
	if err != nil {
		return nil, err
	}
	p := r.a.progress()
	if r.verbose {
		o.Jobs, o.Watch = 1, watch.Verbose(r.a.stderr)
	} else {
		o.Watch = shown(p, grid)
	}
	o.Watch = b.Observe(o.Watch, grid)
	results, err := work(o)
	p.Close()
	err = errors.Join(err, b.Close())
	if results != nil && o.Share == (experiment.Share{}) {
		err = errors.Join(err, report.Write(r.out, results))
	}
	return results, err
}

// run carries a study out and shows its results.
func (r *runner) run(ctx context.Context, configs []experiment.Config, o experiment.RunOptions) error {
	grid, err := r.open(ctx, configs)
	if err != nil {
		return err
	}
	defer grid.Close()
	results, err := r.carryOut(ctx, grid, o)
	if err != nil {
		return err
	}
	if o.Share != (experiment.Share{}) && !r.a.json {
		_, err := fmt.Fprintf(r.a.stdout, "share %s is done: %d cells; when all are, \"eegprune study results %s\" puts them together\n", o.Share, len(results.Results), r.out)
		return err
	}
	return r.show(results)
}

func (r *runner) show(results *result.Study) error {
	if r.a.json {
		return json.NewEncoder(r.a.stdout).Encode(results)
	}
	if err := report.Text(r.a.stdout, results); err != nil {
		return err
	}
	_, err := fmt.Fprintf(r.a.stdout, "\nThis text is in %s, all numbers in %s, the networks in %s.\n",
		filepath.Join(r.out, report.TextFile), filepath.Join(r.out, result.File), filepath.Join(r.out, "checkpoints"))
	return err
}

// pruningConfigs are the configurations of a command that prunes and recovers.
func (s *studyCommand) pruningConfigs(p *pruneFlags, r *recoverFlags) ([]experiment.Config, error) {
	pruning, options, err := p.pruning()
	if err != nil {
		return nil, err
	}
	return s.configs(func(c *experiment.Config) error {
		c.Prune, c.Options = pruning, options
		return r.apply(c)
	})
}

// openPruning opens the studies of a command that prunes and recovers; the caller closes
// them.
func (s *studyCommand) openPruning(ctx context.Context, p *pruneFlags, r *recoverFlags) (experiment.Grid, error) {
	configs, err := s.pruningConfigs(p, r)
	if err != nil {
		return nil, err
	}
	return s.open(ctx, configs)
}
