package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

func (a *app) benchCommand() *cobra.Command {
	var f benchFlags
	var seconds, ratio float64
	c := &cobra.Command{
		Use:   "bench",
		Short: "Time a training step of a network on this machine",
		Long: `bench trains a network on one made-up batch and prints the median time of a training step and
of an evaluation. scripts/bench_pytorch.py and scripts/parity.py call its commands, which train
on clips of a file.`,
		Example: `  eegprune bench --model fbccnn --batch 64 --seconds 2
  eegprune bench --model ccnn --ratio 0.4 --batch 1 --seconds 1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			arch, err := f.arch()
			if err != nil {
				return err
			}
			if f.batch < 1 || !(seconds > 0) {
				return usageError{fmt.Errorf("--batch %d and --seconds %g must be positive", f.batch, seconds)}
			}
			if err := prune.CheckRatio(ratio); err != nil && ratio != 0 {
				return usageError{fmt.Errorf("--ratio: %w", err)}
			}
			device, err := f.dev.open()
			if err != nil {
				return err
			}
			whole := arch
			if ratio > 0 {
				if arch, err = experiment.Narrow(whole, experiment.Pruning{Method: "lfp", Ratio: ratio}); err != nil {
					return err
				}
			}
			counts, err := arch.Count()
			if err != nil {
				return err
			}
			o, err := f.options()
			if err != nil {
				return err
			}
			length := time.Duration(seconds * float64(time.Second))
			steps, err := train.TimeSteps(cmd.Context(), arch, o, f.batch, device, length)
			if err != nil {
				return err
			}
			forward, err := train.TimeForward(cmd.Context(), arch, f.batch, device, length)
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]any{"model": f.model, "batch": f.batch, "device": device.String(), "threads": f.dev.threads,
					"ratio": ratio, "widths": experiment.Widths(whole, arch), "macs": counts.MACs(), "step_ms": steps.Each, "forward_ms": forward.Each,
					"step_cpu_ms": steps.CPU, "forward_cpu_ms": forward.CPU, "variants": steps.Variants, "trials": steps.Trials})
			}
			for _, t := range steps.Trials {
				if _, err := fmt.Fprintln(a.stdout, describeTrial(t, steps.Variants[t.Layer] == t.Variant)); err != nil {
					return err
				}
			}
			_, err = fmt.Fprintf(a.stdout, "%s, batch %d, %v, %d threads: %s a training step, %s a forward pass\n",
				f.model, f.batch, device, f.dev.threads, medianOf(steps.Each, f.batch), medianOf(forward.Each, f.batch))
			return err
		},
	}
	f.register(c.Flags())
	c.Flags().Float64Var(&seconds, "seconds", 4, "seconds to measure steps, and as many for evaluations")
	c.Flags().Float64Var(&ratio, "ratio", 0, "ratio at which lfp prunes the network first (0: not)")
	group(c.Flags(), ofNetwork)
	c.AddCommand(a.benchLossesCommand(), a.benchFoldsCommand(), a.benchOperationsCommand())
	return c
}

// describeTrial says what became of a variant.
func describeTrial(t train.Trial, taken bool) string {
	text := fmt.Sprintf("%s by %s: off by %.1g of the largest number", t.Layer, t.Variant, t.Off)
	if t.Takes > 0 {
		text += fmt.Sprintf(", %.3f ms beside libtorch's %.3f", t.Takes, t.Libtorch)
	}
	switch {
	case taken:
		return text + ": taken"
	case t.Refused != "":
		return text + ": refused, for " + t.Refused
	}
	return text + ": another one is taken"
}

// benchFlags choose the network that bench and its commands train, and how.
type benchFlags struct {
	dev        deviceFlags
	network    exportedFlags
	model      string
	batch      int
	arithmetic arithmeticFlags
}

func (f *benchFlags) register(s *pflag.FlagSet) {
	f.dev.register(s)
	s.StringVar(&f.model, "model", "fbccnn", "network: "+strings.Join(models.Names(), ", "))
	f.network.register(s)
	s.IntVar(&f.batch, "batch", 64, "clips in a batch")
	group(s, ofNetwork)
	f.arithmetic.register(s)
}

// arch is the network of the file, or the model for clips like DEAP's.
func (f *benchFlags) arch() (*models.Arch, error) {
	arch, err := f.network.read(models.AsInFile)
	if err != nil {
		return nil, err
	}
	if arch != nil {
		f.model = arch.Model
		return arch, nil
	}
	if err := f.checkModel(); err != nil {
		return nil, err
	}
	return likeDEAP(f.model)
}

func (f *benchFlags) checkModel() error {
	if _, err := models.ByName(f.model); err != nil {
		return usageError{fmt.Errorf("--model: %w", err)}
	}
	return nil
}

// options are the paper's settings of a training with others of its batches and arithmetic.
func (f *benchFlags) options() (train.Options, error) {
	o := train.Paper(f.model)
	o.BatchSize = f.batch
	f.arithmetic.apply(&o)
	if err := o.Check(); err != nil {
		return o, usageError{err}
	}
	return o, train.SetArithmetic(o)
}

// likeDEAP is a network of clips of DEAP's size, bands on the grid or 4 s of 28 electrodes at 128 Hz,
// without dropout.
func likeDEAP(model string) (*models.Arch, error) {
	m, err := models.ByName(model)
	if err != nil {
		return nil, err
	}
	shape := []int{1, 28, 512}
	if m.Grid {
		shape = []int{4, 9, 9}
	}
	none := 0.0
	return archOf(model, shape, 2, 128, &none)
}

func medianOf(times []float64, batch int) string {
	slices.Sort(times)
	median := times[len(times)/2]
	return fmt.Sprintf("%.2f ms (median of %d, %.0f clips/s)", median, len(times), 1e3*float64(batch)/median)
}

func archOf(model string, shape []int, classes int, rate float64, dropout *float64) (*models.Arch, error) {
	return models.Build(model, models.Config{Input: [3]int(shape), Classes: classes, Rate: rate, Dropout: dropout})
}

// clipFlags choose a network that is trained on clips of a file.
type clipFlags struct {
	benchFlags
	dropout float64
	set     *pflag.FlagSet
}

func (f *clipFlags) register(s *pflag.FlagSet) {
	f.set = s
	f.benchFlags.register(s)
	s.Float64Var(&f.dropout, "dropout", 0, "probability of dropout (default: the network's own)")
	group(s, ofNetwork)
}

// open reads the clips of an .npz file. The caller frees them.
func (f *clipFlags) open(path string) (*models.Arch, train.Options, *train.Data, torch.Device, error) {
	fail := func(err error) (*models.Arch, train.Options, *train.Data, torch.Device, error) {
		return nil, train.Options{}, nil, torch.CPU, err
	}
	if f.network.file != "" {
		f.model = models.NameOf(f.network.file)
	} else if err := f.checkModel(); err != nil {
		return fail(err)
	}
	o, err := f.options()
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
	arch, err := f.network.read(models.AsInFile)
	switch {
	case err != nil:
		return fail(err)
	case arch == nil:
		arch, err = archOf(f.model, set.Shape, len(set.Classes), set.Rate, dropout)
	default:
		err = arch.Fits(set.Shape, len(set.Classes))
	}
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
