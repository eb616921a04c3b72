// Package experiment runs studies: networks that are trained over folds, pruned, recovered and
// tested.
//
// A [Config] holds all that determines the results of a study of one network. [OpenGrid] reads the
// recordings of one or several, and [Grid.Run] carries their cells out: a cell is one network, stage,
// method, ratio, fold and seed, and its result a file of its own. The same call on the same
// directory goes on where a run was ended, with the same numbers. [Merge] joins the directories of
// several machines, and [Collect] reads the results that a directory holds.
//
// [ReadFile] reads a study file, and [OpenCheckpoint] a network that a study left.
package experiment

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/internal/spelling"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/train"
)

// resultVersion is raised when the program would give other results from the same
// configuration: results of older versions are then not taken for this one's.
const resultVersion = 3

// A Config is all that determines the results of a study of one network. It is kept with
// them.
type Config struct {
	Data  Data   `json:"data"`
	Model string `json:"model"`
	// Network is the file of a network that is none of this program's models.
	Network *Exported `json:"network,omitempty"`
	// SamplingRate is that of which the network's kernels are parts of a second, where it is
	// not the features' own.
	SamplingRate float64 `json:"sampling_rate,omitempty"`
	Split        Split   `json:"split"`
	Seed         uint64  `json:"seed"` // fold f draws from seed+f-1, as after torch.manual_seed
	// Seeds are those of all repetitions, of which this is one, where there are several.
	Seeds []uint64 `json:"seeds,omitempty"`
	// Metric judges networks and chooses the best epoch; see result.Metrics. Where it is "", the data
	// decides.
	Metric string `json:"metric"`
	// ClassWeights weighs clips in the loss so that all classes have the same share of it;
	// see train.BalancedWeights.
	ClassWeights bool          `json:"class_weights,omitempty"`
	Train        train.Options `json:"train"`
	// Prune lists the prunings of the network; where it is empty, it is only trained.
	Prune    []Pruning     `json:"prune"`
	Options  prune.Options `json:"prune_options,omitzero"`
	Sparsity float64       `json:"sparsity,omitempty"` // the strength of a penalty that a method trains with; see prune.Training
	FineTune train.Options `json:"fine_tune"`
	Distill  Distill       `json:"distill,omitzero"`
	// Recover holds the stages that follow pruning: result.FineTuned, result.Scratch,
	// result.ScratchB, result.Uniform.
	Recover []string `json:"recover"`
}

// Distill says how much fine-tuning learns from the fold's unpruned network; see
// train.Distill. The zero value is nothing.
type Distill struct {
	Weight      float64 `json:"weight" yaml:"weight"` // of the teacher, in [0, 1]
	Temperature float64 `json:"temperature" yaml:"temperature"`
}

// The settings of the methods' papers.
const (
	PaperSparsity    = 1e-4 // Liu 2017
	PaperTemperature = 4    // Hinton 2015 tries 2.5 to 20; later work uses 4
)

// Data names the recordings and the features made of them.
type Data struct {
	Dir      string `json:"dir"`
	Manifest string `json:"manifest,omitempty"`
	source.Reading
	Features data.Options `json:"features"`
}

// Split says how clips are divided. Without a name it is by subjects, or by trials where
// there is one subject; without a number of folds there are 10, or as many as there are
// subjects or trials where those are fewer. Val is the part of a fold's training clips on which
// the best epoch is chosen.
//
// A nested split leaves LeaveOut subjects out for the test of each fold, or as many as make
// Folds folds, and divides the others into Inner folds, each of which in turn chooses the
// epoch; their mean chooses the ratio.
type Split struct {
	Name     string  `json:"name" yaml:"name"`
	Folds    int     `json:"folds" yaml:"folds"`
	LeaveOut int     `json:"leave_out,omitempty" yaml:"leave_out,omitempty"`
	Inner    int     `json:"inner,omitempty" yaml:"inner,omitempty"`
	Shuffle  bool    `json:"shuffle" yaml:"shuffle"`
	Seed     uint64  `json:"seed" yaml:"seed"`
	Val      float64 `json:"val" yaml:"val"`
}

// Pruning is a method and the ratio that it removes.
type Pruning struct {
	Method string  `json:"method"`
	Ratio  float64 `json:"ratio"`
}

// features are the network's default features.
func (c Config) features() (data.Options, error) {
	if c.Network != nil {
		return c.Network.features()
	}
	return FeaturesOf(c.Model)
}

// OwnFeatures sets the features to the network's default.
func (c *Config) OwnFeatures() (err error) {
	c.Data.Features, err = c.features()
	return err
}

// FeaturesOf are the default features of a model.
func FeaturesOf(model string) (data.Options, error) {
	m, err := models.ByName(model)
	if err != nil {
		return data.Options{}, err
	}
	if m.Grid {
		return data.GridOptions(), nil
	}
	return data.SignalOptions(), nil
}

// Check returns an error that names the setting which can't be used.
func (c Config) Check() error {
	if _, err := models.ByName(c.Model); err != nil && c.Network == nil {
		return err
	}
	for _, p := range c.Prune {
		if err := p.check(); err != nil {
			return err
		}
	}
	if err := c.Options.Check(); err != nil {
		return err
	}
	if c.Metric != "" && !slices.Contains(result.Metrics(), c.Metric) {
		return spelling.Unknown("metric", c.Metric, result.Metrics())
	}
	for i, seed := range c.Seeds {
		if slices.Contains(c.Seeds[:i], seed) {
			return fmt.Errorf("the seed %d is there twice: each repetition needs one of its own", seed)
		}
	}
	switch {
	case !(c.SamplingRate >= 0) || math.IsInf(c.SamplingRate, 0):
		return fmt.Errorf("sampling rate %g: it must be positive, such as 128", c.SamplingRate)
	case !(c.Split.Val > 0 && c.Split.Val < 1):
		return fmt.Errorf("validation share %g is outside (0, 1): 0.2 keeps a fifth of the training clips", c.Split.Val)
	case !(c.Sparsity >= 0) || math.IsInf(c.Sparsity, 0):
		return fmt.Errorf("sparsity %g: the strength of the penalty can't be negative; 1e-4 is the paper's", c.Sparsity)
	case !(c.Distill.Weight >= 0 && c.Distill.Weight <= 1):
		return fmt.Errorf("distillation weight %g is outside [0, 1]: 0.5 learns as much from the unpruned network as from the labels", c.Distill.Weight)
	case c.Distill.Weight > 0 && !(c.Distill.Temperature > 0):
		return fmt.Errorf("distillation temperature %g: it must be positive, such as %d", c.Distill.Temperature, PaperTemperature)
	}
	for _, r := range c.Recover {
		if !recovers(r) {
			return spelling.Unknown("recovery", r, RecoveryNames())
		}
	}
	if err := c.Train.Check(); err != nil {
		return err
	}
	if err := c.FineTune.Check(); err != nil {
		return fmt.Errorf("fine-tuning: %w", err)
	}
	return c.Split.check()
}

func (c Split) check() error {
	nested := c.Name == data.Nested
	switch {
	case !nested && (c.LeaveOut != 0 || c.Inner != 0):
		return fmt.Errorf("subjects are left out, and inner folds made, by the split %s alone, and the split is %q", data.Nested, c.Name)
	case nested && c.Folds != 0 && c.LeaveOut != 0:
		return fmt.Errorf("%d folds and %d subjects left out of each both say how subjects are divided: give one of them", c.Folds, c.LeaveOut)
	case c.LeaveOut < 0:
		return fmt.Errorf("%d subjects left out: leave out at least 1", c.LeaveOut)
	case c.Inner < 0 || c.Inner == 1:
		return fmt.Errorf("%d inner folds: there must be at least 2", c.Inner)
	case c.Name == "":
		return nil // chosen when the data is known
	}
	folds := c.Folds
	if folds == 0 {
		folds = 2 // likewise
	}
	_, err := data.NewSplit(c.Name, folds, c.Shuffle, c.Seed)
	return err
}

// Epochs is how many a cell trains for, 0 where nothing is trained, or where that depends on the size
// after pruning.
func (c Config) Epochs(cell result.Cell) int {
	s, err := stageOf(cell.Stage)
	if err != nil {
		return 0
	}
	return s.epochs(c, prune.TrainingFor(cell.Method), 0, 0)
}

// metricOf is the default metric: balanced accuracy where one class has more than half as many clips
// again as another.
func metricOf(sets ...*data.Set) string {
	const unequal = 1.5
	for _, set := range sets {
		counts := make([]int, len(set.Classes))
		for _, y := range set.Y {
			counts[y]++
		}
		if float64(slices.Max(counts)) > unequal*float64(slices.Min(counts)) {
			return result.MetricBalanced
		}
	}
	return result.MetricAccuracy
}

func (p Pruning) check() error {
	if _, err := prune.ByName(p.Method); err != nil {
		return err
	}
	return prune.CheckRatio(p.Ratio)
}

// settle fills in the settings that depend on the data.
func (c Split) settle(set *data.Set) Split {
	subjects, trials := map[string]bool{}, map[data.Clip]bool{}
	for _, clip := range set.Clips {
		subjects[clip.Subject] = true
		trials[data.Clip{Subject: clip.Subject, Session: clip.Session, Trial: clip.Trial}] = true
	}
	if c.Name == "KFoldCrossStimulus" {
		stimuli := map[string]bool{}
		for _, clip := range set.Clips {
			stimuli[clip.Stimulus] = true
		}
		if c.Folds == 0 {
			c.Folds = min(10, len(stimuli))
		}
	}
	units := len(subjects)
	if c.Name == "" {
		c.Name = "KFoldCrossSubject"
		if len(subjects) < 2 {
			c.Name = "KFoldByTrial"
		}
	}
	if c.Name == "KFoldByTrial" {
		units = len(trials)
	}
	nested := c.Name == data.Nested
	if nested && c.LeaveOut > 0 {
		c.Folds, c.LeaveOut = (units+c.LeaveOut-1)/c.LeaveOut, 0 // of a settled split only one says it
	}
	if c.Folds == 0 {
		c.Folds = 10
		if nested || c.Name == "KFoldCrossSubject" || c.Name == "KFoldByTrial" {
			c.Folds = min(10, units)
		}
	}
	if nested && c.Inner == 0 {
		most := (units + max(c.Folds, 1) - 1) / max(c.Folds, 1) // that a fold tests on
		c.Inner = min(innerFolds, units-most)
	}
	return c
}

// innerFolds is into how many a nested split divides the subjects that are trained on, where
// nothing else is said and there are as many.
const innerFolds = 5

// fingerprint is a hash of all that a feature set says.
func fingerprint(set *data.Set) (string, error) {
	h, err := set.Hash()
	if err != nil {
		return "", fmt.Errorf("describing the feature set: %w", err)
	}
	if err := json.NewEncoder(h).Encode([]any{set.Shape, set.Y, set.Classes, set.Clips, set.Rate}); err != nil {
		return "", fmt.Errorf("describing the feature set: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// key is a hash of the settings that a cell's result depends on and nothing else, so that studies
// that differ in later stages share the earlier ones.
func (s *Study) key(c result.Cell) (string, error) {
	arch, err := json.Marshal(s.Arch)
	if err != nil {
		return "", fmt.Errorf("describing the network: %w", err)
	}
	return s.keyWith(c, arch)
}

// keyWith is key with the architecture's description, which is long and the same for all cells.
func (s *Study) keyWith(c result.Cell, arch json.RawMessage) (string, error) {
	how, err := stageOf(c.Stage)
	if err != nil {
		return "", err
	}
	c.Seed = 0 // whether there are other repetitions makes no difference to this one
	what := map[string]any{
		"version": resultVersion, "data": s.fingerprint, "cell": c, "split": s.Config.Split, "seed": s.Config.Seed,
		"train": s.Config.Train, "device": s.device.IsCUDA(), "metric": s.Config.Metric, "class_weights": s.Config.ClassWeights,
	}
	if s.Config.Network != nil {
		what["network"] = []string{s.Config.Network.SHA256, string(s.Config.Network.Start)}
	}
	if c.Method != "" && hasRatio(c.Stage) {
		what["options"] = s.Config.Options
	}
	if t := prune.TrainingFor(c.Method); t != nil && t.Penalised {
		what["sparsity"] = s.Config.Sparsity
	}
	if how.fineTuning {
		what["fine_tune"] = s.Config.FineTune
	}
	if how.teacher {
		what["distill"] = s.Config.Distill
	}
	b, err := json.Marshal(what)
	if err != nil {
		return "", fmt.Errorf("describing the cell: %w", err)
	}
	// The architecture's name sorts first: what json.Marshal writes of all, without reading it again.
	h := sha256.New()
	for _, part := range [][]byte{[]byte(`{"arch":`), arch, []byte(","), b[1:]} {
		h.Write(part) // it returns no error
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// CellName names a cell's files: fbccnn-fold01-lfp0.4-fine-tuned; of several repetitions
// fbccnn-seed2-fold01-lfp0.4-fine-tuned, of inner folds fbccnn-fold01.2-lfp0.4-fine-tuned.
func CellName(c result.Cell) string {
	parts := []string{c.Model}
	if c.Seed != 0 {
		parts = append(parts, fmt.Sprintf("seed%d", c.Seed))
	}
	fold := fmt.Sprintf("fold%02d", c.Fold)
	if c.Inner != 0 {
		fold += fmt.Sprintf(".%d", c.Inner)
	}
	parts = append(parts, fold)
	if c.Method != "" {
		method := c.Method
		if hasRatio(c.Stage) {
			method += fmt.Sprintf("%g", c.Ratio)
		}
		parts = append(parts, method)
	}
	return strings.Join(append(parts, c.Stage), "-")
}
