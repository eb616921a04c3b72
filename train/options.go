// Package train trains one network on one fold and evaluates it.
//
// A [Training] is a network, the feature set that it learns from ([Data]), the rows to fit and to
// validate on, and [Options]. [Training.Run] leaves the network with the weights of the epoch that
// did best on the validation rows, and returns the [History] of all epochs. [Evaluate] scores a
// network on other rows.
//
// # The numbers
//
// [Fresh] draws weights, and the training's generator draws shuffles and dropout, as the PyTorch
// program does that calls torch.manual_seed, makes the network and iterates a DataLoader. On a CPU
// two runs give the same bits; on a GPU they do unless [Options].Fast is set. [Snapshots] let a
// training that was ended go on with the same numbers.
//
// The package knows no pruning: a method that trains in a way of its own says so by a [Regimen].
package train

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// Options say how a network is trained. They are kept with its results.
type Options struct {
	Optimizer   string    `json:"optimizer" yaml:"optimizer"` // "sgd" or "adam"
	LR          float64   `json:"lr" yaml:"lr"`
	Momentum    float64   `json:"momentum,omitempty" yaml:"momentum,omitempty"` // of SGD
	WeightDecay float64   `json:"weight_decay,omitempty" yaml:"weight_decay,omitempty"`
	BatchSize   int       `json:"batch_size" yaml:"batch_size"`
	Epochs      int       `json:"epochs" yaml:"epochs"` // 0: as many as take about Steps
	Steps       int       `json:"steps,omitempty" yaml:"steps,omitempty"`
	Milestones  []float64 `json:"milestones,omitempty" yaml:"milestones,omitempty"` // shares of the epochs after which LR is multiplied by Gamma
	Gamma       float64   `json:"gamma,omitempty" yaml:"gamma,omitempty"`
	Precision   string    `json:"precision,omitempty" yaml:"precision,omitempty"` // "" for float32, or one of Precisions
	// Fast lets a GPU compute in whatever way is fastest: two runs then differ.
	Fast bool `json:"fast,omitempty" yaml:"fast,omitempty"`
	// CuDNNBenchmark has cuDNN time its algorithms for each shape and take the fastest, unless Fast is set of those
	// that are deterministic: two runs differ where it takes another.
	CuDNNBenchmark bool `json:"cudnn_benchmark,omitempty" yaml:"cudnn_benchmark,omitempty"`
	// Variants are names of [models.VariantNames], with commas: each layer takes the first that computes it
	// and agrees with libtorch's operation. With "auto" it takes the fastest, which may be another one each
	// time; with "" libtorch's operation.
	Variants string `json:"variants,omitempty" yaml:"variants,omitempty"`
}

// Paper returns the settings of Rao & Zhong for a model: SGD at 1e-2 over 200 epochs,
// a tenth of it from epoch 150 and again from 180, in batches of 64, unless the
// network's own [models.Protocol] differs.
func Paper(model string) Options {
	o := Options{Optimizer: "sgd", LR: 1e-2, BatchSize: 64, Epochs: 200, Milestones: []float64{0.75, 0.9}, Gamma: 0.1}
	m, err := models.ByName(model)
	if err != nil {
		return o // a network of the user's own
	}
	p := m.Protocol
	o.Optimizer, o.Epochs = cmp.Or(p.Optimizer, o.Optimizer), cmp.Or(p.Epochs, o.Epochs)
	if p.Milestones != nil {
		o.Milestones = p.Milestones
	}
	return o
}

// Check returns an error that names the setting which can't be used.
func (o Options) Check() error {
	switch {
	case o.Optimizer != "sgd" && o.Optimizer != "adam":
		return fmt.Errorf("unknown optimizer %q: use sgd or adam", o.Optimizer)
	case !(o.LR > 0) || math.IsInf(o.LR, 0):
		return fmt.Errorf("learning rate %g: it must be positive, such as 0.01", o.LR)
	case !(o.Momentum >= 0 && o.Momentum < 1):
		return fmt.Errorf("momentum %g is outside [0, 1)", o.Momentum)
	case !(o.WeightDecay >= 0) || math.IsInf(o.WeightDecay, 0):
		return fmt.Errorf("weight decay %g: it must not be negative", o.WeightDecay)
	case o.BatchSize < 1:
		return fmt.Errorf("batch size %d: it must be at least 1", o.BatchSize)
	case o.Epochs < 1 && (o.Epochs < 0 || o.Steps < 1):
		return fmt.Errorf("%d epochs: train for at least 1", o.Epochs)
	case len(o.Milestones) > 0 && (!(o.Gamma > 0) || math.IsInf(o.Gamma, 0)):
		return fmt.Errorf("gamma %g: the learning rate must be multiplied by a positive number, such as 0.1", o.Gamma)
	}
	if !slices.Contains(append(Precisions(), ""), o.Precision) {
		return fmt.Errorf("unknown precision %q: use %s, or leave it out for float32", o.Precision, strings.Join(Precisions(), ", "))
	}
	if err := o.checkVariants(); err != nil {
		return err
	}
	for _, m := range o.Milestones {
		if !(m >= 0 && m <= 1) {
			return fmt.Errorf("milestone %g is not a share of the epochs: it must be in [0, 1]", m)
		}
	}
	return nil
}

// Settle returns the options with the number of epochs that takes about Steps steps over
// that many clips, where Epochs is not set.
func (o Options) Settle(clips int) Options {
	if o.Epochs == 0 {
		perEpoch := math.Ceil(float64(clips) / float64(o.BatchSize))
		o.Epochs = max(1, int(math.Round(float64(o.Steps)/perEpoch)))
	}
	return o
}

// schedule scales the milestones to the number of epochs.
func (o Options) schedule() torch.Schedule {
	var epochs []int
	for _, m := range o.Milestones {
		epochs = append(epochs, int(math.Round(m*float64(o.Epochs))))
	}
	return torch.MultiStepLR(o.LR, o.Gamma, epochs...)
}

// optimizer makes the one that steps a network: fused on a GPU, whose steps are recorded.
func (o Options) optimizer(n *models.Network) (*torch.Optimizer, error) {
	fused := n.TrainsAsGPU()
	if o.Optimizer == "adam" {
		return torch.NewAdam(n.Parameters(), torch.AdamOptions{WeightDecay: o.WeightDecay, Fused: fused})
	}
	return torch.NewSGD(n.Parameters(), torch.SGDOptions{Momentum: o.Momentum, WeightDecay: o.WeightDecay, Fused: fused})
}

// ErrDiverged is wrapped by the error of a training whose loss is no longer a number.
var ErrDiverged = errors.New("the training diverged")
