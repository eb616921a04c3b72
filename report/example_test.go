package report_test

import (
	"fmt"
	"log"

	"github.com/eegprune/eegprune/report"
)

// Holm's correction multiplies the smallest of three p-values by 3, the next by 2, and
// keeps the order.
func ExampleHolm() {
	for _, p := range report.Holm([]float64{0.01, 0.04, 0.03}) {
		fmt.Printf("%.2f\n", p)
	}
	// Output:
	// 0.03
	// 0.06
	// 0.06
}

// A pruned network loses one to two points on each of five folds: less than a margin of three.
func ExampleJudgement_NotInferior() {
	j := report.Usual()
	j.Margin = 0.03
	unpruned := []float64{0.90, 0.88, 0.91, 0.86, 0.89}
	pruned := []float64{0.885, 0.87, 0.89, 0.85, 0.88}
	v, err := j.NotInferior(1.0/4, unpruned, pruned) // a fifth is tested on, the rest is not
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("loss %.1f points, at most %.1f, p = %.4f\n", 100**v.Loss, 100**v.Bound, *v.P)
	// Output: loss 1.3 points, at most 1.9, p = 0.0024
}
