package main

import (
	"context"
	"encoding/json"
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
}

func (s *studyCommand) register(c *cobra.Command) {
	f := c.Flags()
	s.data.register(f)
	s.study.register(f)
	s.train.register(f)
	s.device.register(f)
	jobsFlag(f, &s.jobs)
	f.StringVar(&s.out, "out", "", "directory of the results; what is done there already is not done again")
	f.BoolVarP(&s.verbose, "verbose", "v", false, "print the running loss and each epoch's validation, one training after another")
	_ = c.MarkFlagRequired("out")
	_ = c.MarkFlagRequired("data")
}

// config puts the flags together.
func (s *studyCommand) config(p experiment.Pruning) (experiment.Config, error) {
	c := experiment.Config{Prune: p}
	s.study.apply(&c)
	if err := s.data.apply(&c); err != nil {
		return c, err
	}
	c.Train = train.Paper(c.Model)
	if err := s.train.apply(&c.Train); err != nil {
		return c, err
	}
	c.FineTune = c.Train
	return c, nil
}

// run carries the study out and shows what came of it.
func (s *studyCommand) run(ctx context.Context, c experiment.Config, o experiment.RunOptions) error {
	if err := c.Check(); err != nil {
		return usageError{err}
	}
	device, err := s.device.open()
	if err != nil {
		return err
	}
	// Before hours of work, not after.
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return fmt.Errorf("making the results directory: %w", err)
	}
	cache, err := s.data.cacheDir()
	if err != nil {
		return err
	}
	p := s.a.progress()
	study, err := experiment.Open(ctx, c, experiment.OpenOptions{Device: device, Cache: cache, Progress: p.reading})
	p.close()
	if err != nil {
		return err
	}
	defer study.Close()
	if leak := study.Leak(); leak != "" && !s.a.quiet {
		fmt.Fprintf(s.a.stderr, "split %s %s\n", study.Config.Split.Name, leak)
	}
	o.Dir, o.Jobs, o.Version = s.out, s.jobs, version()
	if s.verbose {
		o.Jobs, o.Watch = 1, verboseObserver(s.a.stderr)
	} else {
		p = s.a.progress()
		o.Watch = p.observer(study, o)
	}
	results, err := study.Run(ctx, o)
	p.close()
	if results != nil {
		if werr := report.Write(s.out, results); werr != nil && err == nil {
			err = werr
		}
	}
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
	var recoveries []string
	var fineTuneEpochs int
	var fineTuneLR float64
	c := &cobra.Command{
		Use:   "run",
		Short: "Train over folds, prune, recover and compare: the whole main job",
		Long: `run trains the network on every fold, prunes it, recovers it by fine-tuning and from
scratch, tests each on clips it never saw, and prints what was kept and what was saved.

It can be interrupted at any time: the same command goes on where it was.`,
		Example: `  eegprune run --data recordings --out study --folds 2 --epochs 2 --method lfp --ratio 0.4`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			pruning, err := p.pruning()
			if err != nil {
				return err
			}
			config, err := s.config(pruning)
			if err != nil {
				return err
			}
			if config.Recover, err = parseRecoveries(recoveries); err != nil {
				return err
			}
			config.FineTune = defaultFineTune(config.Train, fineTuneEpochs, fineTuneLR)
			return s.run(cmd.Context(), config, experiment.RunOptions{Stages: allStages(config.Recover)})
		},
	}
	s.register(c)
	p.register(c.Flags())
	c.Flags().StringSliceVar(&recoveries, "recover", []string{experiment.FineTune, experiment.Scratch}, "ways to recover: fine-tune, scratch")
	c.Flags().IntVar(&fineTuneEpochs, "fine-tune-epochs", 0, "epochs of fine-tuning (default: as many as of training)")
	c.Flags().Float64Var(&fineTuneLR, "fine-tune-lr", 0, "learning rate of fine-tuning (default: that of training)")
	return c
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
			config, err := s.config(experiment.Pruning{Method: "lfp"})
			if err != nil {
				return err
			}
			return s.run(cmd.Context(), config, experiment.RunOptions{Stages: []string{report.Unpruned}, Folds: folds})
		},
	}
	s.register(c)
	c.Flags().IntSliceVar(&folds, "fold", nil, "train only these folds, counted from 1 (default: all)")
	return c
}
