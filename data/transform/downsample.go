package transform

import (
	"fmt"
	"math"
)

// Downsample keeps NumPoints samples spread evenly from the first to the last:
// [electrodes, samples] to [electrodes, points]. As in torcheeg it doesn't filter:
// frequencies above half the new rate alias.
type Downsample struct {
	NumPoints       int  `json:"num_points"`
	ApplyToBaseline bool `json:"apply_to_baseline"`
}

// Name implements [Transform].
func (t *Downsample) Name() string { return "Downsample" }

// Prepare implements [Transform].
func (t *Downsample) Prepare(in Form, _ *Form) (Step, error) {
	if err := in.signal(t.Name()); err != nil {
		return Step{}, err
	}
	n, points := in.Shape[1], t.NumPoints
	if points < 1 || points > n {
		return Step{}, fmt.Errorf("num_points is %d and a clip has %d samples: it must be 1 to that", points, n)
	}
	at := make([]int, points)
	for i := range at {
		if points > 1 {
			at[i] = int(float64(i) * (float64(n-1) / float64(points-1)))
		}
	}
	if points > 1 {
		at[points-1] = n - 1
	}
	out := in
	out.Shape = []int{in.Shape[0], points}
	out.Rate = math.Round(in.Rate*float64(points)/float64(n)*1e6) / 1e6
	return Step{Out: out, OnBaseline: t.ApplyToBaseline, Apply: func(x, _ *Array) *Array {
		y := &Array{Data: make([]float64, 0, size(out.Shape)), Shape: out.Shape}
		for e := range in.Shape[0] {
			for _, i := range at {
				y.Data = append(y.Data, x.Data[e*n+i])
			}
		}
		return y
	}}, nil
}
