// Package data turns EEG files into feature sets.
//
// Data flows one way: a source gives a stream of [source.Recording]; recordings are
// cut into clips; transforms make features of them; the result is a [Set], one
// contiguous array with a label and an origin for each clip; a [Split] makes
// folds of it. Nothing here needs libtorch.
package data

import (
	"hash"

	"github.com/eegprune/eegprune/internal/mapped"
	"github.com/eegprune/eegprune/internal/note"
)

// A Clip says where one row of a Set comes from.
type Clip struct {
	File    string `json:"file"` // below the directory of the recordings, with slashes
	Subject string `json:"subject"`
	Session string `json:"session,omitempty"`
	Trial   int    `json:"trial"`
	// Stimulus is the film, the song, ... of the trial; see [source.Recording].
	Stimulus string `json:"stimulus,omitempty"`
	Start    int    `json:"start"` // first sample of the clip, counted as [source.Recording]'s Offset is
	End      int    `json:"end"`   // one past the last
}

// A Set is a feature set: X holds len(Y) clips of Shape one after another. In a large set, or
// one that a [Cache] keeps, X is the memory of a mapped file: it can't be written to, ends
// with Close, and holds the features for as long as Err returns nil.
type Set struct {
	X        []float32
	Shape    []int    // of one clip: [bands, 9, 9] on a grid, [1, electrodes, samples] as a signal
	Y        []int64  // class of each clip, an index into Classes
	Classes  []string // names of the classes
	Clips    []Clip   // origin of each clip
	Channels []string // electrodes the features were made of, in order where Shape has an axis of them
	// Recorded are the channels that recordings were read with, where they were preprocessed.
	Recorded []string
	Rate     float64 // samples per second of the clips if they are signals, else of the recordings

	// Notes tell the user what was left out, corrected or assumed, and why.
	Notes note.List

	file *mapped.File // whose memory X is; nil where X has its own
	sum  hash.Hash    // SHA-256 that has seen X; nil where none has yet
}

// Len returns the number of clips.
func (s *Set) Len() int { return len(s.Y) }

// A Fold is one division of a set into rows to train on and rows to test on.
type Fold struct {
	Train, Test []int
}

// A Split divides a set into folds. Splits are deterministic: the same set and
// seed give the same folds on every machine.
type Split interface {
	// Name is torcheeg's name for the split, such as "KFoldCrossSubject".
	Name() string
	// Leaks reports whether clips of one trial can be in both parts of a fold.
	Leaks() bool
	// Folds returns the folds in order. Each row is in exactly one Test.
	Folds(s *Set) ([]Fold, error)
	// Validation divides a fold's Train again, by the same unit (clips, trials
	// or subjects) that the folds are made of, so that the checkpoint is chosen
	// on rows as foreign to training as the test rows are. share is the part
	// that goes to validation, 0.2 in the paper.
	Validation(s *Set, train []int, share float64) (fit, val []int, err error)
	// Inner divides a fold's Train into k folds by that unit.
	Inner(s *Set, train []int, k int) ([]Fold, error)
}
