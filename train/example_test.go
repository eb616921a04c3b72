package train_test

import (
	"fmt"

	"github.com/eegprune/eegprune/train"
)

// Class weights give the rarer class more weight in the loss.
func ExampleBalancedWeights() {
	labels := []int64{0, 0, 0, 1}
	w := train.BalancedWeights(labels, []int{0, 1, 2, 3}, 2)
	fmt.Printf("%.3f\n", w) // scikit-learn's "balanced": n / (classes * count)
	// Output: [0.667 2.000]
}
