package prune

import (
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/train"
)

// A Training is how the unpruned network is trained for a method.
type Training struct {
	// Prunes is whether the network comes out of it pruned, at one ratio; else one such network
	// is there for all ratios, and is pruned after it.
	Prunes bool
	// Penalised is whether it goes by Job.Strength.
	Penalised bool
	// Start joins the training of n before its first step, also where it goes on from a
	// snapshot, whose weights come after. It returns the regimen that goes on beside minimising the loss.
	Start func(n *models.Network, j Job) (train.Regimen, error)
	// End returns the finished network, and notes for the user; where
	// that is another network, the caller frees both.
	End func(n *models.Network, j Job) (*models.Network, []string, error)
}

// A Job holds the settings of a training for a method.
type Job struct {
	Method   Method
	Ratio    float64 // of a training that prunes
	Options  Options
	Strength float64 // of a penalty
	Epochs   int
	Evidence func(n *models.Network) Evidence
}

// choose decides at a ratio by the network's present weights.
func (j Job) choose(n *models.Network, ratio float64) (Decision, error) {
	return Choose(n, j.Method, ratio, j.Options, j.Evidence(n))
}

// TrainingFor returns the training that the method of that name asks for; nil where it asks for none
// of its own, and where there is no such method.
func TrainingFor(name string) *Training {
	m, err := ByName(name)
	if err != nil {
		return nil
	}
	return m.Training
}
