package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/report"
	"github.com/eegprune/eegprune/result"
)

func (a *app) sweepCommand() *cobra.Command {
	s := a.studyOfFlags()
	var p pruneFlags
	var r recoverFlags
	c := &cobra.Command{
		Use:   "sweep",
		Short: "Prune at ratios from 0 to 95 % and draw the accuracy",
		Long: `sweep does what run does at many ratios. It shows the accuracy of the unpruned network and, at
each ratio, of the pruned, fine-tuned and freshly trained ones, with their spread over the
folds, as a table and as curves.`,
		Example: `  eegprune sweep --data recordings --out sweep --folds 2 --epochs 2 --ratio 0.3,0.6,0.9`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			grid, err := s.openPruning(cmd.Context(), &p, &r)
			if err != nil {
				return err
			}
			defer grid.Close()
			results, err := s.carryOut(cmd.Context(), grid, experiment.RunOptions{})
			if err != nil {
				return err
			}
			if err := report.WritePlots(s.out); err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(results)
			}
			if err := report.Sweep(a.stdout, results, report.FormatText); err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.stdout, "\nThe curves are in %s, all numbers in %s.\n", filepath.Join(s.out, "plots"), filepath.Join(s.out, result.File))
			return err
		},
	}
	s.register(c)
	p.register(c.Flags(), 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
	r.register(c, "fine-tune", "scratch")
	return c
}
