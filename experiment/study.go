package experiment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"eegprune/data"
	"eegprune/models"
	"eegprune/prune"
	"eegprune/report"
	"eegprune/torch"
	"eegprune/train"
)

// A Fold is one fold's clips: Fit is trained on, Val chooses the epoch, Test is looked
// at once.
type Fold struct{ Fit, Val, Test []int }

// A Study is a configuration with its data at hand. Close frees the data.
type Study struct {
	Config Config
	Set    *data.Set
	Folds  []Fold
	Arch   *models.Arch // of the unpruned network

	leak        string // what to say of the split; see report.Study
	notes       []string
	fingerprint string
	device      torch.Device   // on which data is
	devices     []torch.Device // on which cells are done; the first is device
	data        *train.Data
}

// OpenOptions say how a study is opened. They do not change its results.
type OpenOptions struct {
	Devices  []torch.Device // on which cells are done; nil for the CPU
	Cache    string         // directory that keeps features; "" for none
	Progress func(data.Progress)
}

// Open reads the recordings, makes the features, divides them and puts them on the
// device.
func Open(ctx context.Context, c Config, o OpenOptions) (*Study, error) {
	s, err := OpenUndivided(ctx, c, o)
	if err != nil {
		return nil, err
	}
	if err := s.Divide(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// OpenUndivided is Open without folds, for testing a network on all clips.
func OpenUndivided(ctx context.Context, c Config, o OpenOptions) (*Study, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	set, err := features(ctx, c.Data, o)
	if err != nil {
		return nil, err
	}
	return open(c, set, o)
}

// errTwice is of a study that would write the results of two networks to the same files.
var errTwice = errors.New("the network is in the study twice: make a study of its own of the other settings, in another directory")

// OpenGrid opens studies of several networks. Those of the same features share them.
func OpenGrid(ctx context.Context, configs []Config, o OpenOptions) (g Grid, err error) {
	defer func() {
		if err != nil {
			g.Close()
		}
	}()
	for i, c := range configs {
		if err := c.Check(); err != nil {
			return g, err
		}
		if slices.ContainsFunc(configs[:i], func(o Config) bool { return o.Model == c.Model }) {
			return g, fmt.Errorf("%s: %w", c.Model, errTwice)
		}
	}
	if err := allowTF32(configs); err != nil {
		return g, err
	}
	sets := map[string]*data.Set{}
	for _, c := range configs {
		b, err := json.Marshal(c.Data)
		if err != nil {
			return g, fmt.Errorf("describing the features of %s: %w", c.Model, err)
		}
		if sets[string(b)] == nil {
			if sets[string(b)], err = features(ctx, c.Data, o); err != nil {
				return g, err
			}
		}
		s, err := open(c, sets[string(b)], o)
		if err != nil {
			return g, err
		}
		g = append(g, s)
		if err := s.Divide(); err != nil {
			return g, err
		}
	}
	return g, nil
}

// allowTF32 lets the process use TF32 where the studies ask for it: all of them must.
func allowTF32(configs []Config) error {
	asked, trainings := 0, 0
	for _, c := range configs {
		for _, o := range []train.Options{c.Train, c.FineTune} {
			trainings++
			if o.Precision == train.TF32 {
				asked++
			}
		}
	}
	switch asked {
	case 0:
		return nil
	case trainings:
		return torch.AllowTF32(true)
	}
	return fmt.Errorf("precision %s holds for all that the process computes: give it to the training and the fine-tuning of every network, or to none", train.TF32)
}

// Close frees the data of all.
func (g Grid) Close() {
	for _, s := range g {
		s.Close()
	}
}

// features reads the recordings, or the cache.
func features(ctx context.Context, c Data, o OpenOptions) (*data.Set, error) {
	source, err := data.Open(c.Dir, c.Manifest)
	if err != nil {
		return nil, err
	}
	if err := source.Use(c.Reading); err != nil {
		return nil, err
	}
	f := c.Features
	f.Progress = o.Progress
	if o.Cache == "" {
		return data.Features(ctx, source, f)
	}
	set, _, err := data.Cache{Dir: o.Cache}.Features(ctx, source, f)
	return set, err
}

// open makes a study of features, which are not divided yet.
func open(c Config, set *data.Set, o OpenOptions) (*Study, error) {
	s := &Study{Config: c, Set: set, devices: o.Devices, notes: set.Notes.Sentences()}
	if len(o.Devices) == 0 {
		s.devices = []torch.Device{torch.CPU}
	}
	s.device = s.devices[0]
	var err error
	if s.fingerprint, err = fingerprint(set); err != nil {
		return nil, err
	}
	if s.Arch, err = s.build(); err != nil {
		return nil, err
	}
	for _, p := range c.Prune {
		if m, err := prune.ByName(p.Method); err == nil {
			if err := m.Fits(s.Arch); err != nil {
				return nil, fmt.Errorf("%s: %w", p.Method, err)
			}
		}
	}
	if s.data, err = train.NewData(set, s.device); err != nil {
		return nil, err
	}
	return s, nil
}

// Close frees the data.
func (s *Study) Close() { s.data.Free() }

func (s *Study) build() (*models.Arch, error) {
	if len(s.Set.Shape) != 3 {
		return nil, fmt.Errorf("the features have shape %v; a network needs [channels, height, width]", s.Set.Shape)
	}
	return models.Build(s.Config.Model, models.Config{Input: [3]int(s.Set.Shape), Classes: len(s.Set.Classes), Rate: s.Set.Rate})
}

// Divide makes the folds, says which of them can't be judged, and settles what depends on
// their size.
func (s *Study) Divide() error {
	s.Config.Split = s.Config.Split.settle(s.Set)
	c := s.Config.Split
	split, err := data.NewSplit(c.Name, c.Folds, c.Shuffle, c.Seed)
	if err != nil {
		return err
	}
	folds, err := split.Folds(s.Set)
	if err != nil {
		return err
	}
	if split.Leaks() {
		s.leak = "LEAKS: clips of one trial are both trained on and tested on; " + data.NonLeaking(c.Name) + " keeps them apart"
	}
	for i, f := range folds {
		fit, val, err := split.Validation(s.Set, f.Train, c.Val)
		if err != nil {
			return fmt.Errorf("fold %d: %w", i+1, err)
		}
		for _, rows := range [][]int{fit, val, f.Test} {
			if len(rows) == 0 {
				return fmt.Errorf("fold %d has %d clips to train on, %d to validate on and %d to test on: use fewer folds (--folds) or more recordings",
					i+1, len(fit), len(val), len(f.Test))
			}
		}
		if n := s.classesIn(fit); n < len(s.Set.Classes) {
			return fmt.Errorf("fold %d trains on clips of %d of the %d classes: use another split (--split) or fewer folds (--folds)", i+1, n, len(s.Set.Classes))
		}
		if n := s.classesIn(f.Test); n < len(s.Set.Classes) {
			s.notes = append(s.notes, fmt.Sprintf("fold %d tests on clips of %d of the %d classes", i+1, n, len(s.Set.Classes)))
		}
		s.Folds = append(s.Folds, Fold{Fit: fit, Val: val, Test: f.Test})
	}
	// By the first fold for all, so that folds are trained alike.
	s.Config.Train = s.Config.Train.Settle(len(s.Folds[0].Fit))
	s.Config.FineTune = s.Config.FineTune.Settle(len(s.Folds[0].Fit))
	return nil
}

// Leak says whether clips of one trial are both trained on and tested on, and what to do
// about it; it is empty where they are not.
func (s *Study) Leak() string { return s.leak }

func (s *Study) classesIn(rows []int) int {
	seen := map[int64]bool{}
	for _, r := range rows {
		seen[s.Set.Y[r]] = true
	}
	return len(seen)
}

// settings says what the study is about, above its results.
func (s *Study) settings() []report.Setting {
	c := s.Config
	subjects := map[string]bool{}
	perClass := make([]int, len(s.Set.Classes))
	for i, clip := range s.Set.Clips {
		subjects[clip.Subject] = true
		perClass[s.Set.Y[i]]++
	}
	var classes []string
	for i, name := range s.Set.Classes {
		classes = append(classes, fmt.Sprintf("%s %d", name, perClass[i]))
	}
	var transforms []string
	for _, t := range c.Data.Features.Transforms {
		transforms = append(transforms, t.Name())
	}
	if c.Data.Features.Standardize != "" && c.Data.Features.Standardize != data.StandardizeNone {
		transforms = append(transforms, "z-score per "+c.Data.Features.Standardize+" (all of a subject's clips, labels unseen)")
	}
	split := c.Split.Name
	if split != "LeaveOneSubjectOut" {
		split = fmt.Sprintf("%s, %d folds", split, len(s.Folds))
	}
	if c.Split.Shuffle {
		split += fmt.Sprintf(", shuffled with seed %d", c.Split.Seed)
	}
	if s.leak == "" {
		split += "; no trial is both trained on and tested on"
	} else {
		split += "; " + s.leak
	}
	settings := []report.Setting{
		{Name: "data", Value: fmt.Sprintf("%s: %d clips of %g s, %d subjects, %d electrodes at %g Hz", filepath.Base(c.Data.Dir), s.Set.Len(),
			c.Data.Features.Seconds, len(subjects), len(s.Set.Channels), s.Set.Rate)},
		{Name: "classes", Value: strings.Join(classes, ", ")},
		{Name: "features", Value: fmt.Sprintf("%s -> %v", strings.Join(transforms, ", "), s.Set.Shape)},
		{Name: "split", Value: split},
		{Name: "model", Value: c.Model},
		{Name: "training", Value: describe(c.Train)},
	}
	if len(c.Prune) > 0 {
		settings = append(settings, report.Setting{Name: "pruning", Value: c.describePruning()})
	}
	if slices.Contains(c.Recover, report.FineTuned) {
		text := describe(c.FineTune)
		if c.Distill.Weight > 0 {
			text += fmt.Sprintf("; distilled from the unpruned network with weight %g at temperature %g", c.Distill.Weight, c.Distill.Temperature)
		}
		settings = append(settings, report.Setting{Name: "fine-tuning", Value: text})
	}
	return append(settings, report.Setting{Name: "seed", Value: fmt.Sprint(c.Seed)})
}

// describePruning lists methods and ratios, and what is out of the ordinary.
func (c Config) describePruning() string {
	var methods, ratios []string
	add := func(list *[]string, text string) {
		if !slices.Contains(*list, text) {
			*list = append(*list, text)
		}
	}
	sparse := false
	for _, p := range c.Prune {
		add(&methods, p.Method)
		add(&ratios, fmt.Sprintf("%g", p.Ratio))
		sparse = sparse || prune.TrainingFor(p.Method) == prune.Sparse
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
	if sparse {
		text += fmt.Sprintf("; nsfp trained with sparsity %g", c.Sparsity)
	}
	return text
}

func describe(o train.Options) string {
	text := fmt.Sprintf("%s, learning rate %g", o.Optimizer, o.LR)
	if o.Precision != "" {
		text += ", precision " + o.Precision
	}
	if len(o.Milestones) > 0 {
		var at []string
		for _, m := range o.Milestones {
			at = append(at, fmt.Sprintf("%.0f", m*float64(o.Epochs)))
		}
		text += fmt.Sprintf(" (x%g at epoch %s)", o.Gamma, strings.Join(at, " and "))
	}
	return text + fmt.Sprintf(", batch %d, %d epochs, best validation accuracy kept", o.BatchSize, o.Epochs)
}
