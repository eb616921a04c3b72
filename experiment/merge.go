package experiment

import (
	"errors"
	"fmt"
	"os"
	"reflect"

	"github.com/eegprune/eegprune/internal/atomicfile"
	"github.com/eegprune/eegprune/result"
)

// Merge copies into a directory the cells that others have, which were carried out on
// machines without a common disk. That two have different results of one cell, or made it
// with different settings, is an error, and nothing is copied then. It returns the number
// of cells that are new.
func Merge(into string, from []string) (int, error) {
	d := directory(into)
	if err := d.make(); err != nil {
		return 0, err
	}
	held, err := d.acquire(Share{}, func(error) {})
	if err != nil {
		return 0, err
	}
	defer held.release()
	type found struct {
		result result.Result
		from   directory
	}
	var merged Plan
	all := map[result.Cell]found{}
	var added []result.Cell
	for _, dir := range append([]string{into}, from...) {
		plan, err := directory(dir).plan()
		if errors.Is(err, errNoStudy) && dir == into {
			continue // it is made now
		}
		if err != nil {
			return 0, err
		}
		if err := merged.add(plan, dir); err != nil {
			return 0, err
		}
		finished := 0
		for _, c := range plan.Cells {
			path := directory(dir).result(c.Key)
			if _, err := os.Stat(path); os.IsNotExist(err) {
				continue
			}
			r, ok, err := directory(dir).kept(c.Key)
			if err != nil {
				return 0, err
			}
			if !ok {
				return 0, fmt.Errorf("%s has no checkpoint that belongs to it: copy the directory %s whole", path, dir)
			}
			finished++
			before, known := all[c.Cell]
			switch {
			case !known:
				all[c.Cell] = found{r, directory(dir)}
				if dir != into {
					added = append(added, c.Cell)
				}
			case !sameResult(before.result, r):
				return 0, fmt.Errorf("%s has two results: accuracy %.2f %% in %s, %.2f %% in %s; were they made by other versions or devices? Remove the wrong one (cells/%s.json) and merge again",
					Describe(r.Cell), 100*before.result.Test.Accuracy, before.from, 100*r.Test.Accuracy, dir, c.Key)
			}
		}
		if finished == 0 && dir != into {
			return 0, fmt.Errorf("%s has no results: none of its study's cells is done", dir)
		}
	}
	if err := writeJSON(d.in("plan.json"), merged); err != nil {
		return 0, err
	}
	for _, c := range added {
		f := all[c]
		if err := copyFile(f.from.in(f.result.Checkpoint), d.in(f.result.Checkpoint)); err != nil {
			return 0, err
		}
		if err := d.keep(f.result); err != nil {
			return 0, err
		}
	}
	return len(added), nil
}

// add adds the cells of another plan, which dir holds. Their files have the cells' names, so
// that there is no room for two that were made with different settings.
func (p *Plan) add(other *Plan, dir string) error {
	if p.Study == nil {
		p.Study = other.Study
	}
	keys := make(map[result.Cell]string, len(p.Cells))
	for _, c := range p.Cells {
		keys[c.Cell] = c.Key
	}
	for _, c := range other.Cells {
		switch key, there := keys[c.Cell]; {
		case !there:
			keys[c.Cell] = c.Key
			p.Cells = append(p.Cells, c)
		case key != c.Key:
			return fmt.Errorf("%s is of another study: its %s, %s, was made with other settings or of other data", dir, c.Cell.Model, Describe(c.Cell))
		}
	}
	return nil
}

// sameResult reports whether two results say the same, but for when and how long.
func sameResult(a, b result.Result) bool {
	return reflect.DeepEqual(a.Finding(), b.Finding())
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(to, b)
}

// Collect puts together the results that a directory holds of the study that was begun in
// it, whoever did them: cells that are not done are left out. It needs neither recordings
// nor libtorch.
func Collect(dir string) (*result.Study, error) {
	d := directory(dir)
	plan, err := d.plan()
	if err != nil {
		return nil, err
	}
	out := plan.Study
	for _, c := range plan.Cells {
		r, ok, err := d.kept(c.Key)
		if err != nil {
			return nil, err
		}
		if ok {
			r.Cell = c.Cell
			out.Results = append(out.Results, r)
		}
	}
	if len(out.Results) == 0 {
		return nil, fmt.Errorf("nothing of the study in %s is done yet", dir)
	}
	out.SayLacks()
	out.Notes = notes(out.Notes, out.Results)
	if left := len(plan.Cells) - len(out.Results); left > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%d of the study's %d cells are not done", left, len(plan.Cells)))
	}
	// Speeds belong to the networks and not to who asks: those measured stay.
	if before, err := result.Read(dir); err == nil {
		out.Speeds = before.Speeds
	}
	return out, nil
}
