package experiment

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/train"
)

// The description of a study.

// settings lists the study's settings, above its results. sameFolds is whether its
// repetitions are on the same folds.
func (s *Study) settings(sameFolds bool) []result.Setting {
	c := s.Config
	subjects := map[string]bool{}
	for _, clip := range s.Set.Clips {
		subjects[clip.Subject] = true
	}
	var classes []string
	var perClass []int
	labels := s.labelled()
	for _, c := range labels.Classes {
		perClass = append(perClass, c.Clips)
		classes = append(classes, fmt.Sprintf("%s %d (%.1f %%)", c.Class, c.Clips, 100*c.Share))
	}
	by := ""
	if labels.Rule != "" {
		by = "; by " + labels.Rule
	}
	var transforms []string
	for _, t := range c.Data.Features.Transforms {
		transforms = append(transforms, t.Name())
	}
	if c.Data.Features.Standardize != "" && c.Data.Features.Standardize != data.StandardizeNone {
		transforms = append(transforms, "z-score per "+c.Data.Features.Standardize+" (all of a subject's clips, labels unseen)")
	}
	var settings []result.Setting
	if len(s.leaks) > 0 {
		settings = append(settings, result.Setting{Name: "LEAK", Value: strings.Join(s.leaks, "; ")})
	}
	settings = append(settings, []result.Setting{
		{Name: "data", Value: fmt.Sprintf("%s: %d clips of %g s, %d subjects, %d electrodes at %g Hz", filepath.Base(c.Data.Dir), s.Set.Len(),
			c.Data.Features.Length(s.Set.Rate), len(subjects), len(s.Set.Channels), s.Set.Rate)},
		{Name: "classes", Value: strings.Join(classes, ", ") + by},
	}...)
	if steps := c.Data.Features.Preprocess; len(steps) > 0 {
		settings = append(settings, result.Setting{Name: "preprocessing", Value: steps.String()})
	}
	settings = append(settings, []result.Setting{
		{Name: "features", Value: fmt.Sprintf("%s -> %v", strings.Join(transforms, ", "), s.Set.Shape)},
		{Name: "split", Value: s.describeSplit(sameFolds)},
		{Name: "metric", Value: describeMetric(c, perClass)},
		{Name: "model", Value: s.describeModel()},
		{Name: "training", Value: c.describe(c.Train)},
	}...)
	if c.Network != nil {
		settings = append(settings, result.Setting{Name: "fresh weights", Value: s.Arch.Fresh()})
	}
	if len(c.Prune) > 0 {
		settings = append(settings, result.Setting{Name: "pruning", Value: c.describePruning()})
	}
	if slices.Contains(c.Recover, result.FineTuned) {
		text := c.describe(c.FineTune)
		if c.Distill.Weight > 0 {
			text += fmt.Sprintf("; distilled from the unpruned network with weight %g at temperature %g", c.Distill.Weight, c.Distill.Temperature)
		}
		settings = append(settings, result.Setting{Name: "fine-tuning", Value: text})
	}
	return append(settings, result.Setting{Name: "seed", Value: c.describeSeeds(sameFolds)})
}

// describeModel names the network, and its file where it has one.
func (s *Study) describeModel() string {
	if n := s.Config.Network; n != nil {
		return fmt.Sprintf("%s of %s (SHA-256 %.12s)", s.Config.Model, filepath.Base(n.File), n.SHA256)
	}
	return s.Config.Model
}

// labelled returns the classes of the clips, and the rule that makes them.
func (s *Study) labelled() result.Labels {
	l := result.Labels{Rule: s.labels.Rule()}
	for _, t := range s.labels {
		switch t := t.(type) {
		case *label.Select:
			l.Keys = t.Keys
		case *label.Binary:
			l.Operator, l.Threshold = cmp.Or(t.Tie, label.TieHigh), &t.Threshold
		}
	}
	counts := make([]int, len(s.Set.Classes))
	for _, y := range s.Set.Y {
		counts[y]++
	}
	for i, name := range s.Set.Classes {
		l.Classes = append(l.Classes, result.ClassShare{Class: name, Clips: counts[i], Share: float64(counts[i]) / float64(len(s.Set.Y))})
	}
	return l
}

// describeSplit says which of trials and stimuli are kept on one side, or that a trial is
// on both.
func (s *Study) describeSplit(sameFolds bool) string {
	c := s.Config.Split
	text := c.Name
	switch {
	case c.Inner > 0:
		text = fmt.Sprintf("%s: %d folds of whole subjects for the test, %d inner folds of each that choose epoch and ratio", text, len(s.Folds)/c.Inner, c.Inner)
	case !data.OneAtATime(c.Name):
		text = fmt.Sprintf("%s, %d folds", text, len(s.Folds))
	}
	switch {
	case c.Shuffle && len(s.Config.Seeds) > 1 && !sameFolds:
		text += ", shuffled with each repetition's seed"
	case c.Shuffle:
		text += fmt.Sprintf(", shuffled with seed %d", c.Seed)
	}
	if s.mixed {
		return text + "; clips of one trial are both trained on and tested on"
	}
	if data.KeepsStimuli(c.Name) {
		return text + "; no stimulus, and no trial, is both trained on and tested on"
	}
	return text + "; no trial is both trained on and tested on"
}

// describeMetric names the metric that judges networks, and says how unequal classes are.
func describeMetric(c Config, perClass []int) string {
	text := result.MetricTitle(c.Metric) + " chooses the epochs and judges the networks"
	switch least, most := slices.Min(perClass), slices.Max(perClass); {
	case least == most:
		text += "; classes have equally many clips"
	case least > 0:
		text += fmt.Sprintf("; the commonest class has %.2g times the clips of the rarest", float64(most)/float64(least))
	}
	if c.ClassWeights {
		text += "; clips weigh in the loss so that all classes have the same share"
	}
	return text
}

// describeSeeds lists those of all repetitions.
func (c Config) describeSeeds(sameFolds bool) string {
	if len(c.Seeds) < 2 {
		return fmt.Sprint(c.Seed)
	}
	var all []string
	for _, s := range c.Seeds {
		all = append(all, fmt.Sprint(s))
	}
	own := "folds, weights and shuffles of its own"
	if sameFolds {
		own = "weights and shuffles of its own, on the same folds"
	}
	return strings.Join(all, ", ") + ": repetitions, each with " + own
}

// describePruning lists methods and ratios, and unusual options.
func (c Config) describePruning() string {
	var methods, ratios []string
	add := func(list *[]string, text string) {
		if !slices.Contains(*list, text) {
			*list = append(*list, text)
		}
	}
	var penalised []string
	for _, p := range c.Prune {
		add(&methods, p.Method)
		add(&ratios, fmt.Sprintf("%g", p.Ratio))
		if t := prune.TrainingFor(p.Method); t != nil && t.Penalised {
			add(&penalised, p.Method)
		}
	}
	text := strings.Join(methods, ", ") + ", ratio " + strings.Join(ratios, ", ")
	o := c.Options
	if o.Target != "" && o.Target != prune.Filters {
		text += " of " + o.Target
	}
	if o.Scope != "" {
		text += ", thresholds by " + o.Scope
	}
	for _, l := range slices.Sorted(maps.Keys(o.Layers)) {
		text += fmt.Sprintf(", %s at %g", l, o.Layers[l])
	}
	if len(o.Exclude) > 0 {
		text += ", without " + strings.Join(o.Exclude, ", ")
	}
	if o.Linear {
		text += ", linear layers too"
	}
	if o.MinChannels > 1 {
		text += fmt.Sprintf(", at least %d channels", o.MinChannels)
	}
	if o.RoundTo > 1 {
		text += fmt.Sprintf(", widths to multiples of %d", o.RoundTo)
	}
	if len(penalised) > 0 {
		text += fmt.Sprintf("; %s trained with sparsity %g", strings.Join(penalised, ", "), c.Sparsity)
	}
	return text
}

// describe says how a network is trained.
func (c Config) describe(o train.Options) string {
	text := fmt.Sprintf("%s, learning rate %g", o.Optimizer, o.LR)
	if a := o.Arithmetic(); a != "" {
		text += ", " + a
	}
	if len(o.Milestones) > 0 {
		var epochs []string
		for _, m := range o.Milestones {
			epochs = append(epochs, fmt.Sprintf("%.0f", m*float64(o.Epochs)))
		}
		text += fmt.Sprintf(" (x%g at epoch %s)", o.Gamma, strings.Join(epochs, " and "))
	}
	return text + fmt.Sprintf(", batch %d, %d epochs, best validation %s kept", o.BatchSize, o.Epochs, result.MetricTitle(c.Metric))
}
