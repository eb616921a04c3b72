package report

import (
	"testing"

	"github.com/eegprune/eegprune/result"
)

// Two seeds that leave out the same subjects, in another order: the losses by subject are .01
// and .03, .02 and .04, .06 and .02 on the two seeds. By hand: means .02 .03 .04, mean .03, variance
// .0001; with a share of 1/2 the mean has variance .0001 (1/3 + 1/2), t = .03 / .00912871 = 3.286335
// with 2 degrees of freedom; scipy.stats.t.sf(3.286335, 2) = .0407. Six observations would
// have five.
func TestSeedsOfTheSameFoldsAreNoObservations(t *testing.T) {
	loss := map[uint64][]float64{1: {0.01, 0.02, 0.06}, 2: {0.03, 0.04, 0.02}}
	study := func(shift int, named bool) *result.Study {
		s := &result.Study{}
		for seed := uint64(1); seed <= 2; seed++ {
			for i, lost := range loss[seed] {
				fold := i + 1
				if seed == 2 {
					fold = (i+shift)%3 + 1
				}
				for stage, score := range map[string]float64{result.Unpruned: 0.9, result.Pruned: 0.9 - lost} {
					r := result.Result{Cell: result.Cell{Variant: result.Variant{Model: "m", Stage: stage}, Seed: seed, Fold: fold}, Test: result.Score{Accuracy: score}, Clips: result.FoldClips{Fit: 30, Validation: 10, Test: 20}}
					if named {
						r.Subjects = []result.SubjectScore{{Subject: string(rune('a' + i))}}
					}
					s.Results = append(s.Results, r)
				}
			}
		}
		return s
	}
	const fixed = 0.0407
	for _, c := range []struct {
		name, config string
		shift        int
		named        bool
		want         bool
	}{
		{"whole subjects", "", 0, true, true},
		{"whole subjects in another order", "", 1, true, true},
		{"unshuffled", `{"seed": 1, "split": {"name": "KFold", "shuffle": false, "seed": 1}}`, 0, false, true},
		{"a seed of the split's own", `[{"seed": 1, "split": {"shuffle": true, "seed": 7}}, {"seed": 7, "split": {"shuffle": true, "seed": 7}}]`, 0, false, true},
		{"another network's", `[{"model": "m", "seed": 1, "split": {"shuffle": true, "seed": 1}}, {"model": "n", "seed": 1, "split": {"shuffle": false, "seed": 1}}]`, 0, false, false},
		{"drawn anew", `{"seed": 1, "split": {"name": "KFold", "shuffle": true, "seed": 1}}`, 0, false, false},
		{"not known", "", 0, false, false},
	} {
		s := study(c.shift, c.named)
		s.Config = []byte(c.config)
		v, err := NewComparison(s, Usual())
		if err != nil {
			t.Fatal(err)
		}
		p := *v.Rows[1].P
		if v.SharedFolds != c.want || near(p, fixed, 5e-5) != c.want {
			t.Errorf("%s: shared %v, p %g; over folds alone it is %g", c.name, v.SharedFolds, p, fixed)
		}
	}
}

// The unpruned FBCCNN of docs/comparison/simulated-deap.csv, three seeds of five folds. numpy's
// standard deviations of these (ddof=1) are 0.03097, 0.02404 and 0.03483; that of the folds' means over
// seeds says nothing, as fold 1 of one seed is not that of another.
func TestSpreadOverFoldsIsWithinSeeds(t *testing.T) {
	var results []result.Result
	for seed, scores := range [][]float64{{0.8625, 0.85, 0.89375, 0.81875, 0.890625}, {0.878125, 0.903125, 0.853125, 0.890625, 0.915625}, {0.903125, 0.821875, 0.896875, 0.86875, 0.903125}} {
		for fold, v := range scores {
			results = append(results, result.Result{Cell: result.Cell{Seed: uint64(seed + 1), Fold: fold + 1}, Test: result.Score{Accuracy: v}})
		}
	}
	if s := spreadOver(results, onTest(result.MetricAccuracy)); !near(s.folds, 0.03027650354097491, 1e-9) || !near(s.seeds, 0.012629537138522955, 1e-9) {
		t.Errorf("%+v", s)
	}
}
