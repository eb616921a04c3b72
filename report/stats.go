package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
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
func Tests() []string { return []string{Wilcoxon, CorrectedT} }

// A PairedTest compares two networks on the same folds. All its methods take
// accuracies (or any other score of which more is better), one a fold, in the same
// order, and return an error where the lengths differ, a value isn't a number, or the
// folds are too few to compute anything.
type PairedTest struct {
	Name string // Wilcoxon or CorrectedT
	// TestShare is the number of test clips over the number of training clips of a
	// fold, which CorrectedT asks for; see [TestShare].
	TestShare float64
}

// Check says what is wrong with a test.
func (t PairedTest) Check() error {
	switch {
	case !slices.Contains(Tests(), t.Name):
		return fmt.Errorf("no test %q: there are %s", t.Name, strings.Join(Tests(), ", "))
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

// Worse returns p for the alternative that other is worse than unpruned: the
// probability of a loss as clear as this one if there were none. Networks that are
// alike in all folds have p = 1.
func (t PairedTest) Worse(unpruned, other []float64) (p float64, err error) {
	d, err := t.differences(unpruned, other)
	if err != nil {
		return math.NaN(), err
	}
	return t.greater(d), nil
}

// Differs returns p for the alternative that the two are not alike: twice the smaller
// of the one-sided values, as scipy.stats.wilcoxon has it.
func (t PairedTest) Differs(a, b []float64) (p float64, err error) {
	d, err := t.differences(a, b)
	if err != nil {
		return math.NaN(), err
	}
	less := make([]float64, len(d))
	for i, v := range d {
		less[i] = -v
	}
	return min(1, 2*min(t.greater(d), t.greater(less))), nil
}

// NotInferior returns p for the alternative that other loses less than margin (a share
// of 1, as the accuracies): a small p shows that the loss, if any, is below it.
func (t PairedTest) NotInferior(unpruned, other []float64, margin float64) (p float64, err error) {
	d, err := t.differences(unpruned, other)
	if err != nil {
		return math.NaN(), err
	}
	for i, v := range d {
		d[i] = margin - v
	}
	return t.greater(d), nil
}

// Loses judges at a level whether other loses accuracy. Without a margin it does where
// Worse is at most level; with one, where NotInferior fails to show that the loss is
// below it. p is that of the test that was made.
func (t PairedTest) Loses(unpruned, other []float64, margin, level float64) (loses bool, p float64, err error) {
	if err := t.Enough(len(unpruned), level); err != nil {
		return false, math.NaN(), err
	}
	if margin > 0 {
		p, err = t.NotInferior(unpruned, other, margin)
		return p > level, p, err
	}
	p, err = t.Worse(unpruned, other)
	return p <= level, p, err
}

// Detectable returns the smallest mean loss that Worse would have called significant
// at the level if the folds' differences had been spread as they are about it. No
// smaller loss could have been shown.
func (t PairedTest) Detectable(unpruned, other []float64, level float64) (float64, error) {
	d, err := t.differences(unpruned, other)
	if err == nil {
		err = t.Enough(len(d), level)
	}
	if err != nil {
		return math.NaN(), err
	}
	mean := stat.Mean(d, nil)
	shifted := make([]float64, len(d))
	shows := func(loss float64) bool {
		for i, v := range d {
			shifted[i] = v - mean + loss
		}
		return t.greater(shifted) <= level
	}
	high := 1e-6
	for !shows(high) {
		high *= 2
	}
	low := high / 2
	for high-low > 1e-9 {
		if middle := (low + high) / 2; shows(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high, nil
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

// rounding is what differences of shares may be off by: 0.9-0.8 and 0.8-0.7 are tied.
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
func (t PairedTest) greater(d []float64) float64 {
	if t.Name == CorrectedT {
		return correctedT(d, t.TestShare)
	}
	return signedRank(d)
}

// correctedT is a t test whose variance of the mean is that of n differences times
// 1/n + testShare, in place of 1/n.
func correctedT(d []float64, testShare float64) float64 {
	n := float64(len(d))
	mean, sd := stat.MeanStdDev(d, nil)
	se := sd * math.Sqrt(1/n+testShare)
	if se < rounding {
		// All folds differ alike: t is infinite, or there is no difference at all.
		if mean > rounding {
			return 0
		}
		return 1
	}
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Survival(mean / se)
}

// signedRank drops zeros (scipy's zero_method "wilcox"), gives ties their mean rank, and
// adds up, over all ways of giving these ranks signs, those whose positive ranks sum to
// at least what was seen.
func signedRank(d []float64) float64 {
	var left []float64
	for _, v := range d {
		if math.Abs(v) > rounding {
			left = append(left, v)
		}
	}
	slices.SortFunc(left, func(a, b float64) int {
		if math.Abs(a) < math.Abs(b) {
			return -1
		}
		return 1
	})
	n := len(left)
	// Twice the rank, so that mean ranks are whole numbers too.
	ranks := make([]int, n)
	seen := 0
	for i := 0; i < n; {
		j := i + 1
		for j < n && math.Abs(left[j])-math.Abs(left[j-1]) <= rounding {
			j++
		}
		for k := i; k < j; k++ {
			ranks[k] = i + j + 1
			if left[k] > 0 {
				seen += ranks[k]
			}
		}
		i = j
	}
	return upperTail(ranks, seen)
}

// upperTail returns the probability that the ranks with positive signs sum to at least
// seen when every sign is as likely as the other.
func upperTail(ranks []int, seen int) float64 {
	total := 0
	for _, r := range ranks {
		total += r
	}
	probability := make([]float64, total+1) // of each sum
	probability[0] = 1
	for _, r := range ranks {
		for s := total; s >= 0; s-- {
			probability[s] /= 2
			if s >= r {
				probability[s] += probability[s-r] / 2
			}
		}
	}
	p := 0.0
	for s := total; s >= seen; s-- { // the small ones first
		p += probability[s]
	}
	return min(p, 1)
}

// TestShare returns the number of test clips over that of training clips in a study's
// folds: 1/(k-1) for k folds, in which every clip is tested on once, whatever their
// sizes. Clips that choose the best epoch count as training clips. k is the split's
// where the configuration names it (a study may hold only some folds, and splits of
// each subject by itself number the folds of all subjects), else the highest fold.
func TestShare(s *Study) float64 {
	k := 0
	for _, r := range s.Results {
		k = max(k, r.Fold)
	}
	var config struct {
		Split struct {
			Name  string
			Folds int
		}
	}
	// A study without a configuration, or with one of another kind, has its folds.
	if err := json.Unmarshal(s.Config, &config); err == nil && config.Split.Folds > 1 && config.Split.Name != "LeaveOneSubjectOut" {
		k = config.Split.Folds
	}
	return 1 / float64(max(k-1, 1))
}

// pairs returns the test accuracies of two networks on the folds that both have.
func pairs(a, b []Result) (x, y []float64) {
	of := map[int]float64{}
	for _, r := range a {
		of[r.Fold] = r.Test.Accuracy
	}
	for _, r := range b {
		if v, ok := of[r.Fold]; ok {
			x, y = append(x, v), append(y, r.Test.Accuracy)
		}
	}
	return x, y
}
