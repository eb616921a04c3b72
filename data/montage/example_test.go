package montage_test

import (
	"fmt"

	"github.com/eegprune/eegprune/data/montage"
)

// Channels of a file get one spelling, and places on the grid that ToGrid makes.
func ExampleIdentify() {
	for _, c := range montage.Identify([]string{"EEG FP1-Ref", "T3", "ECG"}) {
		row, column, ok := montage.OnGrid(c.Name)
		fmt.Println(c.Label, "->", c.Name, row, column, ok)
	}
	// Output:
	// EEG FP1-Ref -> Fp1 0 3 true
	// T3 -> T7 4 0 true
	// ECG -> ECG 0 0 false
}
