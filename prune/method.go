// Package prune decides which channels or weights of a network go, and removes them.
//
// A [Method] says how candidates are scored, which data the scores look at, and how the network is trained
// for it; [Methods] lists all. [Choose] takes the candidates that [Options] allow, scores them, and
// returns a [Decision]: which go. [Decision.Apply] carries it out, by surgery for channels, by masks
// for weights.
//
// Surgery is exact: the smaller network returns the logits of the whole one with the columns of the
// removed channels at zero in each consumer, to rounding. Channels that can only go together are a
// group, which follows from the network's operations.
package prune

import (
	"math"
	"sync"

	"github.com/eegprune/eegprune/internal/cite"
	"github.com/eegprune/eegprune/internal/spelling"
	"github.com/eegprune/eegprune/models"
)

// A Method is a way to prune, as its paper has it.
type Method struct {
	Name string
	Doc  string // one line: how it works and where it comes from
	Cite cite.Paper
	// Masks is whether weights are held at zero; else channels are removed.
	Masks bool
	// Score returns the function that scores a network's candidates; the least important go first.
	Score func(n *models.Network, e Evidence) (Score, error)
	Needs Needs // the part of the training clips that its scores look at
	// Check returns the reason why the method does not fit a network; nil where it fits all.
	Check  func(a *models.Arch) error
	Global bool // one threshold over all layers, unless Options say otherwise
	// Kept is how many of c channels stay in a layer at a ratio, where layers are
	// pruned one by one; nil for round(c(1-ratio)).
	Kept func(c int, ratio float64) int
	// Training is how the unpruned network is trained for it; nil for as always.
	Training *Training
}

// Methods returns every method there is. A new one is one file with a function that
// returns its Method, and one line here.
func Methods() []Method {
	return []Method{
		lfp(),
		nsfp(),
		sfp(),
		uwmp(),
		fpgm(),
		taylor(),
		bnSum(),
		lamp(),
		random(),
		snip(),
		gmp(),
		apoz(),
	}
}

// MethodNames returns the methods' names.
func MethodNames() []string {
	var names []string
	for _, m := range Methods() {
		names = append(names, m.Name)
	}
	return names
}

// ByName returns the method of that name; the error lists those there are.
func ByName(name string) (Method, error) {
	m, known := byName()[name]
	if !known {
		return Method{}, spelling.Unknown("pruning method", name, MethodNames())
	}
	return m, nil
}

// byName finds the methods; they never change. Planning asks for each cell.
var byName = sync.OnceValue(func() map[string]Method {
	all := map[string]Method{}
	for _, m := range Methods() {
		all[m.Name] = m
	}
	return all
})

// Fits returns an error that says why the method means nothing on a network.
func (m Method) Fits(a *models.Arch) error {
	if m.Check == nil {
		return nil
	}
	return m.Check(a)
}

// kept is how many of c channels stay in a layer, at least 1.
func (m Method) kept(c int, ratio float64) int {
	if m.Kept != nil {
		return max(1, m.Kept(c, ratio))
	}
	// Half to even, as the paper's Python rounds.
	return max(1, int(math.RoundToEven(float64(c)*(1-ratio))))
}
