package experiment

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/internal/reftest"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

// signals makes a set of noise for networks of signals.
func signals(subjects, trials, electrodes, samples int) *data.Set {
	s := clips(subjects, trials, 6)
	s.Shape, s.Rate, s.X = []int{1, electrodes, samples}, 128, nil
	random := rand.New(rand.NewPCG(1, 1))
	for range s.Len() * electrodes * samples {
		s.X = append(s.X, float32(random.NormFloat64()))
	}
	return s
}

// TestMixedClipsAreTold: results say of a network of another hand that its evaluation depends on the batches.
func TestMixedClipsAreTold(t *testing.T) {
	set := signals(4, 2, 4, 128)
	for _, mixed := range []bool{false, true} {
		a, err := models.Build("eegnet", models.Config{Input: [3]int(set.Shape), Classes: 2, Rate: set.Rate})
		if err != nil {
			t.Fatal(err)
		}
		if mixed {
			a = reftest.Mixed(a)
		}
		n, g, err := train.Fresh(a, nil, torch.CPU, 1)
		if err != nil {
			t.Fatal(err)
		}
		g.Free()
		file := filepath.Join(t.TempDir(), "net.pt2")
		err = n.SaveExported(file, nil)
		n.Free()
		if err != nil {
			t.Fatal(err)
		}
		network, err := OpenExported(file, models.AsDefaults)
		if err != nil {
			t.Fatal(err)
		}
		s, err := open(Config{Model: "net", Network: network, Seed: 3, Train: train.Paper("eegnet"), Split: Split{Folds: 2}}, named{Set: set}, OpenOptions{})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
		if told := slices.Contains(s.notes, "net.pt2: "+models.Mixing); told != mixed {
			t.Errorf("mixed %v: the notes are %q", mixed, s.notes)
		}
	}
}

// A program can be killed after a training's last epoch was kept, and before its result
// was: the result is the same when nothing is left to train.
func TestSoftPruningSaysTheSameAfterItsTrainingWasKept(t *testing.T) {
	c := Config{Model: "eegnet", Seed: 3, Train: train.Paper("eegnet"), FineTune: train.Paper("eegnet"), Prune: []Pruning{{"sfp", 0.9}},
		Options: prune.Options{MinChannels: 4}, Split: Split{Folds: 2, Val: 0.2}}
	c.Train.Epochs = 2
	s, err := open(c, named{Set: signals(4, 2, 4, 128)}, OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Divide(); err != nil {
		t.Fatal(err)
	}
	over := Oversight{Snapshots: train.Snapshots{Path: filepath.Join(t.TempDir(), "kept.safetensors"), Every: 1}}
	var notes [][]string
	for range 2 {
		made, err := trainFor(t.Context(), job{Study: s, Cell: result.Cell{Variant: result.Variant{Stage: result.Pruned, Method: "sfp", Ratio: 0.9}}, fold: 1, over: over})
		if err != nil {
			t.Fatal(err)
		}
		made.Network.Free()
		notes = append(notes, made.Notes)
	}
	if len(notes[0]) == 0 || !slices.Equal(notes[0], notes[1]) {
		t.Errorf("it says %q, and %q when it goes on from its last epoch", notes[0], notes[1])
	}
}
