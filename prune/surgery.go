package prune

import (
	"fmt"
	"slices"
	"strings"

	"eegprune/models"
	"eegprune/torch"
)

// Remove returns a new network without the channels that keep leaves out: a smaller
// one, whose logits are those of n with the removed channels' last per-channel output
// held at zero. Nothing is folded into what stays; masks of weights stay with them. The
// caller frees it; n is unchanged.
func Remove(n *models.Network, keep Keep) (*models.Network, error) {
	c, err := shrink(n.Arch, keep)
	if err != nil {
		return nil, err
	}
	small, err := models.New(c.arch, n.Device(), nil)
	if err != nil {
		return nil, fmt.Errorf("removing channels: %w", err)
	}
	for _, l := range c.arch.Layers {
		if err := carryOver(n, small, l.Name, c.rows[l.Name], c.columns[l.Name]); err != nil {
			small.Free()
			return nil, fmt.Errorf("removing channels of %s: %w", l.Name, err)
		}
	}
	if err := small.SetMasks(c.masks(n)); err != nil {
		small.Free()
		return nil, fmt.Errorf("removing channels: %w", err)
	}
	return small, nil
}

// A cut is what removing channels does to an architecture: the smaller one, and what
// each layer keeps of its output and input channels, absent where all.
type cut struct {
	arch          *models.Arch
	rows, columns map[string][]int
}

func shrink(a *models.Arch, keep Keep) (cut, error) {
	c := cut{a.Clone(), map[string][]int{}, map[string][]int{}}
	for name := range keep {
		if c.arch.Group(name) == nil {
			return c, fmt.Errorf("the mask does not fit: it names group %q, which %s does not have", name, a.Model)
		}
	}
	for i := range c.arch.Groups {
		g := &c.arch.Groups[i]
		kept, ok := keep[g.Name]
		if !ok {
			continue
		}
		if err := checkKept(g, kept); err != nil {
			return c, err
		}
		for _, m := range slices.Concat(g.Producers, g.Norms) {
			l := c.arch.Layer(m.Layer)
			c.rows[m.Layer] = spread(kept, m.Span)
			if l.Groups > 1 { // depthwise: a channel's filters see that channel only
				l.In = l.In / g.Channels * len(kept)
				l.Groups = l.Groups / g.Channels * len(kept)
			}
			l.Out = len(c.rows[m.Layer])
		}
		for _, m := range g.Consumers {
			c.columns[m.Layer] = spread(kept, m.Span)
			c.arch.Layer(m.Layer).In = len(c.columns[m.Layer])
		}
		g.Kept, g.Channels = compose(g.Kept, kept), len(kept)
	}
	return c, nil
}

// masks are what stays of a network's masks.
func (c cut) masks(n *models.Network) models.Masks {
	small := models.Masks{}
	for name, mask := range n.Masks() {
		layer := strings.TrimSuffix(name, ".weight")
		shape := n.Weight(layer, "weight").Shape()
		rows, columns := c.rows[layer], c.columns[layer]
		if rows == nil {
			rows = all(shape[0])
		}
		if columns == nil {
			columns = all(shape[1])
		}
		inner := mask.Len() / (shape[0] * shape[1])
		m := models.NewMask(len(rows) * len(columns) * inner)
		to := 0
		for _, r := range rows {
			for _, col := range columns {
				for k := range inner {
					if mask.Stays((r*shape[1]+col)*inner + k) {
						m.Keep(to)
					}
					to++
				}
			}
		}
		small[name] = m
	}
	return small
}

func all(n int) []int {
	v := make([]int, n)
	for i := range v {
		v[i] = i
	}
	return v
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
