package experiment

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"time"

	"eegprune/internal/atomicfile"
	"eegprune/result"
)

// A Status is how far the study in a directory has come.
type Status struct {
	Cells   int        `json:"cells"`
	Done    int        `json:"done"`
	Running []Progress `json:"running"`
	Failed  []Failure  `json:"failed"`
	// Retried are cells that are done, but failed beside others before.
	Retried []Failure `json:"retried,omitempty"`
	// Left is the time that is left at the pace so far; 0 where there is none yet.
	Left time.Duration `json:"left_ns"`
	// Share of the work that is done, in MACs.
	Share float64 `json:"share_done"`
}

// staleAfter is how long ago what is running must have been heard of: several epochs of
// a slow network.
const staleAfter = 15 * time.Minute

// ReadStatus looks at a directory in which a study is, or was, carried out. It needs
// neither recordings nor libtorch.
func ReadStatus(dir string) (*Status, error) {
	d := directory(dir)
	plan, err := d.plan()
	if err != nil {
		return nil, err
	}
	s := &Status{Cells: len(plan.Cells), Running: []Progress{}, Failed: []Failure{}}
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	var done, all, seconds float64
	for _, c := range plan.Cells {
		all += float64(c.MACs)
		var r result.Result
		there, err := readJSON(d.result(c.Key), &r)
		switch {
		case err != nil:
			return nil, err
		case there:
			s.Done++
			done += float64(c.MACs)
			seconds += r.Seconds
			if r.Retried != "" {
				s.Retried = append(s.Retried, Failure{Cell: c.Cell, Key: c.Key, Reason: r.Retried, At: r.Started})
			}
			continue
		}
		var p Progress
		if running, err := readJSON(d.running(c.Key), &p); err == nil && running && time.Since(p.At) < staleAfter &&
			(p.Host != host || processStarted(p.PID) != "") {
			s.Running = append(s.Running, p)
		}
		var f Failure
		if failed, err := readJSON(d.failure(c.Key), &f); err == nil && failed {
			s.Failed = append(s.Failed, f)
		}
	}
	if all > 0 {
		s.Share = done / all
	}
	if done > 0 {
		s.Left = time.Duration((all - done) * seconds / done / float64(max(len(s.Running), 1)) * float64(time.Second))
	}
	slices.SortFunc(s.Running, func(a, b Progress) int { return cmp.Compare(Describe(a.Cell), Describe(b.Cell)) })
	return s, nil
}

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
		done := 0
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
			done++
			before, there := all[c.Cell]
			switch {
			case !there:
				all[c.Cell] = found{r, directory(dir)}
				if dir != into {
					added = append(added, c.Cell)
				}
			case !sameResult(before.result, r):
				return 0, fmt.Errorf("%s has two results: accuracy %.2f %% in %s, %.2f %% in %s; were they made by other versions or devices? Remove the wrong one (cells/%s.json) and merge again",
					Describe(r.Cell), 100*before.result.Test.Accuracy, before.from, 100*r.Test.Accuracy, dir, c.Key)
			}
		}
		if done == 0 && dir != into {
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
	for _, c := range other.Cells {
		i := slices.IndexFunc(p.Cells, func(o Planned) bool { return o.Cell == c.Cell })
		switch {
		case i < 0:
			p.Cells = append(p.Cells, c)
		case p.Cells[i].Key != c.Key:
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
