package source

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/data/npy"
	"github.com/eegprune/eegprune/internal/note"
)

// A description holds the arrays of an .npz file that describe its array x, under these
// names. Any may be missing.
type description struct {
	rate     float64  // samples per second
	channels []string // electrodes of the rows
	baseline float64  // seconds before the stimulus at the start of each trial

	// Of each trial.
	y                []float64 // its class
	words            []string  // instead of y, where it holds text
	subject, session []string
	stimulus         []string
	trial            []float64 // its number within subject and session

	classes []string // names of the classes 0, 1, ...

	err error // why the file can't be read
}

// describe reads the description in a file, which is empty unless the file is an .npz.
func describe(path string) *description {
	d := &description{}
	if strings.HasSuffix(strings.ToLower(path), ".npz") {
		d.err = npy.WithArchive(path, d.read)
	}
	return d
}

func (d *description) read(z *npy.Archive) error {
	has := func(name string) bool { return slices.Contains(z.Names(), name) }
	var err error
	for _, a := range d.numbers() {
		if has(a.name) {
			if *a.into, err = z.Numbers(a.name); err != nil {
				return err
			}
		}
	}
	if has("y") {
		labels, words, err := z.Labels("y")
		if err != nil {
			return err
		}
		if err := d.label(labels, words); err != nil {
			return err
		}
	}
	for _, a := range d.texts() {
		if has(a.name) {
			if *a.into, err = z.Text(a.name); err != nil {
				return err
			}
		}
	}
	for name, into := range map[string]*float64{"rate": &d.rate, "baseline": &d.baseline} {
		if !has(name) {
			continue
		}
		list, err := z.Numbers(name)
		if err != nil {
			return err
		}
		if len(list) != 1 || !(list[0] >= 0) || math.IsInf(list[0], 0) {
			return fmt.Errorf("its array %s must be one number that is not negative", name)
		}
		*into = list[0]
	}
	if len(d.subject) > 0 && len(d.trial) == 0 {
		return errors.New("it has an array subject and none of the numbers of trials: save them as trial")
	}
	return nil
}

// A namedArray is an array by its name, and where it is kept.
type namedArray[T any] struct {
	name string
	into *[]T
}

func (d *description) numbers() []namedArray[float64] {
	return []namedArray[float64]{{"trial", &d.trial}}
}

func (d *description) texts() []namedArray[string] {
	return []namedArray[string]{{"channels", &d.channels}, {"subject", &d.subject}, {"session", &d.session}, {"stimulus", &d.stimulus}, {"classes", &d.classes}}
}

// fits checks that there is one of everything for each trial.
func (d *description) fits(trials int) error {
	for _, a := range []struct {
		name string
		n    int
	}{{"y", len(d.y)}, {"y", len(d.words)}, {"trial", len(d.trial)}, {"subject", len(d.subject)}, {"session", len(d.session)}, {"stimulus", len(d.stimulus)}} {
		if a.n != 0 && a.n != trials {
			return fmt.Errorf("it has %d trials and its array %s has %d elements", trials, a.name, a.n)
		}
	}
	for _, t := range d.trial {
		if !(t >= 1 && t <= math.MaxInt32) || t != math.Trunc(t) {
			return fmt.Errorf("its array trial has the element %g and must count trials from 1", t)
		}
	}
	return nil
}

// label takes the array y.
func (d *description) label(labels []string, words bool) error {
	if words {
		d.words = labels
		return nil
	}
	for _, l := range labels {
		y, err := strconv.ParseFloat(l, 64)
		if err != nil {
			return err
		}
		d.y = append(d.y, y)
	}
	return nil
}

// apply sets the fields of trial t, counted from 0, that the file describes.
func (d *description) apply(r *Recording, t int) {
	if len(d.subject) > 0 {
		r.Subject = d.subject[t]
	}
	if len(d.session) > 0 {
		r.Session = d.session[t]
	}
	if len(d.stimulus) > 0 {
		r.Stimulus = d.stimulus[t]
	}
	if len(d.trial) > 0 {
		r.Trial = int(d.trial[t])
	}
}

// class returns the name of a class, or false if y is none.
func (d *description) class(y float64) (string, bool) {
	if d.classes == nil {
		return strconv.FormatFloat(y, 'g', -1, 64), y == math.Trunc(y) && math.Abs(y) < 1e6
	}
	if i := int(max(-1, min(y, 1e6))); float64(i) == y && i >= 0 && i < len(d.classes) {
		return d.classes[i], true
	}
	return "", false
}

// describe reads the descriptions in a source's files where there is no manifest. Errors
// are left to the reader.
func (s *Source) describe() {
	var all []*description
	for i := range s.Files {
		f := &s.Files[i]
		f.described = describe(f.Path)
		if f.described.err == nil {
			all = append(all, f.described)
		}
	}
	if len(all) > 0 && !slices.ContainsFunc(all, func(d *description) bool { return d.baseline == 0 }) {
		s.Manifest.Signal.Baseline = all[0].baseline
	}
	classes, why := commonClasses(all)
	if why != "" {
		s.Notes.Add("", note.New(note.LeftOut, "The arrays y are not taken for labels: %s.", why))
	}
	if len(classes) > 0 {
		s.Manifest.Label = LabelRule{Array: "y", Classes: classes}
	}
}

// commonClasses returns the classes that the arrays y are in, or why they aren't;
// neither where no file has one.
func commonClasses(all []*description) (c Classes, why string) {
	with := 0
	words := map[string]bool{}
	seen := map[float64]string{}
	for _, d := range all {
		if len(d.y) > 0 || len(d.words) > 0 {
			with++
		}
		for _, w := range d.words {
			words[w] = true
		}
		if !slices.Equal(d.classes, all[0].classes) {
			why = "files have different arrays classes"
		}
		for _, y := range d.y {
			name, ok := d.class(y)
			if !ok {
				return nil, fmt.Sprintf("%g is the number of no class", y)
			}
			seen[y] = name
		}
	}
	switch {
	case with == 0:
		return nil, ""
	case with < len(all):
		why = fmt.Sprintf("only %d of %d files have one", with, len(all))
	case why == "" && all[0].classes == nil && len(seen) < 2 && len(words) < 2:
		why = "all are of one class"
	case why == "" && len(words) > 0 && len(seen) > 0:
		why = "some are words and some are numbers"
	case why == "" && len(words) > 0 && all[0].classes != nil:
		why = "they are words and an array classes names numbers"
	}
	if why != "" {
		return nil, why
	}
	for _, w := range slices.Sorted(maps.Keys(words)) {
		c = append(c, ClassRule{w, w})
	}
	for i, name := range all[0].classes {
		seen[float64(i)] = name
	}
	for _, y := range slices.Sorted(maps.Keys(seen)) {
		c = append(c, ClassRule{strconv.FormatFloat(y, 'g', -1, 64), seen[y]})
	}
	return c, ""
}
