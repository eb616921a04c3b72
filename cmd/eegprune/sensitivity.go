package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"eegprune/experiment"
	"eegprune/models"
	"eegprune/prune"
	"eegprune/report"
	"eegprune/result"
)

func (a *app) sensitivityCommand() *cobra.Command {
	var d dataFlags
	var dev deviceFlags
	var choice choiceFlags
	var o experiment.SensitivityOptions
	var out string
	c := &cobra.Command{
		Use:   "sensitivity CHECKPOINT... | DIR",
		Short: "Show how much accuracy pruning each layer alone costs",
		Long: `sensitivity prunes one layer (one group of channels) of trained networks at a time, all
others whole, and shows how much accuracy is lost at each ratio; nothing is trained. The
networks are those of the folds of one study: its directory, or some of its unpruned
checkpoints. Decide what to prune by the validation clips, or the test is none any more.`,
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
				if paths, err = unprunedOf(args[0], o.Method); err != nil {
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
	c.Flags().StringVar(&out, "out", "", "directory for sensitivity.json and the plot (default: that of the study, if it was named)")
	return c
}

// unprunedOf finds the checkpoints of a study from which a method starts.
func unprunedOf(dir, method string) ([]string, error) {
	stage, of := result.Unpruned, ""
	if t := prune.TrainingFor(method); t != nil && !t.Prunes {
		stage, of = result.Sparse, method
	}
	s, err := result.Read(dir)
	if err != nil {
		return nil, fmt.Errorf("%w; a directory of results has a %s, which \"eegprune run\" writes", err, result.File)
	}
	var paths, names []string
	for _, r := range s.Results {
		if r.Stage != stage || r.Method != of {
			continue
		}
		paths = append(paths, filepath.Join(dir, r.Checkpoint))
		if !slices.Contains(names, r.Model) {
			names = append(names, r.Model)
		}
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s has no %s networks, from which %s starts: make them with eegprune run", dir, stage, method)
	}
	if len(names) > 1 {
		return nil, usageError{fmt.Errorf("%s has several networks (%s): name the checkpoints of one, such as %s", dir, strings.Join(names, ", "), paths[0])}
	}
	return paths, nil
}

// sensitivity opens checkpoints of one study and the data they share.
func (a *app) sensitivity(ctx context.Context, paths []string, d *dataFlags, dev *deviceFlags, o experiment.SensitivityOptions) (*report.Sensitivity, error) {
	first, err := a.open(ctx, paths[0], d, dev, func(*experiment.Config) error { return nil })
	if err != nil {
		return nil, err
	}
	defer first.close()
	if err := first.divide(paths[0]); err != nil {
		return nil, err
	}
	networks, folds := []*models.Network{first.network}, []int{first.study.At(first.origin.Cell)}
	for _, path := range paths[1:] {
		n, p, err := a.load(path, foreignFlags{}, first.network.Device())
		if err != nil {
			return nil, err
		}
		defer n.Free()
		if p.Data != first.origin.Data || n.Arch.Model != first.network.Arch.Model {
			return nil, fmt.Errorf("%s and %s are not of one study: they were trained on other data, or are other networks", paths[0], path)
		}
		networks, folds = append(networks, n), append(folds, first.study.At(p.Cell))
	}
	for i, f := range folds {
		if f < 1 || f > len(first.study.Folds) {
			return nil, fmt.Errorf("%s does not say which fold it was trained on", paths[i])
		}
	}
	progress := a.progress()
	o.Progress = progress.counting("layers and ratios")
	defer progress.close()
	return first.study.Sensitivity(ctx, networks, folds, o)
}
