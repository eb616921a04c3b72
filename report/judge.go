package report

import (
	"errors"
	"fmt"
	"math"

	"github.com/eegprune/eegprune/result"
)

// A Judgement says by which test networks are compared, and which loss counts as none.
type Judgement struct {
	Test   string  // one of Tests
	Level  float64 // of significance; intervals are of 1 - Level
	Margin float64 // the loss that counts as none, stated beforehand, a share of 1
}

// Usual is the judgement that a reader takes for granted where no other is named.
func Usual() Judgement { return Judgement{Test: CorrectedT, Level: 0.05, Margin: 0.02} }

// Check says what is wrong with a judgement.
func (j Judgement) Check() error {
	switch {
	case !(j.Level > 0 && j.Level < 1):
		return fmt.Errorf("level %g must lie between 0 and 1: 0.05 is usual", j.Level)
	case !(j.Margin > 0 && j.Margin < 1):
		return fmt.Errorf("margin %g must lie between 0 and 1: 0.02 takes a loss of up to two points for none", j.Margin)
	}
	return j.on(1).Check()
}

// on is the test over folds of that share of test clips.
func (j Judgement) on(testShare float64) PairedTest {
	t := PairedTest{Name: j.Test}
	if j.Test == CorrectedT {
		t.TestShare = testShare
	}
	return t
}

// A Verdict is the result of a test of non-inferiority of a network against its reference.
type Verdict struct {
	Folds int      `json:"folds"` // of all seeds
	Loss  *float64 `json:"loss"`  // mean, a share of 1
	// Bound is the upper end of the one-sided interval of the loss, of 1 - level; nil where
	// the folds are too few for one.
	Bound *float64 `json:"bound"`
	P     *float64 `json:"p"` // of the alternative that the loss is below the margin; nil where it wasn't tested
}

// NotInferior tests whether a network loses less than the margin against its reference, over folds;
// both in the same order, shares of 1. testShare is the number of a fold's test clips over that of all
// others, 1/4 where there are five folds: see [TestShare]. With ErrAlike the verdict has the loss and
// no p.
func (j Judgement) NotInferior(testShare float64, reference, other []float64) (Verdict, error) {
	t := j.on(testShare)
	v := Verdict{Folds: len(other)}
	if err := t.Enough(len(other), j.Level); err != nil {
		return v, err
	}
	v.Loss = number(lossOf(reference, other).Mean)
	p, err := t.NotInferior(reference, other, j.Margin)
	if err != nil {
		return v, err
	}
	bound, err := t.Bound(reference, other, 1-j.Level)
	v.Bound, v.P = number(bound), number(p)
	return v, err
}

// AboveTrivial returns p for the alternative that a network is better than always predicting
// the commonest class of each fold's test clips: a network that is no better has nothing to lose.
// It is nil where that can't be tested. Where it is better by the same in every fold, as
// one without an error is, p is the signed-rank test's, which needs no spread.
func (j Judgement) AboveTrivial(metric string, results []result.Result) *float64 {
	return j.aboveTrivial(metric, results, testShare(results, nil))
}

func (j Judgement) aboveTrivial(metric string, results []result.Result, share float64) *float64 {
	var x, y []float64
	var units []unit
	trivial := observe(results, trivialOn(metric))
	for i, o := range observe(results, onTest(metric)) {
		if known(o.value, trivial[i].value) {
			x, y, units = append(x, o.value), append(y, trivial[i].value), append(units, o.unit)
		}
	}
	x, y, _ = averaged(x, y, units, sharedFolds(results))
	if j.on(share).Enough(len(x), j.Level) != nil {
		return nil
	}
	p, err := j.on(share).Worse(x, y)
	if errors.Is(err, ErrAlike) {
		p, err = PairedTest{Name: Wilcoxon}.Worse(x, y)
	}
	if err != nil {
		return nil
	}
	return number(p)
}

// withoutLoss says whether a network that was tested is without loss: by p of non-inferiority,
// corrected, and p of the reference's being better than the trivial baseline.
func withoutLoss(pHolm float64, pTrivial *float64, level float64) bool {
	return pHolm <= level && pTrivial != nil && *pTrivial <= level
}

// verdict is the word for a network that was tested.
func verdict(without bool, pTrivial *float64, level float64) string {
	switch {
	case without:
		return "yes"
	case pTrivial != nil && *pTrivial > level:
		return nothingToLose
	}
	return "not shown"
}

const (
	nothingToLose = "nothing to lose"
	nothingMeans  = "Nothing to lose: the reference is not shown to be better than the trivial baseline (the same test, one-sided, not corrected), so that no loss says nothing of pruning."
)

// interval returns the two-sided interval of a loss, its ends nil where there are none.
func (j Judgement) interval(testShare float64, reference, other []float64) (low, high *float64) {
	l, h, err := j.on(testShare).Interval(reference, other, 1-j.Level)
	if err != nil {
		return nil, nil
	}
	return number(l), number(h)
}

// confidence writes how sure intervals are: "95 %".
func (j Judgement) confidence() string {
	return fmt.Sprintf("%.4g %%", 100-100*j.Level)
}

// points1 writes a share of 1 in percentage points.
func points1(v float64) string { return fmt.Sprintf("%.1f", math.Round(1000*v)/10+0) }

// pointsText writes a difference and its interval in percentage points: "1.2 [-0.3, 2.7]".
func pointsText(v, low, high *float64) string {
	if v == nil {
		return ""
	}
	if low == nil || high == nil {
		return points1(*v)
	}
	return fmt.Sprintf("%s [%s, %s]", points1(*v), points1(*low), points1(*high))
}

// pText writes a p value.
func pText(p *float64) string {
	switch {
	case p == nil:
		return ""
	case *p < 0.001:
		return "<0.001"
	}
	return fmt.Sprintf("%.3f", *p)
}
