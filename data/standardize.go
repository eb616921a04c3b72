package data

import (
	"fmt"
	"math"
)

// Ways to standardize a set.
const (
	StandardizeNone    = "none"
	StandardizeSubject = "subject"
)

func checkStandardize(way string) error {
	switch way {
	case "", StandardizeNone, StandardizeSubject:
		return nil
	}
	return fmt.Errorf("no standardization %q: there are %s and %s", way, StandardizeNone, StandardizeSubject)
}

// standardize changes a set in place as Options.Standardize says. pooled values
// that follow one another in a clip share mean and deviation.
func standardize(set *Set, way string, pooled int) {
	if way != StandardizeSubject {
		return
	}
	rows := map[string][]int{}
	for i, c := range set.Clips {
		rows[c.Subject] = append(rows[c.Subject], i)
	}
	for _, r := range rows {
		standardizeRows(set.X, r, set.clipSize(), pooled)
	}
}

// clipSize returns the number of values in a clip.
func (s *Set) clipSize() int {
	n := 1
	for _, d := range s.Shape {
		n *= d
	}
	return n
}

// standardizeRows standardizes the clips of one subject.
func standardizeRows(x []float32, rows []int, size, pooled int) {
	mean, sq := make([]float64, size/pooled), make([]float64, size/pooled)
	each := func(do func(g int, values []float32)) {
		for _, r := range rows {
			for g := range mean {
				at := r*size + g*pooled
				do(g, x[at:at+pooled])
			}
		}
	}
	n := float64(len(rows) * pooled)
	each(func(g int, values []float32) {
		for _, v := range values {
			mean[g] += float64(v) / n
		}
	})
	each(func(g int, values []float32) {
		for _, v := range values {
			d := float64(v) - mean[g]
			sq[g] += d * d / n
		}
	})
	each(func(g int, values []float32) {
		sd := math.Sqrt(sq[g])
		// What is left of a constant by rounding must not be blown up.
		if sd <= 1e-7*math.Abs(mean[g]) {
			clear(values)
			return
		}
		for i, v := range values {
			values[i] = float32((float64(v) - mean[g]) / sd)
		}
	})
}
