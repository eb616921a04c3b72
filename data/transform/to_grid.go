package transform

import (
	"fmt"

	"github.com/eegprune/eegprune/data/montage"
)

// ToGrid puts electrodes in their places on a 9x9 grid seen from above, zero
// where there is none: [electrodes, n] to [n, 9, 9].
type ToGrid struct {
	ApplyToBaseline bool `json:"apply_to_baseline"`
}

// Name implements [Transform].
func (t *ToGrid) Name() string { return "ToGrid" }

// Prepare implements [Transform]. Electrodes without a place on the grid are
// an error that names them.
func (t *ToGrid) Prepare(in Form, _ *Form) (Step, error) {
	if len(in.Shape) != 2 || len(in.Electrodes) != in.Shape[0] {
		return Step{}, fmt.Errorf("it takes [electrodes, n] and is given %s", in)
	}
	cells, without, err := in.gridCells()
	if err != nil {
		return Step{}, err
	}
	electrodes, notes := in.placed(cells, without)
	const area = montage.GridSize * montage.GridSize
	n := in.Shape[1]
	return Step{
		// Time, if it was the last axis, is now the first: no signal any more.
		Out:        Form{Shape: []int{n, montage.GridSize, montage.GridSize}, Bands: in.Bands},
		OnBaseline: t.ApplyToBaseline,
		Electrodes: electrodes,
		Notes:      notes,
		Apply: func(x, _ *Array) *Array {
			out := NewArray(n, montage.GridSize, montage.GridSize)
			for e, cell := range cells {
				if cell < 0 {
					continue
				}
				for i, v := range x.Data[e*n : (e+1)*n] {
					out.Data[i*area+cell] = v
				}
			}
			return out
		},
	}, nil
}
