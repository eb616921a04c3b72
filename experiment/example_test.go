package experiment_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/eegprune/eegprune/data/simulate"
	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/train"
)

// The steps of a study on one of two folds: a network is trained, pruned, fine-tuned and tested. OpenGrid
// and [experiment.Grid.Run] take all of them for every fold, and keep the results.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	recordings := filepath.Join(dir, "recordings")
	simulated := simulate.Default()
	simulated.Subjects, simulated.Trials, simulated.Seconds = 4, 2, 2
	ctx := context.Background()
	if _, err := simulate.Write(ctx, recordings, simulated, nil); err != nil {
		log.Fatal(err)
	}

	features, err := experiment.FeaturesOf("fbccnn")
	if err != nil {
		log.Fatal(err)
	}
	once := train.Options{Optimizer: "sgd", LR: 0.01, BatchSize: 8, Epochs: 1}
	study, err := experiment.Open(ctx, experiment.Config{
		Data:     experiment.Data{Dir: recordings, Features: features},
		Model:    "fbccnn",
		Split:    experiment.Split{Name: "KFoldCrossSubject", Folds: 2, Val: 0.5},
		Seed:     1,
		Train:    once,
		Prune:    []experiment.Pruning{{Method: "lfp", Ratio: 0.4}},
		FineTune: once,
		Recover:  []string{result.FineTuned},
	}, experiment.OpenOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer study.Close()
	if err := study.Divide(); err != nil {
		log.Fatal(err)
	}

	const fold = 1
	unpruned, err := study.Train(ctx, fold, experiment.Oversight{})
	if err != nil {
		log.Fatal(err)
	}
	defer unpruned.Network.Free()
	pruned, err := study.Prune(unpruned.Network, study.Config.Prune[0], fold)
	if err != nil {
		log.Fatal(err)
	}
	defer pruned.Network.Free()
	tuned, err := study.Recover(ctx, pruned.Network, nil, result.FineTuned, fold, experiment.Oversight{})
	if err != nil {
		log.Fatal(err)
	}
	defer tuned.Network.Free()
	score, err := study.Evaluate(ctx, tuned.Network, fold)
	if err != nil {
		log.Fatal(err)
	}
	before, after := unpruned.Network.Parameters(), tuned.Network.Parameters()
	fmt.Println("filters of the first convolution:", before[0].Shape()[0], "->", after[0].Shape()[0])
	fmt.Println("tested on", score.Clips, "clips")
	// Output:
	// filters of the first convolution: 12 -> 7
	// tested on 8 clips
}
