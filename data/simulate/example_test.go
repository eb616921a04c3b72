package simulate_test

import (
	"fmt"

	"github.com/eegprune/eegprune/data/simulate"
)

// The best accuracy grows with the length of a clip.
func ExampleConfig_BestAccuracy() {
	c := simulate.Default()
	for _, seconds := range []float64{1, 2, 4} {
		fmt.Printf("%g s: %.1f %%\n", seconds, 100*c.BestAccuracy(seconds))
	}
	// Output:
	// 1 s: 92.1 %
	// 2 s: 97.7 %
	// 4 s: 99.8 %
}
