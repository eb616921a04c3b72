package prune

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"eegprune/models"
	"eegprune/models/op"
)

// What a ratio is a share of.
const (
	Filters    = "filters" // or weights, for methods that mask weights
	Parameters = "parameters"
	MACs       = "macs"
)

// Over what a threshold is found.
const (
	Global = "global"
	Layer  = "layer"
)

// Options say how much of what may go. The zero value prunes as the method's paper does.
// Layers are named as in checkpoints, "block3.0"; where channels are bound together, the
// name of any layer that produces them, or of their group, stands for all.
type Options struct {
	Target      string             `json:"target,omitempty" yaml:"target,omitempty"`             // Filters (""), Parameters or MACs: what the ratio is a share of
	Scope       string             `json:"scope,omitempty" yaml:"scope,omitempty"`               // Global or Layer; "" for the method's own
	Layers      map[string]float64 `json:"layers,omitempty" yaml:"layers,omitempty"`             // ratios of single layers, in filters or weights, instead of the general one
	Exclude     []string           `json:"exclude,omitempty" yaml:"exclude,omitempty"`           // layers that stay whole
	Linear      bool               `json:"linear,omitempty" yaml:"linear,omitempty"`             // prune neurons (or weights) of linear layers too
	MinChannels int                `json:"min_channels,omitempty" yaml:"min_channels,omitempty"` // at least so many channels stay in a layer; 0 for 1
	RoundTo     int                `json:"round_to,omitempty" yaml:"round_to,omitempty"`         // widths are rounded up to a multiple; 0 for none
}

// Check returns an error that names the setting which can't be used, whatever the
// network.
func (o Options) Check() error {
	switch {
	case !slices.Contains([]string{"", Filters, Parameters, MACs}, o.Target):
		return fmt.Errorf("unknown target %q: use %s, %s or %s", o.Target, Filters, Parameters, MACs)
	case !slices.Contains([]string{"", Global, Layer}, o.Scope):
		return fmt.Errorf("unknown scope %q: use %s or %s", o.Scope, Global, Layer)
	case o.MinChannels < 0 || o.RoundTo < 0:
		return fmt.Errorf("min-channels %d, round-to %d: neither can be negative", o.MinChannels, o.RoundTo)
	}
	for _, name := range slices.Sorted(maps.Keys(o.Layers)) {
		if err := CheckRatio(o.Layers[name]); err != nil {
			return fmt.Errorf("layer %s: %w", name, err)
		}
	}
	return nil
}

// floor is how many of c channels stay where a method wants to keep n.
func (o Options) floor(n, c int) int {
	n = max(n, o.MinChannels, 1)
	if o.RoundTo > 1 {
		n = (n + o.RoundTo - 1) / o.RoundTo * o.RoundTo
	}
	return min(n, c)
}

// names are those that may stand for a group.
func names(g *models.Group) []string {
	return append([]string{g.Name}, g.Layers(op.Filter)...)
}

func (o Options) own(g *models.Group) *float64 {
	for _, name := range names(g) {
		if r, ok := o.Layers[name]; ok {
			return &r
		}
	}
	return nil
}

func (o Options) excludes(names ...string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(o.Exclude, n) })
}

// checkNames returns an error that lists the layers named that are not among those there
// are.
func (o Options) checkNames(a *models.Arch, there []string) error {
	var unknown []string
	for _, name := range slices.Concat(o.Exclude, slices.Sorted(maps.Keys(o.Layers))) {
		if !slices.Contains(there, name) {
			unknown = append(unknown, name)
		}
	}
	if unknown == nil {
		return nil
	}
	why := ""
	for _, w := range a.Whole {
		if slices.Contains(unknown, w.Layer) {
			why += fmt.Sprintf("; %s stays whole: %s", w.Layer, w.Why)
		}
	}
	return fmt.Errorf("%s has no layer %s that could be pruned; it has %s%s", a.Model, strings.Join(unknown, ", "), strings.Join(there, ", "), why)
}

// groups returns those that may be pruned.
func (o Options) groups(a *models.Arch) ([]*models.Group, error) {
	var all []*models.Group
	var there []string
	for i := range a.Groups {
		g := &a.Groups[i]
		there = append(there, names(g)...)
		if (!a.Linear(g) || o.Linear || o.own(g) != nil) && !o.excludes(names(g)...) {
			all = append(all, g)
		}
	}
	slices.Sort(there)
	return all, o.checkNames(a, slices.Compact(there))
}

// layers returns the names of those whose weights may be masked.
func (o Options) layers(a *models.Arch) ([]string, error) {
	var all, there []string
	for _, t := range a.Tensors {
		kind, layer := a.Kind(t.Name), t.Layer()
		if _, arg := a.Owner(t.Name); arg != "weight" || kind != op.Conv && kind != op.Dense {
			continue
		}
		there = append(there, layer)
		_, own := o.Layers[layer]
		if (kind == op.Conv || o.Linear || own) && !o.excludes(layer) {
			all = append(all, layer)
		}
	}
	return all, o.checkNames(a, there)
}

// A Decision is what goes and what stays.
type Decision struct {
	Keep      Keep         // of methods that remove channels
	Masks     models.Masks // of methods that mask weights
	Threshold float64      // where there was one over all layers
	Notes     []string     // what the user should know, such as a layer that was kept from vanishing
}

// Choose decides what a method takes from a network, which is not changed. With a target
// of parameters or MACs it finds the smallest share of filters, or weights, that saves
// at least the ratio of those.
func Choose(n *models.Network, m Method, ratio float64, o Options, e Evidence) (Decision, error) {
	if err := errors.Join(CheckRatio(ratio), o.Check()); err != nil {
		return Decision{}, err
	}
	if err := m.Fits(n.Arch); err != nil {
		return Decision{}, err
	}
	at, notes, err := chooser(n, m, o, e)
	if err != nil {
		return Decision{}, err
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

// chooser scores once, and returns what is chosen at a ratio of filters or weights.
func chooser(n *models.Network, m Method, o Options, e Evidence) (at func(ratio float64) Decision, notes []string, err error) {
	global := m.Global && o.Scope != Layer || o.Scope == Global
	if m.Weights != nil {
		layers, err := o.layers(n.Arch)
		if err != nil {
			return nil, nil, err
		}
		all, err := weigh(n, m.Weights, layers, o)
		return weightChooser(all, global), nil, err
	}
	groups, err := o.groups(n.Arch)
	if err != nil {
		return nil, nil, err
	}
	criterion, err := m.Channels(n, e)
	if err != nil {
		return nil, nil, err
	}
	all, notes, err := score(n, criterion, groups, o)
	return channelChooser(all, m, global, o), notes, err
}

// reach finds the smallest ratio whose decision saves at least the share of the target.
// What a greater ratio takes includes what a smaller one does, so bisection finds it.
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

// Count counts what a decision leaves of an architecture: for masks, of the nonzeros.
func (d Decision) Count(a *models.Arch) (models.Counts, error) {
	if d.Masks != nil {
		return a.CountMasked(d.Masks)
	}
	c, err := shrink(a, d.Keep)
	if err != nil {
		return models.Counts{}, err
	}
	return c.arch.Count()
}

// Apply returns a network as decided: smaller, or with masked weights. The caller frees
// it; n is unchanged.
func (d Decision) Apply(n *models.Network) (*models.Network, error) {
	if d.Masks == nil {
		return Remove(n, d.Keep)
	}
	masked, err := n.Clone()
	if err != nil {
		return nil, err
	}
	masks := maps.Clone(d.Masks)
	for name, before := range n.Masks() {
		if m := masks[name]; m != nil {
			m.And(before)
		} else {
			masks[name] = before
		}
	}
	if err := masked.SetMasks(masks); err != nil {
		masked.Free()
		return nil, err
	}
	return masked, nil
}

// Prunable names what a method can prune of an architecture under options: groups of
// channels, or layers of weights.
func Prunable(a *models.Arch, m Method, o Options) ([]string, error) {
	if err := m.Fits(a); err != nil {
		return nil, err
	}
	if m.Weights != nil {
		return o.layers(a)
	}
	groups, err := o.groups(a)
	var names []string
	for _, g := range groups {
		names = append(names, g.Name)
	}
	return names, err
}

// Expect counts what a method would leave at a ratio if all channels, or weights, were
// alike: for planning, before there is a network.
func Expect(a *models.Arch, m Method, ratio float64, o Options) (models.Counts, error) {
	if m.Weights != nil {
		layers, err := o.layers(a)
		if err != nil {
			return models.Counts{}, err
		}
		masks := models.Masks{}
		for _, name := range layers {
			size := 1
			for _, n := range a.Tensor(name + ".weight").Shape {
				size *= n
			}
			r := ratio
			if own, ok := o.Layers[name]; ok {
				r = own
			}
			mask := models.NewMask(size)
			for i := range int(float64(size) * (1 - r)) {
				mask.Keep(i)
			}
			masks[name+".weight"] = mask
		}
		return a.CountMasked(masks)
	}
	groups, err := o.groups(a)
	if err != nil {
		return models.Counts{}, err
	}
	at := func(ratio float64) Decision {
		keep := Keep{}
		for _, g := range groups {
			r := ratio
			if own := o.own(g); own != nil {
				r = *own
			}
			keep[g.Name] = all(o.floor(m.kept(g.Channels, r), g.Channels))
		}
		return Decision{Keep: keep}
	}
	d := at(ratio)
	if o.Target == Parameters || o.Target == MACs {
		if d, err = reach(a, o.Target, ratio, at); err != nil {
			return models.Counts{}, err
		}
	}
	return d.Count(a)
}
