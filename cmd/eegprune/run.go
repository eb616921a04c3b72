package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"eegprune/experiment"
	"eegprune/report"
	"eegprune/result"
	"eegprune/train"
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
	f.IntVar(&r.every, "checkpoint-every", 0, "epochs after which a training is kept, to go on from if it is ended (default: when half a minute has passed)")
	f.StringVar(&r.out, "out", "", "directory of the results; what is done there already is not done again")
	f.BoolVarP(&r.verbose, "verbose", "v", false, "print the running loss and each epoch's validation, one training after another")
	_ = c.MarkFlagRequired("out")
}

// studyCommand is what commands have in common that make a study of flags.
type studyCommand struct {
	runner
	data  dataFlags
	study studyFlags
	train trainFlags
}

func (a *app) studyOfFlags() *studyCommand {
	s := &studyCommand{runner: runner{a: a}}
	s.cache = s.data.cacheDir
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
	for _, model := range s.study.models {
		for _, seed := range seeds {
			c, err := s.config(model, seed, more)
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

func (s *studyCommand) config(model string, seed uint64, more func(*experiment.Config) error) (experiment.Config, error) {
	var c experiment.Config
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
	defer p.close()
	grid, err := experiment.OpenGrid(ctx, configs, experiment.OpenOptions{Devices: devices, Cache: cache, Progress: p.reading})
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

// settle puts into o what the flags say.
func (r *runner) settle(o experiment.RunOptions) experiment.RunOptions {
	o.Dir, o.Jobs, o.Every, o.Version, o.Commit = r.out, r.jobs, r.every, version(), commit()
	return o
}

// carryOut runs studies and writes their results.
func (r *runner) carryOut(ctx context.Context, grid experiment.Grid, o experiment.RunOptions) (*result.Study, error) {
	o = r.settle(o)
	b, err := newBoard(r.board)
	if err != nil {
		return nil, err
	}
	p := r.a.progress()
	if r.verbose {
		o.Jobs, o.Watch = 1, verboseObserver(r.a.stderr)
	} else {
		o.Watch = p.observer(grid, o)
	}
	o.Watch = b.observe(o.Watch, grid)
	results, err := grid.Run(ctx, o)
	p.close()
	err = errors.Join(err, b.close())
	if results != nil && o.Share == (experiment.Share{}) {
		err = errors.Join(err, report.Write(r.out, results))
	}
	return results, err
}

// run carries a study out and shows what came of it.
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

func (a *app) runCommand() *cobra.Command {
	s := a.studyOfFlags()
	var p pruneFlags
	var r recoverFlags
	c := &cobra.Command{
		Use:   "run",
		Short: "Train over folds, prune, recover and compare: the whole main job",
		Long: `run trains the network on every fold, prunes it, recovers it by fine-tuning and from
scratch, tests each on clips it never saw, and prints what was kept and what was saved.
Several networks, methods and ratios make a grid, whose parts share what they can.

It can be interrupted at any time: the same command goes on where it was.`,
		Example: `  eegprune run --data recordings --out study --folds 2 --epochs 2 --method lfp --ratio 0.4
  eegprune run --data recordings --out grid --folds 2 --epochs 2 --method lfp,sfp,uwmp --target macs=0.3,0.6`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			configs, err := s.pruningConfigs(&p, &r)
			if err != nil {
				return err
			}
			return s.run(cmd.Context(), configs, experiment.RunOptions{})
		},
	}
	s.register(c)
	p.register(c.Flags(), 0.4)
	r.register(c, "fine-tune", "scratch")
	return c
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

func (a *app) trainCommand() *cobra.Command {
	s := a.studyOfFlags()
	var folds []int
	c := &cobra.Command{
		Use:   "train",
		Short: "Train the unpruned network over folds",
		Long: `train trains the network on the folds and leaves one checkpoint for each in the
directory --out. "eegprune run" on the same directory goes on from them.`,
		Example: `  eegprune train --data recordings --out study --folds 2 --epochs 2 --fold 1`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			configs, err := s.configs(nil)
			if err != nil {
				return err
			}
			return s.run(cmd.Context(), configs, experiment.RunOptions{Folds: folds})
		},
	}
	s.register(c)
	c.Flags().IntSliceVar(&folds, "fold", nil, "train only these folds, counted from 1 (default: all)")
	return c
}
