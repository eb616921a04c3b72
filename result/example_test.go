package result_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/eegprune/eegprune/result"
)

// The confusion matrices of two folds add up to one.
func ExampleSum() {
	fmt.Println(result.Sum([][][]int{
		{{8, 2}, {1, 9}},
		{{7, 3}, {4, 6}},
	}))
	// Output: [[15 5] [5 15]]
}

// A study's directory holds its numbers in result.json.
func ExampleRead() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	text := `{"schema": 3, "metric": "accuracy", "results": [
		{"model": "eegnet", "stage": "unpruned", "fold": 1, "test": {"clips": 20, "accuracy": 0.85}}
	]}`
	if err := os.WriteFile(filepath.Join(dir, result.File), []byte(text), 0o644); err != nil {
		log.Fatal(err)
	}

	study, err := result.Read(dir)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range study.Results {
		fmt.Printf("%s, %s, fold %d: accuracy %.2f\n", r.Model, r.Stage, r.Fold, r.Test.Accuracy)
	}
	// Output: eegnet, unpruned, fold 1: accuracy 0.85
}

// Pool scores the clips of all folds together.
func ExamplePool() {
	p := result.Pool([][]int{{15, 5}, {2, 8}})
	fmt.Printf("accuracy %.3f, balanced %.3f, majority %.3f\n", p.Accuracy, p.Balanced, p.Majority)
	// Output: accuracy 0.767, balanced 0.775, majority 0.667
}
