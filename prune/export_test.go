package prune

// What soft pruning and network slimming are made of, for tests.
var (
	Soften   = soften
	Silence  = silence
	Silent   = silent
	Penalise = penalise
)

// LAMPScores are those of one layer's weights.
var LAMPScores = lampScores
