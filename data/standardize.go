package data

import (
	"cmp"
	"context"
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

// standardize changes values, those of the clips of a set, as Options.Standardize says.
// pooled values that follow one another in a clip share mean and deviation.
func standardize(ctx context.Context, v *values, set *Set, way string, pooled int) error {
	if way != StandardizeSubject {
		return nil
	}
	rows := map[string][]int{}
	for i, c := range set.Clips {
		rows[c.Subject] = append(rows[c.Subject], i)
	}
	for _, r := range rows {
		if err := standardizeRows(ctx, v, r, set.clipSize(), pooled); err != nil {
			return err
		}
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

// standardizeRows standardizes the clips of one subject, of which it has one at a time in
// memory.
func standardizeRows(ctx context.Context, v *values, rows []int, size, pooled int) error {
	mean, sq, clip := make([]float64, size/pooled), make([]float64, size/pooled), make([]float32, size)
	each := func(do func(g int, values []float32)) error {
		for _, r := range rows {
			if err := cmp.Or(ctx.Err(), v.read(r*size, clip)); err != nil {
				return err
			}
			for g := range mean {
				do(g, clip[g*pooled:][:pooled])
			}
		}
		return nil
	}
	n := float64(len(rows) * pooled)
	err := each(func(g int, values []float32) {
		for _, v := range values {
			mean[g] += float64(v) / n
		}
	})
	if err != nil {
		return err
	}
	err = each(func(g int, values []float32) {
		for _, v := range values {
			d := float64(v) - mean[g]
			sq[g] += d * d / n
		}
	})
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := cmp.Or(ctx.Err(), v.read(r*size, clip)); err != nil {
			return err
		}
		for g := range mean {
			scale(clip[g*pooled:][:pooled], mean[g], math.Sqrt(sq[g]))
		}
		if err := v.write(r*size, clip); err != nil {
			return err
		}
	}
	return nil
}

// scale takes a mean off values and divides them by a deviation.
func scale(values []float32, mean, sd float64) {
	// The rounding error of a constant must not be blown up.
	if sd <= 1e-7*math.Abs(mean) {
		clear(values)
		return
	}
	for i, v := range values {
		values[i] = float32((float64(v) - mean) / sd)
	}
}
