package result

// The stages of a network, in the order in which it goes through them.
const (
	Unpruned  = "unpruned"
	TrainedOn = "trained-on"       // unpruned, trained on for as long as fine-tuning lasts: what a loss is judged against
	Sparse    = "sparsity-trained" // unpruned, but trained for a method that asks for it (NSFP)
	Pruned    = "pruned"           // before any recovery
	FineTuned = "fine-tuned"
	Scratch   = "scratch"   // the pruned structure with fresh weights
	ScratchB  = "scratch-b" // the same, for as many MACs as the unpruned training took
	Uniform   = "uniform"   // every layer narrowed alike to the same MACs, fresh weights: the control
)

// Stages returns the stages in order.
func Stages() []string {
	return []string{Unpruned, TrainedOn, Sparse, Pruned, FineTuned, Scratch, ScratchB, Uniform}
}
