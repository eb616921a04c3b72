package main

import (
	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/experiment"
)

func (a *app) runCommand() *cobra.Command {
	s := a.studyOfFlags()
	var p pruneFlags
	var r recoverFlags
	c := &cobra.Command{
		Use:   "run",
		Short: "Train over folds, prune, recover and compare",
		Long: `run trains a network on every fold, prunes it, recovers it by fine-tuning and from scratch,
and tests each network on clips it never saw. It prints accuracy, parameters, MACs and time.
Several networks, methods and ratios make a grid, whose cells share what they start from.

A run can be interrupted at any time: the same command goes on where it was.`,
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
