// Package label turns the labels of a trial (ratings, numbers, words) into the class that a network
// learns, under torcheeg's names.
package label

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/eegprune/eegprune/data/named"
	"github.com/eegprune/eegprune/internal/spelling"
)

// A Form describes labels before they have values: a list of named numbers, each of which may be a
// class already.
type Form struct {
	Keys    []string
	Classes [][]string // of each key; nil where the number is no class
}

// A Transform is one stage from labels to a class, with its arguments as its
// fields.
type Transform interface {
	// Name is the name under which pipelines list it.
	Name() string
	// Prepare checks the arguments against the form of the labels, and returns
	// the form that it makes and the function that makes it. That function's
	// input and output are as long as the forms' keys.
	Prepare(in Form) (out Form, apply func(values []float64) ([]float64, error), err error)
}

// A Pipeline is transforms in the order in which labels go through them.
type Pipeline []Transform

// registry lists all label transforms. A new one is a type and a line here.
func registry() []Transform {
	return []Transform{&Select{}, &Binary{Threshold: 5}, &BinariesToCategory{}, &Mapping{}}
}

// New returns the transform of that name with its default arguments.
func New(name string) (Transform, error) {
	var names []string
	for _, t := range registry() {
		if t.Name() == name {
			return t, nil
		}
		names = append(names, t.Name())
	}
	return nil, spelling.Unknown("label transform", name, names)
}

// MarshalJSON writes names and arguments; see [named.Marshal].
func (p Pipeline) MarshalJSON() ([]byte, error) { return named.Marshal(p) }

// MarshalYAML writes names and arguments.
func (p Pipeline) MarshalYAML() ([]byte, error) { return named.MarshalYAML(p) }

// UnmarshalJSON reads a list of names and arguments. Unknown ones are errors.
func (p *Pipeline) UnmarshalJSON(b []byte) (err error) {
	*p, err = named.Unmarshal(b, New)
	return err
}

// UnmarshalYAML reads the same list as [Pipeline.UnmarshalJSON].
func (p *Pipeline) UnmarshalYAML(n ast.Node) (err error) {
	*p, err = named.UnmarshalYAML(n, New)
	return err
}

// A Prepared is a pipeline that is ready for labels of one form.
type Prepared struct {
	Classes []string // names of the classes, by number
	keys    []string
	needed  []bool // which of the keys the class is made of
	steps   []func([]float64) ([]float64, error)
}

// Prepare makes a pipeline ready for the labels of that form. Its output must be one class.
func (p Pipeline) Prepare(in Form) (*Prepared, error) {
	r := &Prepared{keys: in.Keys, needed: make([]bool, len(in.Keys))}
	for i, k := range in.Keys {
		r.needed[i] = p.takes(k)
	}
	for _, t := range p {
		out, apply, err := t.Prepare(in)
		if err != nil {
			return nil, fmt.Errorf("label transform %s: %w", t.Name(), err)
		}
		in = out
		r.steps = append(r.steps, apply)
	}
	switch {
	case len(in.Keys) != 1:
		return nil, fmt.Errorf("there are the labels %s and one class is needed: choose by Select, or join binary ones by BinariesToCategory", strings.Join(in.Keys, ", "))
	case in.Classes[0] == nil:
		return nil, fmt.Errorf("label %s is a number and a class is needed: use Binary or Mapping", in.Keys[0])
	case len(in.Classes[0]) < 2:
		return nil, fmt.Errorf("label %s can only be %q: a classifier needs two classes", in.Keys[0], in.Classes[0])
	}
	r.Classes = in.Classes[0]
	return r, nil
}

// takes reports whether a class depends on a label: one that is chosen, where labels are chosen
// first, and else any.
func (p Pipeline) takes(key string) bool {
	if len(p) > 0 {
		if s, ok := p[0].(*Select); ok {
			return slices.Contains(s.Keys, key)
		}
	}
	return true
}

// Class returns the number of the class of a trial with those labels. Those that it is not made
// of may be missing.
func (p *Prepared) Class(labels map[string]float64) (int, error) {
	values := make([]float64, len(p.keys))
	for i, k := range p.keys {
		v, ok := labels[k]
		if p.needed[i] && (!ok || math.IsNaN(v)) {
			return 0, fmt.Errorf("it has no label %s", k)
		}
		values[i] = v
	}
	for _, apply := range p.steps {
		var err error
		if values, err = apply(values); err != nil {
			return 0, err
		}
	}
	if c := int(values[0]); c >= 0 && c < len(p.Classes) {
		return c, nil
	}
	return 0, fmt.Errorf("its label %s is class %g and there are %d", p.keys[0], values[0], len(p.Classes))
}

// Select takes some of the labels: valence and arousal out of DEAP's four.
type Select struct {
	Keys []string `json:"key"`
}

// Name implements [Transform].
func (t *Select) Name() string { return "Select" }

// Prepare implements [Transform].
func (t *Select) Prepare(in Form) (Form, func([]float64) ([]float64, error), error) {
	if len(t.Keys) == 0 {
		return Form{}, nil, fmt.Errorf("key names no label: there are %s", strings.Join(in.Keys, ", "))
	}
	var out Form
	at := make([]int, len(t.Keys))
	for i, k := range t.Keys {
		if at[i] = slices.Index(in.Keys, k); at[i] < 0 {
			return Form{}, nil, fmt.Errorf("the recordings have no label %q: they have %s", k, strings.Join(in.Keys, ", "))
		}
		out.Keys, out.Classes = append(out.Keys, k), append(out.Classes, in.Classes[at[i]])
	}
	return out, func(values []float64) ([]float64, error) {
		picked := make([]float64, len(at))
		for i, j := range at {
			picked[i] = values[j]
		}
		return picked, nil
	}, nil
}

// The class of a rating that equals the threshold.
const (
	TieHigh = ">="   // high, as in torcheeg; "" means the same
	TieLow  = ">"    // low
	TieDrop = "drop" // neither: its trial is left out
)

// ErrTie is of a trial that has no class as a rating equals the threshold: it is left out.
var ErrTie = errors.New("it is left out")

// Binary makes two classes of each label: low below the threshold, and high above it.
type Binary struct {
	Threshold float64 `json:"threshold"`
	// Tie is the class of a label that equals the threshold: [TieHigh], [TieLow] or [TieDrop].
	Tie string `json:"tie,omitempty"`
}

// Name implements [Transform].
func (t *Binary) Name() string { return "Binary" }

// rule is the condition for the class high.
func (t *Binary) rule() string {
	switch t.Tie {
	case TieLow:
		return fmt.Sprintf("> %g", t.Threshold)
	case TieDrop:
		return fmt.Sprintf("> %g, ties dropped", t.Threshold)
	}
	return fmt.Sprintf(">= %g", t.Threshold)
}

// Prepare implements [Transform].
func (t *Binary) Prepare(in Form) (Form, func([]float64) ([]float64, error), error) {
	low, high := "<", ">="
	switch t.Tie {
	case TieHigh, "":
	case TieLow:
		low, high = "<=", ">"
	case TieDrop:
		high = ">"
	default:
		return Form{}, nil, fmt.Errorf("tie %q: what a label is that equals the threshold is %s (high), %s (low) or %s", t.Tie, TieHigh, TieLow, TieDrop)
	}
	out := Form{Keys: in.Keys}
	for i, k := range in.Keys {
		if in.Classes[i] != nil {
			return Form{}, nil, fmt.Errorf("label %s is a class already", k)
		}
		out.Classes = append(out.Classes, []string{fmt.Sprintf("%s %s %g", k, low, t.Threshold), fmt.Sprintf("%s %s %g", k, high, t.Threshold)})
	}
	return out, func(values []float64) ([]float64, error) {
		binary := make([]float64, len(values))
		for i, v := range values {
			switch {
			case v > t.Threshold, v == t.Threshold && high == ">=":
				binary[i] = 1
			case v == t.Threshold && t.Tie == TieDrop:
				return nil, fmt.Errorf("its %s is %g, which is the threshold: %w", in.Keys[i], v, ErrTie)
			}
		}
		return binary, nil
	}, nil
}

// BinariesToCategory joins labels of two classes into one of 2^n: the first is
// the highest bit.
type BinariesToCategory struct{}

// Name implements [Transform].
func (t *BinariesToCategory) Name() string { return "BinariesToCategory" }

// Prepare implements [Transform].
func (t *BinariesToCategory) Prepare(in Form) (Form, func([]float64) ([]float64, error), error) {
	if len(in.Keys) > 8 {
		return Form{}, nil, fmt.Errorf("%d labels would give 2^%d classes: select fewer", len(in.Keys), len(in.Keys))
	}
	names := []string{""}
	for i, k := range in.Keys {
		if len(in.Classes[i]) != 2 {
			return Form{}, nil, fmt.Errorf("label %s doesn't have two classes: put Binary before", k)
		}
		var longer []string
		for _, n := range names {
			for _, c := range in.Classes[i] {
				longer = append(longer, strings.TrimPrefix(n+", "+c, ", "))
			}
		}
		names = longer
	}
	return Form{Keys: []string{strings.Join(in.Keys, " and ")}, Classes: [][]string{names}}, func(values []float64) ([]float64, error) {
		category := 0.0
		for _, v := range values {
			category = 2*category + v
		}
		return []float64{category}, nil
	}, nil
}

// Mapping gives each value of one label a class. Values that aren't listed are
// errors.
type Mapping struct {
	// Classes are values and the class of each; several values may share one.
	// A class's number is its place in the order of first mention.
	Classes []ClassOf `json:"classes"`
}

// A ClassOf gives a value its class.
type ClassOf struct {
	Value float64 `json:"value"`
	Class string  `json:"class"`
}

// Name implements [Transform].
func (t *Mapping) Name() string { return "Mapping" }

// Prepare implements [Transform].
func (t *Mapping) Prepare(in Form) (Form, func([]float64) ([]float64, error), error) {
	if len(in.Keys) != 1 {
		return Form{}, nil, fmt.Errorf("it takes one label and is given %s: put Select before", strings.Join(in.Keys, ", "))
	}
	names := classNames(t.Classes)
	var listed []string
	for _, c := range t.Classes {
		listed = append(listed, strconv.FormatFloat(c.Value, 'g', -1, 64))
	}
	return Form{Keys: in.Keys, Classes: [][]string{names}}, func(values []float64) ([]float64, error) {
		for _, c := range t.Classes {
			if c.Value == values[0] {
				return []float64{float64(slices.Index(names, c.Class))}, nil
			}
		}
		return nil, fmt.Errorf("its label %s is %g, which is none of those that have a class (%s)", in.Keys[0], values[0], strings.Join(listed, ", "))
	}, nil
}
