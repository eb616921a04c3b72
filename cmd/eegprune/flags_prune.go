package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/train"
)

// choiceFlags say how filters are chosen for pruning.
type choiceFlags struct {
	target, scope, what, layers string
	exclude                     []string
	minChannels, roundTo        int
}

func (f *choiceFlags) register(s *pflag.FlagSet) {
	s.StringVar(&f.target, "target", "", "share of the whole network that goes, instead of --ratio, such as macs=0.643 or parameters=0.5")
	s.StringVar(&f.scope, "scope", "", "where a threshold holds: global or layer (default: as the method's paper)")
	s.StringVar(&f.what, "prune", "filters", "filters, or linear: prune the neurons of linear layers too")
	s.StringVar(&f.layers, "layer-ratios", "", "YAML file with ratios of single layers, such as \"block5.0: 0.7\"")
	s.StringSliceVar(&f.exclude, "exclude", nil, "layers that stay whole")
	s.IntVar(&f.minChannels, "min-channels", 1, "least channels that stay in a layer")
	s.IntVar(&f.roundTo, "round-to", 1, "round widths up to a multiple of this")
	group(s, ofPruning)
	takes(s, "file", "layer-ratios")
	takes(s, "what=x", "target")
	rare(s, "scope", "prune", "layer-ratios", "exclude", "min-channels", "round-to")
}

// options returns the options of the flags, and the ratios that --target holds.
func (f *choiceFlags) options() (o prune.Options, ratios []float64, err error) {
	o = prune.Options{Scope: f.scope, Exclude: f.exclude, MinChannels: f.minChannels, RoundTo: f.roundTo}
	switch f.what {
	case "filters":
	case "linear":
		o.Linear = true
	default:
		return o, nil, usageError{fmt.Errorf("--prune: there is %q, use filters or linear", f.what)}
	}
	if f.minChannels < 1 || f.roundTo < 1 {
		return o, nil, usageError{fmt.Errorf("--min-channels %d, --round-to %d: both are at least 1", f.minChannels, f.roundTo)}
	}
	// Defaults are not written into results.
	if o.MinChannels == 1 {
		o.MinChannels = 0
	}
	if o.RoundTo == 1 {
		o.RoundTo = 0
	}
	if f.target != "" {
		name, list, ok := strings.Cut(f.target, "=")
		if !ok {
			return o, nil, usageError{fmt.Errorf("--target: %q; write what is to be saved and how much of it, such as macs=0.643 or parameters=0.5", f.target)}
		}
		o.Target = name
		for _, text := range strings.Split(list, ",") {
			r, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return o, nil, usageError{fmt.Errorf("--target: %q is no number", text)}
			}
			ratios = append(ratios, r)
		}
	}
	if f.layers != "" {
		if o.Layers, err = experiment.ReadLayerRatios(f.layers); err != nil {
			return o, nil, err
		}
	}
	if err := o.Check(); err != nil {
		return o, nil, usageError{err}
	}
	return o, ratios, nil
}

// pruneFlags are the methods and ratios of pruning, and its choice.
type pruneFlags struct {
	choiceFlags
	set     *pflag.FlagSet
	methods []string
	ratios  []float64
}

func (f *pruneFlags) register(s *pflag.FlagSet, ratios ...float64) {
	f.set = s
	s.StringSliceVar(&f.methods, "method", []string{"lfp"}, "pruning methods: "+strings.Join(prune.MethodNames(), ", "))
	s.Float64SliceVar(&f.ratios, "ratio", ratios, "share of filters or weights that goes, in [0, 1), or several shares")
	f.choiceFlags.register(s)
}

// pruning returns every method at every ratio.
func (f *pruneFlags) pruning() ([]experiment.Pruning, prune.Options, error) {
	o, targets, err := f.options()
	if err != nil {
		return nil, o, err
	}
	ratios, flag := f.ratios, "--ratio"
	if targets != nil {
		if f.set.Changed("ratio") {
			return nil, o, usageError{fmt.Errorf("--ratio and --target both say how much goes: give one of them")}
		}
		ratios, flag = targets, "--target"
	}
	var all []experiment.Pruning
	for _, m := range f.methods {
		if _, err := prune.ByName(m); err != nil {
			return nil, o, usageError{fmt.Errorf("--method: %w", err)}
		}
		for _, r := range ratios {
			if err := prune.CheckRatio(r); err != nil {
				return nil, o, usageError{fmt.Errorf("%s: %w", flag, err)}
			}
			if p := (experiment.Pruning{Method: m, Ratio: r}); !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	return all, o, nil
}

// one is pruning for commands that prune once.
func (f *pruneFlags) one() (experiment.Pruning, prune.Options, error) {
	all, o, err := f.pruning()
	if err == nil && len(all) != 1 {
		err = usageError{fmt.Errorf("give one --method and one ratio: this makes one network")}
	}
	if err != nil {
		return experiment.Pruning{}, o, err
	}
	return all[0], o, nil
}

// recoverFlags say how accuracy is brought back.
type recoverFlags struct {
	how      []string
	epochs   int
	lr       float64
	distill  experiment.Distill
	sparsity float64
}

func (f *recoverFlags) register(c *cobra.Command, how ...string) {
	s := c.Flags()
	s.StringSliceVar(&f.how, "recover", how, "ways to recover: "+strings.Join(experiment.RecoveryNames(), ", "))
	s.IntVar(&f.epochs, "fine-tune-epochs", 0, "epochs of fine-tuning (default: as many as of training)")
	s.Float64Var(&f.lr, "fine-tune-lr", 0, "learning rate of fine-tuning (default: that of training)")
	s.Float64Var(&f.sparsity, "sparsity", experiment.PaperSparsity, "strength of the penalty on BatchNorm scales with which nsfp's network is trained")
	distillFlags(s, &f.distill)
	rare(s, "fine-tune-epochs", "fine-tune-lr", "sparsity")
}

func distillFlags(s *pflag.FlagSet, d *experiment.Distill) {
	s.Float64Var(&d.Weight, "distill", 0, "how much fine-tuning learns from the unpruned network's logits instead of the labels, in [0, 1]")
	s.Float64Var(&d.Temperature, "temperature", experiment.PaperTemperature, "temperature of the logits that --distill compares")
	group(s, ofPruning)
	rare(s, "distill", "temperature")
}

// apply goes after the training's settings are known, which fine-tuning's start from.
func (f *recoverFlags) apply(c *experiment.Config) error {
	c.Recover = []string{}
	for _, n := range f.how {
		stage, err := experiment.ParseRecovery(n)
		if err != nil {
			return usageError{fmt.Errorf("--recover: %w", err)}
		}
		c.Recover = append(c.Recover, stage)
	}
	c.FineTune = fineTuning(c.Train, f.epochs, f.lr)
	c.Sparsity = f.sparsity
	if f.distill.Weight != 0 {
		c.Distill = f.distill
	}
	return nil
}

// fineTuning holds the settings of fine-tuning, by default those of training, as in the
// paper.
func fineTuning(o train.Options, epochs int, lr float64) train.Options {
	if epochs > 0 {
		o.Epochs = epochs
	}
	if lr > 0 {
		o.LR = lr
	}
	return o
}
