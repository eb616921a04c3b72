package experiment

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/eegprune/eegprune/internal/atomicfile"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/result"
)

// A directory is where a study's files are:
//
//	cells/KEY.json            a result: written last, it says that the cell is done
//	checkpoints/NAME          its network
//	training/KEY.safetensors  a training that is not finished; see train.Snapshots
//	running/KEY.json          how far it has come
//	failed/KEY.json           why a cell could not be done
//	plan.json                 all cells of the study
//	lock                      who works on it
//
// All files appear whole or not at all, so that a program that is killed leaves nothing
// that another could misread.
type directory string

func (d directory) in(parts ...string) string {
	return filepath.Join(append([]string{string(d)}, parts...)...)
}

func (d directory) make() error {
	for _, sub := range []string{"cells", "checkpoints", "training", "running", "failed"} {
		if err := os.MkdirAll(d.in(sub), 0o755); err != nil {
			return fmt.Errorf("making the results directory: %w", err)
		}
	}
	return nil
}

func (d directory) result(key string) string   { return d.in("cells", key+".json") }
func (d directory) snapshot(key string) string { return d.in("training", key+".safetensors") }
func (d directory) running(key string) string  { return d.in("running", key+".json") }
func (d directory) failure(key string) string  { return d.in("failed", key+".json") }

// checkpoint is the path of a cell's network below the directory, where it is made now.
func checkpoint(c result.Cell) string {
	return filepath.Join("checkpoints", CellName(c)+".safetensors")
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return atomicfile.WriteFile(path, append(b, '\n'))
}

// readJSON reads a file into v; ok is false where there is none.
func readJSON(path string, v any) (ok bool, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return false, fmt.Errorf("%s is damaged: %w; delete it, and what it speaks of is done again", path, err)
	}
	return true, nil
}

// errNoStudy is that of a directory in which no study was begun.
var errNoStudy = errors.New("holds no study: there is no plan.json in it, which \"eegprune study run\" writes")

// plan reads the plan of the study in the directory.
func (d directory) plan() (*Plan, error) {
	var p Plan
	ok, err := readJSON(d.in("plan.json"), &p)
	if err != nil {
		return nil, err
	}
	if !ok || p.Study == nil {
		return nil, fmt.Errorf("%s %w", d, errNoStudy)
	}
	return &p, nil
}

// keep writes a result, last of all the cell's files, and removes those of its making.
func (d directory) keep(r result.Result) error {
	if err := writeJSON(d.result(r.Key), r); err != nil {
		return err
	}
	return d.forget(r.Key)
}

// forget removes the files that show a cell as running or failed, and its snapshot.
func (d directory) forget(key string) error {
	var errs []error
	for _, path := range []string{d.snapshot(key), d.running(key), d.failure(key)} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// kept returns the result of a cell that was done before, if it is there whole and its
// checkpoint is still that cell's. Those of an earlier version have other keys than this
// one's.
func (d directory) kept(key string) (result.Result, bool, error) {
	var found result.Result
	if ok, err := readJSON(d.result(key), &found); !ok || err != nil {
		return found, false, err
	}
	path := d.in(found.Checkpoint)
	m, err := models.ReadMeta(path)
	if err != nil {
		return found, false, nil
	}
	p, err := ReadProvenance(path, m)
	return found, err == nil && p.Key == key && found.Schema >= result.OldSchema && found.Schema <= result.Schema, nil
}

// A Failure is a cell that could not be done.
type Failure struct {
	Cell   result.Cell `json:"cell"`
	Key    string      `json:"key"`
	Reason string      `json:"reason"`
	At     time.Time   `json:"at"`
	// Follows says that the cell was not tried, since one that it starts from failed.
	Follows bool `json:"follows,omitempty"`
}

// A Progress is how far a cell has come that is being done.
type Progress struct {
	Cell    result.Cell `json:"cell"`
	Host    string      `json:"host"`
	PID     int         `json:"pid"`
	Started time.Time   `json:"started"`
	Epoch   int         `json:"epoch"` // that are done
	Epochs  int         `json:"epochs"`
	At      time.Time   `json:"at"` // when this was written
}

// removeLeftovers removes the temporary files of a program that was killed, and the files
// of running cells. ours is given the files' names; nobody else works on those for which
// it is true.
func (d directory) removeLeftovers(ours func(name string) bool) error {
	now := fileClock(d.in("lock"))
	var errs []error
	for _, sub := range []string{"", "cells", "checkpoints", "training", "running", "failed", "plots"} {
		entries, err := os.ReadDir(d.in(sub))
		if !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		for _, e := range entries {
			name, temporary := strings.CutPrefix(e.Name(), ".")
			leftover := sub == "running" && ours(name)
			if temporary && e.Name() != guardFile && e.Type().IsRegular() {
				// Reports are written by programs that don't hold the lock.
				info, err := e.Info()
				leftover = sub != "" && sub != "plots" && ours(name) || err == nil && now.Sub(info.ModTime()) > deadAfter
			}
			if !leftover {
				continue
			}
			if err := os.Remove(d.in(sub, e.Name())); !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// removeFailures removes the reasons of cells that are not asked for any more.
func (d directory) removeFailures(plan *Plan) error {
	entries, err := os.ReadDir(d.in("failed"))
	errs := []error{err}
	for _, e := range entries {
		if !slices.ContainsFunc(plan.Cells, func(c Planned) bool { return c.Key+".json" == e.Name() }) {
			errs = append(errs, os.Remove(d.in("failed", e.Name())))
		}
	}
	return errors.Join(errs...)
}
