package main

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/report"
)

// pageFile is the name of a report in the directory of its study.
const pageFile = "report.html"

func (a *app) reportCommand() *cobra.Command {
	var tests testFlags
	var out string
	c := &cobra.Command{
		Use:   "report DIR",
		Short: "Write a page and plots of a study",
		Long: `report writes one HTML page with the tables and plots of a study, its settings, versions and
split. It adds the sensitivity and savings that lie in the same directory. The page needs no
network and no other file. The plots are written beside it, in plots/, as SVG, PNG and PDF.`,
		Example: `  eegprune report study`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if out == "" {
				out = filepath.Join(args[0], pageFile)
			}
			plots, err := writePage(args[0], out, &tests)
			if err != nil {
				return err
			}
			return a.wrote(out, plots)
		},
	}
	tests.register(c.Flags())
	c.Flags().StringVar(&out, "out", "", "file of the page (default: report.html in DIR)")
	group(c.Flags(), ofOutput)
	takes(c.Flags(), "file", "out")
	return c
}

// writePage writes the page of a directory of results, and the plots beside it.
func writePage(dir, out string, tests *testFlags) (plots []string, err error) {
	d, err := report.ReadDocument(dir)
	if err != nil {
		return nil, noStudy(dir, err)
	}
	if err := tests.check(); err != nil {
		return nil, err
	}
	d.Judgement = tests.Judgement
	return d.WriteFiles(out)
}
