package data

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/eegprune/eegprune/internal/natural"
	"github.com/eegprune/eegprune/internal/spelling"
)

// A unit is the set of clips that a split keeps together.
type unit int

const (
	clips        unit = iota // nothing is kept together
	inTrial                  // each trial is divided by itself
	sameTrial                // subject and number of the trial, in whatever session
	trials                   // subject, session and number of the trial
	trialNumbers             // number of the trial, of whatever subject and session
	subjects
	stimuli // of whatever subject and session
)

// splitKind is a line of the registry of splits.
type splitKind struct {
	name  string
	about string
	unit  unit
	// alone makes folds of each subject's clips by themselves.
	alone bool
}

// splitKinds lists all splits. Without shuffling, those that torcheeg has are its, fold by fold;
// its trials don't depend on the session. It lacks KFoldByTrial, nested and those of stimuli.
func splitKinds() []splitKind {
	return []splitKind{
		{"KFold", "clips, whatever trial or subject they are of", clips, false},
		{"KFoldPerSubject", "clips, each subject by itself", clips, true},
		{"KFoldGroupbyTrial", "a part of every trial", inTrial, false},
		{"KFoldPerSubjectGroupbyTrial", "a part of every trial, each subject by itself", inTrial, true},
		{"KFoldByTrial", "whole trials, each of one subject in one session", trials, false},
		{"KFoldCrossTrial", "whole trials, those of one number of all subjects and sessions together", trialNumbers, false},
		{"KFoldPerSubjectCrossTrial", "whole trials, those of one number of all sessions together, each subject by itself", trialNumbers, true},
		{"KFoldCrossSubject", "whole subjects", subjects, false},
		{Nested, "whole subjects, and those trained on again into folds that choose epoch and ratio", subjects, false},
		{LeaveOneSubjectOut, "whole subjects, one at a time", subjects, false},
		{"KFoldCrossStimulus", "whole stimuli (films, songs), each with the trials of all who had it", stimuli, false},
		{LeaveOneStimulusOut, "whole stimuli, one at a time", stimuli, false},
	}
}

// Splits that have a fold for each unit.
const (
	LeaveOneSubjectOut  = "LeaveOneSubjectOut"
	LeaveOneStimulusOut = "LeaveOneStimulusOut"
)

// OneAtATime reports whether the named split has a fold for each unit, however many are asked for.
func OneAtATime(name string) bool {
	return name == LeaveOneSubjectOut || name == LeaveOneStimulusOut
}

// KeepsStimuli reports whether the named split keeps whole stimuli together.
func KeepsStimuli(name string) bool {
	return slices.ContainsFunc(splitKinds(), func(k splitKind) bool { return k.name == name && k.unit == stimuli })
}

// Nested is the split whose folds' training parts are divided into folds again; see
// [Split].
const Nested = "nested"

// SplitNames returns the names that [NewSplit] takes.
func SplitNames() []string {
	var names []string
	for _, k := range splitKinds() {
		names = append(names, k.name)
	}
	return names
}

// NewSplit returns the split of that name with k folds (one at a time there are as many as
// subjects or stimuli, whatever k is). Without shuffle the units, in
// their order, are cut into k runs as scikit-learn's KFold cuts them; with it
// they are first put into an order drawn from the seed. Validation parts are
// drawn from the seed either way.
func NewSplit(name string, k int, shuffle bool, seed uint64) (Split, error) {
	for _, kind := range splitKinds() {
		if kind.name != name {
			continue
		}
		if OneAtATime(name) {
			k = 0
		} else if k < 2 {
			return nil, fmt.Errorf("%s with %d folds: there must be at least 2", name, k)
		}
		return &split{kind, k, shuffle, seed}, nil
	}
	return nil, spelling.Unknown("split", name, SplitNames())
}

// NonLeaking names the split that asks the same as the named one without having clips of one trial
// on both sides, or the name itself if it has none.
func NonLeaking(name string) string {
	switch name {
	case "KFold", "KFoldGroupbyTrial":
		return "KFoldByTrial"
	case "KFoldPerSubject", "KFoldPerSubjectGroupbyTrial":
		return "KFoldPerSubjectCrossTrial"
	}
	return name
}

type split struct {
	kind    splitKind
	k       int // 0: one fold for each unit
	shuffle bool
	seed    uint64
}

func (s *split) Name() string { return s.kind.name }

func (s *split) Leaks() bool { return s.kind.unit == clips || s.kind.unit == inTrial }

// generator draws all that the split shuffles, in order.
func (s *split) generator(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(s.seed, stream)) }

// Streams of the generator, so that folds and validation don't repeat each
// other's draws.
const (
	foldStream = iota + 1
	validationStream
)

func (s *split) Folds(set *Set) ([]Fold, error) {
	if err := set.checkRows(); err != nil {
		return nil, err
	}
	if s.kind.unit == stimuli {
		if err := set.checkStimuli(); err != nil {
			return nil, fmt.Errorf("%s: %w", s.kind.name, err)
		}
	}
	rng := s.generator(foldStream)
	if !s.kind.alone {
		return s.foldsOf(set, allRows(set), rng, "")
	}
	var folds []Fold
	for _, subject := range grouped(set, allRows(set), subjects) {
		f, err := s.foldsOf(set, subject.rows, rng, " of subject "+subject.key.subject)
		if err != nil {
			return nil, err
		}
		folds = append(folds, f...)
	}
	return folds, nil
}

// checkStimuli finds clips whose stimulus is unknown.
func (s *Set) checkStimuli() error {
	for _, c := range s.Clips {
		if c.Stimulus == "" {
			return fmt.Errorf("nothing says of which stimulus %s was (%s): use another split, or give files in the manifest a group stimulus",
				groupKey{subject: c.Subject, session: c.Session, trial: c.Trial}, c.File)
		}
	}
	return nil
}

// foldsOf makes the folds of some rows. whose says of whom, for messages.
func (s *split) foldsOf(set *Set, rows []int, rng *rand.Rand, whose string) ([]Fold, error) {
	if s.kind.unit == inTrial {
		return s.withinTrials(set, rows, rng, whose)
	}
	units := grouped(set, rows, s.kind.unit)
	k := s.k
	if k == 0 {
		k = len(units)
	}
	if len(units) < max(k, 2) {
		return nil, fmt.Errorf("%s with %d folds needs at least that many %s%s and there are %d: use fewer folds, another split or more recordings", s.kind.name, max(k, 2), s.unitName(), whose, len(units))
	}
	if s.shuffle && s.k > 0 {
		shuffle(rng, units)
	}
	folds := make([]Fold, k)
	for i, run := range kFold(len(units), k) {
		folds[i] = divide(units, run)
	}
	return folds, s.checkFolds(set, folds)
}

// withinTrials cuts every trial into k runs of clips.
func (s *split) withinTrials(set *Set, rows []int, rng *rand.Rand, whose string) ([]Fold, error) {
	folds := make([]Fold, s.k)
	for _, trial := range grouped(set, rows, sameTrial) {
		if len(trial.rows) < s.k {
			return nil, fmt.Errorf("%s with %d folds needs at least that many clips in every trial%s and %s has %d: use fewer folds or shorter clips", s.kind.name, s.k, whose, trial.key, len(trial.rows))
		}
		units := grouped(set, trial.rows, clips)
		if s.shuffle {
			shuffle(rng, units)
		}
		for i, run := range kFold(len(units), s.k) {
			f := divide(units, run)
			folds[i].Train = append(folds[i].Train, f.Train...)
			folds[i].Test = append(folds[i].Test, f.Test...)
		}
	}
	for i := range folds {
		slices.Sort(folds[i].Train)
		slices.Sort(folds[i].Test)
	}
	return folds, s.checkFolds(set, folds)
}

func (s *split) unitName() string {
	return [...]string{clips: "clips", inTrial: "clips", sameTrial: "trials", trials: "trials", trialNumbers: "numbers of trials", subjects: "subjects", stimuli: "stimuli"}[s.kind.unit]
}

// checkFolds finds a fold whose training part has one class only.
func (s *split) checkFolds(set *Set, folds []Fold) error {
	for i, f := range folds {
		if classes := set.classesOf(f.Train); len(classes) == 1 {
			hint := "shuffle, or use more folds"
			if s.shuffle {
				hint = "use more folds or another seed"
			}
			return fmt.Errorf("fold %d of %s would train on the class %q alone, as there are so few %s: %s", i+1, s.kind.name, set.Classes[classes[0]], s.unitName(), hint)
		}
	}
	return nil
}

// classesOf returns the classes that rows have.
func (s *Set) classesOf(rows []int) []int64 {
	seen := make([]bool, len(s.Classes))
	var list []int64
	for _, r := range rows {
		if y := s.Y[r]; !seen[y] {
			seen[y] = true
			list = append(list, y)
		}
	}
	return list
}

// checkRows finds sets that were put together wrongly.
func (s *Set) checkRows() error { return s.checkRowsOf(len(s.X)) }

// checkRowsOf is checkRows where X is to have so many values.
func (s *Set) checkRowsOf(values int) error {
	if len(s.Clips) != len(s.Y) || values != len(s.Y)*s.clipSize() {
		return fmt.Errorf("the set has %d labels, %d origins and %d values for clips of shape %v, which don't belong together", len(s.Y), len(s.Clips), values, s.Shape)
	}
	for i, y := range s.Y {
		if y < 0 || int(y) >= len(s.Classes) {
			return fmt.Errorf("clip %d has the label %d and there are %d classes", i, y, len(s.Classes))
		}
	}
	return nil
}

func allRows(s *Set) []int {
	rows := make([]int, s.Len())
	for i := range rows {
		rows[i] = i
	}
	return rows
}

// kFold cuts n units into k runs as scikit-learn does: the first n mod k runs
// have one unit more.
func kFold(n, k int) [][2]int {
	runs := make([][2]int, k)
	at := 0
	for i := range runs {
		size := n / k
		if i < n%k {
			size++
		}
		runs[i] = [2]int{at, at + size}
		at += size
	}
	return runs
}

// A group is rows that stay together.
type group struct {
	key  groupKey
	rows []int
}

type groupKey struct {
	subject, session string
	stimulus         string
	trial, row       int
}

// String names a trial.
func (k groupKey) String() string {
	if k.session != "" {
		return fmt.Sprintf("trial %d of subject %s in session %s", k.trial, k.subject, k.session)
	}
	return fmt.Sprintf("trial %d of subject %s", k.trial, k.subject)
}

// grouped returns the units of some rows in their fixed order: by subject,
// session, stimulus and trial, numbers in names by their value; clips as they stand.
func grouped(s *Set, rows []int, u unit) []group {
	at := map[groupKey]int{}
	var list []group
	for _, r := range rows {
		c := s.Clips[r]
		var key groupKey
		switch u {
		case subjects:
			key = groupKey{subject: c.Subject}
		case sameTrial:
			key = groupKey{subject: c.Subject, trial: c.Trial}
		case trials:
			key = groupKey{subject: c.Subject, session: c.Session, trial: c.Trial}
		case stimuli:
			key = groupKey{stimulus: c.Stimulus}
		case trialNumbers:
			key = groupKey{trial: c.Trial}
		default:
			key = groupKey{row: r}
		}
		i, ok := at[key]
		if !ok {
			i = len(list)
			at[key] = i
			list = append(list, group{key: key})
		}
		list[i].rows = append(list[i].rows, r)
	}
	slices.SortStableFunc(list, func(a, b group) int {
		return cmp.Or(natural.Compare(a.key.subject, b.key.subject), natural.Compare(a.key.session, b.key.session), natural.Compare(a.key.stimulus, b.key.stimulus),
			cmp.Compare(a.key.trial, b.key.trial), cmp.Compare(a.key.row, b.key.row))
	})
	return list
}

// shuffle is Fisher and Yates's.
func shuffle(rng *rand.Rand, g []group) {
	rng.Shuffle(len(g), func(i, j int) { g[i], g[j] = g[j], g[i] })
}

// divide makes a fold whose test part is a run of units. Rows are in
// ascending order on both sides.
func divide(units []group, run [2]int) Fold {
	var f Fold
	for i, u := range units {
		if i >= run[0] && i < run[1] {
			f.Test = append(f.Test, u.rows...)
		} else {
			f.Train = append(f.Train, u.rows...)
		}
	}
	slices.Sort(f.Train)
	slices.Sort(f.Test)
	return f
}
