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
	"eegprune/train"
)

// studyCommand is what run and train have in common: a study over folds in a directory.
type studyCommand struct {
	a       *app
	data    dataFlags
	study   studyFlags
	train   trainFlags
	device  deviceFlags
	out     string
	jobs    int
	verbose bool
	board   string // directory for TensorBoard; "" for none
}

func (s *studyCommand) register(c *cobra.Command) {
	f := c.Flags()
	s.data.register(f)
	s.study.register(f)
	s.train.register(f)
	s.device.register(f)
	jobsFlag(f, &s.jobs)
	boardFlag(f, &s.board)
	f.StringVar(&s.out, "out", "", "directory of the results; what is done there already is not done again")
	f.BoolVarP(&s.verbose, "verbose", "v", false, "print the running loss and each epoch's validation, one training after another")
	_ = c.MarkFlagRequired("out")
	_ = c.MarkFlagRequired("data")
}

// configs puts the flags together, for each network one.
func (s *studyCommand) configs(more func(*experiment.Config) error) ([]experiment.Config, error) {
	var all []experiment.Config
	for _, model := range s.study.models {
		var c experiment.Config
		s.study.apply(&c, model)
		if err := s.data.apply(&c); err != nil {
			return nil, err
		}
		c.Train = train.Paper(c.Model)
		if err := s.train.apply(&c.Train); err != nil {
			return nil, err
		}
		c.FineTune = c.Train
		if more != nil {
			if err := more(&c); err != nil {
				return nil, err
			}
		}
		if err := c.Check(); err != nil {
			return nil, usageError{err}
		}
		all = append(all, c)
	}
	return all, nil
}

// open opens the studies; the caller closes them.
func (s *studyCommand) open(ctx context.Context, configs []experiment.Config) (experiment.Grid, error) {
	device, err := s.device.open()
	if err != nil {
		return nil, err
	}
	// Before hours of work, not after.
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return nil, fmt.Errorf("making the results directory: %w", err)
	}
	cache, err := s.data.cacheDir()
	if err != nil {
		return nil, err
	}
	p := s.a.progress()
	defer p.close()
	grid, err := experiment.OpenGrid(ctx, configs, experiment.OpenOptions{Device: device, Cache: cache, Progress: p.reading})
	if err != nil {
		return nil, err
	}
	warned := map[string]bool{}
	for _, study := range grid {
		if leak := study.Leak(); leak != "" && !s.a.quiet && !warned[leak] {
			warned[leak] = true
			fmt.Fprintf(s.a.stderr, "split %s %s\n", study.Config.Split.Name, leak)
		}
	}
	return grid, nil
}

// carryOut runs studies and writes their results.
func (s *studyCommand) carryOut(ctx context.Context, grid experiment.Grid, o experiment.RunOptions) (*report.Study, error) {
	o.Dir, o.Jobs, o.Version, o.Commit = s.out, s.jobs, version(), commit()
	b, err := newBoard(s.board)
	if err != nil {
		return nil, err
	}
	p := s.a.progress()
	if s.verbose {
		o.Jobs, o.Watch = 1, verboseObserver(s.a.stderr)
	} else {
		o.Watch = p.observer(grid, o)
	}
	o.Watch = b.observe(o.Watch, grid)
	results, err := grid.Run(ctx, o)
	p.close()
	err = errors.Join(err, b.close())
	if results != nil {
		err = errors.Join(err, report.Write(s.out, results))
	}
	return results, err
}

// run carries a study out and shows what came of it.
func (s *studyCommand) run(ctx context.Context, configs []experiment.Config, o experiment.RunOptions) error {
	grid, err := s.open(ctx, configs)
	if err != nil {
		return err
	}
	defer grid.Close()
	results, err := s.carryOut(ctx, grid, o)
	if err != nil {
		return err
	}
	return s.show(results)
}

func (s *studyCommand) show(results *report.Study) error {
	if s.a.json {
		return json.NewEncoder(s.a.stdout).Encode(results)
	}
	if err := report.Text(s.a.stdout, results); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.a.stdout, "\nThis text is in %s, all numbers in %s, the networks in %s.\n",
		filepath.Join(s.out, report.TextFile), filepath.Join(s.out, report.JSONFile), filepath.Join(s.out, "checkpoints"))
	return err
}

func (a *app) runCommand() *cobra.Command {
	s := &studyCommand{a: a}
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

func (a *app) trainCommand() *cobra.Command {
	s := &studyCommand{a: a}
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
