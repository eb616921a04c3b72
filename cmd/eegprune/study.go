package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter/tw"
	"github.com/spf13/cobra"

	"eegprune/data"
	"eegprune/experiment"
	"eegprune/report"
)

func (a *app) studyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "study",
		Short: "Carry out a whole study that a file describes",
		Long: `A study is a file: data, networks, methods, ratios, ways to recover, folds. Its parts
share what they can, run side by side, and go on where they were after any end.`,
	}
	c.AddCommand(a.studyRunCommand(), a.studyPlanCommand(), a.studyShowCommand(), a.studyWatchCommand(), a.studyResultsCommand(),
		a.studyShardCommand(), a.studySubmitCommand(), a.studyMergeCommand())
	return c
}

// studyFile is the file of a study and where its recordings are.
type studyFile struct {
	dir, cache string
}

func (f *studyFile) register(c *cobra.Command) {
	c.Flags().StringVar(&f.dir, "data", "", "directory of recordings, instead of the file's")
	c.Flags().StringVar(&f.cache, "cache", "", "directory that keeps features (default: eegprune in the user's cache directory)")
}

func (f *studyFile) configs(path string) ([]experiment.Config, error) {
	study, err := experiment.ReadFile(path)
	if err != nil {
		return nil, usageError{err}
	}
	if f.dir != "" {
		if study.Data.Dir, err = filepath.Abs(f.dir); err != nil {
			return nil, err
		}
	}
	configs, err := study.Configs()
	if err != nil {
		return nil, usageError{err}
	}
	return configs, nil
}

func (f *studyFile) cacheDir() (string, error) {
	if f.cache != "" {
		return f.cache, nil
	}
	return data.CacheDir()
}

func (a *app) studyRunCommand() *cobra.Command {
	var f studyFile
	var share string
	var dry bool
	r := &runner{a: a, cache: f.cacheDir}
	c := &cobra.Command{
		Use:   "run FILE",
		Short: "Carry out a study",
		Long: `run does what the file asks for, cells side by side, and can be interrupted, or killed,
at any time: the same command goes on where it was and ends with the same numbers. With
--share 2/8 it does the second of eight shares, in a directory that all of them see.`,
		Example: `  eegprune study run study.yaml --data recordings --out study
  eegprune study run study.yaml --data recordings --out study --dry-run`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			configs, err := f.configs(args[0])
			if err != nil {
				return err
			}
			var o experiment.RunOptions
			if share != "" {
				if o.Share, err = experiment.ParseShare(share); err != nil {
					return usageError{fmt.Errorf("--share: %w", err)}
				}
			}
			if dry {
				return r.plan(cmd, configs, o)
			}
			return r.run(cmd.Context(), configs, o)
		},
	}
	r.register(c)
	f.register(c)
	c.Flags().StringVar(&share, "share", "", "do one share of the study, such as 2/8")
	c.Flags().BoolVar(&dry, "dry-run", false, "print what would be done and how long it would take, as study plan does")
	return c
}

func (a *app) studyPlanCommand() *cobra.Command {
	var f studyFile
	r := &runner{a: a, cache: f.cacheDir}
	c := &cobra.Command{
		Use:     "plan FILE",
		Short:   "Print what a study would do, and how long it would take here",
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
	c.Flags().StringVar(&r.out, "out", "", "directory of the results, to see what is done there already")
	f.register(c)
	return c
}

// plan prints what would be done. Each network is timed for a second.
func (r *runner) plan(cmd *cobra.Command, configs []experiment.Config, o experiment.RunOptions) error {
	out := r.out
	if _, err := os.Stat(filepath.Join(out, "cells")); err != nil {
		out = "" // nothing is done there
	}
	r.out = "" // nothing is made
	grid, err := r.open(cmd.Context(), configs)
	if err != nil {
		return err
	}
	defer grid.Close()
	o.Dir = out
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

// writePlan sums a plan up by network, method and stage.
func writePlan(w io.Writer, p *experiment.Plan, jobs int) error {
	type kind struct{ model, method, stage string }
	type sum struct {
		cells, done   int
		macs, seconds float64
	}
	var order []kind
	of := map[kind]*sum{}
	total := &sum{}
	for _, c := range p.Cells {
		k := kind{c.Cell.Model, c.Cell.Method, c.Cell.Stage}
		if of[k] == nil {
			of[k] = &sum{}
			order = append(order, k)
		}
		for _, s := range []*sum{of[k], total} {
			s.cells++
			s.macs += float64(c.MACs)
			s.seconds += p.Seconds(c)
			if c.Done {
				s.done++
			}
		}
	}
	t := report.NewTable(w, tw.AlignLeft, tw.AlignLeft, tw.AlignLeft)
	t.Header([]string{"network", "method", "stage", "cells", "done", "TMACs", "time, one after another"})
	line := func(k kind, s *sum) error {
		return t.Append([]string{k.model, k.method, k.stage, fmt.Sprint(s.cells), fmt.Sprint(s.done), fmt.Sprintf("%.1f", s.macs/1e12), duration(s.seconds)})
	}
	for _, k := range order {
		if err := line(k, of[k]); err != nil {
			return err
		}
	}
	if err := line(kind{model: "all"}, total); err != nil {
		return err
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

func (a *app) studyShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show DIR",
		Short:   "Show how far a study has come",
		Example: `  eegprune study show study`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := experiment.ReadStatus(args[0])
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(s)
			}
			return writeStatus(a.stdout, s)
		},
	}
}

func (a *app) studyWatchCommand() *cobra.Command {
	var every time.Duration
	c := &cobra.Command{
		Use:     "watch DIR",
		Short:   "Show how far a study has come, again and again until it is done",
		Example: `  eegprune study watch study`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for {
				s, err := experiment.ReadStatus(args[0])
				if err != nil {
					return err
				}
				if terminal(a.stdout) {
					fmt.Fprint(a.stdout, "\x1b[H\x1b[2J")
				}
				fmt.Fprintln(a.stdout, time.Now().Format("2006-01-02 15:04:05"))
				if err := writeStatus(a.stdout, s); err != nil {
					return err
				}
				if s.Done+len(s.Failed) >= s.Cells {
					return nil
				}
				select {
				case <-cmd.Context().Done():
					return nil
				case <-time.After(every):
				}
			}
		},
	}
	c.Flags().DurationVar(&every, "every", 2*time.Second, "time between two looks")
	return c
}

func writeStatus(w io.Writer, s *experiment.Status) error {
	var b strings.Builder
	left := ""
	if s.Left > 0 && len(s.Running) > 0 {
		left = ", about " + duration(s.Left.Seconds()) + " left"
	}
	fmt.Fprintf(&b, "%d of %d cells done (%.0f %% of the work), %d running, %d failed, %d waiting%s\n", s.Done, s.Cells, 100*s.Share,
		len(s.Running), len(s.Failed), s.Cells-s.Done-len(s.Running)-len(s.Failed), left)
	for _, p := range s.Running {
		of := ""
		if p.Epochs > 0 {
			of = fmt.Sprintf(", epoch %d of %d", p.Epoch, p.Epochs)
		}
		fmt.Fprintf(&b, "running  %s %s%s, for %s (process %d on %s)\n", p.Cell.Model, experiment.Describe(p.Cell), of,
			duration(time.Since(p.Started).Seconds()), p.PID, p.Host)
	}
	for _, f := range s.Failed {
		fmt.Fprintf(&b, "failed   %s %s: %s\n", f.Cell.Model, experiment.Describe(f.Cell), f.Reason)
	}
	for _, f := range s.Retried {
		fmt.Fprintf(&b, "retried  %s %s, done at the second attempt: %s\n", f.Cell.Model, experiment.Describe(f.Cell), f.Reason)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (a *app) studyResultsCommand() *cobra.Command {
	var tests testFlags
	c := &cobra.Command{
		Use:   "results DIR",
		Short: "Put together, and print, the results of a study",
		Long: `results makes result.txt, result.csv, result.json and the page report.html of what is
done in a directory, whoever did it: one run, the shares of a cluster, or merged copies.`,
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

func (a *app) studyMergeCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "merge DIR...",
		Short: "Join results that machines without a common disk made",
		Long: `merge copies into --out the cells that the directories have. Two different results of
one cell are an error, and then nothing is copied.`,
		Example: `  eegprune study merge study --out merged`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			n, err := experiment.Merge(out, args)
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]any{"merged": n, "out": out})
			}
			_, err = fmt.Fprintf(a.stdout, "%d cells copied into %s; \"eegprune study results %s\" puts them together\n", n, out, out)
			return err
		},
	}
	outFlag(c, &out, "directory into which cells are copied")
	return c
}
