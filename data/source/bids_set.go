package source

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/data/bids"
	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/internal/natural"
	"github.com/eegprune/eegprune/internal/note"
)

// A bidsSet is a BIDS data set beyond its recordings.
type bidsSet struct {
	*bids.Dataset
	participants *bids.Table                  // nil where there is none
	subjects     map[string]map[string]string // each subject's row of participants.tsv, by column
	sidecars     map[string]*sidecar          // by the names of recordings
	events       []*bids.Table                // those of the recordings, each once
}

// openBIDS looks at the tables of a BIDS data set, and finds the classes where a manifest only
// says which column has them.
func openBIDS(s *Source, names []string) (structure, error) {
	d, err := bids.Open(s.Dir, names)
	if err != nil {
		return nil, fmt.Errorf("reading a BIDS data set: %w", err)
	}
	b := &bidsSet{Dataset: d, sidecars: map[string]*sidecar{}}
	label := s.Manifest.Label
	if slices.Contains(names, bids.Participants) {
		err := b.readParticipants()
		switch {
		case err == nil:
		case label.Participant != "":
			return nil, err
		default:
			s.Notes.Add("", note.New(note.LeftOut, "What is said of the subjects is left out: %v.", err))
		}
	}
	if label.Participant != "" {
		if t := b.participants; t == nil {
			return nil, fmt.Errorf("label.participant asks for a column of %s, and there is none in %s", bids.Participants, s.Dir)
		} else if !t.Has(label.Participant) {
			return nil, fmt.Errorf("%s: it has no column %s, which label.participant asks for: there are %s", t.Path, label.Participant, strings.Join(t.Columns, ", "))
		}
	}
	b.readTables(s.Manifest, names)
	if (label.Column != "" || label.Participant != "") && label.Classes == nil {
		return b, b.classesOfColumn(s)
	}
	return b, nil
}

// readTables reads the tables beside the recordings.
func (b *bidsSet) readTables(m *Manifest, names []string) {
	seen := map[*bids.Table]bool{}
	for _, name := range names {
		if !b.isRecording(m, name) {
			continue
		}
		b.sidecars[name] = newSidecar(b.Dataset, name, m.Label)
		if t, err := b.Table(name, "events"); err == nil && t != nil && !seen[t] {
			seen[t] = true
			b.events = append(b.events, t)
		}
	}
}

// isRecording reports whether a file is one that the manifest asks for.
func (b *bidsSet) isRecording(m *Manifest, name string) bool {
	g, ok := m.groups(name)
	return ok && !bids.Apart(name) && !bids.Misplaced(name) && !b.Ignored(name) &&
		(len(m.Task) == 0 || slices.Contains(m.Task, g["task"]))
}

// mostClasses is how many values of a column can be classes without being listed.
const mostClasses = 50

// classesOfColumn makes classes of all values of the column that holds the labels.
func (b *bidsSet) classesOfColumn(s *Source) error {
	m := *s.Manifest
	column, where := m.Label.Column, "events.tsv"
	tables := b.events
	if column == "" {
		column, where, tables = m.Label.Participant, bids.Participants, []*bids.Table{b.participants}
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

// narrow implements [structure]: names that lie apart or are
// to be ignored are named.
func (b *bidsSet) narrow(s *Source, names []string) []string {
	var list, apart, ignored, misplaced []string
	for _, name := range names {
		_, ok := s.Manifest.groups(name)
		_, known := formatOfFile(name)
		switch {
		case bids.Apart(name):
			if known {
				apart = append(apart, name)
			}
		case b.Ignored(name):
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

// settle implements [structure]: it keeps the recordings of the tasks that are asked for, each
// in one format.
func (b *bidsSet) settle(s *Source) error {
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
		f.sidecar = b.sidecars[f.Name]
		stem := strings.TrimSuffix(f.Name, path.Ext(f.Name))
		switch {
		case f.sidecar == nil: // of another task
			other = append(other, f.Name)
		case at[stem] > 0:
			twice = append(twice, fmt.Sprintf("%s (%s is read)", f.Name, path.Base(files[at[stem]-1].Name)))
		case f.sidecar.labelled && f.sidecar.err == nil && !f.sidecar.hasEvents:
			eventless = append(eventless, f.Name)
		case f.sidecar.labelled && f.sidecar.err == nil && !hasClass(s.Manifest, f.sidecar):
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
		return fmt.Errorf("%s: none of the recordings has an event whose %s is among label.classes (%s): %s, for one, has %s", s.Dir, s.Manifest.Label.Column, s.Manifest.Label.Classes.labels(), none[0], b.valuesBeside(none[0]))
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
	b.noteParticipants(s)
	b.noteColumns(s)
	b.placeChannels(s)
	return nil
}

// hasClass reports whether any event of a recording has a class.
func hasClass(m *Manifest, of *sidecar) bool {
	return slices.ContainsFunc(of.events, func(e tableEvent) bool {
		_, ok := m.Label.Classes.index(e.text)
		return ok
	})
}

func (b *bidsSet) valuesBeside(name string) string {
	var events []event
	for _, e := range b.sidecars[name].events {
		events = append(events, e.event)
	}
	return eventTexts(events)
}

// noteColumns says which columns events have that labels could be made of.
func (b *bidsSet) noteColumns(s *Source) {
	if !s.Manifest.Unlabelled() {
		return
	}
	for _, c := range b.labelColumns() {
		var said []string
		for _, v := range c.values {
			said = append(said, fmt.Sprintf("%q %d times", v, c.counts[v]))
		}
		s.Notes.Add("", note.New(note.About, "Labels could be made of the column %s of events.tsv: %s.", c.name, note.Some(said, 12)))
	}
}

// A labelColumn is a column of the events with its values.
type labelColumn struct {
	name   string
	values []string
	counts map[string]int
	timed  bool // whether all of its events have a duration
}

// labelColumns are the columns that labels could be made of, the likeliest first: those of
// few values.
func (b *bidsSet) labelColumns() []labelColumn {
	var list []labelColumn
	for _, t := range b.events {
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
				d, err := tableNumber(t.Cell(r, "duration"))
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

// start implements [structure].
func (b *bidsSet) start(s *Source) Manifest {
	m := Manifest{Format: s.Manifest.Format, Task: s.Manifest.Task}
	if list := b.labelColumns(); len(list) > 0 && len(list[0].values) > 1 {
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

// placeChannels reads where channels lie: of the first recording that has a table of it.
func (b *bidsSet) placeChannels(s *Source) {
	if s.Positions != nil { // said by the user
		return
	}
	var first, sum string
	var others, spaces []string
	seen := map[string]bool{}
	for _, f := range s.Files {
		list := b.Beside(f.Name, "electrodes", ".tsv")
		if len(list) == 0 {
			continue
		}
		p := list[len(list)-1]
		switch {
		case first == "":
			first, sum, spaces = p, sumOfFile(b.Path(p), true), bids.Rivals(list)
		case !seen[p] && sumOfFile(b.Path(p), true) != sum:
			others = append(others, p)
		}
		seen[p] = true
	}
	if first == "" {
		return
	}
	system := b.Beside(first, "coordsystem", ".json")
	system = slices.DeleteFunc(system, func(p string) bool {
		space := bids.Space(p)
		return space != "" && bids.Space(first) != "" && space != bids.Space(first)
	})
	coordinates := ""
	if len(system) > 0 {
		coordinates = b.Path(system[len(system)-1])
	}
	if err := s.useElectrodes(b.Path(first), coordinates); err != nil {
		s.Notes.Add("", note.New(note.LeftOut, "Places of channels are left out: %v.", err))
		return
	}
	s.Notes.Add("", note.New(note.About, "Places of channels are those of %s.", first))
	if len(spaces) > 1 {
		s.Notes.Add("", note.New(note.Assumed, "Places of channels are there in several spaces, of which one is taken: %s.", strings.Join(spaces, ", ")))
	}
	if len(others) > 0 {
		s.Notes.Add("", note.New(note.Assumed, "%d other file(s) say other places of channels, and those of %s are taken for all: %s.", len(others), first, note.Some(others, 3)))
	}
}

// useElectrodes reads where the electrodes of a BIDS data set lie.
func (s *Source) useElectrodes(path, coordsystem string) error {
	p, err := montage.ReadElectrodes(path, coordsystem)
	if err != nil {
		return err
	}
	s.Positions = p
	if len(p.Without) > 0 {
		s.Notes.Add(path, note.New(note.About, "Channels are listed without a place: %s.", note.Some(p.Without, 6)))
	}
	return nil
}
