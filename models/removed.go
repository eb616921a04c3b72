package models

import (
	"cmp"
	"slices"

	"github.com/eegprune/eegprune/models/op"
)

// A Removal is what was removed of one dimension of a tensor.
type Removal struct {
	Tensor string `json:"tensor"`
	Dim    int    `json:"dim"`
	Size   int    `json:"size"` // before anything was removed
	Kept   []int  `json:"kept"` // the indices that are left, rising
	// Role is Producer of what made the removed channels, Consumer of what they were multiplied with
	// next: the network computes what the unpruned one does whose consumers have zeros there. It is
	// Along for what else they met.
	Role string `json:"role"`
}

// The roles of a [Removal].
const (
	Producer = "producer"
	Along    = "through"
	Consumer = "consumer"
)

// removals are what is gone of a network when of each tensor these rows are left.
func removals(a *Arch, left map[string][][]int, trace *op.Trace) []Removal {
	var all []Removal
	type place struct {
		tensor string
		dim    int
	}
	before := map[place]int{}
	for _, r := range a.Removed {
		r.Kept = slices.Clone(r.Kept)
		all = append(all, r)
	}
	for i, r := range all {
		before[place{r.Tensor, r.Dim}] = i
	}
	for tensor, dims := range left {
		for dim, rows := range dims {
			if rows == nil {
				continue
			}
			if i, ok := before[place{tensor, dim}]; ok {
				all[i].Kept = compose(all[i].Kept, rows)
				continue
			}
			role := Along
			switch trace.Role(tensor, dim) {
			case op.Filter, op.Bias:
				role = Producer
			case op.Column:
				role = Consumer
			}
			all = append(all, Removal{Tensor: tensor, Dim: dim, Size: a.Tensor(tensor).Shape[dim], Kept: rows, Role: role})
		}
	}
	slices.SortFunc(all, func(x, y Removal) int { return cmp.Or(cmp.Compare(x.Tensor, y.Tensor), cmp.Compare(x.Dim, y.Dim)) })
	return all
}
