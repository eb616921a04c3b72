package data

import (
	"fmt"
	"strconv"

	"github.com/eegprune/eegprune/data/ndarray"
	"github.com/eegprune/eegprune/data/npy"
)

// LoadNPZ reads clips that SaveNPZ or another program wrote: x [clips, channels, height,
// width], or of signals [clips, electrodes, samples], their classes y, and rate where it is there. Where a clip comes from is left
// out: nothing can be divided by it.
func LoadNPZ(path string) (*Set, error) {
	s := &Set{}
	err := npy.WithArchive(path, func(z *npy.Archive) error {
		x, err := z.Array("x")
		if err != nil {
			return err
		}
		if len(x.Shape) == 3 {
			x.Shape = []int{x.Shape[0], 1, x.Shape[1], x.Shape[2]}
		}
		if len(x.Shape) != 4 {
			return fmt.Errorf("x has the shape %v and must be [clips, channels, height, width] or [clips, electrodes, samples]", x.Shape)
		}
		s.Shape = x.Shape[1:]
		if s.X, err = floats(x); err != nil {
			return err
		}
		y, err := z.Numbers("y")
		if err != nil {
			return err
		}
		if len(y) != x.Shape[0] {
			return fmt.Errorf("x has %d clips and y has %d classes", x.Shape[0], len(y))
		}
		for i, v := range y {
			// Classes are counted from 0; more than a million is no number of classes.
			if v != float64(int64(v)) || v < 0 || v > 1e6 {
				return fmt.Errorf("clip %d has class %g, and classes are 0, 1, ...", i+1, v)
			}
			s.Y = append(s.Y, int64(v))
			for int(v) >= len(s.Classes) {
				s.Classes = append(s.Classes, strconv.Itoa(len(s.Classes)))
			}
		}
		if rate, err := z.Numbers("rate"); err == nil && len(rate) == 1 {
			s.Rate = rate[0]
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// floats reads all of an array of four axes.
func floats(a *ndarray.Array) ([]float32, error) {
	line := make([]float64, a.Shape[3])
	all := make([]float32, 0, a.Shape[0]*a.Shape[1]*a.Shape[2]*a.Shape[3])
	for i := range a.Shape[0] {
		for j := range a.Shape[1] {
			for k := range a.Shape[2] {
				if err := a.Line(line, i, j, k); err != nil {
					return nil, err
				}
				for _, v := range line {
					all = append(all, float32(v))
				}
			}
		}
	}
	return all, nil
}
