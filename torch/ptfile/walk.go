package ptfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/internal/pickle"
)

// Bounds of the search for dicts of tensors. A file may name one object many times, so that
// it can describe more than its own size.
const (
	maxDepth  = 8
	maxVisits = 1 << 17
)

// A step is the way from a dict or list to a value in it.
type step struct {
	keys   []string
	chosen int
}

// A walk looks for dicts of tensors.
type walk struct {
	dicts  []Dict
	most   int // bytes that their arrays may have
	visits int
	seen   map[any]bool
}

// into looks at a value and all in it.
func (w *walk) into(v any, trail []step) error {
	if w.visits--; w.visits < 0 {
		return fmt.Errorf("it describes more than %d objects: %s", maxVisits, mend)
	}
	var keys []string
	var values []any
	switch v := v.(type) {
	case *pickle.Dict:
		if w.seen[v] {
			return nil
		}
		w.seen[v] = true
		if slices.ContainsFunc(v.Values, isTensor) {
			if err := w.dict(v, trail); err != nil {
				return err
			}
		}
		keys, values = keysOf(v), v.Values
	case *pickle.List:
		if w.seen[v] {
			return nil
		}
		w.seen[v] = true
		keys, values = numbers(v.Items), v.Items
	case pickle.Tuple:
		keys, values = numbers(v), v
	default:
		return nil
	}
	if len(trail) == maxDepth {
		return nil
	}
	for i, inner := range values {
		switch inner.(type) {
		case *pickle.Dict, *pickle.List, pickle.Tuple:
			if err := w.into(inner, append(trail[:len(trail):len(trail)], step{keys, i})); err != nil {
				return err
			}
		}
	}
	return nil
}

func keysOf(d *pickle.Dict) []string {
	keys := make([]string, len(d.Keys))
	for i, k := range d.Keys {
		switch k := k.(type) {
		case string:
			keys[i] = k
		case pickle.Bytes: // of Python 2
			keys[i] = string(k)
		case int64, bool, float64:
			keys[i] = fmt.Sprint(k)
		default:
			keys[i] = kind(k)
		}
	}
	return keys
}

func numbers(values []any) []string {
	keys := make([]string, len(values))
	for i := range keys {
		keys[i] = fmt.Sprint(i)
	}
	return keys
}

// dict makes arrays of the tensors of a dict.
func (w *walk) dict(state *pickle.Dict, trail []step) error {
	d := Dict{trail: trail}
	var path []string
	for _, s := range trail {
		path = append(path, s.keys[s.chosen])
	}
	d.Key = strings.Join(path, ".")
	var views []*tensor
	places := map[string]int{}
	for i, name := range keysOf(state) {
		t, ok := state.Values[i].(*tensor)
		j, again := places[name]
		switch {
		case !ok:
			d.Others = append(d.Others, Other{fmt.Sprintf("%.80s", name), kind(state.Values[i])})
		case again: // the last assignment counts
			views[j] = t
		default:
			places[name] = len(views)
			views = append(views, t)
			d.Tensors = append(d.Tensors, Named{Name: name})
		}
	}
	for i, t := range views {
		size, err := t.check()
		if err == nil {
			if w.most -= size; w.most < 0 {
				err = errors.New("it and those before it claim more than eight times the file's size, as views of the same numbers: clone them before they are saved")
			}
		}
		if err != nil {
			return fmt.Errorf("tensor %.80s: %w", d.Tensors[i].Name, err)
		}
		d.Tensors[i].Array = Array{t.elem.as, t.shape, t.contiguous(size)}
	}
	w.dicts = append(w.dicts, d)
	return nil
}

// Beside lists the file's other values beside the dict, by their keys.
func (d *Dict) Beside() []string {
	var all []string
	path := ""
	for _, s := range d.trail {
		for i, k := range s.keys {
			if i != s.chosen {
				all = append(all, fmt.Sprintf("%.80s", path+k))
			}
		}
		path += s.keys[s.chosen] + "."
	}
	return all
}

// contents describes a file without tensors.
func contents(v any) string {
	d, ok := v.(*pickle.Dict)
	if !ok {
		return kind(v)
	}
	var all []string
	for i, k := range keysOf(d) {
		if i == 6 {
			all = append(all, fmt.Sprintf("%d more", len(d.Keys)-i))
			break
		}
		all = append(all, fmt.Sprintf("%.80q: %s", k, kind(d.Values[i])))
	}
	return "a dict of " + strings.Join(all, ", ")
}
