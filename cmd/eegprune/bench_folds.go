package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/train"
)

func (a *app) benchFoldsCommand() *cobra.Command {
	var f clipFlags
	var folds, epochs, jobs int
	c := &cobra.Command{
		Use:   "folds FILE.npz",
		Short: "Time the training of all folds of the clips in an .npz file",
		Long: `folds trains a network on each fold of the clips of an .npz file, several side by side, and
prints the time of all. The file is as "bench losses" reads it.`,
		Example: `  eegprune bench folds features.npz --model ccnn --folds 2 --epochs 1`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if folds < 2 || epochs < 1 || jobs < 1 {
				return usageError{errors.New("--folds must be at least 2, --epochs and --jobs at least 1")}
			}
			arch, o, d, device, err := f.open(args[0])
			if err != nil {
				return err
			}
			defer d.Free()
			if clips := d.Y.Shape()[0]; clips < 6*folds {
				return usageError{fmt.Errorf("--folds: %s has %d clips, %d folds need at least %d", args[0], clips, folds, 6*folds)}
			}
			o.Epochs, o.Milestones = epochs, nil
			if device.IsCUDA() { // CUDA and its libraries begin, once for the process
				if _, err := train.TimeSteps(cmd.Context(), arch, o, f.batch, device, 0); err != nil {
					return err
				}
			}
			took, err := train.TimeFolds(cmd.Context(), arch, o, d, device, folds, jobs)
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]any{"model": f.model, "folds": folds, "epochs": epochs, "jobs": jobs, "batch": f.batch,
					"device": device.String(), "threads": f.dev.threads, "seconds": took.Seconds()})
			}
			_, err = fmt.Fprintf(a.stdout, "%s, %d folds of %d epochs, %d side by side with %d threads each on %v: %.2f s\n",
				f.model, folds, epochs, jobs, f.dev.threads, device, took.Seconds())
			return err
		},
	}
	f.register(c.Flags())
	c.Flags().IntVar(&folds, "folds", 10, "number of folds")
	c.Flags().IntVar(&epochs, "epochs", 3, "epochs of each training")
	group(c.Flags(), ofTraining)
	jobsFlag(c.Flags(), &jobs)
	return c
}
