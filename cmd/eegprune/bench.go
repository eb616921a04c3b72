package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"eegprune/data"
	"eegprune/experiment"
	"eegprune/models"
	"eegprune/prune"
	"eegprune/result"
	"eegprune/torch"
	"eegprune/train"
)

func (a *app) benchCommand() *cobra.Command {
	var dev deviceFlags
	var model, precision string
	var batch int
	var seconds, ratio float64
	var fast bool
	c := &cobra.Command{
		Use:   "bench",
		Short: "Time a training step of a network on this machine",
		Long: `bench trains a network on one made-up batch and prints the median time of a step, and
of a forward pass as an evaluation makes it. Its commands compare with a PyTorch
program: scripts/bench_pytorch.py and scripts/parity.py call them.`,
		Example: `  eegprune bench --model fbccnn --batch 64 --seconds 2
  eegprune bench --model ccnn --ratio 0.4 --batch 1 --seconds 1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := models.ByName(model)
			if err != nil {
				return usageError{fmt.Errorf("--model: %w", err)}
			}
			if batch < 1 || !(seconds > 0) {
				return usageError{fmt.Errorf("--batch %d and --seconds %g must be positive", batch, seconds)}
			}
			if err := prune.CheckRatio(ratio); err != nil && ratio != 0 {
				return usageError{fmt.Errorf("--ratio: %w", err)}
			}
			device, err := dev.open()
			if err != nil {
				return err
			}
			// DEAP's sizes: bands on the grid, or 4 s of 28 electrodes at 128 Hz.
			shape := []int{1, 28, 512}
			if m.Grid {
				shape = []int{4, 9, 9}
			}
			none := 0.0
			arch, err := archOf(model, shape, 2, 128, &none)
			if err != nil {
				return err
			}
			widths, macs, arch, err := narrowed(arch, ratio)
			if err != nil {
				return err
			}
			o, err := benched(model, batch, precision, fast)
			if err != nil {
				return err
			}
			length := time.Duration(seconds * float64(time.Second))
			steps, err := train.TimeSteps(cmd.Context(), arch, o, batch, device, length)
			if err != nil {
				return err
			}
			forward, err := train.TimeForward(cmd.Context(), arch, batch, device, length)
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]any{"model": model, "batch": batch, "device": device.String(), "threads": dev.threads,
					"ratio": ratio, "widths": widths, "macs": macs, "step_ms": steps.Each, "forward_ms": forward.Each,
					"step_cpu_ms": steps.CPU, "forward_cpu_ms": forward.CPU})
			}
			_, err = fmt.Fprintf(a.stdout, "%s, batch %d, %v, %d threads: %s a training step, %s a forward pass\n",
				model, batch, device, dev.threads, medianOf(steps.Each, batch), medianOf(forward.Each, batch))
			return err
		},
	}
	dev.register(c.Flags())
	c.Flags().StringVar(&model, "model", "fbccnn", "network: "+strings.Join(models.Names(), ", "))
	c.Flags().IntVar(&batch, "batch", 64, "clips in the batch")
	c.Flags().Float64Var(&seconds, "seconds", 4, "how long to measure each of both")
	c.Flags().Float64Var(&ratio, "ratio", 0, "prune the network by lfp first, at this ratio (0: not)")
	precisionFlags(c.Flags(), &precision, &fast)
	c.AddCommand(a.benchLossesCommand(), a.benchFoldsCommand())
	return c
}

// benched are the paper's settings of a training with others of its batches and precision.
func benched(model string, batch int, precision string, fast bool) (train.Options, error) {
	o := train.Paper(model)
	o.BatchSize, o.Precision, o.Fast = batch, precision, fast
	if err := o.Check(); err != nil {
		return o, usageError{err}
	}
	return o, train.SetArithmetic(o)
}

func medianOf(times []float64, batch int) string {
	slices.Sort(times)
	median := times[len(times)/2]
	return fmt.Sprintf("%.2f ms (median of %d, %.0f clips/s)", median, len(times), 1e3*float64(batch)/median)
}

// narrowed prunes an architecture by lfp. What goes is a number of filters in each layer,
// whatever their weights.
func narrowed(arch *models.Arch, ratio float64) ([]result.Width, int64, *models.Arch, error) {
	small := arch
	if ratio > 0 {
		g, err := torch.NewGenerator(torch.CPU, 1)
		if err != nil {
			return nil, 0, nil, err
		}
		defer g.Free()
		n, err := models.New(arch, torch.CPU, g)
		if err != nil {
			return nil, 0, nil, err
		}
		defer n.Free()
		made, err := experiment.Prune(n, experiment.Pruning{Method: "lfp", Ratio: ratio}, prune.Options{}, prune.Evidence{})
		if err != nil {
			return nil, 0, nil, err
		}
		defer made.Network.Free()
		small = made.Network.Arch
	}
	counts, err := small.Count()
	return experiment.Widths(arch, small), counts.MACs(), small, err
}

func archOf(model string, shape []int, classes int, rate float64, dropout *float64) (*models.Arch, error) {
	return models.Build(model, models.Config{Input: [3]int(shape), Classes: classes, Rate: rate, Dropout: dropout})
}

// clipFlags say what the commands of bench train, and on which clips.
type clipFlags struct {
	dev              deviceFlags
	model, precision string
	batch            int
	dropout          float64
	fast             bool
	set              *pflag.FlagSet
}

func (f *clipFlags) register(s *pflag.FlagSet) {
	f.set = s
	f.dev.register(s)
	s.StringVar(&f.model, "model", "fbccnn", "network: "+strings.Join(models.Names(), ", "))
	s.IntVar(&f.batch, "batch", 64, "clips in a batch")
	s.Float64Var(&f.dropout, "dropout", 0, "probability of dropout (default: the network's own)")
	precisionFlags(s, &f.precision, &f.fast)
}

// open reads the clips of an .npz file. The caller frees them.
func (f *clipFlags) open(path string) (*models.Arch, train.Options, *train.Data, torch.Device, error) {
	fail := func(err error) (*models.Arch, train.Options, *train.Data, torch.Device, error) {
		return nil, train.Options{}, nil, torch.CPU, err
	}
	if _, err := models.ByName(f.model); err != nil {
		return fail(usageError{fmt.Errorf("--model: %w", err)})
	}
	o, err := benched(f.model, f.batch, f.precision, f.fast)
	if err != nil {
		return fail(err)
	}
	var dropout *float64
	if f.set.Changed("dropout") {
		if dropout = &f.dropout; !(f.dropout >= 0 && f.dropout < 1) {
			return fail(usageError{fmt.Errorf("--dropout: the probability %g is outside [0, 1)", f.dropout)})
		}
	}
	set, err := data.LoadNPZ(path)
	if err != nil {
		return fail(err)
	}
	if len(set.Classes) < 2 {
		return fail(fmt.Errorf("%s: its clips are of one class, and a network tells at least 2 apart", path))
	}
	arch, err := archOf(f.model, set.Shape, len(set.Classes), set.Rate, dropout)
	if err != nil {
		return fail(fmt.Errorf("%s: %w", path, err))
	}
	device, err := f.dev.open()
	if err != nil {
		return fail(err)
	}
	d, err := train.NewData(set, device)
	if err != nil {
		return fail(err)
	}
	return arch, o, d, device, nil
}

func (a *app) benchLossesCommand() *cobra.Command {
	var f clipFlags
	var seed uint64
	var steps int
	var out string
	c := &cobra.Command{
		Use:   "losses FILE.npz",
		Short: "Train on clips of an .npz file and print the loss of every step",
		Long: `losses trains a network on all clips of an .npz file, x [clips, channels, height, width]
and their classes y (with rate, for networks of signals), as the PyTorch program does that
calls torch.manual_seed, makes the network and iterates DataLoader(shuffle=True). It prints
the loss of every step, and with --out keeps the network that they lead to:
scripts/parity.py compares both with that program's.`,
		Example: `  eegprune bench losses features.npz --model ccnn --seed 7 --steps 4`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if steps < 1 {
				return usageError{fmt.Errorf("--steps: %d steps; take at least 1", steps)}
			}
			arch, o, d, device, err := f.open(args[0])
			if err != nil {
				return err
			}
			defer d.Free()
			losses, err := train.Losses(cmd.Context(), arch, o, d, device, seed, steps, func(n *models.Network) error {
				if out == "" {
					return nil
				}
				return n.Save(out, map[string]any{"model": f.model, "seed": seed, "steps": steps})
			})
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]any{"model": f.model, "seed": seed, "batch": f.batch, "device": device.String(),
					"threads": f.dev.threads, "losses": losses})
			}
			for _, l := range losses {
				if _, err := fmt.Fprintf(a.stdout, "%.9g\n", l); err != nil { // what a float32 needs
					return err
				}
			}
			return nil
		},
	}
	f.register(c.Flags())
	c.Flags().Uint64Var(&seed, "seed", 1, "seed of weights, shuffles and dropout")
	c.Flags().IntVar(&steps, "steps", 20, "steps of the optimizer")
	c.Flags().StringVar(&out, "out", "", "write the network after these steps to this .safetensors file")
	return c
}

func (a *app) benchFoldsCommand() *cobra.Command {
	var f clipFlags
	var folds, epochs, jobs int
	c := &cobra.Command{
		Use:   "folds FILE.npz",
		Short: "Time the training of all folds of the clips in an .npz file",
		Long: `folds trains a network on each fold of the clips of an .npz file, as losses reads it,
several side by side, and prints what all took together.`,
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
	c.Flags().IntVar(&jobs, "jobs", runtime.NumCPU(), "trainings that run side by side")
	return c
}
