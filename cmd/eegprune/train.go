package main

import (
	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/experiment"
)

func (a *app) trainCommand() *cobra.Command {
	s := a.studyOfFlags()
	var folds []int
	c := &cobra.Command{
		Use:   "train",
		Short: "Train the unpruned network over folds",
		Long: `train trains the unpruned network on the folds and writes one checkpoint for each into the
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
	group(c.Flags(), ofTraining)
	return c
}
