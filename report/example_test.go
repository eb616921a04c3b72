package report_test

import (
	"fmt"

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
