package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/report"
)

func (a *app) sensitivityCommand() *cobra.Command {
	var d dataFlags
	var dev deviceFlags
	var choice choiceFlags
	var o experiment.SensitivityOptions
	var out string
	c := &cobra.Command{
		Use:   "sensitivity CHECKPOINT... | DIR",
		Short: "Show what pruning each layer alone costs",
		Long: `sensitivity prunes one layer (one group of channels) of trained networks at a time, with all
others whole, and shows the loss of accuracy at each ratio. It trains nothing. The networks
are those of the folds of one study: name its directory, or some of its unpruned checkpoints.
Decide by the validation clips what to prune: test clips that decide are no test any more.`,
		Example: `  eegprune sensitivity study
  eegprune sensitivity study/checkpoints/fbccnn-fold01-unpruned.safetensors --method uwmp`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if o.Options, _, err = choice.options(); err != nil {
				return err
			}
			if err := o.Check(); err != nil {
				return usageError{err}
			}
			paths := args
			if info, err := os.Stat(args[0]); err == nil && info.IsDir() {
				if len(args) > 1 {
					return usageError{fmt.Errorf("%s is a directory: name one directory, or checkpoints", args[0])}
				}
				var several *experiment.SeveralNetworksError
				if paths, err = experiment.PrunedFrom(args[0], o.Method); errors.As(err, &several) {
					return usageError{err}
				} else if err != nil {
					return err
				}
				if out == "" {
					out = args[0]
				}
			}
			found, err := a.sensitivity(cmd.Context(), paths, &d, &dev, o)
			if err != nil {
				return err
			}
			if out != "" {
				if err := os.MkdirAll(out, 0o755); err != nil {
					return fmt.Errorf("making the directory of the result: %w", err)
				}
				if err := report.WriteSensitivity(out, found); err != nil {
					return err
				}
				figure, err := found.Figure()
				if err != nil {
					return err
				}
				if _, err := report.WriteFigures(out, []*report.Figure{figure}); err != nil {
					return err
				}
			}
			return found.Write(a.stdout, a.format())
		},
	}
	d.register(c.Flags())
	dev.register(c.Flags())
	choice.register(c.Flags())
	for _, name := range []string{"target", "scope", "layer-ratios"} {
		_ = c.Flags().MarkHidden(name) // layers are pruned one at a time
	}
	c.Flags().StringVar(&o.Method, "method", "lfp", "pruning method: "+strings.Join(prune.MethodNames(), ", "))
	c.Flags().Float64SliceVar(&o.Ratios, "ratio", []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9}, "ratios at which each layer is pruned")
	c.Flags().StringVar(&o.On, "on", experiment.OnValidation, "clips that accuracy is measured on: validation or test")
	group(c.Flags(), ofPruning)
	c.Flags().StringVar(&out, "out", "", "directory for sensitivity.json and the plot (default: the study, if it was named)")
	group(c.Flags(), ofOutput)
	takes(c.Flags(), "dir", "out")
	return c
}

// sensitivity opens checkpoints of one study and the data they share.
func (a *app) sensitivity(ctx context.Context, paths []string, d *dataFlags, dev *deviceFlags, o experiment.SensitivityOptions) (*report.Sensitivity, error) {
	first, s, err := a.openWithStudy(ctx, paths[0], d, dev, unchanged)
	if err != nil {
		return nil, err
	}
	defer first.Close()
	defer s.Close()
	all := []*experiment.Checkpoint{first}
	for _, path := range paths[1:] {
		c, err := a.openCheckpoint(path, models.OpenOptions{Device: first.Network.Device()}, false)
		if err != nil {
			return nil, err
		}
		defer c.Close()
		all = append(all, c)
	}
	progress := a.progress()
	o.Progress = progress.Counting("layers and ratios")
	defer progress.Close()
	return s.Sensitivity(ctx, all, o)
}
