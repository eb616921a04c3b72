package report

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/eegprune/eegprune/internal/spelling"
)

// The paired tests over folds.
const (
	// Wilcoxon is the signed-rank test (Wilcoxon, Biometrics Bulletin 1, 1945). Its p is
	// exact for any number of folds and any ties. It takes folds as independent of each
	// other, which those of a cross-validation, sharing training clips, are not.
	Wilcoxon = "wilcoxon"
	// CorrectedT is the corrected resampled t test (Nadeau & Bengio, Machine Learning
	// 52, 2003), which allows for the training clips that folds share.
	CorrectedT = "corrected-t"
)

// Tests returns the names of the paired tests.
func Tests() []string { return []string{CorrectedT, Wilcoxon} }

// A PairedTest compares two networks on the same folds. All its methods take
// accuracies (or any other score of which more is better), one a fold, in the same
// order, and return an error where the lengths differ, a value isn't a number, or the
// folds are too few to compute anything.
type PairedTest struct {
	Name string // Wilcoxon or CorrectedT
	// TestShare is the number of test clips over the number of training clips of a
	// fold, those that choose the epoch among them, which CorrectedT asks for.
	TestShare float64
}

// Check says what is wrong with a test.
func (t PairedTest) Check() error {
	switch {
	case !slices.Contains(Tests(), t.Name):
		return spelling.Unknown("test", t.Name, Tests())
	case t.Name == CorrectedT && !(t.TestShare > 0 && !math.IsInf(t.TestShare, 0)):
		return fmt.Errorf("the corrected t test with %g test clips for each training clip: the share must be positive", t.TestShare)
	}
	return nil
}

// String returns the test's full name.
func (t PairedTest) String() string {
	if t.Name == CorrectedT {
		return "corrected resampled t test (Nadeau & Bengio 2003)"
	}
	return "exact Wilcoxon signed-rank test"
}

// ErrAlike is of two networks that differ by the same in all folds. The t test sets their
// mean difference against its spread, and there is none: a handful of folds that happen to
// differ alike would pass for certainty. Wilcoxon's test needs no spread.
var ErrAlike = errors.New("all folds differ alike, so that there is no spread to test by")

// Worse returns p for the alternative that other is worse than unpruned: the
// probability of a loss as clear as this one if there were none. Networks that do
// equally well in all folds have p = 1; otherwise see [ErrAlike].
func (t PairedTest) Worse(unpruned, other []float64) (p float64, err error) {
	d, err := t.differences(unpruned, other)
	if err != nil {
		return math.NaN(), err
	}
	return t.greater(d)
}

// Differs returns p for the alternative that the two are not alike: twice the smaller
// of the one-sided values, as scipy.stats.wilcoxon has it. For [ErrAlike] see Worse.
func (t PairedTest) Differs(a, b []float64) (p float64, err error) {
	d, err := t.differences(a, b)
	if err != nil {
		return math.NaN(), err
	}
	less := make([]float64, len(d))
	for i, v := range d {
		less[i] = -v
	}
	p, err = t.greater(d)
	if err != nil {
		return p, err
	}
	q, err := t.greater(less)
	return min(1, 2*min(p, q)), err
}

// NotInferior returns p for the alternative that other loses less than margin (a share
// of 1, as the accuracies): a small p shows that the loss, if any, is below it. For
// [ErrAlike] see Worse; here it is also of networks that do equally well in all folds.
func (t PairedTest) NotInferior(unpruned, other []float64, margin float64) (p float64, err error) {
	d, err := t.differences(unpruned, other)
	if err != nil {
		return math.NaN(), err
	}
	for i, v := range d {
		d[i] = margin - v
	}
	return t.greater(d)
}

// Interval returns the two-sided interval of the mean loss of other against unpruned, a
// share of 1: all losses that a two-sided test at 1 - confidence does not reject. Where
// Wilcoxon has too few folds to reject any, its ends are infinite.
func (t PairedTest) Interval(unpruned, other []float64, confidence float64) (low, high float64, err error) {
	d, err := t.differences(unpruned, other)
	if err != nil {
		return math.NaN(), math.NaN(), err
	}
	return t.ends(d, (1-confidence)/2)
}

// Bound returns the upper end of the one-sided interval of the mean loss: NotInferior is
// significant at 1 - confidence for all margins above it.
func (t PairedTest) Bound(unpruned, other []float64, confidence float64) (float64, error) {
	d, err := t.differences(unpruned, other)
	if err != nil {
		return math.NaN(), err
	}
	_, high, err := t.ends(d, 1-confidence)
	return high, err
}

// ends returns the interval of the differences that leaves tail outside on either side.
func (t PairedTest) ends(d []float64, tail float64) (low, high float64, err error) {
	if t.Name == CorrectedT {
		mean, se := t.standardError(d)
		if se < rounding {
			return math.NaN(), math.NaN(), ErrAlike
		}
		reach := se * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(len(d) - 1)}.Quantile(1-tail)
		return mean - reach, mean + reach, nil
	}
	low, high = walshEnds(d, tail)
	return low, high, nil
}

// Enough returns an error where folds are too few for a one-sided p to reach the level
// whatever the accuracies are, or the level isn't one.
func (t PairedTest) Enough(folds int, level float64) error {
	if err := t.Check(); err != nil {
		return err
	}
	if !(level > 0 && level < 1) {
		return fmt.Errorf("level %g must lie between 0 and 1", level)
	}
	if t.Name == CorrectedT {
		if folds < 2 {
			return fmt.Errorf("the corrected t test needs at least 2 folds and there are %d: use more folds", folds)
		}
		return nil
	}
	if smallest := math.Ldexp(1, -folds); smallest > level {
		need := folds
		for math.Ldexp(1, -need) > level {
			need++
		}
		return fmt.Errorf("Wilcoxon over %d folds can't go below p = %.4g: use at least %d folds for level %g, or the corrected t test", folds, smallest, need, level)
	}
	return nil
}

// rounding is the largest error of differences of shares: 0.9-0.8 and 0.8-0.7 are tied.
const rounding = 1e-12

func (t PairedTest) differences(a, b []float64) ([]float64, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	if len(a) != len(b) {
		return nil, fmt.Errorf("a paired test of %d folds and %d: both networks need the same folds", len(a), len(b))
	}
	if len(a) == 0 {
		return nil, errors.New("a paired test of no folds")
	}
	if t.Name == CorrectedT && len(a) < 2 {
		return nil, t.Enough(len(a), 0.5)
	}
	d := make([]float64, len(a))
	for i := range a {
		d[i] = a[i] - b[i]
		if math.IsNaN(d[i]) || math.IsInf(d[i], 0) {
			return nil, fmt.Errorf("a paired test of %g and %g: these are no accuracies", a[i], b[i])
		}
	}
	return d, nil
}

// greater returns p for the alternative that differences lie above 0.
func (t PairedTest) greater(d []float64) (float64, error) {
	if t.Name == CorrectedT {
		return t.corrected(d)
	}
	return signedRank(d), nil
}

// standardError returns the mean of n differences and the root of their variance times
// 1/n + TestShare, in place of 1/n. With several seeds, each of which draws folds anew, n is
// seeds times folds, as in the corrected repeated k-fold cv test (Bouckaert & Frank, PAKDD
// 2004); see [sharedFolds] for seeds that do not.
func (t PairedTest) standardError(d []float64) (mean, se float64) {
	mean, sd := stat.MeanStdDev(d, nil)
	return mean, sd * math.Sqrt(1/float64(len(d))+t.TestShare)
}

// corrected is the one-sided p of the corrected t test.
func (t PairedTest) corrected(d []float64) (float64, error) {
	mean, se := t.standardError(d)
	switch {
	case se < rounding && math.Abs(mean) < rounding:
		return 1, nil
	case se < rounding:
		return math.NaN(), ErrAlike
	}
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(len(d) - 1)}.Survival(mean / se), nil
}
