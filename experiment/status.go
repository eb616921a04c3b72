package experiment

import (
	"cmp"
	"os"
	"slices"
	"time"

	"github.com/eegprune/eegprune/result"
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

// staleAfter is the longest silence of a running cell: several epochs of a slow network.
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
		finished, err := readJSON(d.result(c.Key), &r)
		switch {
		case err != nil:
			return nil, err
		case finished:
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
