package prune_test

import (
	"fmt"

	"github.com/eegprune/eegprune/prune"
)

// A pruning ratio is a share of the channels or weights to remove.
func ExampleCheckRatio() {
	fmt.Println(prune.CheckRatio(0.4))
	fmt.Println(prune.CheckRatio(1.5) != nil)
	// Output:
	// <nil>
	// true
}
