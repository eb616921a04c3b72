package source

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/eegprune/eegprune/data/mat"
)

// Variables are how the SEED family keeps trials: in each MAT file a matrix [electrodes, samples]
// for each trial, named by its number.
type variables struct {
	name    *regexp.Regexp // its group is the number
	example string         // of how names end, with %d for it
	// known returns, in order, the trials that a file must have, without their samples.
	known func(ctx context.Context, m *Manifest, f File) ([]trial, error)
	// none describes a file without any: for the error.
	none string
}

func (v variables) read(ctx context.Context, m *Manifest, f File, yield func(trial) error) error {
	known, err := v.known(ctx, m, f)
	if err != nil {
		return err
	}
	names, err := m.Signal.electrodes()
	if err != nil {
		return err
	}
	var seen []int
	err = eachArray(ctx, f.Path, v.name.MatchString, func(x *mat.Array) error {
		n, err := strconv.Atoi(v.name.FindStringSubmatch(x.Name)[1])
		if err != nil || n < 1 || n > len(known) {
			return fmt.Errorf("matrix %q is trial %d and there are labels for %d", x.Name, n, len(known))
		}
		if slices.Contains(seen, n) {
			return fmt.Errorf("it has trial %d twice", n)
		}
		seen = append(seen, n)
		if err := x.Readable(); err != nil {
			return err
		}
		if len(x.Dims) != 2 || x.Dims[0] != len(names) {
			return fmt.Errorf("matrix %q is %s and %d electrodes are named, which its rows must be: correct signal.electrodes in a manifest", x.Name, x.Shape(), len(names))
		}
		t := known[n-1]
		if t.samples, err = matBlock(x, false); err != nil {
			return err
		}
		return yield(t)
	})
	if err != nil {
		return err
	}
	if len(seen) == 0 {
		return fmt.Errorf("trial 1 of %d is missing, as all others are (no matrix ends in %s): %s", len(known), fmt.Sprintf(v.example, 1), v.none)
	}
	for n := range known {
		if !slices.Contains(seen, n+1) {
			return fmt.Errorf("trial %d of %d is missing (no matrix ends in %s): the file is damaged or another's; get it again, or leave it out", n+1, len(known), fmt.Sprintf(v.example, n+1))
		}
	}
	return nil
}

// has reports whether a MAT file has exactly the matrices of some number of trials.
func (v variables) has(trials int) func(path string) (bool, error) {
	return func(path string) (bool, error) {
		n := 0
		err := eachArray(context.Background(), path, v.name.MatchString, func(*mat.Array) error { n++; return nil })
		return n == trials, err
	}
}

// emotions are trials of a set whose stimuli everyone sees in the same order, by the emotion of
// each, in one session.
func emotions(session string, first int, values ...int) []trial {
	var list []trial
	for i, v := range values {
		list = append(list, trial{session: session, number: i + 1, stimulus: strconv.Itoa(first + i), labels: map[string]float64{"emotion": float64(v)}})
	}
	return list
}
