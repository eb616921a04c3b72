package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/olekukonko/tablewriter/tw"
	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/report"
)

func (a *app) studyShardCommand() *cobra.Command {
	var f studyFile
	var shares int
	r := &runner{a: a, cache: f.cache.dir}
	c := &cobra.Command{
		Use:   "shard FILE",
		Short: "Show how a study is cut into shares",
		Long: `shard shows the shares into which a study is cut. Each can be carried out apart, by "study run
--share 1/N" to "N/N": in a directory that all see, or each in its own, joined by "study merge".
The cells of one network on one fold start from each other and stay together.`,
		Example: `  eegprune study shard study.yaml --data recordings --of 2`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if shares < 1 {
				return usageError{fmt.Errorf("--of: %d shares; there must be at least 1", shares)}
			}
			configs, err := f.configs(args[0])
			if err != nil {
				return err
			}
			grid, err := r.open(cmd.Context(), configs)
			if err != nil {
				return err
			}
			defer grid.Close()
			plan, err := grid.Plan(experiment.RunOptions{})
			if err != nil {
				return err
			}
			loads := plan.Cut(shares)
			if a.json {
				return json.NewEncoder(a.stdout).Encode(plan)
			}
			t := report.NewTable(a.stdout, tw.AlignLeft, tw.AlignRight, tw.AlignRight, tw.AlignLeft)
			t.Header([]string{"share", "cells", "TMACs", "of"})
			for _, s := range loads {
				if err := t.Append([]string{s.Share.String(), fmt.Sprint(s.Cells), teraMACs(s.MACs), strings.Join(s.Folds, ", ")}); err != nil {
					return err
				}
			}
			return t.Render()
		},
	}
	r.device.register(c.Flags())
	f.register(c)
	c.Flags().IntVar(&shares, "of", 2, "number of shares")
	group(c.Flags(), ofComputing)
	return c
}
