package prune

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
)

// The targets that a ratio is a share of.
const (
	Filters    = "filters" // or weights, for methods that mask weights
	Parameters = "parameters"
	MACs       = "macs"
)

// The scopes of a threshold.
const (
	Global = "global"
	Layer  = "layer"
)

// Options bound which layers are pruned, and how much. The zero value prunes as the method's paper does.
// Layers are named as in checkpoints, "block3.0"; where channels are bound together, the
// name of any layer that produces them, or of their group, stands for all.
type Options struct {
	Target      string             `json:"target,omitempty" yaml:"target,omitempty"`             // Filters (""), Parameters or MACs: the ratio is a share of these
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

// own returns the ratio that Options give to one of these names alone; nil for none.
func (o Options) own(names ...string) *float64 {
	for _, name := range names {
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
func (o Options) checkNames(a *models.Arch, known []string) error {
	var unknown []string
	for _, name := range slices.Concat(o.Exclude, slices.Sorted(maps.Keys(o.Layers))) {
		if !slices.Contains(known, name) {
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
	return fmt.Errorf("%s has no layer %s that could be pruned; it has %s%s", a.Model, strings.Join(unknown, ", "), strings.Join(known, ", "), why)
}

// A Candidate may be pruned: the channels of a group, or the weights of a layer.
type Candidate struct {
	Name   string        // the group's or the layer's
	Group  *models.Group // of channels; nil for weights
	Tensor string        // of weights; "" for channels
	Size   int           // channels, or weights
	own    *float64      // the ratio that Options give it alone
}

// candidates lists the candidates of a method under the options. The error lists names of
// options that match none.
func (o Options) candidates(a *models.Arch, m Method) ([]Candidate, error) {
	if m.Masks {
		return o.layers(a)
	}
	return o.groups(a)
}

// groups lists groups of channels.
func (o Options) groups(a *models.Arch) ([]Candidate, error) {
	var all []Candidate
	var known []string
	for i := range a.Groups {
		g := &a.Groups[i]
		names := names(g)
		known = append(known, names...)
		own := o.own(names...)
		if (!a.Linear(g) || o.Linear || own != nil) && !o.excludes(names...) {
			all = append(all, Candidate{Name: g.Name, Group: g, Size: g.Channels, own: own})
		}
	}
	slices.Sort(known)
	return all, o.checkNames(a, slices.Compact(known))
}

// layers lists weights of convolutions and linear layers.
func (o Options) layers(a *models.Arch) ([]Candidate, error) {
	var all []Candidate
	var known []string
	for _, t := range a.Tensors {
		kind, layer := a.Kind(t.Name), t.Layer()
		if _, arg := a.Owner(t.Name); arg != "weight" || kind != op.Conv && kind != op.Dense {
			continue
		}
		known = append(known, layer)
		own := o.own(layer)
		if (kind == op.Conv || o.Linear || own != nil) && !o.excludes(layer) {
			size := 1
			for _, n := range t.Shape {
				size *= n
			}
			all = append(all, Candidate{Name: layer, Tensor: t.Name, Size: size, own: own})
		}
	}
	return all, o.checkNames(a, known)
}

// Prunable names the candidates of a method in an architecture under options: groups of
// channels, or layers of weights.
func Prunable(a *models.Arch, m Method, o Options) ([]string, error) {
	if err := m.Fits(a); err != nil {
		return nil, err
	}
	all, err := o.candidates(a, m)
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
	}
	return names, err
}
