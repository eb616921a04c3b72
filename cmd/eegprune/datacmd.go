package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"eegprune/data/simulate"
)

func (a *app) dataCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "data",
		Short: "Work with recordings",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q for data: see \"eegprune data --help\"", args[0])}
			}
			return cmd.Help()
		},
	}
	c.AddCommand(a.simulateCommand())
	return c
}

func (a *app) simulateCommand() *cobra.Command {
	config := simulate.Default()
	var out string
	c := &cobra.Command{
		Use:   "simulate",
		Short: "Make recordings in which the label changes band power by a known amount",
		Long: `simulate writes EDF+ recordings with a 1/f background, sources in frequency bands,
blinks, line noise and differences between subjects. The label of a trial changes the
power of two sources and nothing else, so that the best possible accuracy is known.`,
		Example: `  eegprune data simulate --out recordings --subjects 4 --trials 4 --seconds 10`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p := a.progress()
			truth, err := simulate.Write(cmd.Context(), out, config, p.reading)
			p.close()
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(truth)
			}
			_, err = fmt.Fprintf(a.stdout, `Simulated %d subjects, %d trials each of %g s, %d electrodes at %g Hz, classes %s, in %s.
The label changes the power of %d sources; no classifier of clips of %g s can be right more often
than %.1f %% but by chance (the ideal observer of these recordings was right in %.1f %% of %d windows).
`, config.Subjects, config.Trials, config.Seconds, len(config.Electrodes), config.Rate, strings.Join(config.Classes, " and "), out,
				len(config.Effects), config.Window, 100*truth.Best, 100*truth.Realised, truth.Windows)
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&out, "out", "", "directory for the recordings, new or empty")
	_ = c.MarkFlagRequired("out")
	f.IntVar(&config.Subjects, "subjects", config.Subjects, "number of subjects, one file each")
	f.IntVar(&config.Trials, "trials", config.Trials, "trials of each subject")
	f.Float64Var(&config.Seconds, "seconds", config.Seconds, "seconds of a trial")
	f.Float64Var(&config.Rate, "rate", config.Rate, "samples per second")
	f.Uint64Var(&config.Seed, "seed", config.Seed, "seed")
	return c
}
