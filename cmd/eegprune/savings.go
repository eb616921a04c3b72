package main

import (
	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/experiment/watch"
	"github.com/eegprune/eegprune/report"
	"github.com/eegprune/eegprune/result"
)

func (a *app) savingsCommand() *cobra.Command {
	s := a.studyOfFlags()
	var p pruneFlags
	var r recoverFlags
	var o experiment.SavingsOptions
	var tests testFlags
	c := &cobra.Command{
		Use:   "savings",
		Short: "Find the largest ratio without loss of accuracy",
		Long: `savings finds the largest ratio without loss of accuracy, for each network, method and recovery.
Without loss means non-inferior: the validation clips show that less than --margin is lost. The
ratio is found by bisection, which trains few networks. The network of that ratio is tested once
on the test clips. A fine-tuned network is compared with the unpruned one that was trained on
for as long.`,
		Example: `  eegprune savings --data recordings --out savings --folds 4 --epochs 2 --margin 0.05 --step 0.3 --recover fine-tune`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Judgement = tests.Judgement
			if err := o.Check(); err != nil {
				return usageError{err}
			}
			grid, err := s.openPruning(cmd.Context(), &p, &r)
			if err != nil {
				return err
			}
			defer grid.Close()
			var savings *report.Savings
			_, err = s.watched(grid, experiment.RunOptions{}, (*watch.Progress).Lines, func(run experiment.RunOptions) (results *result.Study, err error) {
				savings, results, err = grid.Savings(cmd.Context(), run, o)
				return results, err
			})
			if err != nil {
				return err
			}
			if err := report.WriteSavings(s.out, savings); err != nil {
				return err
			}
			if err := report.WritePlots(s.out); err != nil {
				return err
			}
			return savings.Write(a.stdout, a.format())
		},
	}
	s.register(c)
	p.register(c.Flags(), 0) // of which only the methods count
	_ = c.Flags().MarkHidden("ratio")
	r.register(c, "fine-tune", "scratch")
	tests.register(c.Flags())
	c.Flags().Float64Var(&o.Most, "most", 0.95, "largest ratio to try")
	c.Flags().Float64Var(&o.Step, "step", 0.05, "ratios are multiples of this")
	group(c.Flags(), ofPruning)
	return c
}

// format is that of reports on standard output.
func (a *app) format() string {
	if a.json {
		return report.FormatJSON
	}
	return report.FormatText
}
