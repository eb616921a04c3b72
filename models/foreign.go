package models

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/torch/ptfile"
)

// A candidate is a network that a file of another program may hold.
type candidate struct {
	dict    *ptfile.Dict
	prefix  string                  // of its tensors' names: "model.", "ema."
	tensors map[string]ptfile.Array // by the network's own names
	extra   []string                // the dict's tensors that are left out
	made    []string                // weights computed of several tensors, and how
	hits    int                     // how many names are those of a network
	arch    *Arch
	assumed []string
	err     error // why it is none
}

// key is how a user names the candidate.
func (c *candidate) key() string {
	key := c.dict.Key
	if p := strings.TrimSuffix(c.prefix, "."); p != "" {
		key = strings.TrimPrefix(key+"."+p, ".")
	}
	return cmp.Or(key, ".")
}

// wrappers are the names that PyTorch's wrappers put before those of the wrapped modules:
// DataParallel and AveragedModel, torch.compile, fully sharded training, checkpointing,
// and Lightning's strategies.
var wrappers = []string{"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module"}

// unwrapped takes the names of wrappers off, wherever they stand.
func unwrapped(name string) string {
	parts := strings.Split(name, ".")
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return slices.Contains(wrappers, p) }), ".")
}

// counted are names of tensors that count and compute nothing: of thop's profile, and of
// averages of weights.
var counted = []string{"total_ops", "total_params", "n_averaged", "num_updates", "decay", "initted", "step"}

// counts reports whether a tensor within a network is none of its layers': a count, or
// a part of a loss or a measure.
func counts(name string) bool {
	parts := strings.Split(strings.ToLower(name), ".")
	if slices.Contains(counted, parts[len(parts)-1]) {
		return true
	}
	return slices.ContainsFunc(parts, func(p string) bool {
		for _, word := range []string{"loss", "criterion", "metric", "accuracy", "class_weight"} {
			if strings.Contains(p, word) {
				return true
			}
		}
		return p == "acc" || strings.HasSuffix(p, "_acc") || strings.HasSuffix(p, "_f1")
	})
}

// choose finds the one network in the file.
func choose(f *torch.StateFile, o OpenOptions) (*candidate, error) {
	all, err := candidates(f, o)
	if err != nil {
		return nil, err
	}
	if o.Weights != "" {
		return named(all, o.Weights)
	}
	whole := slices.DeleteFunc(slices.Clone(all), func(c *candidate) bool { return c.err != nil })
	switch len(whole) {
	case 1:
		return whole[0], nil
	case 0:
		best := slices.MaxFunc(all, func(a, b *candidate) int { return cmp.Compare(a.hits, b.hits) })
		if len(best.dict.Others) > 0 {
			return nil, fmt.Errorf("%w; its %s is %s", best.err, best.dict.Others[0].Name, best.dict.Others[0].What)
		}
		return nil, best.err
	}
	return nil, fmt.Errorf("it holds %d networks, at %s: say which with --weights KEY", len(whole), strings.Join(keys(whole), ", "))
}

func keys(all []*candidate) []string {
	var k []string
	for _, c := range all {
		k = append(k, c.key())
	}
	return k
}

// named is the candidate of a key, or the only one whose key begins with it.
func named(all []*candidate, key string) (*candidate, error) {
	within := slices.DeleteFunc(slices.Clone(all), func(c *candidate) bool {
		return c.key() != key && (!strings.HasPrefix(c.key(), key+".") || c.err != nil)
	})
	if i := slices.IndexFunc(within, func(c *candidate) bool { return c.key() == key }); i >= 0 {
		within = within[i : i+1]
	}
	if len(within) == 1 {
		return within[0], within[0].err
	}
	if len(within) > 1 {
		return nil, fmt.Errorf("it holds %d networks under %q, at %s: say which with --weights KEY", len(within), key, strings.Join(keys(within), ", "))
	}
	whole := slices.DeleteFunc(slices.Clone(all), func(c *candidate) bool { return c.err != nil })
	if len(whole) == 0 {
		return nil, fmt.Errorf("it has no network at %q, nor at another key", key)
	}
	return nil, fmt.Errorf("it has no network at %q: --weights can be %s", key, strings.Join(keys(whole), ", "))
}

// candidates are all places of the file where a network's tensors may be: at least one.
func candidates(f *torch.StateFile, o OpenOptions) ([]*candidate, error) {
	known := map[string]bool{}
	for _, m := range All() {
		for _, w := range m.nominal() {
			known[w.Name] = true
		}
	}
	var all []*candidate
	for i := range f.Dicts {
		d := &f.Dicts[i]
		tensors, made, err := ptfile.Effective(d.Tensors)
		if err != nil {
			return nil, err
		}
		hits := prefixes(tensors, known)
		for _, p := range slices.Sorted(maps.Keys(hits)) {
			// One tensor of such a name is chance, such as an optimizer's or a layer's of
			// another network.
			if hits[p] < 2 || inWrapper(p, hits) {
				continue
			}
			c := &candidate{dict: d, prefix: p, made: made, hits: hits[p]}
			c.take(tensors)
			c.infer(o)
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		d := &f.Dicts[0]
		c := &candidate{dict: d}
		c.take(d.Tensors)
		if c.infer(o); c.err == nil {
			c.err = errors.New("its tensors are those of no network")
		}
		all = append(all, c)
	}
	return all, nil
}

// prefixes counts for each prefix the names that are a network's without it.
func prefixes(tensors []ptfile.Named, known map[string]bool) map[string]int {
	hits := map[string]int{}
	for _, t := range tensors {
		for at := 0; ; {
			if known[unwrapped(t.Name[at:])] {
				hits[t.Name[:at]]++
			}
			dot := strings.IndexByte(t.Name[at:], '.')
			if dot < 0 {
				break
			}
			at += dot + 1
		}
	}
	return hits
}

// inWrapper reports whether the prefix is that of a wrapper within a prefix that is also
// there and has as many hits.
func inWrapper(prefix string, hits map[string]int) bool {
	parts := strings.Split(strings.TrimSuffix(prefix, "."), ".")
	if !slices.Contains(wrappers, parts[len(parts)-1]) {
		return false
	}
	outer := strings.Join(parts[:len(parts)-1], ".")
	if outer != "" {
		outer += "."
	}
	return hits[outer] >= hits[prefix]
}

// take takes the tensors with the candidate's prefix. Those of other prefixes are of
// other modules.
func (c *candidate) take(tensors []ptfile.Named) {
	c.tensors = map[string]ptfile.Array{}
	for _, t := range tensors {
		inner, ok := strings.CutPrefix(t.Name, c.prefix)
		short := unwrapped(inner)
		_, taken := c.tensors[short]
		switch {
		case !ok || counts(short):
			c.extra = append(c.extra, t.Name)
		case taken: // with and without a wrapper: the network's fit says that it is too many
			c.tensors[inner] = t.Array
		default:
			c.tensors[short] = t.Array
		}
	}
}

// infer finds the architecture.
func (c *candidate) infer(o OpenOptions) {
	shapes := Shapes{}
	for name, a := range c.tensors {
		shapes[name] = a.Shape
	}
	c.arch, c.assumed, c.err = Infer(shapes, o.Model, o.Input)
}

// grouped lists names sorted, many of one kind as one: "total_ops (9 tensors)",
// "teacher (28 tensors)".
func grouped(names []string) []string {
	by := map[string][]string{}
	for _, n := range names {
		group, _, _ := strings.Cut(n, ".")
		if last := n[strings.LastIndexByte(n, '.')+1:]; slices.Contains(counted, last) {
			group = last
		}
		by[group] = append(by[group], n)
	}
	var all []string
	for group, same := range by {
		if len(same) > 3 {
			same = []string{fmt.Sprintf("%s (%d tensors)", group, len(same))}
		}
		all = append(all, same...)
	}
	slices.Sort(all)
	return all
}
