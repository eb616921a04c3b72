// Package experiment runs studies: a network trained over folds, pruned, recovered and
// tested, every result a file of its own, so that a run that was stopped goes on where
// it was.
package experiment

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"eegprune/data"
	"eegprune/models"
	"eegprune/prune"
	"eegprune/report"
	"eegprune/train"
)

// resultVersion is raised when the program would give other results from the same
// configuration: results of older versions are then not taken for this one's.
const resultVersion = 2

// A Config is all that determines the results of a study of one network. It is kept with
// them.
type Config struct {
	Data  Data          `json:"data"`
	Model string        `json:"model"`
	Split Split         `json:"split"`
	Seed  uint64        `json:"seed"` // fold f draws from seed+f-1, as after torch.manual_seed
	Train train.Options `json:"train"`
	// Prune lists what the network is pruned by; where it is empty, it is only trained.
	Prune    []Pruning     `json:"prune"`
	Options  prune.Options `json:"prune_options,omitzero"`
	Sparsity float64       `json:"sparsity,omitempty"` // of training for a method that wants it; see prune.Penalise
	FineTune train.Options `json:"fine_tune"`
	Distill  Distill       `json:"distill,omitzero"`
	// Recover holds the stages that follow pruning: report.FineTuned, report.Scratch,
	// report.ScratchB, report.Uniform.
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
	PaperTemperature = 4    // Hinton 2015 tries 2.5 to 20; 4 is what later work uses
)

// Data says which recordings are used and what is made of them.
type Data struct {
	Dir      string `json:"dir"`
	Manifest string `json:"manifest,omitempty"`
	data.Reading
	Features data.Options `json:"features"`
}

// Split says how clips are divided. Without a name it is by subjects, or by trials where
// there is one subject; without a number of folds there are 10, or as many as there are
// subjects or trials where those are fewer. Val is the part of a fold's training clips on which
// the best epoch is chosen.
type Split struct {
	Name    string  `json:"name" yaml:"name"`
	Folds   int     `json:"folds" yaml:"folds"`
	Shuffle bool    `json:"shuffle" yaml:"shuffle"`
	Seed    uint64  `json:"seed" yaml:"seed"`
	Val     float64 `json:"val" yaml:"val"`
}

// Pruning says what is removed.
type Pruning struct {
	Method string  `json:"method"`
	Ratio  float64 `json:"ratio"`
}

// Check returns an error that names the setting which can't be used.
func (c Config) Check() error {
	if _, err := models.ByName(c.Model); err != nil {
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
	switch {
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
		if !slices.Contains(slices.Collect(maps.Values(recoveries)), r) {
			return fmt.Errorf("unknown recovery %q: use one of %s", r, strings.Join(RecoveryNames(), ", "))
		}
	}
	if err := c.Train.Check(); err != nil {
		return err
	}
	if err := c.FineTune.Check(); err != nil {
		return fmt.Errorf("fine-tuning: %w", err)
	}
	if c.Split.Name == "" {
		return nil // chosen when the data is known
	}
	_, err := data.NewSplit(c.Split.Name, c.Split.Folds, c.Split.Shuffle, c.Split.Seed)
	return err
}

// Epochs is how many a cell trains for, 0 where nothing is trained, or where that depends
// on what pruning leaves.
func (c Config) Epochs(cell report.Cell) int {
	switch cell.Stage {
	case report.Pruned:
		if prune.TrainingFor(cell.Method) != prune.Soft {
			return 0
		}
	case report.FineTuned:
		return c.FineTune.Epochs
	case report.ScratchB:
		return 0
	}
	return c.Train.Epochs
}

func (p Pruning) check() error {
	if _, err := prune.ByName(p.Method); err != nil {
		return err
	}
	return prune.CheckRatio(p.Ratio)
}

// recoveries are the ways to recover a pruned network, and the stages that they lead to.
var recoveries = map[string]string{
	"fine-tune": report.FineTuned,
	"scratch":   report.Scratch,
	"scratch-b": report.ScratchB,
	"uniform":   report.Uniform,
}

// RecoveryNames returns the names of the ways to recover a pruned network.
func RecoveryNames() []string { return slices.Sorted(maps.Keys(recoveries)) }

// ParseRecovery turns a way to recover into the stage it leads to.
func ParseRecovery(s string) (string, error) {
	if stage, ok := recoveries[s]; ok {
		return stage, nil
	}
	return "", fmt.Errorf("unknown recovery %q: use one of %s", s, strings.Join(RecoveryNames(), ", "))
}

// settle fills in what the data decides.
func (c Split) settle(set *data.Set) Split {
	subjects, trials := map[string]bool{}, map[data.Clip]bool{}
	for _, clip := range set.Clips {
		subjects[clip.Subject] = true
		trials[data.Clip{Subject: clip.Subject, Session: clip.Session, Trial: clip.Trial}] = true
	}
	units := len(subjects)
	if c.Name == "" {
		c.Name = "KFoldCrossSubject"
		if len(subjects) < 2 {
			c.Name = "KFoldCrossTrial"
		}
	}
	if c.Name == "KFoldCrossTrial" {
		units = len(trials)
	}
	if c.Folds == 0 {
		c.Folds = 10
		if c.Name == "KFoldCrossSubject" || c.Name == "KFoldCrossTrial" {
			c.Folds = min(10, units)
		}
	}
	return c
}

// fingerprint is a hash of all that a feature set says.
func fingerprint(set *data.Set) (string, error) {
	h := sha256.New()
	buf := make([]byte, 0, 1<<16)
	for x := range slices.Chunk(set.X, 1<<14) {
		buf = buf[:0]
		for _, v := range x {
			buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
		}
		h.Write(buf)
	}
	if err := json.NewEncoder(h).Encode([]any{set.Shape, set.Y, set.Classes, set.Clips, set.Rate}); err != nil {
		return "", fmt.Errorf("describing the feature set: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// key is a hash of what determines a cell's result and nothing else, so that studies
// that differ in what comes later share what comes before.
func (s *Study) key(c report.Cell) (string, error) {
	what := map[string]any{
		"version": resultVersion, "data": s.fingerprint, "cell": c, "split": s.Config.Split, "seed": s.Config.Seed,
		"train": s.Config.Train, "arch": s.Arch, "device": s.device.IsCUDA(),
	}
	if c.Stage != report.Unpruned && c.Stage != report.Sparse {
		what["options"] = s.Config.Options
	}
	if prune.TrainingFor(c.Method) == prune.Sparse {
		what["sparsity"] = s.Config.Sparsity
	}
	if c.Stage == report.FineTuned {
		what["fine_tune"], what["distill"] = s.Config.FineTune, s.Config.Distill
	}
	b, err := json.Marshal(what)
	if err != nil {
		return "", fmt.Errorf("describing the cell: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8]), nil
}

// CellName names a cell's files: fbccnn-fold01-lfp0.4-fine-tuned.
func CellName(c report.Cell) string {
	parts := []string{c.Model, fmt.Sprintf("fold%02d", c.Fold)}
	if c.Method != "" {
		method := c.Method
		if c.Stage != report.Sparse {
			method += fmt.Sprintf("%g", c.Ratio)
		}
		parts = append(parts, method)
	}
	return strings.Join(append(parts, c.Stage), "-")
}
