package report

import (
	"math"
	"testing"

	"github.com/eegprune/eegprune/result"
)

// By scipy.stats.nct and scipy.optimize.brentq (1.17): the noncentrality at which a one-sided
// test of n folds has a power of 80 %. With few folds and a strict level it is large.
func TestDetectableOfFewFoldsAndStrictLevels(t *testing.T) {
	for _, c := range []struct{ folds, level, want float64 }{
		{2, 0.01, 40.79976425774945},
		{2, 0.05, 8.192258433683515},
		{3, 0.0005, 40.11535906753486},
		{5, 0.05, 3.0397509658336745},
	} {
		if got := detectable(c.folds-1, c.level); math.Abs(got-c.want) > 1e-7*c.want {
			t.Errorf("%g folds, level %g: %.12g, scipy has %.12g", c.folds, c.level, got, c.want)
		}
	}
	for _, c := range []struct{ t, df, shift, want float64 }{{50, 1, 64, 0.20063515753496342}, {70, 4, 64, 0.5020864274045689}, {1.5, 3, 0, 0.8847080673775886}} {
		if got := noncentralT(c.t, c.df, c.shift); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%+v: %.12g", c, got)
		}
	}
}

// Ten folds of 100 clips: 10 are tested on, and of the other 90 a fifth validates. By hand: 10/90
// where the test clips judge, 18/72 where the validation clips do.
func TestWhatJudgesHasItsOwnShareOfClips(t *testing.T) {
	var results []result.Result
	for fold := 1; fold <= 10; fold++ {
		r := result.Result{}
		r.Fold, r.Clips.Fit, r.Clips.Validation, r.Clips.Test = fold, 72, 18, 10
		results = append(results, r)
	}
	if test, validation := testShare(results, nil), validationShare(results, nil); math.Abs(test-10./90) > 1e-15 || validation != 0.25 {
		t.Errorf("the shares are %g and %g", test, validation)
	}
	if old := validationShare([]result.Result{{Cell: result.Cell{Fold: 5}}}, nil); old != 0.25 {
		t.Errorf("of results without sizes it is %g, want that of five folds", old)
	}
}
