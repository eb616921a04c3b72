package transform

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/data/montage"
)

// RearrangeElectrode puts electrodes into the order of another montage and
// fills in those that are missing, so that a network sees recordings of
// different caps alike: [electrodes, n] to [target, n].
type RearrangeElectrode struct {
	Target []string `json:"target"` // or the name of one montage
	// Missing is the value of an electrode that isn't there: the "mean" of those that are,
	// or "zero".
	Missing         string `json:"missing"`
	ApplyToBaseline bool   `json:"apply_to_baseline"`
}

// Name implements [Transform].
func (t *RearrangeElectrode) Name() string { return "RearrangeElectrode" }

// Prepare implements [Transform].
func (t *RearrangeElectrode) Prepare(in Form, _ *Form) (Step, error) {
	if len(in.Shape) != 2 || len(in.Electrodes) != in.Shape[0] {
		return Step{}, fmt.Errorf("it takes [electrodes, n] and is given %s", in)
	}
	if t.Missing != "mean" && t.Missing != "zero" {
		return Step{}, fmt.Errorf("missing is %q and must be mean or zero", t.Missing)
	}
	names := electrodesNamed(t.Target)
	if len(names) == 0 {
		return Step{}, fmt.Errorf("target names no electrodes")
	}
	from := make([]int, len(names))
	for i, name := range names {
		from[i] = rowOf(in.Electrodes, name)
		names[i], _ = montage.Canonical(name)
	}
	n := in.Shape[1]
	out := in
	out.Shape, out.Electrodes = []int{len(names), n}, names
	return Step{Out: out, OnBaseline: t.ApplyToBaseline, Apply: func(x, _ *Array) *Array {
		filler := make([]float64, n)
		if t.Missing == "mean" {
			for e := range in.Shape[0] {
				for i, v := range x.Data[e*n : (e+1)*n] {
					filler[i] += v / float64(in.Shape[0])
				}
			}
		}
		y := &Array{Data: make([]float64, 0, size(out.Shape)), Shape: out.Shape}
		for _, e := range from {
			row := filler
			if e >= 0 {
				row = x.Data[e*n : (e+1)*n]
			}
			y.Data = append(y.Data, row...)
		}
		return y
	}}, nil
}

// electrodesNamed returns electrodes as they are listed, or those of a montage if the list
// is its name.
func electrodesNamed(list []string) []string {
	if len(list) == 1 {
		if m, err := montage.Find(list[0]); err == nil {
			return m.Electrodes
		}
	}
	return slices.Clone(list)
}

// rowOf returns which of the electrodes is meant by a name: the one that is called so, or
// the one of the same place (T3 is T7, FP1 is Fp1); -1 where none is.
func rowOf(electrodes []string, name string) int {
	if i := slices.Index(electrodes, name); i >= 0 {
		return i
	}
	site, kind := montage.Canonical(name)
	return slices.IndexFunc(electrodes, func(e string) bool {
		if kind != montage.Electrode || montage.CapOf(electrodes) != "" {
			return strings.EqualFold(e, name)
		}
		other, _ := montage.Canonical(e)
		return other == site
	})
}
