package report

import (
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"slices"

	"github.com/eegprune/eegprune/result"
)

// A unit counts as one observation in tests: a fold of a repetition. The inner folds
// of a nested split, whose test clips are the same, are one.
type unit struct {
	seed uint64
	fold int
}

func unitOf(c result.Cell) unit { return unit{c.Seed, c.Fold} }

func (u unit) compare(o unit) int {
	return cmp.Or(cmp.Compare(u.seed, o.seed), cmp.Compare(u.fold, o.fold))
}

// An observation is a network's score on a unit; NaN where that is not defined.
type observation struct {
	unit
	value float64
}

// observe returns a value of each unit, in order: the mean over inner folds.
func observe(results []result.Result, value func(result.Result) float64) []observation {
	sum, n := map[unit]float64{}, map[unit]float64{}
	for _, r := range results {
		sum[unitOf(r.Cell)] += value(r)
		n[unitOf(r.Cell)]++
	}
	all := make([]observation, 0, len(sum))
	for u, v := range sum {
		all = append(all, observation{u, v / n[u]})
	}
	slices.SortFunc(all, func(a, b observation) int { return a.unit.compare(b.unit) })
	return all
}

// onTest and onValidation are the values that statistics are of.
func onTest(metric string) func(result.Result) float64 {
	return func(r result.Result) float64 { return r.Test.Defined(metric) }
}

func onValidation(metric string) func(result.Result) float64 {
	return func(r result.Result) float64 { return r.Validation.Defined(metric) }
}

// pairs returns a value of two networks on the units that both have, without those, which
// are counted, on which it is not defined.
// Units of several seeds that are the same clips are one; see [sharedFolds].
func pairs(a, b []result.Result, value func(result.Result) float64) (x, y []float64, undefined int) {
	var units []unit
	of := map[unit]float64{}
	for _, o := range observe(a, value) {
		of[o.unit] = o.value
	}
	for _, o := range observe(b, value) {
		v, ok := of[o.unit]
		switch {
		case !ok:
		case !known(v, o.value):
			undefined++
		default:
			x, y, units = append(x, v), append(y, o.value), append(units, o.unit)
		}
	}
	x, y, _ = averaged(x, y, units, sharedFolds(slices.Concat(a, b)))
	return x, y, undefined
}

// spread keeps apart how much a value differs over the folds of a seed and over seeds, of
// the latter the standard deviation of means over folds; NaN where there is one alone.
type spread struct {
	mean, folds, seeds float64
	units, defined     int
}

func spreadOver(results []result.Result, value func(result.Result) float64) spread {
	all := observe(results, value)
	s := spread{units: len(all)}
	all = slices.DeleteFunc(all, func(o observation) bool { return math.IsNaN(o.value) })
	s.defined = len(all)
	over := func(key func(unit) unit) []float64 {
		sum, n := map[unit]float64{}, map[unit]float64{}
		var order []unit
		for _, o := range all {
			k := key(o.unit)
			if n[k] == 0 {
				order = append(order, k)
			}
			sum[k] += o.value
			n[k]++
		}
		var means []float64
		for _, k := range order {
			means = append(means, sum[k]/n[k])
		}
		return means
	}
	s.mean = spreadOf(over(func(u unit) unit { return u })).Mean
	s.folds = withinSeeds(all)
	s.seeds = spreadOf(over(func(u unit) unit { return unit{seed: u.seed} })).SD
	return s
}

// withinSeeds is the standard deviation over the folds of a seed, pooled: the root of the
// mean of the seeds' variances; NaN where no seed has two folds.
func withinSeeds(all []observation) float64 {
	of := map[uint64][]float64{}
	for _, o := range all {
		of[o.seed] = append(of[o.seed], o.value)
	}
	sum, n := 0.0, 0.0
	for _, seed := range slices.Sorted(maps.Keys(of)) {
		if len(of[seed]) > 1 {
			sd := spreadOf(of[seed]).SD
			sum, n = sum+sd*sd, n+1
		}
	}
	return math.Sqrt(sum / n)
}

// seedsOf is the number of repetitions.
func seedsOf(results []result.Result) int {
	seen := map[uint64]bool{}
	for _, r := range results {
		seen[r.Cell.Seed] = true
	}
	return len(seen)
}

// pooledOf scores the clips of all folds together, the mean over seeds; false where some
// result has no confusion.
func pooledOf(results []result.Result) (result.Pooled, bool) {
	var mean result.Pooled
	of := map[uint64][][][]int{}
	for _, r := range results {
		of[r.Cell.Seed] = append(of[r.Cell.Seed], r.Test.Confusion)
	}
	for _, confusions := range of {
		sum := result.Sum(confusions)
		if sum == nil {
			return result.Pooled{}, false
		}
		p, n := result.Pool(sum), float64(len(of))
		mean.Clips = p.Clips
		mean.Accuracy += p.Accuracy / n
		mean.Balanced += p.Balanced / n
		mean.MacroF1 += p.MacroF1 / n
		mean.Majority += p.Majority / n
	}
	return mean, len(of) > 0
}

// confusionOf adds up the test clips of all folds and seeds.
func confusionOf(results []result.Result) [][]int {
	var all [][][]int
	for _, r := range results {
		all = append(all, r.Test.Confusion)
	}
	return result.Sum(all)
}

// A subject is the networks' score on one subject's clips of all folds.
type subject struct {
	name  string
	score float64 // NaN where the metric needs a class that the subject lacks
}

// subjectsOf returns them in the order of their names; none where results lack them.
func subjectsOf(results []result.Result, metric string) []subject {
	of := map[string][][][]int{}
	var names []string
	for _, r := range results {
		for _, s := range r.Subjects {
			if of[s.Subject] == nil {
				names = append(names, s.Subject)
			}
			of[s.Subject] = append(of[s.Subject], s.Confusion)
		}
	}
	slices.Sort(names)
	var all []subject
	for _, name := range names {
		sum := result.Sum(of[name])
		if sum == nil {
			return nil
		}
		p := result.Pool(sum)
		s := result.Score{Accuracy: p.Accuracy, Balanced: p.Balanced, MacroF1: p.MacroF1, Confusion: sum}
		all = append(all, subject{name, s.Defined(metric)})
	}
	return all
}

// spreadOfSubjects is the standard deviation over subjects, NaN where it isn't known.
func spreadOfSubjects(results []result.Result, metric string) float64 {
	var v []float64
	for _, s := range subjectsOf(results, metric) {
		if !math.IsNaN(s.score) {
			v = append(v, s.score)
		}
	}
	if len(v) == 0 {
		return math.NaN()
	}
	return spreadOf(v).SD
}

// testShare is the number of test clips over that of clips trained on, those that choose
// the epoch among them: the mean over the folds of results, by their real sizes. Results
// of schema 2 lack these; then it is 1/(k-1) for the k folds of the configuration's split
// or, where that names none, for as many as there are.
func testShare(results []result.Result, config json.RawMessage) float64 {
	sum, known, last := 0.0, 0, 0
	for _, r := range results {
		last = max(last, r.Fold)
		if trained := r.Clips.Fit + r.Clips.Validation; trained > 0 && r.Clips.Test > 0 {
			sum += float64(r.Clips.Test) / float64(trained)
			known++
		}
	}
	if known > 0 {
		return sum / float64(known)
	}
	if k := foldsAsked(config); k > 1 {
		last = k
	}
	return 1 / float64(max(last-1, 1))
}

// validationShare is the number of validation clips over that of clips fitted on, which stand
// to each other as test and training clips do where networks are judged by the former; of
// results that don't say, as of an old version, it is testShare.
func validationShare(results []result.Result, config json.RawMessage) float64 {
	sum, known := 0.0, 0
	for _, r := range results {
		if r.Clips.Fit > 0 && r.Clips.Validation > 0 {
			sum += float64(r.Clips.Validation) / float64(r.Clips.Fit)
			known++
		}
	}
	if known == 0 {
		return testShare(results, config)
	}
	return sum / float64(known)
}

// foldsAsked is the number of folds that a configuration, or the first of several, asks
// for; 0 where the split makes as many as there are subjects or stimuli.
func foldsAsked(config json.RawMessage) int {
	all := dividedBy(config)
	if len(all) == 0 || all[0].Split.Name == "LeaveOneSubjectOut" || all[0].Split.Name == "LeaveOneStimulusOut" {
		return 0
	}
	return all[0].Split.Folds
}
