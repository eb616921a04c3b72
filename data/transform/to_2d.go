package transform

import "slices"

// To2d puts an axis of length one in front, the channel that a 2-D convolution
// wants: [electrodes, n] to [1, electrodes, n].
type To2d struct {
	ApplyToBaseline bool `json:"apply_to_baseline"`
}

// Name implements [Transform].
func (t *To2d) Name() string { return "To2d" }

// Prepare implements [Transform].
func (t *To2d) Prepare(in Form, _ *Form) (Step, error) {
	out := in
	out.Shape = slices.Concat([]int{1}, in.Shape)
	out.Electrodes = nil
	return Step{Out: out, OnBaseline: t.ApplyToBaseline, Apply: func(x, _ *Array) *Array {
		return &Array{Data: x.Data, Shape: out.Shape}
	}}, nil
}
