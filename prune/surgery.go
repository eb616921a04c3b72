package prune

import (
	"fmt"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// Remove returns a smaller network that has only the channels in keep. Its logits equal
// those of n with the last per-channel output of each removed channel held at zero. The
// remaining weights keep their values and their masks. The caller frees the new network;
// n is unchanged.
func Remove(n *models.Network, keep Keep) (*models.Network, error) {
	c, err := shrink(n.Arch, keep)
	if err != nil {
		return nil, err
	}
	if err := c.arch.Regroup(); err != nil {
		return nil, err
	}
	small, err := models.New(c.arch, n.Device(), nil)
	if err != nil {
		return nil, fmt.Errorf("removing channels: %w", err)
	}
	for _, t := range n.State() {
		if err := c.carryOver(t, small.Tensor(t.Name)); err != nil {
			small.Free()
			return nil, fmt.Errorf("removing channels of %s: %w", t.Name, err)
		}
	}
	if err := small.SetMasks(c.masks(n)); err != nil {
		small.Free()
		return nil, fmt.Errorf("removing channels: %w", err)
	}
	return small, nil
}

// A cut holds the smaller architecture after channels were removed, and the indices left of each
// tensor along its dimensions, nil where all.
type cut struct {
	arch *models.Arch
	left map[string][][]int
}

func shrink(a *models.Arch, keep Keep) (cut, error) {
	for name, kept := range keep {
		g := a.Group(name)
		if g == nil {
			return cut{}, fmt.Errorf("the mask does not fit: it names group %q, which %s does not have", name, a.Model)
		}
		if err := checkKept(g, kept); err != nil {
			return cut{}, err
		}
	}
	small, left, err := a.Cut(keep)
	return cut{small, left}, err
}

// masks cuts a network's masks to the elements that stay.
func (c cut) masks(n *models.Network) models.Masks {
	small := models.Masks{}
	for name, mask := range n.Masks() {
		shape := n.Tensor(name).Shape()
		at := []int{0} // the elements that stay, dimension by dimension
		for dim, size := range shape {
			rows := all(size)
			if left := c.left[name]; left != nil && left[dim] != nil {
				rows = left[dim]
			}
			next := make([]int, 0, len(at)*len(rows))
			for _, i := range at {
				for _, r := range rows {
					next = append(next, i*size+r)
				}
			}
			at = next
		}
		m := models.NewMask(len(at))
		for to, from := range at {
			if mask.Stays(from) {
				m.Keep(to)
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

// carryOver copies the elements of a tensor that stay.
func (c cut) carryOver(from torch.Named, to *torch.Tensor) error {
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	value := from.Tensor
	for dim, rows := range c.left[from.Name] {
		if rows != nil {
			value = s.Select(value, dim, rows)
		}
	}
	if err := s.Err(); err != nil {
		return err
	}
	return to.CopyFrom(value)
}
