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

// Standardize changes a set in place so that networks see features of one
// scale.
//
// "none" (or "") leaves it as it is. "subject" gives each value of a clip (a
// band at an electrode) the mean 0 and the standard deviation 1 over all clips
// of its subject; of a signal [1, electrodes, samples] each electrode over all
// samples of all clips. It takes away what differs from subject to subject and
// has nothing to do with the label. It uses no labels, but it does use all
// clips of a subject, those that are tested too: it is transductive, and can
// only be used where a subject's recordings are at hand before the first is
// classified.
func Standardize(set *Set, way string) error {
	if err := checkStandardize(way); err != nil {
		return err
	}
	if way != StandardizeSubject {
		return nil
	}
	rows := map[string][]int{}
	for i, c := range set.Clips {
		rows[c.Subject] = append(rows[c.Subject], i)
	}
	size, pooled := set.clipSize(), 1
	if len(set.Shape) == 3 && set.Shape[0] == 1 && set.Shape[1] == len(set.Channels) {
		pooled = set.Shape[2]
	}
	for _, r := range rows {
		standardizeRows(set.X, r, size, pooled)
	}
	return nil
}

// clipSize returns the number of values in a clip.
func (s *Set) clipSize() int {
	n := 1
	for _, d := range s.Shape {
		n *= d
	}
	return n
}

// standardizeRows standardizes the clips of one subject; pooled values that
// follow one another in a clip share mean and deviation.
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
