package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"eegprune/experiment"
	"eegprune/models"
	"eegprune/prune"
	"eegprune/result"
	"eegprune/torch"
)

// The commands that take one checkpoint and make another, or a number, of it.

// outcome is what these commands say, as JSON or as a line.
type outcome struct {
	Checkpoint string         `json:"checkpoint"`
	Cell       result.Cell    `json:"cell"`
	Before     *result.Size   `json:"before,omitempty"`
	Size       *result.Size   `json:"size,omitempty"`
	Widths     []result.Width `json:"widths,omitempty"`
	Notes      []string       `json:"notes,omitempty"`
	Test       *result.Score  `json:"test,omitempty"`
}

func (a *app) say(o outcome, text string) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(o)
	}
	_, err := fmt.Fprintln(a.stdout, text)
	return err
}

// load reads a network, of another program too, and what it says of its training: for
// one of another program what is assumed of it, which is also told.
func (a *app) load(path string, f foreignFlags, device torch.Device) (*models.Network, experiment.Provenance, error) {
	return a.loadFor(path, models.OpenOptions{Model: f.model, Weights: f.weights, Device: device}, f.strict)
}

// loadFor is load for clips of which something is known.
func (a *app) loadFor(path string, o models.OpenOptions, strict bool) (*models.Network, experiment.Provenance, error) {
	n, m, err := models.Open(path, o)
	if err != nil {
		return nil, experiment.Provenance{}, err
	}
	if m.Provenance == nil {
		if !a.quiet && len(m.Assumed) > 0 {
			fmt.Fprintf(a.stderr, "%s was written by another program and is taken for %s\n", path, strings.Join(m.Assumed, ", "))
		}
		if !a.quiet {
			if err := writeNotes(a.stderr, m.Notes); err != nil {
				n.Free()
				return nil, experiment.Provenance{}, err
			}
		}
		if err := m.Notes.Strict(); strict && err != nil {
			n.Free()
			return nil, experiment.Provenance{}, err
		}
		return n, experiment.Foreign(n.Arch.Model), nil
	}
	p, err := experiment.ReadProvenance(path, m)
	if err != nil {
		n.Free()
		return nil, p, err
	}
	return n, p, nil
}

func outFlag(c *cobra.Command, out *string) {
	c.Flags().StringVar(out, "out", "", "file of the new checkpoint")
	_ = c.MarkFlagRequired("out")
}

func (a *app) pruneCommand() *cobra.Command {
	var p pruneFlags
	var d dataFlags
	var dev deviceFlags
	var foreign foreignFlags
	var out string
	c := &cobra.Command{
		Use:   "prune CHECKPOINT",
		Short: "Remove filters from a trained network, or mask its weights",
		Long: `prune makes a smaller network of a trained one. The checkpoint may be a
safetensors or PyTorch file of another program, with the tensors of one of the networks
under their PyTorch names: its sizes are read from their shapes. Of the recordings only a method that looks
at gradients (taylor) needs any.`,
		Example: `  eegprune prune study/checkpoints/fbccnn-fold01-unpruned.safetensors --method lfp --ratio 0.4 --out pruned.safetensors`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			pruning, options, err := p.one()
			if err != nil {
				return err
			}
			s, err := a.openToPrune(cmd.Context(), args[0], foreign, pruning, &d, &dev)
			if err != nil {
				return err
			}
			defer s.close()
			n, origin := s.network, s.origin
			made, err := s.prune(pruning, options)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			small := made.Network
			defer small.Free()
			origin.Key, origin.Version, origin.Test = "", version(), result.Score{}
			origin.Config.Prune, origin.Config.Options = []experiment.Pruning{pruning}, options
			origin.Cell.Stage, origin.Cell.Method, origin.Cell.Ratio = result.Pruned, pruning.Method, pruning.Ratio
			if err := small.Save(out, origin); err != nil {
				return err
			}
			return a.sayPruned(args[0], out, origin.Cell, n, small, made.Notes)
		},
	}
	p.register(c.Flags(), 0.4)
	d.register(c.Flags())
	dev.register(c.Flags())
	foreign.register(c.Flags())
	outFlag(c, &out)
	return c
}

// openToPrune opens a network, and its recordings where the method looks at them.
func (a *app) openToPrune(ctx context.Context, path string, f foreignFlags, p experiment.Pruning, d *dataFlags, dev *deviceFlags) (*session, error) {
	m, err := prune.ByName(p.Method)
	if err != nil {
		return nil, usageError{err}
	}
	if m.Needs != prune.Weights {
		s, err := a.open(ctx, path, d, dev, func(*experiment.Config) error { return nil })
		if err != nil {
			return nil, err
		}
		if err := s.divide(path); err != nil {
			s.close()
			return nil, err
		}
		return s, nil
	}
	device, err := dev.open()
	if err != nil {
		return nil, err
	}
	n, origin, err := a.load(path, f, device)
	return &session{network: n, origin: origin}, err
}

func (s *session) prune(p experiment.Pruning, o prune.Options) (experiment.Made, error) {
	if s.study == nil {
		return experiment.Prune(s.network, p, o, prune.Evidence{Seed: s.origin.Config.Seed})
	}
	s.study.Config.Options = o
	return s.study.Prune(s.network, p, s.study.At(s.origin.Cell))
}

// sayPruned tells what pruning made of the file at from.
func (a *app) sayPruned(from, out string, cell result.Cell, n, small *models.Network, notes []string) error {
	before, err := experiment.SizeOf(n.Arch, n.Masks(), from)
	if err != nil {
		return err
	}
	after, err := experiment.SizeOf(small.Arch, small.Masks(), out)
	if err != nil {
		return err
	}
	widths := experiment.Widths(n.Arch, small.Arch)
	narrower := []string{}
	for _, w := range widths {
		narrower = append(narrower, fmt.Sprintf("%s %d -> %d", w.Group, w.Before, w.After))
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s\nparameters %d -> %d (%+.1f %%), MACs %d -> %d (%+.1f %%), file %d -> %d bytes",
		out, cmp.Or(strings.Join(narrower, ", "), "widths as before"),
		before.Parameters, after.Parameters, change(before.Parameters, after.Parameters),
		before.MACs, after.MACs, change(before.MACs, after.MACs), before.FileBytes, after.FileBytes)
	if after.NonzeroParameters > 0 {
		fmt.Fprintf(&text, "\nnonzero parameters %d (%+.1f %%), MACs with nonzero weights %d (%+.1f %%)", after.NonzeroParameters,
			change(before.Parameters, after.NonzeroParameters), after.NonzeroMACs, change(before.MACs, after.NonzeroMACs))
	}
	for _, note := range notes {
		fmt.Fprintf(&text, "\nnote: %s", note)
	}
	return a.say(outcome{Checkpoint: out, Cell: cell, Before: &before, Size: &after, Widths: widths, Notes: notes}, text.String())
}

func change(from, to int64) float64 { return 100 * (float64(to)/float64(from) - 1) }

// A session is a checkpoint with the data that it comes from, or that flags name.
type session struct {
	network *models.Network
	origin  experiment.Provenance
	study   *experiment.Study // not divided yet; nil where no data is needed
}

func (s *session) close() {
	s.network.Free()
	if s.study != nil {
		s.study.Close()
	}
}

// divide divides the data into the folds of which the checkpoint's network comes from one.
func (s *session) divide(path string) error {
	if err := s.study.Divide(); err != nil {
		return err
	}
	switch fold := s.study.At(s.origin.Cell); {
	case fold == 0:
		return fmt.Errorf("%s does not say which fold it was trained on, so that its training clips are not known", path)
	case fold > len(s.study.Folds):
		return fmt.Errorf("%s was trained on fold %d, and the recordings in %s give %d folds: name the right ones with --data", path, fold, s.study.Config.Data.Dir, len(s.study.Folds))
	}
	return s.study.Fits(s.network)
}

// open opens a checkpoint and its data. change says what flags change of its settings.
func (a *app) open(ctx context.Context, path string, d *dataFlags, dev *deviceFlags, change func(*experiment.Config) error) (*session, error) {
	device, err := dev.open()
	if err != nil {
		return nil, err
	}
	n, p, err := a.load(path, foreignFlags{}, device)
	if err != nil {
		return nil, err
	}
	study, err := a.studyOf(ctx, path, p, d, device, change)
	if err != nil {
		n.Free()
		return nil, err
	}
	return &session{network: n, origin: p, study: study}, nil
}

func (a *app) studyOf(ctx context.Context, path string, p experiment.Provenance, d *dataFlags, device torch.Device, change func(*experiment.Config) error) (*experiment.Study, error) {
	if err := errors.Join(d.apply(&p.Config), change(&p.Config)); err != nil {
		return nil, err
	}
	if err := p.Config.Check(); err != nil {
		return nil, usageError{err}
	}
	cache, err := d.cacheDir()
	if err != nil {
		return nil, err
	}
	progress := a.progress()
	defer progress.close()
	s, err := experiment.OpenUndivided(ctx, p.Config, experiment.OpenOptions{Devices: []torch.Device{device}, Cache: cache, Progress: progress.reading})
	if err != nil {
		return nil, err
	}
	if !s.SameData(p) && !d.changed() {
		s.Close()
		return nil, fmt.Errorf("the recordings in %s are no longer those that %s was trained on: name the right ones with --data", p.Config.Data.Dir, path)
	}
	return s, nil
}

func (a *app) recoverCommand() *cobra.Command {
	var d dataFlags
	var t trainFlags
	var dev deviceFlags
	var how, out, teacher string
	var fold int
	var distill, temperature float64
	c := &cobra.Command{
		Use:   "recover CHECKPOINT",
		Short: "Recover the accuracy of a pruned network",
		Long: `recover trains a pruned network on the fold that it comes from: by fine-tuning its
weights, or from scratch with fresh ones. Data, split and settings are those of the
checkpoint, unless flags say otherwise.`,
		Example: `  eegprune recover pruned.safetensors --how fine-tune --epochs 2 --out recovered.safetensors`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			stage, err := experiment.ParseRecovery(how)
			if err != nil {
				return usageError{fmt.Errorf("--how: %w", err)}
			}
			if distill != 0 && (teacher == "" || stage != result.FineTuned) {
				return usageError{fmt.Errorf("--distill: it goes with --how fine-tune and the unpruned network, which --teacher names")}
			}
			opened, err := a.open(cmd.Context(), args[0], &d, &dev, func(c *experiment.Config) error {
				if cmd.Flags().Changed("distill") {
					c.Distill = experiment.Distill{Weight: distill, Temperature: temperature}
				} else {
					c.Distill = experiment.Distill{}
				}
				return errors.Join(t.apply(&c.Train), t.apply(&c.FineTune))
			})
			if err != nil {
				return err
			}
			defer opened.close()
			n, s, cell := opened.network, opened.study, opened.origin.Cell
			if cmd.Flags().Changed("fold") {
				cell.Fold, cell.Inner = fold, min(1, s.Config.Split.Inner)
			} else if cell.Fold == 0 {
				return usageError{fmt.Errorf("%s does not say which fold it was trained on: say on which to train with --fold", args[0])}
			}
			if err := s.Divide(); err != nil {
				return err
			}
			before, err := s.Evaluate(cmd.Context(), n, s.At(cell))
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			var master *models.Network
			if teacher != "" {
				if master, _, err = a.load(teacher, foreignFlags{}, n.Device()); err != nil {
					return err
				}
				defer master.Free()
				if err := s.Fits(master); err != nil {
					return fmt.Errorf("--teacher %s: %w", teacher, err)
				}
			}
			cell.Stage = stage
			progress := a.progress()
			watch := progress.one(cell, s.Config)
			made, err := s.Recover(cmd.Context(), n, master, stage, s.At(cell), experiment.Oversight{Watch: watch})
			progress.close()
			if err != nil {
				return err
			}
			defer made.Network.Free()
			test, err := s.Evaluate(cmd.Context(), made.Network, s.At(cell))
			if err != nil {
				return err
			}
			if err := made.Network.Save(out, s.Provenance(cell, version(), test)); err != nil {
				return err
			}
			return a.say(outcome{Checkpoint: out, Cell: cell, Test: &test},
				fmt.Sprintf("%s: test accuracy %.1f %% before, %.1f %% after (majority class %.1f %%)", out, 100*before.Accuracy, 100*test.Accuracy, 100*test.Majority))
		},
	}
	d.register(c.Flags())
	t.register(c.Flags())
	dev.register(c.Flags())
	c.Flags().StringVar(&how, "how", "fine-tune", "way to recover: "+strings.Join(experiment.RecoveryNames(), ", "))
	c.Flags().IntVar(&fold, "fold", 0, "fold to train and test on, counted from 1 (default: the checkpoint's own)")
	c.Flags().StringVar(&teacher, "teacher", "", "unpruned network that --distill learns from")
	distillFlags(c.Flags(), &distill, &temperature)
	outFlag(c, &out)
	return c
}

func (a *app) evaluateCommand() *cobra.Command {
	var d dataFlags
	var dev deviceFlags
	var all bool
	c := &cobra.Command{
		Use:   "evaluate CHECKPOINT",
		Short: "Test a network",
		Long: `evaluate tests a network on the test clips of the fold that it comes from, or with
--all on every clip: for recordings that it was not trained on.`,
		Example: `  eegprune evaluate recovered.safetensors`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opened, err := a.open(cmd.Context(), args[0], &d, &dev, func(*experiment.Config) error { return nil })
			if err != nil {
				return err
			}
			defer opened.close()
			s, p := opened.study, opened.origin
			fold, on := 0, "all clips"
			switch own := s.SameData(p); {
			case all && own:
				on += ", most of which it was trained on"
			case !all && !own:
				return usageError{fmt.Errorf("%s was not trained on the recordings in %s, so they have no test part of its own: add --all to test on all of them", filepath.Base(args[0]), s.Config.Data.Dir)}
			case !all:
				if err := s.Divide(); err != nil {
					return err
				}
				fold, on = s.At(p.Cell), fmt.Sprintf("the test clips of fold %d", p.Cell.Fold)
			}
			test, err := s.Evaluate(cmd.Context(), opened.network, fold)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return a.say(outcome{Checkpoint: args[0], Cell: p.Cell, Test: &test},
				fmt.Sprintf("Test Error: Accuracy: %.1f%%, Avg loss: %f\non %s: %d; balanced accuracy %.1f %%, macro-F1 %.1f %%, majority class %.1f %%",
					100*test.Accuracy, test.Loss, on, test.Clips, 100*test.Balanced, 100*test.MacroF1, 100*test.Majority))
		},
	}
	d.register(c.Flags())
	dev.register(c.Flags())
	c.Flags().BoolVar(&all, "all", false, "test on every clip instead of the fold's test part")
	return c
}
