package prune

// The parts of soft pruning, for tests.
var (
	Soften  = soften
	Silence = silence
	Silent  = silent
)

// LAMPScores are the scores of one layer's weights.
var LAMPScores = lampScores
