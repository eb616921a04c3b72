package data

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Validation draws the share of each class's units from the seed (a unit's
// class is its commonest label), so that both parts have the classes in about
// the proportion of the whole, and each class has clips on both sides where it
// has two units. That no validation part with two classes can be had is an
// error.
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
		fit, val, err = s.validateWithinTrials(set, train, share)
	} else {
		units := grouped(set, train, s.kind.unit)
		if len(units) < 2 {
			return nil, nil, fmt.Errorf("%s leaves %d %s for training, too few to set some aside for validation: add recordings or use another split", s.kind.name, len(units), s.unitName())
		}
		shuffle(s.generator(validationStream), units)
		fit, val = drawByClass(set, units, share)
	}
	if err == nil {
		err = s.checkValidation(set, train, val)
	}
	return fit, val, err
}

// Inner draws the folds from the seed.
func (s *split) Inner(set *Set, train []int, k int) ([]Fold, error) {
	units := grouped(set, train, s.kind.unit)
	if k < 2 || len(units) < k {
		return nil, fmt.Errorf("%s can't divide the %d %s of a fold that are trained on into %d inner folds: there must be at least 2, and as many %s", s.kind.name, len(units), s.unitName(), k, s.unitName())
	}
	shuffle(s.generator(validationStream), units)
	folds := make([]Fold, k)
	for i, run := range kFold(len(units), k) {
		folds[i] = divide(units, run)
		if err := s.checkValidation(set, train, folds[i].Test); err != nil {
			return nil, fmt.Errorf("inner fold %d: %w", i+1, err)
		}
	}
	return folds, nil
}

// checkValidation refuses a validation part of one class, by which no epoch is better
// than another.
func (s *split) checkValidation(set *Set, train, val []int) error {
	all, there := set.classesOf(train), set.classesOf(val)
	if len(there) > 1 || len(all) < 2 {
		return nil
	}
	var rare []string
	for _, c := range all {
		if !slices.Contains(there, c) {
			rare = append(rare, fmt.Sprintf("%q", set.Classes[c]))
		}
	}
	return fmt.Errorf("%s leaves clips of the class %q alone to validate on, as there are too few %s with %s to be both trained on and validated on: use more folds, another split or more recordings",
		s.kind.name, set.Classes[there[0]], s.unitName(), strings.Join(rare, " or "))
}

// validateWithinTrials sets aside a share of the clips of every trial that has
// two or more; of short trials, of some, of each class at least one where one
// of its trials has two.
func (s *split) validateWithinTrials(set *Set, train []int, share float64) (fit, val []int, err error) {
	rng := s.generator(validationStream)
	var fits, vals []group
	seen, taken := make([]int, len(set.Classes)), make([]int, len(set.Classes))
	for _, trial := range grouped(set, train, sameTrial) {
		units := grouped(set, trial.rows, clips)
		shuffle(rng, units)
		c := set.commonest(trial.rows)
		// The next trial of the class gives the clips that rounding takes from this one.
		seen[c] += len(units)
		wanted := int(math.Round(share * float64(seen[c])))
		if len(units) > 1 {
			wanted = max(1, wanted)
		}
		n := min(max(0, wanted-taken[c]), len(units)-1)
		taken[c] += n
		vals, fits = append(vals, units[:n]...), append(fits, units[n:]...)
	}
	if len(vals) == 0 {
		return nil, nil, fmt.Errorf("%s leaves too few clips in each trial to set %g of them aside for validation: use shorter clips or fewer folds", s.kind.name, share)
	}
	fits, vals = set.complete(fits, vals)
	return rowsOf(fits), rowsOf(vals), nil
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
	var fits, vals []group
	for c, list := range byClass {
		vals, fits = append(vals, list[:wanted[c]]...), append(fits, list[wanted[c]:]...)
	}
	fits, vals = set.complete(fits, vals)
	return rowsOf(fits), rowsOf(vals)
}

// complete moves units so that, where units have clips of several classes, each class is
// on both sides if it can be.
func (s *Set) complete(fits, vals []group) (fit, val []group) {
	for c := range s.Classes {
		vals, fits = s.lend(int64(c), vals, fits)
		fits, vals = s.lend(int64(c), fits, vals)
	}
	return fits, vals
}

// lend moves to a side that lacks a class the first unit of the other that has it, if
// neither then lacks a class more than before.
func (s *Set) lend(class int64, to, from []group) (t, f []group) {
	if slices.Contains(s.classesOf(rowsOf(to)), class) {
		return to, from
	}
	had := len(s.classesOf(rowsOf(from)))
	for i, u := range from {
		if !slices.Contains(s.classesOf(u.rows), class) {
			continue
		}
		left := slices.Delete(slices.Clone(from), i, i+1)
		if len(s.classesOf(rowsOf(left))) == had {
			return append(slices.Clone(to), u), left
		}
	}
	return to, from
}

// rowsOf lists the rows of groups in ascending order.
func rowsOf(groups []group) []int {
	var rows []int
	for _, g := range groups {
		rows = append(rows, g.rows...)
	}
	slices.Sort(rows)
	return rows
}

// apportion divides total among classes by their sizes, the largest remainders first. A
// class of two units or more gets one and keeps one, for which the largest give; where
// there are more such classes than total, each gets one all the same.
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

// keepOne leaves every class a unit to train on, and one to validate on where there are
// two, as long as something is left for validation.
func keepOne(byClass [][]group, wanted []int) []int {
	kept := slices.Clone(wanted)
	for c, list := range byClass {
		kept[c] = min(wanted[c], max(0, len(list)-1))
		if kept[c] > 0 || len(list) < 2 {
			continue
		}
		if most := slices.Index(kept, slices.Max(kept)); kept[most] > 1 {
			kept[most]--
		}
		kept[c] = 1
	}
	if slices.Max(kept) == 0 {
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
