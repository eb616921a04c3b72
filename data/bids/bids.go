// Package bids knows how the Brain Imaging Data Structure (bids-specification.readthedocs.io,
// version 1.10) lays out recordings of EEG: which files are recordings, and which of the
// tables and notes around them belong to each.
package bids

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// Description is the file by which a directory is known to be laid out so.
const Description = "dataset_description.json"

// Participants is the table of the subjects, and its column of their names.
const (
	Participants = "participants.tsv"
	Participant  = "participant_id"
)

// NA stands in a table for an unknown value.
const NA = "n/a"

// Pattern matches the path of a recording: groups subject, session, task, acquisition and run.
const Pattern = `^sub-(?<subject>[^_/]+)/(ses-[^_/]+/)?eeg/sub-[^_/]+(_ses-(?<session>[^_/]+))?(_task-(?<task>[^_/]+))?` +
	`(_acq-(?<acquisition>[^_/]+))?(_run-(?<run>[^_/]+))?(_[a-zA-Z]+-[^_/]+)*_eeg\.(?i:edf|bdf|vhdr|set)$`

// A name is that of a file: sub-01_task-rest_channels.tsv.
type name struct {
	path     string // below the data set, with slashes
	entities map[string]string
	suffix   string // "channels"
	ending   string // ".tsv"
}

func parseName(p string) name {
	base, ending, _ := strings.Cut(path.Base(p), ".")
	parts := strings.Split(base, "_")
	n := name{path: p, entities: map[string]string{}, suffix: parts[len(parts)-1], ending: "." + ending}
	for _, e := range parts[:len(parts)-1] {
		if key, value, ok := strings.Cut(e, "-"); ok {
			n.entities[key] = value
		}
	}
	return n
}

// Misplaced reports whether the name of a recording and the directories that it lies in name
// different subjects or sessions.
func Misplaced(p string) bool {
	n := parseName(p)
	for _, d := range strings.Split(path.Dir(p), "/") {
		key, value, ok := strings.Cut(d, "-")
		if ok && (key == "sub" || key == "ses") && n.entities[key] != value {
			return true
		}
	}
	return false
}

// A Dataset is a directory that is laid out so. It is not for several goroutines at once.
type Dataset struct {
	dir     string
	beside  map[place][]name // tables and notes, those of a place that say least first
	ignored []string         // patterns of .bidsignore

	// Files that were read, each once: a file can apply to many recordings.
	tables map[string]read[*Table]
	notes  map[string]read[map[string]any]
}

// A place is where the files of one kind lie.
type place struct{ dir, suffix, ending string }

// read is the result of reading a file.
type read[T any] struct {
	what T
	err  error
}

// once returns the result of reading a file, which is read the first time.
func once[T any](seen map[string]read[T], path string, from func(string) (T, error)) (T, error) {
	r, ok := seen[path]
	if !ok {
		r.what, r.err = from(path)
		seen[path] = r
	}
	return r.what, r.err
}

// Open looks at a directory whose files are listed, below it and with slashes.
func Open(dir string, files []string) (*Dataset, error) {
	d := &Dataset{dir: dir, beside: map[place][]name{}, tables: map[string]read[*Table]{}, notes: map[string]read[map[string]any]{}}
	for _, f := range files {
		if n := parseName(f); n.ending == ".tsv" || n.ending == ".json" {
			at := place{path.Dir(f), n.suffix, n.ending}
			d.beside[at] = append(d.beside[at], n)
		}
	}
	for _, list := range d.beside {
		slices.SortFunc(list, func(a, b name) int {
			return cmp.Or(cmp.Compare(len(a.entities), len(b.entities)), cmp.Compare(a.path, b.path))
		})
	}
	file, err := os.Open(filepath.Join(dir, ".bidsignore"))
	if errors.Is(err, os.ErrNotExist) {
		return d, nil
	}
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(io.LimitReader(file, maxText))
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && !strings.HasPrefix(line, "#") {
			d.ignored = append(d.ignored, line)
		}
	}
	return d, errors.Join(lines.Err(), file.Close())
}

// Ignored reports whether .bidsignore, whose patterns are those of .gitignore, has a file.
func (d *Dataset) Ignored(file string) bool {
	ignored := false
	for _, pattern := range d.ignored {
		pattern, not := strings.CutPrefix(pattern, "!")
		pattern = strings.TrimSuffix(pattern, "/")
		if anchored := strings.TrimPrefix(pattern, "/"); strings.Contains(pattern, "/") {
			pattern = anchored
		} else {
			pattern = "**/" + pattern
		}
		// Files in a directory that matches are ignored with it.
		for p := file; p != "." && p != "/"; p = path.Dir(p) {
			if ok, err := doublestar.Match(pattern, p); ok && err == nil {
				ignored = !not
				break
			}
		}
	}
	return ignored
}

var apart = regexp.MustCompile(`^(derivatives|sourcedata|code|stimuli|\.[^/]*)/`)

// Apart reports whether a file lies in a directory without recordings, such as derivatives.
func Apart(file string) bool { return apart.MatchString(file) }

// Beside returns the tables or notes ("channels", ".tsv") that apply to a recording, from the
// top of the data set down: those beside it or above it whose name says nothing that the
// recording's doesn't (the inheritance principle). Of several in one directory the one that
// says most comes last. The name may also say in which space it is.
func (d *Dataset) Beside(recording, suffix, ending string) []string {
	of := parseName(recording)
	var paths []string
	for _, dir := range above(recording) {
		for _, n := range d.beside[place{dir, suffix, ending}] {
			applies := true
			for key, value := range n.entities {
				applies = applies && (key == "space" || of.entities[key] == value)
			}
			if applies {
				paths = append(paths, n.path)
			}
		}
	}
	return paths
}

// above are the directories that a file lies in, from the top of the data set down.
func above(file string) []string {
	dirs := []string{"."}
	for i, c := range file {
		if c == '/' {
			dirs = append(dirs, file[:i])
		}
	}
	return dirs
}

// Rivals returns the files of a list that [Dataset.Beside] gave between which the structure
// doesn't choose: those in the last one's directory that say as much as it does.
func Rivals(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	last := parseName(list[len(list)-1])
	var all []string
	for _, p := range list {
		if n := parseName(p); path.Dir(p) == path.Dir(last.path) && len(n.entities) == len(last.entities) {
			all = append(all, p)
		}
	}
	return all
}

// Space is the coordinate system that the name of a file of electrodes says, or nothing.
func Space(file string) string { return parseName(file).entities["space"] }

// Path is where a file of the data set lies.
func (d *Dataset) Path(file string) string { return filepath.Join(d.dir, filepath.FromSlash(file)) }

// DOI returns the data set's DOI in the description in a directory; empty where it can't be read
// or has none.
func DOI(dir string) string {
	said, err := readNotes(filepath.Join(dir, Description))
	if err != nil {
		return ""
	}
	doi, _ := said["DatasetDOI"].(string)
	return doi
}

// Notes merges the .json files that apply to a recording: the nearest has the last word.
func (d *Dataset) Notes(recording, suffix string) (map[string]any, error) {
	all := map[string]any{}
	for _, p := range d.Beside(recording, suffix, ".json") {
		one, err := once(d.notes, d.Path(p), readNotes)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, one)
	}
	return all, nil
}

func readNotes(path string) (map[string]any, error) {
	b, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	said := map[string]any{}
	if err := json.Unmarshal(b, &said); err != nil {
		return nil, fmt.Errorf("%s: it is no JSON object: %w", path, err)
	}
	return said, nil
}

// Table returns the nearest table that applies to a recording, nil where there is none. It is
// shared by all recordings that it applies to.
func (d *Dataset) Table(recording, suffix string) (*Table, error) {
	list := d.Beside(recording, suffix, ".tsv")
	if len(list) == 0 {
		return nil, nil
	}
	return once(d.tables, d.Path(list[len(list)-1]), ReadTable)
}
