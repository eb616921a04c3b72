package experiment

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
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

	mixed       bool     // clips of one trial are on both sides
	leaks       []string // of the split and the features; see result.Study
	names       []string // of files and arrays that the features were made of
	labels      label.Pipeline
	notes       []string
	mixesClips  bool // see [models.Network.MixesClips]; of an exported network
	fingerprint string
	device      torch.Device   // on which data is
	devices     []torch.Device // on which cells are done; the first is device
	data        *train.Data
	borrowed    bool // data is another's, who frees it
	trials      *train.Trials
}

// OpenOptions say how a study is opened. They do not change its results.
type OpenOptions struct {
	Devices  []torch.Device // on which cells are done; nil for the CPU
	Cache    string         // directory that keeps features; "" for none
	Progress func(source.Progress)
}

// Open reads the recordings, makes the features and puts them on the device. The study
// has no folds: Divide makes them, and a network is tested on all clips without.
func Open(ctx context.Context, c Config, o OpenOptions) (*Study, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	set, err := features(ctx, c.Data, o)
	if err != nil {
		return nil, err
	}
	if c.Metric == "" {
		c.Metric = metricOf(set.Set)
	}
	s, err := open(c, set, o)
	if err != nil {
		_ = set.Close() // it was only read
	}
	return s, err
}

// errTwice is of a study that would write the results of two networks to the same files.
var errTwice = errors.New("the network is in the study twice: make a study of its own of the other settings, in another directory")

// OpenGrid opens studies of several networks. Those of the same features share them.
func OpenGrid(ctx context.Context, configs []Config, o OpenOptions) (g Grid, err error) {
	sets := map[string]named{}
	defer func() {
		if err == nil {
			return
		}
		g.Close()
		for _, set := range sets {
			_ = set.Close() // it was only read
		}
	}()
	for i, c := range configs {
		if err := c.Check(); err != nil {
			return g, err
		}
		if slices.ContainsFunc(configs[:i], func(o Config) bool { return o.Model == c.Model && o.Seed == c.Seed }) {
			return g, fmt.Errorf("%s: %w", c.Model, errTwice)
		}
	}
	var trainings []train.Options
	for _, c := range configs {
		trainings = append(trainings, c.Train, c.FineTune)
	}
	if err := train.SetArithmetic(trainings...); err != nil {
		return g, err
	}
	var all []named // of each configuration
	for _, c := range configs {
		b, err := json.Marshal(c.Data)
		if err != nil {
			return g, fmt.Errorf("describing the features of %s: %w", c.Model, err)
		}
		if sets[string(b)].Set == nil {
			if sets[string(b)], err = features(ctx, c.Data, o); err != nil {
				return g, err
			}
		}
		all = append(all, sets[string(b)])
	}
	// Networks that are compared are judged by one metric.
	metric := result.MetricAccuracy
	if slices.ContainsFunc(all, func(n named) bool { return metricOf(n.Set) != metric }) {
		metric = result.MetricBalanced
	}
	for i, c := range configs {
		if c.Metric == "" {
			c.Metric = metric
		}
		s, err := open(c, all[i], o, g...)
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

// Close frees the data of all.
func (g Grid) Close() {
	for _, s := range g {
		s.Close()
	}
}

// named is a feature set with the names of its sources: files and arrays.
type named struct {
	*data.Set
	names []string
	label label.Pipeline // by which clips have their classes; nil where recordings say them
}

// features reads the recordings, or the cache.
func features(ctx context.Context, c Data, o OpenOptions) (named, error) {
	s, err := source.Open(c.Dir, c.Manifest)
	if err != nil {
		return named{}, err
	}
	if err := s.Use(c.Reading); err != nil {
		return named{}, err
	}
	f := c.Features
	label := f.Label
	if len(label) == 0 {
		label = s.Manifest.Label.Transforms
	}
	f.Progress = o.Progress
	n := named{label: label, names: []string{filepath.Base(c.Dir), s.Manifest.Name, s.Manifest.Signal.Array}}
	if o.Cache == "" {
		n.Set, err = data.Features(ctx, s, f)
	} else {
		n.Set, _, err = data.Cache{Dir: o.Cache}.Features(ctx, s, f)
	}
	if err != nil {
		return named{}, err
	}
	for _, clip := range n.Clips {
		if last := n.names[len(n.names)-1]; clip.File != last {
			n.names = append(n.names, clip.File)
		}
	}
	return n, nil
}

// open makes a study of features, which are not divided yet. It shares the tensors of
// those of the others that have the same.
func open(c Config, set named, o OpenOptions, others ...*Study) (*Study, error) {
	s := &Study{Config: c, Set: set.Set, names: set.names, labels: set.label, devices: o.Devices, notes: set.Notes.Sentences(), trials: &train.Trials{}}
	if len(o.Devices) == 0 {
		s.devices = []torch.Device{torch.CPU}
	}
	s.device = s.devices[0]
	var err error
	if i := slices.IndexFunc(others, func(o *Study) bool { return o.Set == set.Set }); i >= 0 {
		s.data, s.borrowed, s.fingerprint = others[i].data, true, others[i].fingerprint
	} else if s.fingerprint, err = fingerprint(set.Set); err != nil {
		return nil, err
	}
	if s.Arch, err = s.build(); err != nil {
		return nil, err
	}
	if c.Network != nil {
		if i := slices.IndexFunc(others, func(o *Study) bool { return o.Config.Network != nil && *o.Config.Network == *c.Network }); i >= 0 {
			s.mixesClips = others[i].mixesClips
		} else if s.mixesClips, err = s.tryClips(); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Network.File, err)
		}
		if s.mixesClips {
			s.notes = append(s.notes, fmt.Sprintf("%s: %s", filepath.Base(c.Network.File), models.Mixing))
		}
	}
	for _, p := range c.Prune {
		if m, err := prune.ByName(p.Method); err == nil {
			if err := m.Fits(s.Arch); err != nil {
				return nil, fmt.Errorf("%s: %w", p.Method, err)
			}
		}
	}
	if s.borrowed {
		return s, nil
	}
	if s.data, err = train.NewData(set.Set, s.device); err != nil {
		return nil, err
	}
	return s, nil
}

// Close frees the data, and closes the set.
func (s *Study) Close() {
	if s.borrowed {
		return
	}
	s.data.Free()
	_ = s.Set.Close() // it was only read
}

func (s *Study) build() (*models.Arch, error) {
	if len(s.Set.Shape) != 3 {
		return nil, fmt.Errorf("the features have shape %v; a network needs [channels, height, width]", s.Set.Shape)
	}
	if s.Config.Network != nil {
		a, err := s.Config.Network.read()
		if err == nil {
			err = a.Fits(s.Set.Shape, len(s.Set.Classes))
		}
		return a, err
	}
	return models.Build(s.Config.Model, models.Config{Input: [3]int(s.Set.Shape), Classes: len(s.Set.Classes), Rate: cmp.Or(s.Config.SamplingRate, s.Set.Rate)})
}

// tryClips reports whether the study's network mixes clips, by trying one with fresh weights.
func (s *Study) tryClips() (bool, error) {
	n, g, err := train.Fresh(s.Arch, nil, s.device, s.Config.Seed)
	if err != nil {
		return false, err
	}
	defer g.Free()
	defer n.Free()
	return n.MixesClips()
}

// Divide makes the folds, notes those that lack classes, and settles the settings that
// depend on their size.
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
	s.mixed = split.Leaks()
	s.leaks = leaks(split, s.Config.Data.Features.Overlap, s.names)
	for i, f := range folds {
		if err := s.divideFold(split, i+1, f); err != nil {
			return err
		}
	}
	// By the first fold for all, so that folds are trained alike.
	s.Config.Train = s.Config.Train.Settle(len(s.Folds[0].Fit))
	s.Config.FineTune = s.Config.FineTune.Settle(len(s.Folds[0].Fit))
	return nil
}

// divideFold divides a fold's training clips, and notes the classes that its test and
// validation lack.
func (s *Study) divideFold(split data.Split, number int, f data.Fold) error {
	validations, err := s.validations(split, f)
	if err != nil {
		return fmt.Errorf("fold %d: %w", number, err)
	}
	classes, which := len(s.Set.Classes), fmt.Sprintf("fold %d", number)
	if len(s.Config.Seeds) > 1 {
		which = fmt.Sprintf("seed %d, ", s.Config.Seed) + which
	}
	if n := s.classesIn(f.Test); n < classes {
		s.notes = append(s.notes, fmt.Sprintf("%s tests on clips of %d of the %d classes", which, n, classes))
	}
	for _, v := range validations {
		fit, val := v.Train, v.Test
		for _, rows := range [][]int{fit, val, f.Test} {
			if len(rows) == 0 {
				return fmt.Errorf("fold %d has %d clips to train on, %d to validate on and %d to test on: use fewer folds (--folds) or more recordings",
					number, len(fit), len(val), len(f.Test))
			}
		}
		if n := s.classesIn(fit); n < classes {
			return fmt.Errorf("fold %d trains on clips of %d of the %d classes: use another split (--split) or fewer folds (--folds)", number, n, classes)
		}
		if n := s.classesIn(val); n < classes {
			s.notes = append(s.notes, fmt.Sprintf("%s chooses its epochs on clips of %d of the %d classes", which, n, classes))
		}
		s.Folds = append(s.Folds, Fold{Fit: fit, Val: val, Test: f.Test})
	}
	return nil
}

// validations divide the training clips of a fold again: once, or in a nested split once
// for each inner fold. Test holds the validation clips.
func (s *Study) validations(split data.Split, f data.Fold) ([]data.Fold, error) {
	if k := s.Config.Split.Inner; k > 0 {
		return split.Inner(s.Set, f.Train, k)
	}
	fit, val, err := split.Validation(s.Set, f.Train, s.Config.Split.Val)
	return []data.Fold{{Train: fit, Test: val}}, err
}

func (s *Study) classesIn(rows []int) int {
	seen := map[int64]bool{}
	for _, r := range rows {
		seen[s.Set.Y[r]] = true
	}
	return len(seen)
}
