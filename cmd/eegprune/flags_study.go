package main

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/train"
)

// studyFlags choose the networks and the split.
type studyFlags struct {
	set     *pflag.FlagSet
	models  []string
	network exportedFlags
	split   string
	folds   int
	shuffle bool
	val     float64
	seed    uint64
	seeds   []uint
	metric  string
	weights bool
	// Of the split nested alone.
	leaveOut, inner int
}

func (f *studyFlags) register(s *pflag.FlagSet) {
	f.set = s
	s.StringSliceVar(&f.models, "model", []string{"fbccnn"}, "networks: "+strings.Join(models.Names(), ", "))
	f.network.register(s)
	group(s, ofNetwork)
	s.StringVar(&f.split, "split", "", "how clips are divided into folds (default: KFoldCrossSubject; of one subject KFoldByTrial)\none of "+strings.Join(data.SplitNames(), ", "))
	s.IntVar(&f.folds, "folds", 0, "number of folds (default: 10, or as many as subjects or trials)")
	s.BoolVar(&f.shuffle, "shuffle", true, "draw the folds at random, by --seed")
	s.Float64Var(&f.val, "val", 0.2, "share of a fold's training clips on which the best epoch is chosen")
	s.IntVar(&f.leaveOut, "leave-out", 0, "subjects that each fold of --split nested tests on, instead of --folds")
	s.IntVar(&f.inner, "inner-folds", 0, "folds into which --split nested divides the other subjects, to choose epoch and ratio (default: 5, or as many as there are subjects)")
	s.Uint64Var(&f.seed, "seed", 1, "seed of folds, weights and shuffles\nfold f draws weights and shuffles from seed+f-1")
	s.UintSliceVar(&f.seeds, "seeds", nil, "repeat the study with each of these seeds, instead of --seed\nwith other weights and shuffles and, where --split is shuffled, other folds")
	s.StringVar(&f.metric, "metric", "", "metric that judges networks and chooses epochs: "+strings.Join(result.Metrics(), ", ")+
		"\nby default balanced where one class has more than 1.5 times the clips of another, else accuracy")
	s.BoolVar(&f.weights, "class-weights", false, "weigh clips in the loss so that each class has the same share")
	group(s, ofTraining)
	rare(s, "metric", "seeds", "shuffle", "val", "leave-out", "inner-folds", "class-weights")
}

// repetitions returns the seeds.
func (f *studyFlags) repetitions() ([]uint64, error) {
	if len(f.seeds) == 0 {
		return []uint64{f.seed}, nil
	}
	if f.set.Changed("seed") {
		return nil, usageError{fmt.Errorf("--seed and --seeds both say what is drawn from: give one of them")}
	}
	var all []uint64
	for _, s := range f.seeds {
		all = append(all, uint64(s))
	}
	return all, nil
}

// networks are the models, or the one network of a file.
func (f *studyFlags) networks() ([]string, *experiment.Exported, error) {
	if f.network.file == "" {
		if f.network.init != "" {
			return nil, nil, usageError{fmt.Errorf("--init says how the weights of --network begin, and there is none")}
		}
		return f.models, nil, nil
	}
	if f.set.Changed("model") {
		return nil, nil, usageError{fmt.Errorf("--model and --network both say what is trained: give one of them")}
	}
	exported, err := experiment.OpenExported(f.network.file, models.Start(f.network.init))
	return []string{models.NameOf(f.network.file)}, exported, err
}

func (f *studyFlags) apply(c *experiment.Config, model string, seed uint64) {
	c.Model, c.Seed, c.Metric, c.ClassWeights = model, seed, f.metric, f.weights
	c.Split = experiment.Split{Name: f.split, Folds: f.folds, LeaveOut: f.leaveOut, Inner: f.inner, Shuffle: f.shuffle, Seed: seed, Val: f.val}
}

// trainFlags say how a network is trained. Zero means: as in the paper, or in the
// checkpoint.
type trainFlags struct {
	set                       *pflag.FlagSet
	epochs, steps, batch      int
	lr, momentum, weightDecay float64
	optimizer                 string
	arithmetic                arithmeticFlags
}

func (f *trainFlags) register(s *pflag.FlagSet) {
	f.set = s
	s.IntVar(&f.epochs, "epochs", 0, "epochs of training (default: the paper's 200, for TSCeption 300)")
	s.IntVar(&f.steps, "steps", 0, "steps of the optimizer, instead of --epochs: as many epochs as take about that many")
	s.IntVar(&f.batch, "batch", 0, "clips in a batch (default 64)")
	s.Float64Var(&f.lr, "lr", 0, "learning rate at the start (default 0.01)")
	s.StringVar(&f.optimizer, "optimizer", "", "sgd or adam (default: sgd, for TSCeption adam)")
	s.Float64Var(&f.momentum, "momentum", 0, "momentum of sgd")
	s.Float64Var(&f.weightDecay, "weight-decay", 0, "weight decay of the optimizer")
	group(s, ofTraining)
	rare(s, "steps", "batch", "lr", "optimizer", "momentum", "weight-decay")
	f.arithmetic.register(s)
}

func (f *trainFlags) apply(o *train.Options) error {
	if f.set.Changed("epochs") && f.set.Changed("steps") {
		return usageError{fmt.Errorf("--epochs and --steps both say how long to train: give one of them")}
	}
	if f.set.Changed("epochs") {
		o.Epochs = f.epochs
	}
	if f.set.Changed("steps") {
		o.Epochs, o.Steps = 0, f.steps
	}
	if f.set.Changed("batch") {
		o.BatchSize = f.batch
	}
	if f.set.Changed("lr") {
		o.LR = f.lr
	}
	if f.set.Changed("optimizer") {
		o.Optimizer = f.optimizer
	}
	if f.set.Changed("momentum") {
		o.Momentum = f.momentum
	}
	if f.set.Changed("weight-decay") {
		o.WeightDecay = f.weightDecay
	}
	f.arithmetic.apply(o)
	return nil
}
