package models

import (
	"maps"

	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// A cut is the place of a value of clips, -1 where there is none alone, and its elements of a clip.
type cut struct {
	place int
	size  int64
}

// cuts finds where a plan's steps can be cut in two: where one value passes, whose first dimension is the clips'. Fixed
// values are those of both parts.
func (p *plan) cuts(b *binder, last map[string]int, fixed map[string]bool) []cut {
	open := map[string]cut{Input: {}} // values that later steps take
	var all []cut
	for i := range len(p.steps) + 1 {
		maps.DeleteFunc(open, func(v string, _ cut) bool { return last[v] < i })
		at := cut{place: -1}
		for _, value := range open {
			if len(open) == 1 {
				at = value
			}
		}
		all = append(all, at)
		if i == len(p.steps) {
			break
		}
		c := p.calls[p.steps[i].last().Name]
		for k, v := range c.Values() {
			shape := c.Out
			if c.Gives != nil {
				shape = c.Gives[k].Shape
			}
			if fixed[v] {
				continue
			}
			open[v] = cut{place: -1}
			if len(shape) > 0 && shape[0] == op.Batch {
				open[v] = cut{b.places[v], c.PerClip()}
			}
		}
	}
	return all
}

// front returns how many steps are to compute fewer clips at once than there are, and how many, so that their maps stay
// within so many bytes. The steps behind them compute all: their maps are far smaller.
func (p *program) front(clips int, bytes int64) (together, end int) {
	fits := func(size int64) bool { return 4*size*int64(clips) <= bytes/16 }
	end = len(p.steps)
	for i := end - 1; i >= 0 && fits(p.steps[i].size); i-- {
		if at := p.cuts[i]; at.place >= 0 && fits(at.size) {
			end = i
		}
	}
	largest := int64(1)
	for _, st := range p.steps[:end] {
		largest = max(largest, st.size)
	}
	return int(max(1, bytes/(4*largest))), end
}

// inParts passes x through the steps before end some clips at once, and through the others all together.
func (p *program) inParts(s *torch.Scope, x *torch.Tensor, together, end int) *torch.Tensor {
	clips := x.Shape()[0]
	if !p.plan.mode.innermost && (end == 0 || clips <= together) {
		return p.run(s, x, Pass{})
	}
	v := op.Values{At: make([]*torch.Tensor, p.places)}
	place := p.cuts[end].place
	var parts []*torch.Tensor
	for at := 0; at < clips && s.Err() == nil; at += together {
		count := min(together, clips-at)
		part := s.Narrow(x, 0, at, count)
		v.At[0], v.Clips = part, count
		if p.plan.mode.innermost {
			v.At[0], v.Clips = s.HWCN(part), (count+15)/16*16
		}
		p.through(s, &v, 0, end, Pass{})
		parts = append(parts, s.Narrow(v.At[place], 0, 0, count))
		s.Release(part)
	}
	all := s.Cat(0, parts...)
	if end == len(p.steps) || s.Err() != nil {
		return all
	}
	for _, part := range parts {
		s.Release(part)
	}
	v.At[place], v.Clips = all, clips
	p.through(s, &v, end, len(p.steps), Pass{})
	return v.At[p.output]
}
