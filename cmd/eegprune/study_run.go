package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/experiment"
)

func (a *app) studyRunCommand() *cobra.Command {
	var f studyFile
	var share string
	var dry bool
	r := &runner{a: a, cache: f.cache.dir}
	c := &cobra.Command{
		Use:   "run FILE",
		Short: "Carry out a study",
		Long: `run carries out the study of a file, cells side by side. It can be interrupted, or killed, at
any time: the same command goes on where it was and ends with the same numbers. --share 2/8
carries out the second of eight shares, in a directory that all of them see.`,
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
	c.Flags().StringVar(&share, "share", "", "carry out one share of the study, such as 2/8")
	c.Flags().BoolVar(&dry, "dry-run", false, "print the cells and how long they would take, as study plan does")
	group(c.Flags(), ofComputing)
	takes(c.Flags(), "n/m", "share")
	return c
}
