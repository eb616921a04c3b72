package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
)

func (a *app) evaluateCommand() *cobra.Command {
	var d dataFlags
	var dev deviceFlags
	var all bool
	c := &cobra.Command{
		Use:   "evaluate CHECKPOINT",
		Short: "Test a network",
		Long: `evaluate tests a network on the test clips of the fold that it comes from. With --all it tests
on every clip, for recordings that the network was not trained on.`,
		Example: `  eegprune evaluate recovered.safetensors`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, s, err := a.openWithStudy(cmd.Context(), args[0], &d, &dev, unchanged)
			if err != nil {
				return err
			}
			defer n.Close()
			defer s.Close()
			fold, on := 0, "all clips"
			switch own := s.SameData(n.Provenance); {
			case all && own:
				on += ", most of which it was trained on"
			case !all && !own:
				return usageError{fmt.Errorf("%s was not trained on the recordings in %s, so they have no test part of its own: add --all to test on all of them", filepath.Base(args[0]), s.Config.Data.Dir)}
			case !all:
				if fold, err = n.Divide(s); err != nil {
					return err
				}
				on = fmt.Sprintf("the test clips of fold %d", n.Cell.Fold)
			}
			test, err := s.Evaluate(cmd.Context(), n.Network, fold)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return a.say(outcome{Checkpoint: args[0], Cell: n.Cell, Test: &test, Origin: n.Notes},
				fmt.Sprintf("Test Error: Accuracy: %.1f%%, Avg loss: %f\non %s: %d; balanced accuracy %.1f %%, macro-F1 %.1f %%, majority class %.1f %%",
					100*test.Accuracy, test.Loss, on, test.Clips, 100*test.Balanced, 100*test.MacroF1, 100*test.Majority))
		},
	}
	d.register(c.Flags())
	dev.register(c.Flags())
	c.Flags().BoolVar(&all, "all", false, "test on every clip instead of the fold's test part")
	group(c.Flags(), ofData)
	return c
}
