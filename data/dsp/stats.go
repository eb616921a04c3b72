package dsp

import "math"

// Variance returns the population variance of x (divided by len(x)) by two
// passes, as numpy.var does it. It is 0 for fewer than two samples.
func Variance(x []float64) float64 {
	if len(x) < 2 {
		return 0
	}
	mean := Mean(x)
	// Four sums that don't wait for one another: as exact as one, and faster.
	var a, b, c, d float64
	y := x
	for ; len(y) >= 4; y = y[4:] {
		a += (y[0] - mean) * (y[0] - mean)
		b += (y[1] - mean) * (y[1] - mean)
		c += (y[2] - mean) * (y[2] - mean)
		d += (y[3] - mean) * (y[3] - mean)
	}
	for _, v := range y {
		a += (v - mean) * (v - mean)
	}
	return ((a + b) + (c + d)) / float64(len(x))
}

// Mean returns the arithmetic mean of x, 0 for an empty slice.
func Mean(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	var a, b, c, d float64
	y := x
	for ; len(y) >= 4; y = y[4:] {
		a += y[0]
		b += y[1]
		c += y[2]
		d += y[3]
	}
	for _, v := range y {
		a += v
	}
	return ((a + b) + (c + d)) / float64(len(x))
}

// MeanAbsoluteDeviation returns the mean of |x - mean|, 0 for an empty slice.
func MeanAbsoluteDeviation(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	mean, sum := Mean(x), 0.0
	for _, v := range x {
		sum += math.Abs(v - mean)
	}
	return sum / float64(len(x))
}

// Moments returns the mean, the population variance, and the means of the third
// and fourth powers about zero.
func Moments(x []float64) (mean, variance, third, fourth float64) {
	var second float64
	for _, v := range x {
		sq := v * v
		mean += v
		second += sq
		third += sq * v
		fourth += sq * sq
	}
	n := float64(len(x))
	mean, second, third, fourth = mean/n, second/n, third/n, fourth/n
	return mean, second - mean*mean, third, fourth
}
