package prune

// What soft pruning is made of, for tests.
var (
	Soften  = soften
	Silence = silence
	Silent  = silent
)

// LAMPScores are those of one layer's weights.
var LAMPScores = lampScores
