package transform

import (
	"fmt"
	"math"
)

// MeanStdNormalize takes the mean off and divides by the population standard
// deviation, over one axis or, where Axis is nil, over the whole clip. Where
// the deviation is 0 it divides by 1.
type MeanStdNormalize struct {
	Axis            *int `json:"axis"` // 0: electrodes, 1: time, for a signal
	ApplyToBaseline bool `json:"apply_to_baseline"`
}

// Name implements [Transform].
func (t *MeanStdNormalize) Name() string { return "MeanStdNormalize" }

// Prepare implements [Transform].
func (t *MeanStdNormalize) Prepare(in Form, _ *Form) (Step, error) {
	return prepareLines(t.Axis, t.ApplyToBaseline, in, func(n int, at func(i int) *float64) {
		var sum, sq float64
		for i := range n {
			sum += *at(i)
		}
		mean := sum / float64(n)
		for i := range n {
			d := *at(i) - mean
			sq += d * d
		}
		std := math.Sqrt(sq / float64(n))
		if std == 0 {
			std = 1
		}
		for i := range n {
			*at(i) = (*at(i) - mean) / std
		}
	})
}

// MinMaxNormalize brings the least value to 0 and the greatest to 1, over one
// axis or, where Axis is nil, over the whole clip. Where all are equal it gives
// 0.
type MinMaxNormalize struct {
	Axis            *int `json:"axis"`
	ApplyToBaseline bool `json:"apply_to_baseline"`
}

// Name implements [Transform].
func (t *MinMaxNormalize) Name() string { return "MinMaxNormalize" }

// Prepare implements [Transform].
func (t *MinMaxNormalize) Prepare(in Form, _ *Form) (Step, error) {
	return prepareLines(t.Axis, t.ApplyToBaseline, in, func(n int, at func(i int) *float64) {
		least, most := math.Inf(1), math.Inf(-1)
		for i := range n {
			least, most = min(least, *at(i)), max(most, *at(i))
		}
		span := most - least
		if span == 0 {
			span = 1
		}
		for i := range n {
			*at(i) = (*at(i) - least) / span
		}
	})
}

// prepareLines makes a step that changes each line of an array along an axis,
// or the whole array as one line.
func prepareLines(axis *int, onBaseline bool, in Form, change func(n int, at func(i int) *float64)) (Step, error) {
	outer, n, inner := 1, size(in.Shape), 1
	if axis != nil {
		a := *axis
		if a < 0 {
			a += len(in.Shape)
		}
		if a < 0 || a >= len(in.Shape) {
			return Step{}, fmt.Errorf("axis %d is none of an array of shape %v", *axis, in.Shape)
		}
		outer, n, inner = size(in.Shape[:a]), in.Shape[a], size(in.Shape[a+1:])
	}
	return Step{Out: in, OnBaseline: onBaseline, Apply: func(x, _ *Array) *Array {
		out := &Array{Data: append([]float64(nil), x.Data...), Shape: x.Shape}
		for o := range outer {
			for k := range inner {
				line := out.Data[o*n*inner+k:]
				change(n, func(i int) *float64 { return &line[i*inner] })
			}
		}
		return out
	}}, nil
}
