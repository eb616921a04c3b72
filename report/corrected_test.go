package report

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/result"
)

// correctedCases are the results of testdata/corrected.py with scipy, statsmodels and scikit-learn.
type correctedCases struct {
	Power float64
	Cases []struct {
		Unpruned, Other    []float64
		TestShare          float64 `json:"test_share"`
		Level, Bound       float64
		Detectable         float64
		Interval           [2]float64
		SignedRankInterval []float64 `json:"signed_rank_interval"`
	}
	Holm       []struct{ P, Corrected []float64 }
	Noncentral []struct{ T, DF, Shift, P float64 }
	Pooled     []pooledCase
}

type pooledCase struct {
	Confusions                   [][][]int
	Accuracy, Balanced, Majority float64
	MacroF1                      float64 `json:"macro_f1"`
	MajorityF1                   float64 `json:"majority_f1"`
	MajorityBalanced             float64 `json:"majority_balanced"`
	Defined                      int
	MeanMacroF1                  float64 `json:"mean_macro_f1"`
	MeanBalanced                 float64 `json:"mean_balanced"`
}

func corrected(t *testing.T) correctedCases {
	t.Helper()
	b, err := os.ReadFile("testdata/corrected.json")
	if err != nil {
		t.Fatal(err)
	}
	var all correctedCases
	if err := json.Unmarshal(b, &all); err != nil || len(all.Cases) == 0 || len(all.Holm) == 0 || len(all.Noncentral) == 0 || len(all.Pooled) == 0 {
		t.Fatalf("%+v, %v", all, err)
	}
	return all
}

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

func TestIntervalsAndPowerAreScipys(t *testing.T) {
	all := corrected(t)
	if all.Power != Power {
		t.Fatalf("the cases are of power %g", all.Power)
	}
	ranked := 0
	for i, c := range all.Cases {
		test := PairedTest{CorrectedT, c.TestShare}
		low, high, err1 := test.Interval(c.Unpruned, c.Other, 1-c.Level)
		bound, err2 := test.Bound(c.Unpruned, c.Other, 1-c.Level)
		loss, err3 := test.Detectable(c.Unpruned, c.Other, c.Level)
		if err1 != nil || err2 != nil || err3 != nil || !near(low, c.Interval[0], 1e-9) || !near(high, c.Interval[1], 1e-9) || !near(bound, c.Bound, 1e-9) || !near(loss, c.Detectable, 1e-9) {
			t.Errorf("case %d: [%g, %g], bound %g, detectable %g, scipy has %+v (%v %v %v)", i, low, high, bound, loss, c, err1, err2, err3)
		}
		low, high, err := PairedTest{Name: Wilcoxon}.Interval(c.Unpruned, c.Other, 1-c.Level)
		switch {
		case err != nil:
			t.Error(err)
		case c.SignedRankInterval != nil:
			ranked++
			if !near(low, c.SignedRankInterval[0], 1e-12) || !near(high, c.SignedRankInterval[1], 1e-12) {
				t.Errorf("case %d: signed-rank interval [%g, %g], scipy's is %v", i, low, high, c.SignedRankInterval)
			}
		case len(c.Other) <= 5 && (!math.IsInf(low, -1) || !math.IsInf(high, 1)):
			t.Errorf("case %d: %d folds have a signed-rank interval [%g, %g]", i, len(c.Other), low, high)
		}
	}
	if ranked < 3 {
		t.Errorf("only %d signed-rank intervals were compared", ranked)
	}
}

func TestNoncentralTIsScipys(t *testing.T) {
	for _, c := range corrected(t).Noncentral {
		if got := noncentralT(c.T, c.DF, c.Shift); !near(got, c.P, 1e-10) {
			t.Errorf("noncentral t of %+v is %.12g", c, got)
		}
	}
}

func TestHolmIsStatsmodels(t *testing.T) {
	for _, c := range corrected(t).Holm {
		for i, got := range Holm(c.P) {
			if !near(got, c.Corrected[i], 1e-12) {
				t.Errorf("Holm of %v is %g at %d, statsmodels has %g", c.P, got, i, c.Corrected[i])
			}
		}
	}
	// By hand: .01 x 3, .02 x 2, .04 x 1, none below the one before.
	if got := Holm([]float64{0.04, 0.01, 0.02}); !near(got[0], 0.04, 1e-15) || !near(got[1], 0.03, 1e-15) || !near(got[2], 0.04, 1e-15) {
		t.Errorf("Holm by hand: %v", got)
	}
}

// By hand: losses .01 -.01 .03 .02 -.01 .02 over 6 folds, mean .01, squares about it sum to
// .0014, variance .00028; with 100 test clips for 500 others the mean has the variance
// .00028 (1/6 + 1/5) = .000102667, t = .01 / .0101325 = .986928 with 5 degrees of freedom.
// scipy.stats.t.sf(.986928, 5) = .184499; t.ppf(.975, 5) = 2.570582.
func TestCorrectedTByHand(t *testing.T) {
	unpruned := []float64{0.91, 0.88, 0.93, 0.90, 0.87, 0.92}
	other := []float64{0.90, 0.89, 0.90, 0.88, 0.88, 0.90}
	test := PairedTest{CorrectedT, 0.2}
	if p, err := test.Worse(unpruned, other); err != nil || !near(p, 0.184499, 1e-6) {
		t.Errorf("p %g, %v", p, err)
	}
	if low, high, err := test.Interval(unpruned, other, 0.95); err != nil || !near(low, 0.01-2.570582*0.0101325, 1e-6) || !near(high, 0.01+2.570582*0.0101325, 1e-6) {
		t.Errorf("[%g, %g], %v", low, high, err)
	}
}

// A loss at an end of the interval is on the edge of being rejected.
func TestIntervalsInvertTheirTests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		test := PairedTest{rapid.SampledFrom(Tests()).Draw(t, "test"), 0.2}
		n := rapid.IntRange(6, 12).Draw(t, "folds")
		a := rapid.SliceOfN(rapid.Float64Range(0, 1), n, n).Draw(t, "unpruned")
		b := rapid.SliceOfN(rapid.Float64Range(0, 1), n, n).Draw(t, "other")
		bound, err := test.Bound(a, b, 0.95)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			margin float64
			shown  bool
		}{{bound + 1e-6, true}, {bound - 1e-6, false}} {
			if p, err := test.NotInferior(a, b, c.margin); err != nil || (p <= 0.05) != c.shown && spreadOf(a).SD > 1e-4 {
				t.Fatalf("%s: margin %g beside the bound %g has p = %g (%v)", test.Name, c.margin, bound, p, err)
			}
		}
	})
}

// Folds that lack a class have no macro-F1 and no balanced accuracy; pooled ones are
// scikit-learn's of all clips.
func TestPooledScoresAreScikitLearns(t *testing.T) {
	for i, c := range corrected(t).Pooled {
		var results []result.Result
		for fold, confusion := range c.Confusions {
			p := result.Pool(confusion)
			results = append(results, result.Result{Cell: result.Cell{Variant: result.Variant{Model: "m", Stage: result.Unpruned}, Fold: fold + 1},
				Test: result.Score{Accuracy: p.Accuracy, Balanced: p.Balanced, MacroF1: p.MacroF1, Majority: p.Majority, Confusion: confusion}})
		}
		row := rowOf(group{Variant: results[0].Variant, results: results}, result.MetricF1)
		p := row.Pooled
		if p == nil || !near(p.Accuracy, c.Accuracy, 1e-12) || !near(p.MacroF1, c.MacroF1, 1e-12) || !near(p.Balanced, c.Balanced, 1e-12) || !near(p.Majority, c.Majority, 1e-12) {
			t.Errorf("case %d: pooled %+v, scikit-learn has %+v", i, p, c)
		}
		if row.Defined != c.Defined || row.Folds != len(c.Confusions) || !near(*row.Score, c.MeanMacroF1, 1e-12) || !near(*row.Balanced, c.MeanBalanced, 1e-12) {
			t.Errorf("case %d: %d of %d folds, macro-F1 %g, balanced %g, scikit-learn has %+v", i, row.Defined, row.Folds, *row.Score, *row.Balanced, c)
		}
		b, ok := baselineOf(group{results: results})
		if !ok || !near(b.MacroF1, c.MajorityF1, 1e-12) || !near(b.Balanced, c.MajorityBalanced, 1e-12) || !near(b.Accuracy, c.Majority, 1e-12) {
			t.Errorf("case %d: the baseline is %+v, scikit-learn has %+v", i, b, c)
		}
	}
}

func TestSharesOfTestClipsAreTheFoldsOwn(t *testing.T) {
	sized := []result.Result{{Cell: result.Cell{Fold: 1}, Clips: result.FoldClips{Fit: 80, Validation: 20, Test: 50}}, {Cell: result.Cell{Fold: 2}, Clips: result.FoldClips{Fit: 60, Validation: 15, Test: 25}}}
	if got := testShare(sized, nil); !near(got, (50./100+25./75)/2, 1e-15) {
		t.Errorf("share %g", got)
	}
	// Results of schema 2 do not say. Several networks have a list of configurations.
	old := []result.Result{{Cell: result.Cell{Fold: 1}}, {Cell: result.Cell{Fold: 5}}}
	for config, want := range map[string]float64{
		``: 1. / 4, `{"split": {"name": "KFold", "folds": 10}}`: 1. / 9, `{"split": {"name": "LeaveOneSubjectOut", "folds": 10}}`: 1. / 4, `[]`: 1. / 4,
		`[{"split": {"name": "KFoldPerSubject", "folds": 3}}, {"split": {"name": "KFoldPerSubject", "folds": 3}}]`: 1. / 2,
	} {
		if got := testShare(old, []byte(config)); !near(got, want, 1e-15) {
			t.Errorf("%s: %g, want %g", config, got, want)
		}
	}
	if got := testShare(nil, nil); got != 1 {
		t.Errorf("no folds: %g", got)
	}
}
