package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/olekukonko/tablewriter/tw"
	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/report"
)

func (a *app) studyPlanCommand() *cobra.Command {
	var f studyFile
	r := &runner{a: a, cache: f.cache.dir}
	c := &cobra.Command{
		Use:     "plan FILE",
		Short:   "Print the cells of a study, and how long they would take here",
		Example: `  eegprune study plan study.yaml --data recordings`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			configs, err := f.configs(args[0])
			if err != nil {
				return err
			}
			return r.plan(cmd, configs, experiment.RunOptions{})
		},
	}
	r.device.register(c.Flags())
	jobsFlag(c.Flags(), &r.jobs)
	c.Flags().StringVar(&r.out, "out", "", "directory of the results; cells that it holds are marked as done")
	group(c.Flags(), ofOutput)
	takes(c.Flags(), "dir", "out")
	f.register(c)
	return c
}

// plan prints the plan of a run. Each network is timed for a second.
func (r *runner) plan(cmd *cobra.Command, configs []experiment.Config, o experiment.RunOptions) error {
	o.Dir, r.out = r.out, "" // nothing is made
	grid, err := r.open(cmd.Context(), configs)
	if err != nil {
		return err
	}
	defer grid.Close()
	plan, err := grid.Plan(o)
	if err != nil {
		return err
	}
	if err := grid.Estimate(cmd.Context(), plan, time.Second); err != nil {
		return err
	}
	if r.a.json {
		return json.NewEncoder(r.a.stdout).Encode(plan)
	}
	return writePlan(r.a.stdout, plan, r.jobs)
}

// writePlan writes the costs of a plan's networks, methods and stages.
func writePlan(w io.Writer, p *experiment.Plan, jobs int) error {
	t := report.NewTable(w, tw.AlignLeft, tw.AlignLeft, tw.AlignLeft)
	t.Header([]string{"network", "method", "stage", "cells", "done", "TMACs", "time, one after another"})
	sums, all := p.Sums()
	all.Model = "all"
	for _, s := range append(sums, all) {
		if err := t.Append([]string{s.Model, s.Method, s.Stage, fmt.Sprint(s.Cells), fmt.Sprint(s.Done), teraMACs(s.MACs), duration(s.Seconds)}); err != nil {
			return err
		}
	}
	if err := t.Render(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "About %s with %d side by side, by the pace of a second of training of each network on this machine.\nOf networks that are not pruned yet the MACs are those of one pruned alike in all layers.\n",
		duration(p.Left(jobs).Seconds()), jobs)
	return err
}

// duration writes seconds as people do: "3 h 20 min".
func duration(seconds float64) string {
	s := int64(seconds + 0.5)
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	case s < 48*3600:
		return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
	}
	return fmt.Sprintf("%d days %d h", s/86400, s%86400/3600)
}

// teraMACs are MACs for a table.
func teraMACs(macs int64) string { return fmt.Sprintf("%.1f", float64(macs)/1e12) }
