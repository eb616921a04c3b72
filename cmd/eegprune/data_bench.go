package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/train"
)

func (a *app) dataBenchCommand() *cobra.Command {
	var f featureFlags
	var batch int
	var seconds float64
	c := &cobra.Command{
		Use:   "bench [DIR]",
		Short: "Time the features of recordings, and how fast clips are served",
		Long: `bench times two things: making the features of recordings without the cache, reading included,
and gathering batches of them in random order, as training does, on the CPU.`,
		Example: `  eegprune data bench recordings --seconds 1`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if batch < 1 || !(seconds > 0) {
				return usageError{fmt.Errorf("--batch %d and --seconds %g must be positive", batch, seconds)}
			}
			recordings, o, err := f.open(args)
			if err != nil {
				return err
			}
			p := a.progress()
			o.Progress = p.Reading
			start := time.Now()
			set, err := data.Features(cmd.Context(), recordings, o)
			made := time.Since(start).Seconds()
			p.Close()
			if err != nil {
				return err
			}
			defer set.Close()
			rate, err := train.TimeServing(cmd.Context(), set, batch, time.Duration(seconds*float64(time.Second)))
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]any{"clips": set.Len(), "shape": set.Shape, "cores": runtime.GOMAXPROCS(0),
					"features_seconds": made, "batch": batch, "clips_per_second": rate})
			}
			_, err = fmt.Fprintf(a.stdout, "%d clips %v of %d files: features in %.2f s on %d cores; %.0f clips a second are served in batches of %d\n",
				set.Len(), set.Shape, len(recordings.Files), made, runtime.GOMAXPROCS(0), rate, batch)
			return err
		},
	}
	f.register(c.Flags())
	c.Flags().IntVar(&batch, "batch", 64, "clips in a batch")
	c.Flags().Float64Var(&seconds, "seconds", 4, "how long to serve")
	group(c.Flags(), ofComputing)
	return c
}
