package label

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/internal/spelling"
)

// A Scale describes the values of one label of a data set: ratings, or numbers that stand for
// classes.
type Scale struct {
	Key string // "valence", "emotion"
	// Low and High bound ratings. Threshold divides them by default, and Tie is the class of a
	// rating that equals it.
	Low, High, Threshold float64
	Tie                  string
	// Classes are those that values stand for; nil for ratings.
	Classes []ClassOf
}

// Rating reports whether values are ratings, which a threshold divides.
func (s Scale) Rating() bool { return s.Classes == nil }

// Has reports whether a value can be one of the scale.
func (s Scale) Has(v float64) bool {
	if s.Rating() {
		return v >= s.Low && v <= s.High
	}
	return slices.ContainsFunc(s.Classes, func(c ClassOf) bool { return c.Value == v })
}

// Numbered are the classes that 0, 1, 2, ... stand for.
func Numbered(names ...string) []ClassOf {
	var list []ClassOf
	for i, n := range names {
		list = append(list, ClassOf{float64(i), n})
	}
	return list
}

// Keys are the names of scales.
func Keys(scales []Scale) []string {
	var keys []string
	for _, s := range scales {
		keys = append(keys, s.Key)
	}
	return keys
}

// A Choice chooses the labels that make the class. The zero value leaves it to the data set.
type Choice struct {
	// Keys are labels of the recordings: one, or several ratings, whose halves together make
	// the class (of valence and arousal, its four quadrants; [Quadrants] stands for these).
	Keys []string `json:"keys,omitempty" yaml:"keys,omitempty"`
	// Threshold divides ratings; nil means the data set's own.
	Threshold *float64 `json:"threshold,omitempty" yaml:"threshold,omitempty"`
	// Tie is the class of a rating that equals the threshold; see [Binary]. "" means the data set's
	// own.
	Tie string `json:"tie,omitempty" yaml:"tie,omitempty"`
}

// Quadrants stands for valence and arousal.
const Quadrants = "quadrants"

// IsZero reports whether nothing is chosen.
func (c Choice) IsZero() bool { return len(c.Keys) == 0 && c.Threshold == nil && c.Tie == "" }

// Pipeline makes the class of labels of those scales. A choice without keys is of the first.
func (c Choice) Pipeline(scales []Scale) (Pipeline, error) {
	if len(scales) == 0 {
		return nil, errors.New("the recordings have no ratings and no emotions to choose from")
	}
	chosen, err := c.of(scales)
	if err != nil {
		return nil, err
	}
	keys := Keys(chosen)
	p := Pipeline{&Select{keys}}
	first := chosen[0]
	if !first.Rating() {
		if c.Threshold != nil || c.Tie != "" {
			return nil, fmt.Errorf("label %s is one of %s and no rating, so that it has no threshold", first.Key, strings.Join(classNames(first.Classes), ", "))
		}
		if len(chosen) > 1 {
			return nil, fmt.Errorf("label %s is no rating, and several labels make classes only where each is divided by a threshold: choose one", first.Key)
		}
		return append(p, &Mapping{first.Classes}), nil
	}
	b := &Binary{first.Threshold, first.Tie}
	if c.Threshold != nil {
		b.Threshold = *c.Threshold
	}
	if c.Tie != "" {
		b.Tie = c.Tie
	}
	for _, s := range chosen {
		switch {
		case !s.Rating():
			return nil, fmt.Errorf("label %s is no rating, and several labels make classes only where each is divided by a threshold: choose one", s.Key)
		case c.Threshold == nil && s.Threshold != b.Threshold:
			return nil, fmt.Errorf("the thresholds of %s and %s are %g and %g where nothing is said: give one for both", first.Key, s.Key, first.Threshold, s.Threshold)
		case !(b.Threshold > s.Low && b.Threshold <= s.High) && !(b.Threshold == s.Low && b.Tie == TieLow):
			return nil, fmt.Errorf("the threshold %g has no ratings of %s on both sides, which go from %g to %g", b.Threshold, s.Key, s.Low, s.High)
		}
	}
	if b.Tie == TieHigh {
		b.Tie = "" // the default
	}
	if p = append(p, b); len(chosen) > 1 {
		p = append(p, &BinariesToCategory{})
	}
	return p, nil
}

// of are the scales that are chosen.
func (c Choice) of(scales []Scale) ([]Scale, error) {
	keys := c.Keys
	if slices.Equal(keys, []string{Quadrants}) {
		keys = []string{"valence", "arousal"}
	}
	if len(keys) == 0 {
		return scales[:1], nil
	}
	var chosen []Scale
	for i, k := range keys {
		at := slices.IndexFunc(scales, func(s Scale) bool { return s.Key == k })
		switch {
		case at < 0:
			all := Keys(scales)
			return nil, fmt.Errorf("the recordings have no label %q (did you mean %s?): they have %s", k, spelling.Nearest(k, all), strings.Join(all, ", "))
		case slices.Contains(keys[:i], k):
			return nil, fmt.Errorf("label %s is chosen twice", k)
		}
		chosen = append(chosen, scales[at])
	}
	return chosen, nil
}

// All are the choices that there are of labels: each by itself, and the quadrants.
func All(scales []Scale) []Choice {
	var list []Choice
	for _, s := range scales {
		list = append(list, Choice{Keys: []string{s.Key}})
	}
	quadrants := Choice{Keys: []string{Quadrants}}
	if _, err := quadrants.Pipeline(scales); err == nil {
		list = append(list, quadrants)
	}
	return list
}

// Rule says in words how a pipeline makes a class: "valence >= 5", "emotion". It is empty where
// there is no pipeline.
func (p Pipeline) Rule() string {
	var keys []string
	for _, t := range p {
		switch t := t.(type) {
		case *Select:
			keys = t.Keys
		case *Binary:
			for i, k := range keys {
				keys = slices.Clone(keys)
				keys[i] = k + " " + t.rule()
			}
			if len(keys) == 0 {
				keys = []string{t.rule()}
			}
		case *Mapping:
			if len(keys) == 0 {
				keys = []string{strings.Join(classNames(t.Classes), ", ")}
			}
		}
	}
	return strings.Join(keys, " and ")
}

// classNames are the names of classes, each once.
func classNames(classes []ClassOf) []string {
	var names []string
	for _, c := range classes {
		if !slices.Contains(names, c.Class) {
			names = append(names, c.Class)
		}
	}
	return names
}
