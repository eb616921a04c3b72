package source

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"eegprune/data/bids"
	"eegprune/internal/natural"
	"eegprune/internal/note"
)

// bidsFormat is the format of manifests for data sets that are laid out by BIDS.
const bidsFormat = "bids"

// A bidsSet is a BIDS data set beyond its recordings.
type bidsSet struct {
	*bids.Dataset
	participants *bids.Table // nil where there is none
	files        map[string]*bidsFile
	events       []*bids.Table // those of the recordings, each once
}

// openBIDS looks at the tables of a BIDS data set, and finds the classes where a manifest only
// says which column has them.
func (s *Source) openBIDS(names []string) error {
	d, err := bids.Open(s.Dir, names)
	if err != nil {
		return fmt.Errorf("reading a BIDS data set: %w", err)
	}
	s.bids = &bidsSet{Dataset: d, files: map[string]*bidsFile{}}
	if slices.Contains(names, bids.Participants) {
		t, err := bids.ReadTable(d.Path(bids.Participants))
		if err == nil && !t.Has(bids.Participant) {
			err = fmt.Errorf("%s: it has no column %s", t.Path, bids.Participant)
		}
		switch {
		case err == nil:
			s.bids.participants = t
		case s.Manifest.Label.Participant != "":
			return err
		default:
			s.Notes.Add("", note.New(note.LeftOut, "What is said of the subjects is left out: %v.", err))
		}
	}
	label := s.Manifest.Label
	if label.Participant != "" {
		if t := s.bids.participants; t == nil {
			return fmt.Errorf("label.participant asks for a column of %s, and there is none in %s", bids.Participants, s.Dir)
		} else if !t.Has(label.Participant) {
			return fmt.Errorf("%s: it has no column %s, which label.participant asks for: there are %s", t.Path, label.Participant, strings.Join(t.Columns, ", "))
		}
	}
	s.readBIDSTables(names)
	if (label.Column != "" || label.Participant != "") && label.Classes == nil {
		return s.classesOfColumn()
	}
	return nil
}

// readBIDSTables reads the tables beside the recordings.
func (s *Source) readBIDSTables(names []string) {
	seen := map[string]bool{}
	for _, name := range names {
		if !s.isBIDSRecording(name) {
			continue
		}
		s.bids.files[name] = besideBIDS(s.bids.Dataset, name, s.Manifest.Label.Column)
		list := s.bids.Beside(name, "events", ".tsv")
		if len(list) == 0 || seen[list[len(list)-1]] {
			continue
		}
		seen[list[len(list)-1]] = true
		if t, err := bids.ReadTable(s.bids.Path(list[len(list)-1])); err == nil {
			s.bids.events = append(s.bids.events, t)
		}
	}
}

// isBIDSRecording reports whether a file is one that the manifest asks for.
func (s *Source) isBIDSRecording(name string) bool {
	g, ok := s.Manifest.groups(name)
	return ok && !bids.Apart(name) && !bids.Misplaced(name) && !s.bids.Ignored(name) &&
		(len(s.Manifest.Task) == 0 || slices.Contains(s.Manifest.Task, g["task"]))
}

// mostClasses is how many values of a column can be classes without being listed.
const mostClasses = 50

// classesOfColumn makes classes of all values of the column that holds the labels.
func (s *Source) classesOfColumn() error {
	m := *s.Manifest
	column, where := m.Label.Column, "events.tsv"
	tables := s.bids.events
	if column == "" {
		column, where, tables = m.Label.Participant, bids.Participants, []*bids.Table{s.bids.participants}
	}
	var values, columns []string
	for _, t := range tables {
		for _, c := range t.Columns {
			if !slices.Contains(columns, c) {
				columns = append(columns, c)
			}
		}
		own, _ := t.Values(column)
		for _, v := range own {
			if !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
	}
	if !slices.Contains(columns, column) {
		return fmt.Errorf("%s: no %s has a column %s, which label.column asks for: there are %s", s.Dir, where, column, cmp.Or(strings.Join(columns, ", "), "no columns, as there is no "+where))
	}
	slices.SortFunc(values, natural.Compare)
	if n := len(values); n < 2 || n > mostClasses {
		return fmt.Errorf("the column %s of %s in %s has %d different values (%s), and classes are made of 2 to %d: map those that matter to classes by label.classes, such as {happy: positive, sad: negative}",
			column, where, s.Dir, n, note.Some(values, 6), mostClasses)
	}
	m.Label.Classes = nil
	for _, v := range values {
		m.Label.Classes = append(m.Label.Classes, ClassRule{v, v})
	}
	s.Manifest = &m
	s.Notes.Add("", note.New(note.About, "Classes are all values of the column %s of %s: %s.", column, where, strings.Join(values, ", ")))
	return nil
}

// ofBIDS returns the names that may be recordings or go with them: those that lie apart or are
// to be ignored are named.
func (s *Source) ofBIDS(names []string) []string {
	var list, apart, ignored, misplaced []string
	for _, name := range names {
		_, ok := s.Manifest.groups(name)
		_, known := formatOfFile(name)
		switch {
		case bids.Apart(name):
			if known {
				apart = append(apart, name)
			}
		case s.bids.Ignored(name):
			if ok {
				ignored = append(ignored, name)
			}
		case ok && bids.Misplaced(name):
			misplaced = append(misplaced, name)
		default:
			list = append(list, name)
		}
	}
	say := func(kind note.Kind, format string, files []string) {
		if len(files) > 0 {
			s.Notes.Add("", note.New(kind, format, len(files), note.Some(files, 3)))
		}
	}
	say(note.About, "%d file(s) in derivatives/, sourcedata/ and the like are not read, which holds what the recordings were made of or into: %s.", apart)
	say(note.LeftOut, "%d recording(s) are left out, as .bidsignore has them: %s.", ignored)
	say(note.LeftOut, "%d recording(s) are left out, as their names and directories name different subjects or sessions: %s.", misplaced)
	return list
}

// chooseBIDS keeps the recordings of the tasks that are asked for, each in one format and with
// what is said of it.
func (s *Source) chooseBIDS() error {
	tasks := map[string]int{}
	var order, other, twice, eventless, unlabelled []string
	var files []File
	at := map[string]int{}
	for _, f := range s.Files {
		g, _ := s.Manifest.groups(f.Name)
		task := g["task"]
		if tasks[task]++; tasks[task] == 1 {
			order = append(order, task)
		}
		f.bids = s.bids.files[f.Name]
		stem := strings.TrimSuffix(f.Name, path.Ext(f.Name))
		switch {
		case f.bids == nil: // of another task
			other = append(other, f.Name)
		case at[stem] > 0:
			twice = append(twice, fmt.Sprintf("%s (%s is read)", f.Name, path.Base(files[at[stem]-1].Name)))
		case f.bids.labelled && f.bids.err == nil && !f.bids.hasEvents:
			eventless = append(eventless, f.Name)
		case f.bids.labelled && f.bids.err == nil && !s.hasClass(f.bids):
			unlabelled = append(unlabelled, f.Name)
		default:
			files = append(files, f)
			at[stem] = len(files)
		}
	}
	slices.SortFunc(order, natural.Compare)
	for i, t := range order {
		order[i] = fmt.Sprintf("%s (%d)", cmp.Or(t, "none"), tasks[t])
	}
	if len(files) == 0 && len(other) > 0 && len(eventless)+len(unlabelled) == 0 {
		return fmt.Errorf("%s: none of the recordings is of the task %s, which %s asks for: there are %s", s.Dir, strings.Join(s.Manifest.Task, ", "), s.Origin, strings.Join(order, ", "))
	}
	if none := append(eventless, unlabelled...); len(files) == 0 && len(none) > 0 {
		return fmt.Errorf("%s: none of the recordings has an event whose %s is among label.classes (%s): %s, for one, has %s", s.Dir, s.Manifest.Label.Column, s.Manifest.Label.Classes.labels(), none[0], s.valuesBeside(none[0]))
	}
	if len(s.Manifest.Task) == 0 && len(order) > 1 {
		s.Notes.Add("", note.New(note.About, "Recordings are of several tasks, and all are read: %s; task: chooses.", strings.Join(order, ", ")))
	}
	say := func(kind note.Kind, format string, list []string) {
		if len(list) > 0 {
			s.Notes.Add("", note.New(kind, format, len(list), note.Some(list, 3)))
		}
	}
	say(note.About, "%d recording(s) are of other tasks than is asked for: %s.", other)
	say(note.Repeated, "%d file(s) hold a recording that is there in another format too, and are left out: %s.", twice)
	say(note.LeftOut, "%d recording(s) have no events.tsv and are left out: %s.", eventless)
	say(note.LeftOut, "%d recording(s) have no event of a class and are left out: %s.", unlabelled)
	s.Files = files
	s.noteParticipants()
	s.noteColumns()
	return s.placeBIDS()
}

// hasClass reports whether any event of a recording has a class.
func (s *Source) hasClass(b *bidsFile) bool {
	return slices.ContainsFunc(b.events, func(e bidsEvent) bool {
		_, ok := s.Manifest.Label.Classes.index(e.text)
		return ok
	})
}

func (s *Source) valuesBeside(name string) string {
	var events []event
	for _, e := range s.bids.files[name].events {
		events = append(events, e.event)
	}
	return eventTexts(events)
}

// noteColumns says which columns events have that labels could be made of.
func (s *Source) noteColumns() {
	if !s.Manifest.Unlabelled() {
		return
	}
	for _, c := range s.labelColumns() {
		var said []string
		for _, v := range c.values {
			said = append(said, fmt.Sprintf("%q %d times", v, c.counts[v]))
		}
		s.Notes.Add("", note.New(note.About, "Labels could be made of the column %s of events.tsv: %s.", c.name, note.Some(said, 12)))
	}
}

// A labelColumn is a column of the events and what it holds.
type labelColumn struct {
	name   string
	values []string
	counts map[string]int
	timed  bool // whether all of its events have a duration
}

// labelColumns are the columns that labels could be made of, the likeliest first: those of
// few values.
func (s *Source) labelColumns() []labelColumn {
	var list []labelColumn
	for _, t := range s.bids.events {
		for _, name := range t.Columns {
			if slices.Contains([]string{"onset", "duration", "sample", "response_time", bids.NA}, name) {
				continue
			}
			i := slices.IndexFunc(list, func(c labelColumn) bool { return c.name == name })
			if i < 0 {
				i = len(list)
				list = append(list, labelColumn{name, nil, map[string]int{}, true})
			}
			values, counts := t.Values(name)
			for _, v := range values {
				if list[i].counts[v] == 0 {
					list[i].values = append(list[i].values, v)
				}
				list[i].counts[v] += counts[v]
			}
			for r := range t.Rows {
				d, err := bidsNumber(t.Cell(r, "duration"))
				list[i].timed = list[i].timed && (t.Cell(r, name) == bids.NA || err == nil && d > 0)
			}
		}
	}
	list = slices.DeleteFunc(list, func(c labelColumn) bool { return len(c.values) == 0 })
	for i := range list {
		slices.SortFunc(list[i].values, natural.Compare)
	}
	slices.SortStableFunc(list, func(a, b labelColumn) int {
		rank := func(c labelColumn) int {
			switch {
			case len(c.values) < 2 || len(c.values) > mostClasses:
				return 3
			case c.name == "trial_type":
				return 0
			case c.name == "value":
				return 2
			}
			return 1
		}
		return cmp.Compare(rank(a), rank(b))
	})
	return list
}

// startOfBIDS is a manifest to begin with.
func (s *Source) startOfBIDS() Manifest {
	m := Manifest{Format: bidsFormat, Task: s.Manifest.Task}
	if list := s.labelColumns(); len(list) > 0 && len(list[0].values) > 1 {
		m.Label.Column = list[0].name
		for _, v := range list[0].values[:min(few, len(list[0].values))] {
			m.Label.Classes = append(m.Label.Classes, ClassRule{v, v})
		}
		if !list[0].timed {
			m.Label.Seconds = 4
		}
		return m
	}
	m.Label.Group = "task"
	for _, t := range s.tasks() {
		m.Label.Classes = append(m.Label.Classes, ClassRule{t, t})
	}
	if len(m.Label.Classes) < 2 {
		m.Label.Classes = Classes{{"rest", "rest"}, {"happy", "positive"}}
	}
	return m
}

// tasks are those of the recordings, in order.
func (s *Source) tasks() []string {
	var list []string
	for _, f := range s.Files {
		g, _ := s.Manifest.groups(f.Name)
		if t := g["task"]; t != "" && !slices.Contains(list, t) {
			list = append(list, t)
		}
	}
	slices.SortFunc(list, natural.Compare)
	return list
}

// Start returns a manifest to begin with where the directory has none and labels could be made
// of what is in it, else nothing.
func (s *Source) Start() (string, error) {
	if s.bids == nil || s.Origin != impliedOrigin {
		return "", nil
	}
	m := s.startOfBIDS()
	comments := yaml.CommentMap{}
	if m.Label.Seconds > 0 {
		comments["$.label.seconds"] = []*yaml.Comment{yaml.LineComment(" of each trial, as events have no duration")}
	}
	if tasks := s.tasks(); len(m.Task) == 0 && len(tasks) > 1 {
		comments["$.format"] = []*yaml.Comment{yaml.LineComment(" all tasks; task: [" + strings.Join(tasks, ", ") + "] chooses")}
	}
	b, err := yaml.MarshalWithOptions(m, yaml.Indent(2), yaml.WithComment(comments))
	return string(b), err
}

// placeBIDS reads where channels lie: of the first recording that has a table of it.
func (s *Source) placeBIDS() error {
	if s.Positions != nil { // said by the user
		return nil
	}
	var first string
	var others, spaces []string
	for _, f := range s.Files {
		list := s.bids.Beside(f.Name, "electrodes", ".tsv")
		if len(list) == 0 {
			continue
		}
		p := list[len(list)-1]
		switch {
		case first == "":
			first, spaces = p, bids.Rivals(list)
		case p != first && !slices.Contains(others, p) && sumOfFile(s.bids.Path(p), true) != sumOfFile(s.bids.Path(first), true):
			others = append(others, p)
		}
	}
	if first == "" {
		return nil
	}
	system := s.bids.Beside(first, "coordsystem", ".json")
	system = slices.DeleteFunc(system, func(p string) bool {
		space := bids.Space(p)
		return space != "" && bids.Space(first) != "" && space != bids.Space(first)
	})
	coordinates := ""
	if len(system) > 0 {
		coordinates = s.bids.Path(system[len(system)-1])
	}
	if err := s.useElectrodes(s.bids.Path(first), coordinates); err != nil {
		s.Notes.Add("", note.New(note.LeftOut, "Places of channels are left out: %v.", err))
		return nil
	}
	s.Notes.Add("", note.New(note.About, "Places of channels are those of %s.", first))
	if len(spaces) > 1 {
		s.Notes.Add("", note.New(note.Assumed, "Places of channels are there in several spaces, of which one is taken: %s.", strings.Join(spaces, ", ")))
	}
	if len(others) > 0 {
		s.Notes.Add("", note.New(note.Assumed, "%d other file(s) say other places of channels, and those of %s are taken for all: %s.", len(others), first, note.Some(others, 3)))
	}
	return nil
}
