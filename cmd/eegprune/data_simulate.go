package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/data/simulate"
)

func (a *app) simulateCommand() *cobra.Command {
	flags := simulate.Default()
	var out string
	c := &cobra.Command{
		Use:   "simulate",
		Short: "Write recordings whose label changes band power by a known amount",
		Long: `simulate writes recordings with a 1/f background, sources in frequency bands, blinks, line
noise and differences between subjects. The label of a trial changes the power of two sources
and nothing else. The best accuracy that any classifier can reach is therefore known, and
printed.

The recordings are EDF+ files, or have the layout of a data set: its electrodes, rate, classes,
names and kinds of files. The files hold only what is read. Sets that show the same films to all
subjects have their classes in that order; --trials asks for more sessions.`,
		Example: `  eegprune data simulate --out recordings --subjects 4 --trials 4 --seconds 10
  eegprune data simulate --out deap --format deap --subjects 2 --trials 4 --seconds 10
  eegprune data simulate --out seed-iv --format seed-iv --subjects 2 --seconds 4`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, err := simulate.DefaultFor(flags.Format)
			if err != nil {
				return usageError{fmt.Errorf("--format: %w", err)}
			}
			config.Seed = flags.Seed
			if cmd.Flags().Changed("subjects") {
				config.Subjects = flags.Subjects
			}
			if cmd.Flags().Changed("seconds") {
				config.Seconds = flags.Seconds
			}
			if cmd.Flags().Changed("trials") {
				config.Trials = flags.Trials
			}
			if cmd.Flags().Changed("rate") {
				config.Rate = flags.Rate
			}
			p := a.progress()
			truth, err := simulate.Write(cmd.Context(), out, config, p.Reading)
			p.Close()
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(truth)
			}
			last := len(config.Classes) - 1
			_, err = fmt.Fprintf(a.stdout, `Simulated %d subjects, %d trials each of %g s, %d electrodes at %g Hz, classes %s and %s, in %s.
The label changes the power of %d sources; no classifier of clips of %g s can be right more often
than %.1f %% but by chance (the ideal observer of these recordings was right in %.1f %% of %d windows).
`, config.Subjects, config.Trials, config.Seconds, len(config.Electrodes), config.Rate, strings.Join(config.Classes[:last], ", "), config.Classes[last], out,
				len(config.Effects), config.Window, 100*truth.Best, 100*truth.Realised, truth.Windows)
			return err
		},
	}
	f := c.Flags()
	outFlag(c, &out, "dir", "directory for the recordings, new or empty")
	f.StringVar(&flags.Format, "format", "edf", "format of the files, or the data set whose layout they have\none of "+strings.Join(simulate.Formats(), ", "))
	f.IntVar(&flags.Subjects, "subjects", flags.Subjects, "number of subjects, one file each")
	f.IntVar(&flags.Trials, "trials", flags.Trials, "trials of each subject (default 6, or one session of the data set)")
	f.Float64Var(&flags.Seconds, "seconds", flags.Seconds, "seconds of a trial")
	f.Float64Var(&flags.Rate, "rate", flags.Rate, "samples per second (data sets have their own)")
	f.Uint64Var(&flags.Seed, "seed", flags.Seed, "seed of the recordings")
	group(f, ofData)
	return c
}
