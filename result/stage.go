package result

import "slices"

// The stages of a network, in the order in which it goes through them.
const (
	Unpruned  = "unpruned"
	TrainedOn = "trained-on"
	Sparse    = "sparsity-trained"
	Pruned    = "pruned"
	FineTuned = "fine-tuned"
	Scratch   = "scratch"
	ScratchB  = "scratch-b"
	Uniform   = "uniform"
)

// A Stage describes a network of a study, as far as reports need to know. How it comes
// about is in package experiment.
type Stage struct {
	Name string
	Doc  string // a description in a few words
	// Reference is the stage of the network that its loss is judged against: [Unpruned] for
	// most, "" for that itself.
	Reference string
	Whole     bool // nothing was removed from it
	Recovered bool // it was pruned and brought back: one of these is marked as the best
	// Fresh is whether its weights are drawn anew: of equal widths and seeds it is then one and
	// the same network, whatever method gave the widths.
	Fresh bool
}

// Stages returns all stages in order.
func Stages() []Stage {
	return []Stage{
		{Name: Unpruned, Doc: "trained, nothing removed", Whole: true},
		{Name: TrainedOn, Doc: "unpruned, trained on for as long as fine-tuning lasts", Reference: Unpruned, Whole: true},
		{Name: Sparse, Doc: "unpruned, trained for a method that asks for it", Reference: Unpruned, Whole: true},
		{Name: Pruned, Doc: "before any recovery", Reference: Unpruned},
		{Name: FineTuned, Doc: "pruned, trained on with the weights that are left", Reference: TrainedOn, Recovered: true},
		{Name: Scratch, Doc: "the pruned structure with fresh weights", Reference: Unpruned, Recovered: true, Fresh: true},
		{Name: ScratchB, Doc: "the same, for as many MACs as the unpruned training took", Reference: Unpruned, Recovered: true, Fresh: true},
		{Name: Uniform, Doc: "every layer narrowed alike to the same MACs, fresh weights: the control", Reference: Unpruned, Fresh: true},
	}
}

// StageOf returns a stage by its name; one of a later version comes as a pruned network.
func StageOf(name string) Stage {
	if all, i := Stages(), Order(name); i < len(all) {
		return all[i]
	}
	return Stage{Name: name, Reference: Unpruned}
}

// Order returns where a stage stands among all; those of a later version come last.
func Order(name string) int {
	all := Stages()
	if i := slices.IndexFunc(all, func(s Stage) bool { return s.Name == name }); i >= 0 {
		return i
	}
	return len(all)
}

// Control says whether nothing was removed from a network, and yet it isn't the unpruned
// one: it is there to be compared with.
func (s Stage) Control() bool { return s.Whole && s.Reference != "" }

// Recoveries returns the names of the stages in which a pruned network was brought back.
func Recoveries() []string {
	var names []string
	for _, s := range Stages() {
		if s.Recovered {
			names = append(names, s.Name)
		}
	}
	return names
}
