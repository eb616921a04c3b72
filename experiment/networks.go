package experiment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

// How a fold's networks come about.

// Made is a network with how it came about. Its owner frees the network.
type Made struct {
	Network *models.Network
	History train.History // empty where nothing was trained
	Notes   []string      // of pruning, or of sparsity training
}

// Oversight holds the observer of a training, and the store of its snapshots, from which it
// goes on after an end. The zero value has neither.
type Oversight struct {
	Watch     train.Observer
	Snapshots train.Snapshots
}

// Train trains the unpruned network of a fold, counted from 1.
func (s *Study) Train(ctx context.Context, fold int, o Oversight) (Made, error) {
	return s.fresh(ctx, fresh{arch: s.Arch, options: s.Config.Train}, fold, o)
}

// trainFor trains the unpruned network as a method asks, and ends with the method's own last
// step.
func trainFor(ctx context.Context, j job) (Made, error) {
	m, err := prune.ByName(j.Method)
	if err != nil {
		return Made{}, err
	}
	of := prune.Job{Method: m, Ratio: j.Ratio, Options: j.Config.Options, Strength: j.Config.Sparsity, Epochs: j.Config.Train.Epochs,
		Evidence: func(n *models.Network) prune.Evidence { return j.evidence(n, j.fold) }}
	made, err := j.fresh(ctx, fresh{arch: j.Arch, options: j.Config.Train, regimen: func(n *models.Network) (train.Regimen, error) {
		return m.Training.Start(n, of)
	}}, j.fold, j.over)
	if err != nil {
		return made, err
	}
	trained := made.Network
	made.Network, made.Notes, err = m.Training.End(trained, of)
	if err != nil || made.Network != trained {
		trained.Free()
	}
	if err != nil {
		return Made{}, err
	}
	return made, nil
}

// cut prunes the method's choice in a trained network, or while it is trained.
func cut(ctx context.Context, j job) (Made, error) {
	if t := prune.TrainingFor(j.Method); t != nil && t.Prunes {
		return trainFor(ctx, j)
	}
	return j.Prune(j.from[0], Pruning{j.Method, j.Ratio}, j.fold)
}

// Prune removes, or masks, the method's choice at the ratio in a network of a fold; n is
// unchanged.
func (s *Study) Prune(n *models.Network, p Pruning, fold int) (Made, error) {
	return Prune(n, p, s.Config.Options, s.evidence(n, fold))
}

// Prune removes, or masks, the method's choice at the ratio, and brings the remaining weights
// to the network's bounds of norms; n is unchanged.
func Prune(n *models.Network, p Pruning, o prune.Options, e prune.Evidence) (Made, error) {
	m, err := prune.ByName(p.Method)
	if err != nil {
		return Made{}, err
	}
	d, err := prune.Choose(n, m, p.Ratio, o, e)
	if err != nil {
		return Made{}, err
	}
	small, err := d.Apply(n)
	if err != nil {
		return Made{}, err
	}
	scope := torch.NewScope(torch.NoGrad)
	defer scope.Close()
	small.Constrain(scope)
	if err := scope.Err(); err != nil {
		small.Free()
		return Made{}, fmt.Errorf("bounding the weights that are left: %w", err)
	}
	return Made{Network: small, Notes: d.Notes}, nil
}

// Narrow is the architecture that a method leaves of another, of fresh weights. It gives the
// cost of a network whose pruning goes by numbers of filters, whatever their weights.
func Narrow(a *models.Arch, p Pruning) (*models.Arch, error) {
	n, g, err := train.Fresh(a, nil, torch.CPU, 1)
	if err != nil {
		return nil, err
	}
	g.Free()
	defer n.Free()
	made, err := Prune(n, p, prune.Options{}, prune.Evidence{})
	if err != nil {
		return nil, err
	}
	defer made.Network.Free()
	return made.Network.Arch, nil
}

// The training clips that criteria see: enough for a stable order of the filters.
const (
	evidenceBatch   = 64
	evidenceBatches = 8
)

// evidence gives criteria the gradients and activations on training clips of a fold.
func (s *Study) evidence(n *models.Network, fold int) prune.Evidence {
	rows := sync.OnceValue(func() []int { return s.evidenceRows(fold) }) // most methods need none
	return prune.Evidence{Seed: s.seed(fold),
		Gradients: func(use func() error) error {
			return train.Gradients(n, s.data, rows(), evidenceBatch, evidenceBatches, use)
		},
		Activations: func(use func(node *op.Node, out *torch.Tensor) error) error {
			return train.Activations(n, s.data, rows(), evidenceBatch, evidenceBatches, use)
		}}
}

// evidenceRows are drawn by the fold's seed from all clips that are trained on, whose first
// would be those of the first subjects.
func (s *Study) evidenceRows(fold int) []int {
	rows := slices.Clone(s.Folds[fold-1].Fit)
	random := rand.New(rand.NewPCG(s.seed(fold), 0))
	random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	return rows[:min(len(rows), evidenceBatch*evidenceBatches)]
}

// Recover brings back a pruned network's accuracy on a fold, in the way that the stage
// says. teacher is the fold's unpruned network, which distillation learns from; it may
// be nil where Config asks for none. pruned is unchanged.
func (s *Study) Recover(ctx context.Context, pruned, teacher *models.Network, stage string, fold int, o Oversight) (Made, error) {
	how, err := stageOf(stage)
	if err != nil || how.ask == "" {
		return Made{}, fmt.Errorf("%q is no way to recover a network", stage)
	}
	j := job{Study: s, Cell: result.Cell{Variant: result.Variant{Stage: stage}}, fold: fold, from: []*models.Network{pruned}, over: o}
	if teacher != nil {
		j.from = append(j.from, teacher)
	}
	return how.make(ctx, j)
}

// RecoveryEpochs is for how many epochs Recover trains a pruned network.
func (s *Study) RecoveryEpochs(pruned *models.Network, stage string) (int, error) {
	how, err := stageOf(stage)
	if err != nil {
		return 0, err
	}
	whole, err := s.Arch.Count()
	if err != nil {
		return 0, err
	}
	left, err := pruned.Arch.CountMasked(pruned.Masks())
	if err != nil {
		return 0, err
	}
	return how.epochs(s.Config, nil, whole.MACs(), left.MACs()), nil
}

// scratch trains the pruned structure with fresh weights, for as long as the stage says.
func scratch(ctx context.Context, j job) (Made, error) {
	pruned := j.from[0]
	f := fresh{arch: pruned.Arch, masks: pruned.Masks(), options: j.Config.Train}
	var err error
	if f.options.Epochs, err = j.RecoveryEpochs(pruned, j.Stage); err != nil {
		return Made{}, err
	}
	return j.fresh(ctx, f, j.fold, j.over)
}

// uniform trains a network of fresh weights that is narrowed alike in every layer to the MACs
// of the pruned one.
func uniform(ctx context.Context, j job) (Made, error) {
	pruned := j.from[0]
	c, err := pruned.Arch.CountMasked(pruned.Masks())
	if err != nil {
		return Made{}, err
	}
	narrow, err := prune.UniformWidth(j.Arch, c.MACs(), j.Config.Options)
	if err != nil {
		return Made{}, err
	}
	return j.fresh(ctx, fresh{arch: narrow, options: j.Config.Train}, j.fold, j.over)
}

// equalCompute is the number of epochs in which a network of left MACs takes as many as one
// of whole in epochs, but no more than twice the epochs: where pruning saves more than half,
// Liu 2019 (Rethinking the Value of Network Pruning) doubles them.
func equalCompute(epochs int, whole, left int64) int {
	return int(math.Round(float64(epochs) * min(2, float64(whole)/float64(max(left, 1)))))
}

// trainOn goes on training the unpruned network as fine-tuning does a pruned one.
func trainOn(ctx context.Context, j job) (Made, error) { return j.tune(ctx, train.Regimen{}) }

// fineTune trains the pruned network on, if asked with the unpruned one as its teacher.
func fineTune(ctx context.Context, j job) (Made, error) {
	var regimen train.Regimen
	if d := j.Config.Distill; d.Weight > 0 {
		if len(j.from) < 2 {
			return Made{}, errors.New("distillation learns from the unpruned network, and there is none here")
		}
		regimen.Loss = train.Distill(j.from[1], d.Weight, d.Temperature)
	}
	return j.tune(ctx, regimen)
}

// tune trains a copy of the network that the job starts from, with its weights.
func (j job) tune(ctx context.Context, r train.Regimen) (Made, error) {
	g, err := torch.NewGenerator(torch.CPU, j.seed(j.fold))
	if err != nil {
		return Made{}, err
	}
	defer g.Free()
	n, err := j.from[0].To(j.device)
	if err != nil {
		return Made{}, err
	}
	return j.fit(ctx, n, j.fold, j.Config.FineTune, g, r, j.over)
}

// fresh says how a network with fresh weights is made.
type fresh struct {
	arch    *models.Arch
	masks   models.Masks
	options train.Options
	regimen func(n *models.Network) (train.Regimen, error) // nil for none
}

// fresh trains a network of fresh weights.
func (s *Study) fresh(ctx context.Context, f fresh, fold int, o Oversight) (Made, error) {
	n, g, err := train.Fresh(f.arch, f.masks, s.device, s.seed(fold))
	if err != nil {
		return Made{}, err
	}
	defer g.Free()
	var regimen train.Regimen
	if f.regimen != nil {
		if regimen, err = f.regimen(n); err != nil {
			n.Free()
			return Made{}, err
		}
	}
	return s.fit(ctx, n, fold, f.options, g, regimen, o)
}

// fit trains n, which it takes over: on an error n is freed.
func (s *Study) fit(ctx context.Context, n *models.Network, fold int, options train.Options, g *torch.Generator, r train.Regimen, o Oversight) (Made, error) {
	f, err := s.fold(fold)
	if err != nil {
		n.Free()
		return Made{}, err
	}
	var weights []float64
	if s.Config.ClassWeights {
		weights = train.BalancedWeights(s.Set.Y, f.Fit, len(s.Set.Classes))
	}
	h, err := train.Training{Network: n, Data: s.data, Fit: f.Fit, Val: f.Val, Options: options, Generator: g, Regimen: r,
		Metric: s.Config.Metric, ClassWeights: weights, Trials: s.trials,
		Watch: o.Watch, Snapshots: o.Snapshots}.Run(ctx)
	if err != nil {
		n.Free()
		return Made{}, err
	}
	return Made{Network: n, History: h}, nil
}

// seed is the seed of a fold.
func (s *Study) seed(fold int) uint64 { return s.Config.Seed + uint64(fold-1) }
