package prune

import (
	"fmt"
	"slices"

	"eegprune/models"
	"eegprune/torch"
)

// Remove returns a new network without the channels that keep leaves out: a smaller
// one, whose logits are those of n with the removed channels' last per-channel output
// held at zero. Nothing is folded into what stays. The caller frees it; n is unchanged.
func Remove(n *models.Network, keep Keep) (*models.Network, error) {
	arch := n.Arch.Clone()
	// What each layer keeps of its output and input channels; absent where all.
	rows, columns := map[string][]int{}, map[string][]int{}
	for name := range keep {
		if !hasGroup(arch, name) {
			return nil, fmt.Errorf("the mask names group %q, which %s does not have", name, arch.Model)
		}
	}
	for i := range arch.Groups {
		g := &arch.Groups[i]
		kept, ok := keep[g.Name]
		if !ok {
			continue
		}
		if err := checkKept(g, kept); err != nil {
			return nil, err
		}
		for _, m := range slices.Concat(g.Producers, g.Norms) {
			l := arch.Layer(m.Layer)
			rows[m.Layer] = spread(kept, m.Span)
			if l.Groups > 1 { // depthwise: a channel's filters see that channel only
				l.In = l.In / g.Channels * len(kept)
				l.Groups = l.Groups / g.Channels * len(kept)
			}
			l.Out = len(rows[m.Layer])
		}
		for _, m := range g.Consumers {
			columns[m.Layer] = spread(kept, m.Span)
			arch.Layer(m.Layer).In = len(columns[m.Layer])
		}
		g.Kept, g.Channels = compose(g.Kept, kept), len(kept)
	}
	small, err := models.New(arch, n.Device(), nil)
	if err != nil {
		return nil, fmt.Errorf("removing channels: %w", err)
	}
	for _, l := range arch.Layers {
		if err := carryOver(n, small, l.Name, rows[l.Name], columns[l.Name]); err != nil {
			small.Free()
			return nil, fmt.Errorf("removing channels of %s: %w", l.Name, err)
		}
	}
	return small, nil
}

func hasGroup(a *models.Arch, name string) bool {
	for _, g := range a.Groups {
		if g.Name == name {
			return true
		}
	}
	return false
}

func checkKept(g *models.Group, kept []int) error {
	if len(kept) == 0 {
		return fmt.Errorf("the mask leaves group %q no channel; keep at least one", g.Name)
	}
	last := -1
	for _, c := range kept {
		if c <= last || c >= g.Channels {
			return fmt.Errorf("the mask of group %q keeps %v: channels must rise from 0 to below %d", g.Name, kept, g.Channels)
		}
		last = c
	}
	return nil
}

// spread turns channels of a group into the rows or columns that they take in a layer.
func spread(kept []int, span int) []int {
	r := make([]int, 0, len(kept)*span)
	for _, c := range kept {
		for k := range span {
			r = append(r, c*span+k)
		}
	}
	return r
}

// compose names what is kept of a network that was pruned before by the channels of
// the unpruned one.
func compose(before, kept []int) []int {
	after := make([]int, len(kept))
	for i, c := range kept {
		after[i] = c
		if before != nil {
			after[i] = before[c]
		}
	}
	return after
}

// carryOver copies what stays of one layer's tensors: rows of all, columns of the
// weight.
func carryOver(from, to *models.Network, layer string, rows, columns []int) error {
	src, dst := from.Module(layer), to.Module(layer)
	if src == nil {
		return nil
	}
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	target := dst.State()
	for i, t := range src.State() {
		value := t.Tensor
		dims := len(value.Shape())
		if rows != nil && dims > 0 {
			value = s.Select(value, 0, rows)
		}
		if columns != nil && dims > 1 {
			value = s.Select(value, 1, columns)
		}
		if err := s.Err(); err != nil {
			return err
		}
		if err := target[i].Tensor.CopyFrom(value); err != nil {
			return err
		}
	}
	return nil
}
