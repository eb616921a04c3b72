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
	"github.com/spf13/pflag"

	"eegprune/internal/atomicfile"
	"eegprune/report"
)

// testFlags say how networks are compared over folds.
type testFlags struct {
	name  string
	level float64
}

func (t *testFlags) register(f *pflag.FlagSet) {
	f.StringVar(&t.name, "test", report.Wilcoxon, "paired test over folds: "+strings.Join(report.Tests(), ", "))
	f.Float64Var(&t.level, "level", 0.05, "significance level")
}

// test returns the test for a study's folds.
func (t *testFlags) test(s *report.Study) (report.PairedTest, error) {
	test := report.PairedTest{Name: t.name, TestShare: report.TestShare(s)}
	if err := test.Check(); err != nil {
		return test, usageError{fmt.Errorf("--test: %w", err)}
	}
	if !(t.level > 0 && t.level < 1) {
		return test, usageError{fmt.Errorf("--level %g must lie between 0 and 1", t.level)}
	}
	return test, nil
}

// noStudy says of a directory without results how it gets some.
func noStudy(dir string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s has no %s: name the directory that \"eegprune run --out\" wrote its results to", dir, report.JSONFile)
	}
	return err
}

func (a *app) compareCommand() *cobra.Command {
	var tests testFlags
	var format, out string
	c := &cobra.Command{
		Use:   "compare DIR",
		Short: "Compare networks, methods, ratios and recoveries of a study in one table",
		Long: `compare prints the accuracy of every network, pruning method and ratio before and after
each recovery: mean and standard deviation over folds, the best recovery marked, and
marked as well what is significantly worse than the unpruned network by a test that is
paired over folds. csv and json have all numbers, with p values.`,
		Example: `  eegprune compare study
  eegprune compare study --test corrected-t --format latex --out table.tex`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			// With --out standard output holds only where the table is.
			if a.json && (out == "" || !cmd.Flags().Changed("format")) {
				format = report.FormatJSON
			}
			if err := report.CheckFormat(format); err != nil {
				return usageError{fmt.Errorf("--format: %w", err)}
			}
			s, err := report.Read(args[0])
			if err != nil {
				return noStudy(args[0], err)
			}
			test, err := tests.test(s)
			if err != nil {
				return err
			}
			if out == "" {
				return report.Compare(a.stdout, s, test, tests.level, format)
			}
			var b bytes.Buffer
			if err := report.Compare(&b, s, test, tests.level, format); err != nil {
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
	c.Flags().StringVar(&out, "out", "", "file to write it to (default: standard output)")
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
