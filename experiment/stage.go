package experiment

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/internal/spelling"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/result"
)

// A stage is how the networks of one of result's stages are made. Plans, keys, progress and the
// making itself read it here: a new one is a line in this table and one in result.Stages, which
// has the part for reports.
type stage struct {
	name string
	// ask is the name by which users ask for it after pruning; "" where that is no choice.
	ask string
	// after joins stage and method in a sentence: "pruned by lfp".
	after string
	// ratioless is whether a method has one such network for all ratios.
	ratioless bool
	// from lists the stages of the networks that it starts from.
	from func(c Config, t *prune.Training) []string
	// epochs is for how many it trains. whole and left are the MACs of the whole and the
	// pruned network; where they are not known yet, both are 0.
	epochs func(c Config, t *prune.Training, whole, left int64) int
	// fineTuning is whether it trains by Config.FineTune, else by Config.Train; teacher whether
	// it may learn from the unpruned network, by Config.Distill.
	fineTuning, teacher bool
	// small is whether it trains the pruned network, not the whole one.
	small bool
	make  func(ctx context.Context, j job) (Made, error)
}

// A job is one network to make, of a fold, from those of the stage's from.
type job struct {
	*Study
	result.Cell
	fold int // of Folds, from 1
	from []*models.Network
	over Oversight
}

func stages() []stage {
	none := func(Config, *prune.Training) []string { return nil }
	unpruned := func(Config, *prune.Training) []string { return []string{result.Unpruned} }
	pruned := func(Config, *prune.Training) []string { return []string{result.Pruned} }
	trained := func(c Config, _ *prune.Training, _, _ int64) int { return c.Train.Epochs }
	tuned := func(c Config, _ *prune.Training, _, _ int64) int { return c.FineTune.Epochs }
	return []stage{
		{name: result.Unpruned, from: none, epochs: trained,
			make: func(ctx context.Context, j job) (Made, error) { return j.Train(ctx, j.fold, j.over) }},
		{name: result.TrainedOn, from: unpruned, epochs: tuned, fineTuning: true, make: trainOn},
		{name: result.Sparse, after: "for", ratioless: true, from: none, epochs: trained, make: trainFor},
		{name: result.Pruned, after: "by", from: prunedFrom, epochs: func(c Config, t *prune.Training, _, _ int64) int {
			if t != nil && t.Prunes {
				return c.Train.Epochs
			}
			return 0
		}, make: cut},
		{name: result.FineTuned, ask: "fine-tune", after: "after", fineTuning: true, teacher: true, small: true, epochs: tuned, make: fineTune,
			from: func(c Config, _ *prune.Training) []string {
				if c.Distill.Weight > 0 {
					return []string{result.Pruned, result.Unpruned}
				}
				return []string{result.Pruned}
			}},
		{name: result.Scratch, ask: "scratch", after: "after", from: pruned, epochs: trained, small: true, make: scratch},
		{name: result.ScratchB, ask: "scratch-b", after: "after", from: pruned, small: true, make: scratch,
			epochs: func(c Config, _ *prune.Training, whole, left int64) int {
				if whole == 0 {
					return 0
				}
				return equalCompute(c.Train.Epochs, whole, left)
			}},
		{name: result.Uniform, ask: "uniform", after: "after", from: pruned, epochs: trained, small: true, make: uniform},
	}
}

// hasRatio says whether a method's networks of a stage differ by ratio.
func hasRatio(name string) bool {
	s, err := stageOf(name)
	return err != nil || !s.ratioless
}

// stageOf returns the stage of that name.
func stageOf(name string) (stage, error) {
	all := stages()
	i := slices.IndexFunc(all, func(s stage) bool { return s.name == name })
	if i < 0 {
		return stage{}, fmt.Errorf("there is no stage %q: this version of eegprune has %s", name, strings.Join(stageNames(), ", "))
	}
	return all[i], nil
}

func stageNames() []string {
	var names []string
	for _, s := range stages() {
		names = append(names, s.name)
	}
	return names
}

// RecoveryNames returns the names by which users ask for a way to recover a pruned network.
func RecoveryNames() []string {
	var names []string
	for _, s := range stages() {
		if s.ask != "" {
			names = append(names, s.ask)
		}
	}
	return names
}

// ParseRecovery turns a way to recover into the stage it leads to.
func ParseRecovery(name string) (string, error) {
	for _, s := range stages() {
		if s.ask != "" && s.ask == name {
			return s.name, nil
		}
	}
	return "", spelling.Unknown("recovery", name, RecoveryNames())
}

// recovers says whether a stage is a way to recover a pruned network.
func recovers(name string) bool {
	s, err := stageOf(name)
	return err == nil && s.ask != ""
}

// Describe names a cell in a sentence: "fold 2, fine-tuned after lfp at 0.4".
func Describe(c result.Cell) string {
	text := fmt.Sprintf("fold %d, ", c.Fold)
	if c.Inner != 0 {
		text = fmt.Sprintf("fold %d, inner fold %d, ", c.Fold, c.Inner)
	}
	if c.Seed != 0 {
		text = fmt.Sprintf("seed %d, ", c.Seed) + text
	}
	text += c.Stage
	if c.Method == "" {
		return text
	}
	s, err := stageOf(c.Stage)
	if err != nil {
		s.after = "after"
	}
	text += " " + s.after + " " + c.Method
	if hasRatio(c.Stage) {
		text += fmt.Sprintf(" at %g", c.Ratio)
	}
	return text
}

// FoldName names the fold of a cell: "fold 2", with the seed and inner fold that tell it from
// others.
func FoldName(c result.Cell) string {
	name := fmt.Sprintf("fold %d", c.Fold)
	if c.Seed != 0 {
		name = fmt.Sprintf("seed %d ", c.Seed) + name
	}
	if c.Inner != 0 {
		name += fmt.Sprintf(".%d", c.Inner)
	}
	return name
}

// Label names a cell in a few letters: "fine-tuned lfp 0.4".
func Label(c result.Cell) string {
	if c.Method == "" {
		return c.Stage
	}
	text := c.Stage + " " + c.Method
	if hasRatio(c.Stage) {
		text += fmt.Sprintf(" %g", c.Ratio)
	}
	return text
}

// prunedFrom is the stage of the network that is pruned, trained as the method asks.
func prunedFrom(_ Config, t *prune.Training) []string {
	switch {
	case t == nil:
		return []string{result.Unpruned}
	case t.Prunes:
		return nil // it is pruned while it is trained
	}
	return []string{result.Sparse}
}
