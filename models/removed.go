package models

import (
	"cmp"
	"slices"

	"github.com/eegprune/eegprune/models/op"
)

// A Removal lists the indices removed of one dimension of a tensor.
type Removal struct {
	Tensor string `json:"tensor"`
	Dim    int    `json:"dim"`
	Size   int    `json:"size"` // before anything was removed
	Kept   []int  `json:"kept"` // the indices that are left, rising
	// Role is Producer of weights that compute the removed channels, and Consumer of weights that the
	// channels are multiplied with next: the network computes the same as the unpruned one with zeros in
	// its consumers. It is Along for other tensors that the channels meet.
	Role string `json:"role"`
}

// The roles of a [Removal].
const (
	Producer = "producer"
	Along    = "through"
	Consumer = "consumer"
)

// removals lists the indices gone of a network when of each tensor these rows are left.
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
