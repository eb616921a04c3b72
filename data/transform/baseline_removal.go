package transform

import (
	"errors"
	"fmt"
	"slices"
)

// BaselineRemoval takes the baseline, as the transforms before have left it,
// from the clip. Those must have been applied to the baseline too.
type BaselineRemoval struct{}

// Name implements [Transform].
func (t *BaselineRemoval) Name() string { return "BaselineRemoval" }

// Prepare implements [Transform]. Recordings without a baseline are an error.
func (t *BaselineRemoval) Prepare(in Form, baseline *Form) (Step, error) {
	if baseline == nil {
		return Step{}, errors.New("the recordings have no baseline: leave this transform out")
	}
	if !slices.Equal(in.Shape, baseline.Shape) {
		return Step{}, fmt.Errorf("the clip has shape %v here and its baseline %v: give the transforms before it apply_to_baseline: true, or make clips and baseline equally long", in.Shape, baseline.Shape)
	}
	return Step{Out: in, Apply: func(x, b *Array) *Array {
		out := NewArray(x.Shape...)
		for i := range out.Data {
			out.Data[i] = x.Data[i] - b.Data[i]
		}
		return out
	}}, nil
}
