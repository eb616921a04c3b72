package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/result"
)

func (a *app) recoverCommand() *cobra.Command {
	var d dataFlags
	var t trainFlags
	var dev deviceFlags
	var how, out, teacher string
	var fold int
	var distill experiment.Distill
	c := &cobra.Command{
		Use:   "recover CHECKPOINT",
		Short: "Recover the accuracy of a pruned network",
		Long: `recover trains a pruned network on the fold that it comes from, by fine-tuning its weights or
from scratch with fresh ones. Data, split and settings are the checkpoint's; flags change them.`,
		Example: `  eegprune recover pruned.safetensors --how fine-tune --epochs 2 --out recovered.safetensors`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			stage, err := experiment.ParseRecovery(how)
			if err != nil {
				return usageError{fmt.Errorf("--how: %w", err)}
			}
			if distill.Weight != 0 && (teacher == "" || stage != result.FineTuned) {
				return usageError{fmt.Errorf("--distill: it goes with --how fine-tune and the unpruned network, which --teacher names")}
			}
			pruned, s, err := a.openWithStudy(cmd.Context(), args[0], &d, &dev, func(c *experiment.Config) error {
				c.Distill = experiment.Distill{}
				if distill.Weight != 0 {
					c.Distill = distill
				}
				return errors.Join(t.apply(&c.Train), t.apply(&c.FineTune))
			})
			if err != nil {
				return err
			}
			defer pruned.Close()
			defer s.Close()
			cell := pruned.Cell
			if cmd.Flags().Changed("fold") {
				cell.Fold, cell.Inner = fold, min(1, s.Config.Split.Inner)
			} else if cell.Fold == 0 {
				return usageError{fmt.Errorf("%s does not say which fold it was trained on: say on which to train with --fold", args[0])}
			}
			if err := s.Divide(); err != nil {
				return err
			}
			before, err := s.Evaluate(cmd.Context(), pruned.Network, s.At(cell))
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			var master *models.Network
			if teacher != "" {
				from, err := a.openCheckpoint(teacher, models.OpenOptions{Device: pruned.Network.Device()}, false)
				if err != nil {
					return err
				}
				defer from.Close()
				if master = from.Network; s.Fits(master) != nil {
					return fmt.Errorf("--teacher %s: %w", teacher, s.Fits(master))
				}
			}
			cell.Stage = stage
			epochs, err := s.RecoveryEpochs(pruned.Network, stage)
			if err != nil {
				return err
			}
			progress := a.progress()
			made, err := s.Recover(cmd.Context(), pruned.Network, master, stage, s.At(cell), experiment.Oversight{Watch: progress.Training(cell, epochs)})
			progress.Close()
			if err != nil {
				return err
			}
			defer made.Network.Free()
			test, err := s.Evaluate(cmd.Context(), made.Network, s.At(cell))
			if err != nil {
				return err
			}
			provenance := s.Provenance(cell, version(), test)
			provenance.Notes = pruned.Notes
			if err := made.Network.SaveAs(out, provenance); err != nil {
				return err
			}
			return a.say(outcome{Checkpoint: out, Cell: cell, Test: &test, Origin: pruned.Notes},
				fmt.Sprintf("%s: test accuracy %.1f %% before, %.1f %% after (majority class %.1f %%)", out, 100*before.Accuracy, 100*test.Accuracy, 100*test.Majority))
		},
	}
	d.register(c.Flags())
	t.register(c.Flags())
	dev.register(c.Flags())
	c.Flags().StringVar(&how, "how", "fine-tune", "way to recover: "+strings.Join(experiment.RecoveryNames(), ", "))
	c.Flags().IntVar(&fold, "fold", 0, "fold to train and test on, counted from 1 (default: the checkpoint's own)")
	group(c.Flags(), ofTraining)
	c.Flags().StringVar(&teacher, "teacher", "", "checkpoint of the unpruned network that --distill learns from")
	distillFlags(c.Flags(), &distill)
	takes(c.Flags(), "file", "teacher")
	outFlag(c, &out, "file", newCheckpoint)
	return c
}
