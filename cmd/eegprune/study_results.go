package main

import (
	"encoding/json"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/report"
)

func (a *app) studyResultsCommand() *cobra.Command {
	var tests testFlags
	c := &cobra.Command{
		Use:   "results DIR",
		Short: "Write and print the results of a study",
		Long: `results writes result.txt, result.csv, result.json and the page report.html from the cells that
a directory holds: of one run, of the shares of a cluster, or of merged copies.`,
		Example: `  eegprune study results study`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := experiment.Collect(args[0])
			if err != nil {
				return err
			}
			if err := report.Write(args[0], s); err != nil {
				return err
			}
			if _, err := writePage(args[0], filepath.Join(args[0], pageFile), &tests); err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(s)
			}
			return report.Text(a.stdout, s)
		},
	}
	tests.register(c.Flags())
	return c
}
