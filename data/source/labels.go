package source

import (
	"errors"
	"slices"

	"github.com/eegprune/eegprune/data/label"
)

// A LabelSummary lists the classes that one choice of labels makes.
type LabelSummary struct {
	Label   string   `json:"label"`   // as --label takes it
	Rule    string   `json:"rule"`    // of the class: "valence >= 5"
	Classes []string `json:"classes"` // by number
	Trials  []int    `json:"trials"`  // of each class
	// Ties are the trials with a rating that equals the threshold, whatever becomes of them.
	Ties   int  `json:"ties"`
	Chosen bool `json:"chosen,omitempty"` // whether recordings are labelled by it

	// Rating is whether a threshold divides the label.
	Rating bool `json:"rating,omitempty"`

	threshold float64
	keys      []string
	prepared  *label.Prepared
}

// labelChoices are the summaries, still empty, of all choices that there are of the labels in the
// files. Thresholds are those that the manifest has, where it has some.
func (s *Source) labelChoices() ([]LabelSummary, error) {
	scales := s.Manifest.format().labels
	chosen := s.Manifest.Label.Transforms
	own, err := chosenThreshold(chosen, scales)
	if err != nil {
		return nil, err
	}
	var list []LabelSummary
	for _, c := range label.All(scales) {
		with := label.Choice{Keys: c.Keys, Threshold: own.Threshold, Tie: own.Tie}
		p, err := with.Pipeline(scales)
		if err != nil {
			if p, err = c.Pipeline(scales); err != nil {
				return nil, err
			}
		}
		x := LabelSummary{Label: c.Keys[0], Rule: p.Rule(), Chosen: p.Rule() == chosen.Rule()}
		for _, t := range p {
			switch t := t.(type) {
			case *label.Select:
				x.keys = t.Keys
			case *label.Binary:
				x.Rating, x.threshold = true, t.Threshold
			}
		}
		if x.prepared, err = s.PrepareLabels(p); err != nil {
			return nil, err
		}
		x.Classes = x.prepared.Classes
		x.Trials = make([]int, len(x.Classes))
		list = append(list, x)
	}
	return list, nil
}

// chosenThreshold is the threshold that was chosen for all labels: none where the labels that are
// chosen have their own.
func chosenThreshold(chosen label.Pipeline, scales []label.Scale) (own label.Choice, err error) {
	var keys label.Choice
	for _, t := range chosen {
		switch t := t.(type) {
		case *label.Select:
			keys.Keys = t.Keys
		case *label.Binary:
			own = label.Choice{Threshold: &t.Threshold, Tie: t.Tie}
		}
	}
	p, err := keys.Pipeline(scales)
	if err == nil && p.Rule() == chosen.Rule() {
		return label.Choice{}, nil
	}
	return own, nil
}

// add counts a trial, if it has the labels.
func (x *LabelSummary) add(labels map[string]float64) {
	if x.Rating && slices.ContainsFunc(x.keys, func(k string) bool { v, ok := labels[k]; return ok && v == x.threshold }) {
		x.Ties++
	}
	if class, err := x.prepared.Class(labels); err == nil {
		x.Trials[class]++
	}
}

// tied reports whether an error says that a trial is left out for a rating at the threshold.
func tied(err error) bool { return errors.Is(err, label.ErrTie) }
