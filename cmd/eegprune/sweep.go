package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"eegprune/experiment"
	"eegprune/report"
)

func (a *app) sweepCommand() *cobra.Command {
	s := a.studyOfFlags()
	var p pruneFlags
	var r recoverFlags
	c := &cobra.Command{
		Use:   "sweep",
		Short: "Prune at ratios from 0 to 95 % and draw what is left of the accuracy",
		Long: `sweep is run at many ratios: it shows the accuracy of the unpruned network, and of the
pruned, fine-tuned and freshly trained ones at each ratio, with their spread over the
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
			if _, err := writeFigures(s.out); err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(results)
			}
			if err := report.Sweep(a.stdout, results, report.FormatText); err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.stdout, "\nThe curves are in %s, all numbers in %s.\n", filepath.Join(s.out, "plots"), filepath.Join(s.out, report.JSONFile))
			return err
		},
	}
	s.register(c)
	p.register(c.Flags(), 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
	r.register(c, "fine-tune", "scratch")
	return c
}

// writeFigures draws all that a directory of results holds.
func writeFigures(dir string) (paths []string, err error) {
	d, err := report.ReadDocument(dir)
	if err != nil {
		return nil, err
	}
	figures, err := d.Figures()
	if err != nil {
		return nil, err
	}
	return report.WriteFigures(dir, figures)
}

func (a *app) savingsCommand() *cobra.Command {
	s := a.studyOfFlags()
	var p pruneFlags
	var r recoverFlags
	var o experiment.SavingsOptions
	c := &cobra.Command{
		Use:   "savings",
		Short: "Find how much goes without loss of accuracy",
		Long: `savings finds, for each network, method and way to recover, the largest ratio at which
the accuracy over the folds is not lower than the unpruned network's, as far as a paired
test can tell; by bisection, so that few ratios are trained. A test over few folds sees
large losses only: the table says which. With --margin a loss below it counts as none,
and the burden of proof is the other way round.`,
		Example: `  eegprune savings --data recordings --out savings --folds 4 --epochs 2 --test corrected-t --step 0.3 --recover fine-tune`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.Check(); err != nil {
				return usageError{err}
			}
			grid, err := s.openPruning(cmd.Context(), &p, &r)
			if err != nil {
				return err
			}
			defer grid.Close()
			b, err := newBoard(s.board)
			if err != nil {
				return err
			}
			progress := a.progress()
			run := s.settle(experiment.RunOptions{Watch: b.observe(progress.lines(grid), grid)})
			savings, results, err := grid.Savings(cmd.Context(), run, o)
			progress.close()
			err = errors.Join(err, b.close())
			if results != nil {
				err = errors.Join(err, report.Write(s.out, results))
			}
			if err != nil {
				return err
			}
			if err := report.WriteSavings(s.out, savings); err != nil {
				return err
			}
			if _, err := writeFigures(s.out); err != nil {
				return err
			}
			return savings.Write(a.stdout, a.format())
		},
	}
	s.register(c)
	p.register(c.Flags(), 0) // of which only the methods count
	_ = c.Flags().MarkHidden("ratio")
	r.register(c, "fine-tune", "scratch")
	c.Flags().StringVar(&o.Test, "test", report.Wilcoxon, "paired test over folds: wilcoxon, or corrected-t (Nadeau and Bengio)")
	c.Flags().Float64Var(&o.Level, "level", 0.05, "level of the test")
	c.Flags().Float64Var(&o.Margin, "margin", 0, "loss that counts as none, such as 0.01 for one point of accuracy; then the test must show that no more is lost")
	c.Flags().Float64Var(&o.Most, "most", 0.95, "largest ratio to try")
	c.Flags().Float64Var(&o.Step, "step", 0.05, "ratios are multiples of this")
	return c
}

// format is that of reports on standard output.
func (a *app) format() string {
	if a.json {
		return report.FormatJSON
	}
	return report.FormatText
}
