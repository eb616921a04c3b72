package prune

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/eegprune/eegprune/models"
)

// CheckRatio returns an error unless 0 <= ratio < 1.
func CheckRatio(ratio float64) error {
	if !(ratio >= 0 && ratio < 1) {
		return fmt.Errorf("pruning ratio %g is outside [0, 1): 0.4 removes 40 %%", ratio)
	}
	return nil
}

// Choose decides which channels or weights a method removes from a network, which is not changed. With a
// target of parameters or MACs it finds the smallest share of filters, or weights, that saves
// at least the ratio of those.
func Choose(n *models.Network, m Method, ratio float64, o Options, e Evidence) (Decision, error) {
	if err := errors.Join(CheckRatio(ratio), o.Check()); err != nil {
		return Decision{}, err
	}
	if err := m.Fits(n.Arch); err != nil {
		return Decision{}, err
	}
	r, notes, err := rank(n, m, o, e)
	if err != nil {
		return Decision{}, err
	}
	at := r.channels
	if m.Masks {
		at = r.weights
	}
	var d Decision
	if o.Target == Parameters || o.Target == MACs {
		d, err = reach(n.Arch, o.Target, ratio, at)
	} else {
		d = at(ratio)
	}
	d.Notes = append(notes, d.Notes...)
	return d, err
}

// rank scores the candidates.
func rank(n *models.Network, m Method, o Options, e Evidence) (*ranking, []string, error) {
	all, err := o.candidates(n.Arch, m)
	if err != nil {
		return nil, nil, err
	}
	if m.Needs == Gradients && e.Gradients == nil || m.Needs == Activations && e.Activations == nil {
		return nil, nil, fmt.Errorf("%s looks at training clips, and there are none here: name the recordings", m.Name)
	}
	score, err := m.Score(n, e)
	if err != nil {
		return nil, nil, err
	}
	r := &ranking{method: m, options: o, global: m.Global && o.Scope != Layer || o.Scope == Global}
	var notes []string
	for i := range all {
		c := &all[i]
		scores, err := score(c)
		if err != nil {
			return nil, nil, fmt.Errorf("scoring %s: %w", c.Name, err)
		}
		if scores == nil {
			notes = append(notes, fmt.Sprintf("%s stays whole: it has nothing that the method goes by", c.Name))
			continue
		}
		if k := slices.IndexFunc(scores, math.IsNaN); k >= 0 {
			which := "channel"
			if m.Masks {
				which = "weight"
			}
			return nil, nil, fmt.Errorf("%s %d of %s has importance NaN: the weights are damaged, train the network anew", which, k, c.Name)
		}
		r.all = append(r.all, scored{c, scores})
	}
	r.sort()
	return r, notes, nil
}

// reach finds the smallest ratio whose decision saves at least the share of the target.
// A greater ratio removes all that a smaller one does, so bisection finds it.
func reach(a *models.Arch, target string, share float64, at func(float64) Decision) (Decision, error) {
	whole, err := a.Count()
	if err != nil {
		return Decision{}, err
	}
	saved := func(d Decision) (float64, error) {
		left, err := d.Count(a)
		if target == MACs {
			return 1 - float64(left.MACs())/float64(whole.MACs()), err
		}
		return 1 - float64(left.Parameters)/float64(whole.Parameters), err
	}
	none := at(0)
	if s, err := saved(none); err != nil || s >= share { // by ratios of single layers
		return none, err
	}
	const nearlyAll = 1 - 1e-9
	low, high, best := 0.0, nearlyAll, at(nearlyAll)
	most, err := saved(best)
	if err != nil {
		return Decision{}, err
	}
	if most < share {
		return Decision{}, fmt.Errorf("%.5g %% of the %s can't be saved: with the least that may stay of each layer it is %.3g %%; exclude fewer layers, prune linear ones too, or ask for less", 100*share, target, 100*most)
	}
	for range 40 {
		mid := (low + high) / 2
		d := at(mid)
		s, err := saved(d)
		if err != nil {
			return Decision{}, err
		}
		if s >= share {
			high, best = mid, d
		} else {
			low = mid
		}
	}
	// Widths are rounded half to even, so that at just the ratio people would write, 0.25
	// and not 0.2500000001, a layer can be wider than on either side of it.
	short := at(math.Round(high*1e9) / 1e9)
	if s, err := saved(short); err != nil || s < share {
		return best, err
	}
	return short, nil
}

// Expect decides as a method does at a ratio if all channels, or weights, are alike: for planning,
// before there is a network.
func Expect(a *models.Arch, m Method, ratio float64, o Options) (Decision, error) {
	candidates, err := o.candidates(a, m)
	if err != nil {
		return Decision{}, err
	}
	at := func(ratio float64) Decision {
		d := Decision{Keep: Keep{}}
		if m.Masks {
			d = Decision{Masks: models.Masks{}}
		}
		for _, c := range candidates {
			r := ratio
			if c.own != nil {
				r = *c.own
			}
			if !m.Masks {
				d.Keep[c.Name] = all(o.floor(m.kept(c.Size, r), c.Size))
				continue
			}
			mask := models.NewMask(c.Size)
			for i := range int(float64(c.Size) * (1 - r)) {
				mask.Keep(i)
			}
			d.Masks[c.Tensor] = mask
		}
		return d
	}
	if !m.Masks && (o.Target == Parameters || o.Target == MACs) {
		return reach(a, o.Target, ratio, at)
	}
	return at(ratio), nil
}
