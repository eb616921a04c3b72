package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"eegprune/models"
	"eegprune/train"
)

func (a *app) benchCommand() *cobra.Command {
	var dev deviceFlags
	var model string
	var batch int
	var seconds float64
	c := &cobra.Command{
		Use:     "bench",
		Short:   "Time a training step of a network on this machine",
		Long:    `bench trains a network on one made-up batch and prints the median time of a step.`,
		Example: `  eegprune bench --model fbccnn --batch 64 --seconds 2`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := models.ByName(model)
			if err != nil {
				return usageError{fmt.Errorf("--model: %w", err)}
			}
			if batch < 1 || !(seconds > 0) {
				return usageError{fmt.Errorf("--batch %d and --seconds %g must be positive", batch, seconds)}
			}
			device, err := dev.open()
			if err != nil {
				return err
			}
			// DEAP's sizes: bands on the grid, or 4 s of 28 electrodes at 128 Hz.
			config := models.Config{Input: [3]int{1, 28, 512}, Classes: 2, Rate: 128}
			if m.Grid {
				config.Input = [3]int{4, 9, 9}
			}
			none := 0.0
			config.Dropout = &none
			arch, err := models.Build(model, config)
			if err != nil {
				return err
			}
			times, err := train.TimeSteps(cmd.Context(), arch, train.Paper(model), batch, device, time.Duration(seconds*float64(time.Second)))
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]any{"model": model, "batch": batch, "device": device.String(), "threads": dev.threads, "step_ms": times})
			}
			slices.Sort(times)
			median := times[len(times)/2]
			_, err = fmt.Fprintf(a.stdout, "%s, batch %d, %v, %d threads: %.2f ms a training step (median of %d), %.0f clips/s\n",
				model, batch, device, dev.threads, median, len(times), 1e3*float64(batch)/median)
			return err
		},
	}
	dev.register(c.Flags())
	c.Flags().StringVar(&model, "model", "fbccnn", "network")
	c.Flags().IntVar(&batch, "batch", 64, "clips in the batch")
	c.Flags().Float64Var(&seconds, "seconds", 4, "how long to measure")
	return c
}
