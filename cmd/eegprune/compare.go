package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/internal/atomicfile"
	"github.com/eegprune/eegprune/report"
	"github.com/eegprune/eegprune/result"
)

// noStudy explains the error of a directory without results.
func noStudy(dir string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s has no %s: name the directory that \"eegprune run --out\" wrote its results to", dir, result.File)
	}
	return err
}

func (a *app) compareCommand() *cobra.Command {
	var tests testFlags
	var format, out string
	c := &cobra.Command{
		Use:   "compare DIR",
		Short: "Compare networks, methods, ratios and recoveries of a study in one table",
		Long: `compare prints a table of all networks of a study: accuracy, cost, and loss against a
reference with its interval and p. The reference is the unpruned network; for a fine-tuned
network it is the unpruned one that was trained on for as long. The test is paired over folds
and corrected for the number of pruned networks. The best recovery of each cost and what is
significantly worse are marked. Two summaries follow: training from scratch against
fine-tuning over all networks, and the largest saving that is shown to lose less than
--margin. All formats hold the same numbers; csv and json hold more of them.`,
		Example: `  eegprune compare study
  eegprune compare study --margin 0.01 --format latex --out table.tex`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			// With --out standard output holds only where the table is.
			if a.json && (out == "" || !cmd.Flags().Changed("format")) {
				format = report.FormatJSON
			}
			if err := report.CheckFormat(format); err != nil {
				return usageError{fmt.Errorf("--format: %w", err)}
			}
			s, err := result.Read(args[0])
			if err != nil {
				return noStudy(args[0], err)
			}
			if err := tests.check(); err != nil {
				return err
			}
			if out == "" {
				return report.Compare(a.stdout, s, tests.Judgement, format)
			}
			var b bytes.Buffer
			if err := report.Compare(&b, s, tests.Judgement, format); err != nil {
				return err
			}
			if err := atomicfile.WriteFile(out, b.Bytes()); err != nil {
				return err
			}
			return a.wrote(out, nil)
		},
	}
	tests.register(c.Flags())
	c.Flags().StringVar(&format, "format", report.FormatText, "format of the table: "+strings.Join(report.Formats(), ", "))
	c.Flags().StringVar(&out, "out", "", "file for the table (default: standard output)")
	group(c.Flags(), ofOutput)
	takes(c.Flags(), "file", "out")
	return c
}

// wrote says which file was written and, if there are any, which plots.
func (a *app) wrote(file string, plots []string) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(struct {
			File  string   `json:"file"`
			Plots []string `json:"plots,omitempty"`
		}{file, plots})
	}
	text := "wrote " + file
	if len(plots) > 0 {
		text += fmt.Sprintf(" and %d plots in %s", len(plots), filepath.Dir(plots[0]))
	}
	_, err := fmt.Fprintln(a.stdout, text)
	return err
}
