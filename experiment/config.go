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
const resultVersion = 1

// A Config is all that determines the results of a study. It is kept with them.
type Config struct {
	Data     Data          `json:"data"`
	Model    string        `json:"model"`
	Split    Split         `json:"split"`
	Seed     uint64        `json:"seed"` // fold f draws from seed+f-1, as after torch.manual_seed
	Train    train.Options `json:"train"`
	Prune    Pruning       `json:"prune"`
	FineTune train.Options `json:"fine_tune"`
	// Recover holds the stages that follow pruning: report.FineTuned, report.Scratch.
	Recover []string `json:"recover"`
}

// Data says which recordings are used and what is made of them.
type Data struct {
	Dir      string       `json:"dir"`
	Manifest string       `json:"manifest,omitempty"`
	Features data.Options `json:"features"`
}

// Split says how clips are divided. Without a name it is by subjects, or by trials where
// there is one subject; without a number of folds there are 10, or as many as there are
// subjects or trials where those are fewer. Val is the part of a fold's training clips on which
// the best epoch is chosen.
type Split struct {
	Name    string  `json:"name"`
	Folds   int     `json:"folds"`
	Shuffle bool    `json:"shuffle"`
	Seed    uint64  `json:"seed"`
	Val     float64 `json:"val"`
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
	if _, err := prune.ByName(c.Prune.Method); err != nil {
		return err
	}
	if err := prune.CheckRatio(c.Prune.Ratio); err != nil {
		return err
	}
	if !(c.Split.Val > 0 && c.Split.Val < 1) {
		return fmt.Errorf("validation share %g is outside (0, 1): 0.2 keeps a fifth of the training clips", c.Split.Val)
	}
	for _, r := range c.Recover {
		if r != report.FineTuned && r != report.Scratch {
			return fmt.Errorf("unknown recovery %q: use %s or %s", r, FineTune, Scratch)
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

// The ways to recover a pruned network.
const (
	FineTune = "fine-tune" // go on from the weights that are left
	Scratch  = "scratch"   // the same structure with fresh weights
)

// ParseRecovery turns a way to recover into the stage it leads to.
func ParseRecovery(s string) (string, error) {
	switch s {
	case FineTune:
		return report.FineTuned, nil
	case Scratch:
		return report.Scratch, nil
	}
	return "", fmt.Errorf("unknown recovery %q: use %s or %s", s, FineTune, Scratch)
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
	if c.Stage == report.FineTuned {
		what["fine_tune"] = s.Config.FineTune
	}
	b, err := json.Marshal(what)
	if err != nil {
		return "", fmt.Errorf("describing the cell: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8]), nil
}

// cellName names a cell's files: fbccnn-fold01-lfp40-fine-tuned.
func cellName(c report.Cell) string {
	parts := []string{c.Model, fmt.Sprintf("fold%02d", c.Fold)}
	if c.Method != "" {
		parts = append(parts, c.Method+strings.TrimLeft(fmt.Sprintf("%g", math.Round(c.Ratio*1e6)/1e4), "-"))
	}
	return strings.Join(append(parts, c.Stage), "-")
}
