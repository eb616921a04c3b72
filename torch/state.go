package torch

import (
	"fmt"
	"sort"
	"strings"
)

// A Named is a tensor of a network under the name PyTorch gives it. Buffers (running
// statistics) are saved with the parameters but not trained.
type Named struct {
	Name   string
	Tensor *Tensor
	Buffer bool
}

// LoadState copies tensors by name into state. Names that are missing or too many and
// shapes that differ are an error that lists them all; nothing is copied then.
func LoadState(state []Named, from map[string]*Tensor) error {
	var wrong []string
	known := make(map[string]bool, len(state))
	for _, n := range state {
		known[n.Name] = true
		src, ok := from[n.Name]
		have, want := src.Shape(), n.Tensor.Shape()
		switch {
		case !ok || !src.usable() || !n.Tensor.usable():
			wrong = append(wrong, n.Name+" is missing")
		case fmt.Sprint(have) != fmt.Sprint(want):
			wrong = append(wrong, fmt.Sprintf("%s has shape %v where %v is needed", n.Name, have, want))
		}
	}
	for name := range from {
		if !known[name] {
			wrong = append(wrong, name+" is not part of the network")
		}
	}
	if len(wrong) > 0 {
		sort.Strings(wrong)
		return fmt.Errorf("the tensors are not those of this network: %s", strings.Join(wrong, "; "))
	}
	for _, n := range state {
		if err := n.Tensor.CopyFrom(from[n.Name]); err != nil {
			return fmt.Errorf("loading %s: %w", n.Name, err)
		}
	}
	return nil
}
