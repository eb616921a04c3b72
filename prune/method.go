package prune

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"eegprune/models"
)

// A Method is a criterion with the selection and the training that its paper uses.
type Method struct {
	Name string
	Doc  string // one line: what it does and where it comes from
	// Channels or Weights makes the criterion, whichever the method prunes; the other
	// is nil.
	Channels func(n *models.Network, e Evidence) (Criterion, error)
	Weights  WeightCriterion
	// Check says why the method means nothing on a network; nil where it fits all.
	Check  func(a *models.Arch) error
	Global bool // one threshold over all layers, unless Options say otherwise
	// NeedsData says that the criterion looks at gradients over training clips.
	NeedsData bool
	Training  Training // what the unpruned network's training must do for it
	// Kept is how many of c channels stay in a layer at a ratio, where layers are
	// pruned one by one; nil for round(c(1-ratio)).
	Kept func(c int, ratio float64) int
}

// Training says how a network is trained for a method.
type Training int

// The kinds of training.
const (
	Plain  Training = iota // as always
	Sparse                 // with a penalty on the scales of BatchNorm; see Penalise
	Soft                   // filters are zeroed after each epoch and may come back; see Soften
)

// Methods returns every method there is. A new one is one file with a function that
// returns its Method, and one line here.
func Methods() []Method {
	return []Method{lfp(), nsfp(), sfp(), uwmp(), fpgm(), taylor(), bnSum(), lamp(), random()}
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
	all := Methods()
	i := slices.IndexFunc(all, func(m Method) bool { return m.Name == name })
	if i < 0 {
		return Method{}, fmt.Errorf("unknown pruning method %q: use one of %s", name, strings.Join(MethodNames(), ", "))
	}
	return all[i], nil
}

// Fits returns an error that says why the method means nothing on a network.
func (m Method) Fits(a *models.Arch) error {
	if m.Check == nil {
		return nil
	}
	return m.Check(a)
}

// TrainingFor is the training that the method of that name needs; Plain where there is no
// such method.
func TrainingFor(name string) Training {
	m, err := ByName(name)
	if err != nil {
		return Plain
	}
	return m.Training
}

// kept is how many of c channels stay in a layer, at least 1.
func (m Method) kept(c int, ratio float64) int {
	if m.Kept != nil {
		return max(1, m.Kept(c, ratio))
	}
	// Half to even, as the paper's Python rounds.
	return max(1, int(math.RoundToEven(float64(c)*(1-ratio))))
}

// always makes a criterion that needs no evidence.
func always(c Criterion) func(*models.Network, Evidence) (Criterion, error) {
	return func(*models.Network, Evidence) (Criterion, error) { return c, nil }
}
