package models

import (
	"fmt"
	"slices"

	"github.com/eegprune/eegprune/internal/cite"
	"github.com/eegprune/eegprune/internal/spelling"
	"github.com/eegprune/eegprune/models/op"
)

// A Config holds the sizes and options that a network is built with.
type Config struct {
	Input   [3]int // of one clip: [bands, height, width] on a grid, [1, electrodes, samples] as a signal
	Classes int
	Rate    float64  // samples per second, where the network's kernels depend on it
	Kernels []int    // lengths of its temporal kernels in samples; nil for those of Rate
	Dropout *float64 // nil for the network's own
}

func (c Config) dropout(own float64) float64 {
	if c.Dropout != nil {
		return *c.Dropout
	}
	return own
}

// A Model is a network that can be built for any data of its kind.
type Model struct {
	Name string
	Doc  string // one line: its input and where it comes from
	Cite cite.Paper
	// Grid says whether clips are features on a grid; else they are signals.
	Grid bool
	// Protocol is how its paper trains it; zero for as most: see train.Paper.
	Protocol Protocol
	Build    func(Config) (*op.Net, error)
	// Infer reads the Config of a network from the shapes of its tensors. Sizes that
	// they leave open are taken from known, where they are given and fit: height and width
	// of a grid, the samples of a clip.
	Infer func(t Shapes, known Config) (Config, error)
}

// A Protocol is how a paper trains a network. Zero fields are those of most networks.
type Protocol struct {
	Optimizer  string
	Epochs     int
	Milestones []float64 // shares of the epochs after which the learning rate falls
}

// All returns every model there is. A new network is one file with a function that
// returns its Model, and one line here.
func All() []Model {
	return []Model{
		ccnn(),
		ccnnSELU(),
		deep4Net(),
		eegnet(),
		fbccnn(),
		shallowConvNet(),
		tsception(),
	}
}

// Names returns the models' names.
func Names() []string {
	var names []string
	for _, m := range All() {
		names = append(names, m.Name)
	}
	return names
}

// ByName returns the model of that name; the error lists those there are.
func ByName(name string) (Model, error) {
	all := All()
	i := slices.IndexFunc(all, func(m Model) bool { return m.Name == name })
	if i < 0 {
		return Model{}, spelling.Unknown("model", name, Names())
	}
	return all[i], nil
}

// Build builds a model and checks the result.
func Build(name string, c Config) (*Arch, error) {
	m, err := ByName(name)
	if err != nil {
		return nil, err
	}
	return m.build(c)
}

func (m Model) build(c Config) (*Arch, error) {
	net, err := m.Build(c)
	if err == nil {
		err = net.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("building %s: %w", m.Name, err)
	}
	return Custom(m.Name, c.Input, c.Classes, net)
}
