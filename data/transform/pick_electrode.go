package transform

import (
	"fmt"

	"github.com/eegprune/eegprune/internal/spelling"
)

// PickElectrode keeps some electrodes, in the order in which they are named:
// [electrodes, n] to [picked, n]. TSCeption, for one, wants the left hemisphere
// before the right and no midline.
type PickElectrode struct {
	Electrodes      []string `json:"electrodes"` // or the name of one montage
	ApplyToBaseline bool     `json:"apply_to_baseline"`
}

// Name implements [Transform].
func (t *PickElectrode) Name() string { return "PickElectrode" }

// Prepare implements [Transform]. An electrode that the recordings don't have
// is an error that names it and the nearest that they have.
func (t *PickElectrode) Prepare(in Form, _ *Form) (Step, error) {
	if len(in.Shape) != 2 || len(in.Electrodes) != in.Shape[0] {
		return Step{}, fmt.Errorf("it takes [electrodes, n] and is given %s", in)
	}
	wanted := electrodesNamed(t.Electrodes)
	if len(wanted) == 0 {
		return Step{}, fmt.Errorf("no electrodes are named")
	}
	rows, names := make([]int, len(wanted)), make([]string, len(wanted))
	for i, name := range wanted {
		if rows[i] = rowOf(in.Electrodes, name); rows[i] < 0 {
			return Step{}, fmt.Errorf("the recordings have no electrode %s (the nearest name that they have is %s)", name, spelling.Nearest(name, in.Electrodes))
		}
		names[i] = in.Electrodes[rows[i]]
	}
	n := in.Shape[1]
	out := in
	out.Shape, out.Electrodes = []int{len(rows), n}, names
	return Step{Out: out, OnBaseline: t.ApplyToBaseline, Apply: func(x, _ *Array) *Array {
		y := &Array{Data: make([]float64, 0, len(rows)*n), Shape: out.Shape}
		for _, r := range rows {
			y.Data = append(y.Data, x.Data[r*n:(r+1)*n]...)
		}
		return y
	}}, nil
}
