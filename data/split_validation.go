package data

import (
	"fmt"
	"math"
	"slices"
)

// Validation draws the share of each class's units from the seed (a unit's
// class is its commonest label), so that both parts have the classes in about
// the proportion of the whole. The validation part has at least one unit, the
// training part keeps at least one.
func (s *split) Validation(set *Set, train []int, share float64) (fit, val []int, err error) {
	if !(share > 0 && share < 1) {
		return nil, nil, fmt.Errorf("validation share %g must lie between 0 and 1", share)
	}
	for _, r := range train {
		if r < 0 || r >= set.Len() {
			return nil, nil, fmt.Errorf("row %d is none of the set's %d", r, set.Len())
		}
	}
	if s.kind.unit == inTrial {
		return s.validateWithinTrials(set, train, share)
	}
	units := grouped(set, train, s.kind.unit)
	if len(units) < 2 {
		return nil, nil, fmt.Errorf("%s leaves %d %s for training, too few to set some aside for validation: add recordings or use another split", s.kind.name, len(units), s.unitName())
	}
	shuffle(s.generator(validationStream), units)
	fit, val = drawByClass(set, units, share)
	return fit, val, nil
}

// validateWithinTrials sets aside a share of the clips of every trial that has
// two or more; of short trials, of some.
func (s *split) validateWithinTrials(set *Set, train []int, share float64) (fit, val []int, err error) {
	rng := s.generator(validationStream)
	seen := 0
	for _, trial := range grouped(set, train, trials) {
		units := grouped(set, trial.rows, clips)
		shuffle(rng, units)
		// What rounding takes from one trial the next one gives.
		seen += len(units)
		n := min(max(0, int(math.Round(share*float64(seen)))-len(val)), len(units)-1)
		for i, u := range units {
			if i < n {
				val = append(val, u.rows...)
			} else {
				fit = append(fit, u.rows...)
			}
		}
	}
	if len(val) == 0 {
		return nil, nil, fmt.Errorf("%s leaves too few clips in each trial to set %g of them aside for validation: use shorter clips or fewer folds", s.kind.name, share)
	}
	slices.Sort(fit)
	slices.Sort(val)
	return fit, val, nil
}

// drawByClass takes the share of each class from the front of shuffled units.
func drawByClass(set *Set, units []group, share float64) (fit, val []int) {
	total := min(max(1, int(math.Round(share*float64(len(units))))), len(units)-1)
	byClass := make([][]group, len(set.Classes))
	for _, u := range units {
		c := set.commonest(u.rows)
		byClass[c] = append(byClass[c], u)
	}
	wanted := apportion(byClass, total, len(units))
	for c, list := range byClass {
		for i, u := range list {
			if i < wanted[c] {
				val = append(val, u.rows...)
			} else {
				fit = append(fit, u.rows...)
			}
		}
	}
	slices.Sort(fit)
	slices.Sort(val)
	return fit, val
}

// apportion divides total among classes by their sizes, the largest remainders
// first.
func apportion(byClass [][]group, total, units int) []int {
	wanted := make([]int, len(byClass))
	order := make([]int, len(byClass))
	left := total
	for c, list := range byClass {
		order[c] = c
		wanted[c] = total * len(list) / units
		left -= wanted[c]
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return total*len(byClass[b])%units - total*len(byClass[a])%units
	})
	for _, c := range order {
		if left > 0 && wanted[c] < len(byClass[c]) {
			wanted[c]++
			left--
		}
	}
	return keepOne(byClass, wanted)
}

// keepOne leaves every class a unit to train on, as long as something is left
// for validation.
func keepOne(byClass [][]group, wanted []int) []int {
	total := 0
	kept := slices.Clone(wanted)
	for c, list := range byClass {
		kept[c] = min(wanted[c], max(0, len(list)-1))
		total += kept[c]
	}
	if total == 0 {
		return wanted
	}
	return kept
}

// commonest returns the label that most rows have, the lower of two equals.
func (s *Set) commonest(rows []int) int64 {
	counts := make([]int, len(s.Classes))
	best := int64(0)
	for _, r := range rows {
		counts[s.Y[r]]++
	}
	for c, n := range counts {
		if n > counts[best] {
			best = int64(c)
		}
	}
	return best
}
