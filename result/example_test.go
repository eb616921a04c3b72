package result_test

import (
	"fmt"

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
