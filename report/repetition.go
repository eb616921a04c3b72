package report

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/result"
)

// Whether the folds of several seeds are the same clips over again. The correction of the
// corrected repeated t test takes those of each seed as drawn anew; folds that are not are
// one observation, the mean over seeds.

// sharedFolds returns a number for each fold of each seed, equal where they test on the same
// clips; nil where seeds draw folds anew, or there is one seed. Folds are the same where the
// configuration says so (see [fixedFolds]), or where each is of whole subjects, the same ones
// in every seed, in whatever order.
func sharedFolds(results []result.Result) map[unit]int {
	if seedsOf(results) < 2 {
		return nil
	}
	number := map[unit]int{}
	if !slices.ContainsFunc(results, func(r result.Result) bool { return !r.FixedFolds }) {
		for _, r := range results {
			number[unitOf(r.Cell)] = r.Fold
		}
		return number
	}
	type tested struct {
		seed    uint64
		subject string
	}
	foldOf, together, numbers := map[tested]int{}, map[string]string{}, map[string]int{}
	for _, r := range results {
		var names []string
		for _, s := range r.Subjects {
			names = append(names, s.Subject)
		}
		slices.Sort(names)
		all := strings.Join(names, "\x00")
		for _, name := range names {
			at := tested{r.Seed, name}
			if fold, ok := foldOf[at]; ok && fold != r.Fold {
				return nil
			}
			if others, ok := together[name]; ok && others != all {
				return nil
			}
			foldOf[at], together[name] = r.Fold, all
		}
		if len(names) == 0 {
			return nil
		}
		if _, ok := numbers[all]; !ok {
			numbers[all] = len(numbers) + 1
		}
		number[unitOf(r.Cell)] = numbers[all]
	}
	return number
}

// A divided holds a configuration's division of a network's clips.
type divided struct {
	Model string
	Seed  uint64
	Split *struct {
		Name    string
		Folds   int
		Shuffle bool
		Seed    uint64
	}
}

// dividedBy reads a configuration, or the several of a study; nil where it says nothing.
func dividedBy(config json.RawMessage) []divided {
	var all []divided
	if json.Unmarshal(config, &all) != nil {
		all = make([]divided, 1)
		if json.Unmarshal(config, &all[0]) != nil {
			return nil
		}
	}
	if slices.ContainsFunc(all, func(d divided) bool { return d.Split == nil }) {
		return nil
	}
	return all
}

// fixedFolds says whether configurations divide a network's clips alike for every seed; of
// several one may have the split's own seed.
func fixedFolds(configs []divided, model string) bool {
	return slices.ContainsFunc(configs, func(d divided) bool {
		return (d.Model == model || d.Model == "") && result.SameFolds(d.Split.Name, d.Split.Shuffle, d.Split.Seed, d.Seed)
	})
}

// averaged puts two networks' values of folds that are the same into one, the mean.
func averaged(x, y []float64, units []unit, shared map[unit]int) ([]float64, []float64, []unit) {
	if shared == nil {
		return x, y, units
	}
	var meanX, meanY, n []float64
	var of []unit
	for i, u := range units {
		fold := unit{fold: shared[u]}
		at := slices.Index(of, fold)
		if at < 0 {
			at = len(of)
			of, meanX, meanY, n = append(of, fold), append(meanX, 0), append(meanY, 0), append(n, 0)
		}
		meanX[at], meanY[at], n[at] = meanX[at]+x[i], meanY[at]+y[i], n[at]+1
	}
	for i := range of {
		meanX[i], meanY[i] = meanX[i]/n[i], meanY[i]/n[i]
	}
	return meanX, meanY, of
}

// known says whether both values are defined.
func known(a, b float64) bool { return !math.IsNaN(a) && !math.IsNaN(b) }
