package data_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/data/simulate"
	"github.com/eegprune/eegprune/data/source"
)

// Recordings become features of four bands on the grid of electrodes, and the features folds that
// hold whole subjects out.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	recordings := filepath.Join(dir, "recordings")
	config := simulate.Default()
	config.Subjects, config.Trials, config.Seconds = 2, 2, 4
	ctx := context.Background()
	if _, err := simulate.Write(ctx, recordings, config, nil); err != nil {
		log.Fatal(err)
	}

	s, err := source.Open(recordings, "")
	if err != nil {
		log.Fatal(err)
	}
	set, err := data.Features(ctx, s, data.GridOptions())
	if err != nil {
		log.Fatal(err)
	}
	defer set.Close()
	fmt.Println(set.Len(), "clips of", set.Shape, "in classes", set.Classes)

	split, err := data.NewSplit("KFoldCrossSubject", 2, false, 1)
	if err != nil {
		log.Fatal(err)
	}
	folds, err := split.Folds(set)
	if err != nil {
		log.Fatal(err)
	}
	for i, f := range folds {
		fmt.Printf("fold %d tests on %s: %d clips\n", i+1, set.Clips[f.Test[0]].Subject, len(f.Test))
	}
	// Output:
	// 16 clips of [4 9 9] in classes [negative positive]
	// fold 1 tests on s01: 8 clips
	// fold 2 tests on s02: 8 clips
}
