package report

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// Power is the probability of showing a loss that a network must have to count as one
// that could have been seen.
const Power = 0.8

// Detectable returns the smallest true mean loss, a share of 1, that Worse calls
// significant at the level with probability [Power] if the folds' differences are spread
// as they are. Only the corrected t test has one: its statistic is then noncentral t.
func (t PairedTest) Detectable(unpruned, other []float64, level float64) (float64, error) {
	return t.detectable(unpruned, other, level, detectable)
}

// detectable is Detectable with shift for the function [detectable].
func (t PairedTest) detectable(unpruned, other []float64, level float64, shift func(df, level float64) float64) (float64, error) {
	d, err := t.differences(unpruned, other)
	if err == nil {
		err = t.Enough(len(d), level)
	}
	if err == nil && t.Name != CorrectedT {
		err = errors.New("the power of a test is computed for the corrected t test alone")
	}
	if err != nil {
		return math.NaN(), err
	}
	_, se := t.standardError(d)
	if se < rounding {
		return math.NaN(), ErrAlike
	}
	return se * shift(float64(len(d)-1), level), nil
}

// detectable is the noncentrality at which a one-sided t test has the power.
func detectable(df, level float64) float64 {
	critical := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(1 - level)
	low, high := 0.0, 1.0
	for 1-noncentralT(critical, df, high) < Power {
		high *= 2
	}
	for range 60 {
		if middle := (low + high) / 2; 1-noncentralT(critical, df, middle) < Power {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// noncentralT is the distribution function of the noncentral t distribution at t >= 0
// (Lenth, Algorithm AS 243, Applied Statistics 38, 1989).
func noncentralT(t, df, shift float64) float64 {
	normal := distuv.UnitNormal
	x := t * t / (t*t + df)
	sum := normal.CDF(-shift)
	if x <= 0 {
		return sum
	}
	// Poisson's weights, by their logarithms, from as far below their mode as they can be seen
	// to as far above it: the first of all is 0 in a float64 from a shift of 39 on.
	half := shift * shift / 2
	if half == 0 {
		return min(sum+mathext.RegIncBeta(0.5, df/2, x)/2, 1)
	}
	reach := 12*math.Sqrt(half) + 40
	for j := math.Max(0, math.Floor(half-reach)); j <= half+reach; j++ {
		whole, _ := math.Lgamma(j + 1)
		middle, _ := math.Lgamma(j + 1.5)
		power := j*math.Log(half) - half
		sum += math.Exp(power-whole)/2*mathext.RegIncBeta(j+0.5, df/2, x) +
			shift/(2*math.Sqrt2)*math.Exp(power-middle)*mathext.RegIncBeta(j+1, df/2, x)
	}
	return min(sum, 1)
}
