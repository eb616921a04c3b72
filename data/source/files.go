package source

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/internal/natural"
	"github.com/eegprune/eegprune/internal/note"
)

// A File is one file of recordings.
type File struct {
	Path     string
	Name     string // below Source.Dir, with slashes
	Subject  string
	Session  string
	Trial    int    // 0 where the name doesn't give it
	Stimulus string // as the name gives it; empty where it doesn't
	Part     string // of a trial that is in several files; empty where it is in one
	Label    string // as the name gives it; empty where it doesn't

	class     int
	described *description // by itself, where there is no manifest
	sidecar   *sidecar     // the tables and notes beside it
}

// choose makes Files of the names that the manifest matches.
func (s *Source) choose(names []string) error {
	m := s.Manifest
	var others, unlabelled []string
	format := m.format()
	if s.structure != nil {
		names = s.structure.narrow(s, names)
	}
	apart := map[string][]string{}
	d := s.dataset()
	for _, name := range names {
		g, ok := m.groups(name)
		if why := d.leaves(name); why != "" {
			apart[why] = append(apart[why], name)
			continue
		}
		if !ok {
			if name != ManifestName && !slices.ContainsFunc(format.beside, func(b string) bool { return path.Base(b) == path.Base(name) }) && !slices.Contains(format.companions, strings.ToLower(path.Ext(name))) {
				others = append(others, name)
			}
			continue
		}
		f := File{Path: filepath.Join(s.Dir, filepath.FromSlash(name)), Name: name, Subject: g["subject"], Session: g["session"], Stimulus: g["stimulus"], Part: g["part"]}
		if t := g["trial"]; t != "" {
			n, err := strconv.Atoi(t)
			if err != nil {
				return fmt.Errorf("%s: the group trial of files in %s gives %q, which is not a number", f.Path, s.Origin, t)
			}
			f.Trial = n
		}
		if group, column := m.Label.Group, m.Label.Participant; group != "" || column != "" {
			if f.Label = g[group]; column != "" {
				f.Label = s.participant(f.Subject)[column]
			}
			if f.class, ok = m.Label.Classes.index(f.Label); !ok {
				unlabelled = append(unlabelled, name)
				continue
			}
		}
		s.Files = append(s.Files, f)
	}
	if s.structure != nil && len(s.Files) > 0 {
		if err := s.structure.settle(s); err != nil {
			return err
		}
	}
	if len(s.Files) == 0 && len(unlabelled) > 0 {
		return fmt.Errorf("%s: none of the %d files that match %s has a label among label.classes (%s): %s, for one, has another", s.Dir, len(unlabelled), s.Origin, m.Label.Classes.labels(), unlabelled[0])
	}
	if len(s.Files) == 0 && s.Origin.BuiltIn {
		return fmt.Errorf("none of the %d files in %s (%s, ...) is named as those of %s are (%s): choose another format, or say how to read them in %s",
			len(names), s.Dir, names[0], m.Name, m.Files, filepath.Join(s.Dir, ManifestName))
	}
	if len(s.Files) == 0 {
		return fmt.Errorf("none of the %d files in %s (%s, ...) has a name that matches %s, as %s asks: correct files there", len(names), s.Dir, names[0], m.Files, s.Origin)
	}
	for _, why := range slices.Sorted(maps.Keys(apart)) {
		s.Notes.Add("", note.New(note.About, "%d file(s) are left out, %s: %s.", len(apart[why]), why, note.Some(apart[why], 3)))
	}
	why := "their names don't match the manifest"
	if s.Origin.Implied() {
		why = fmt.Sprintf("they aren't of format %s, which is read here", m.Format)
	}
	s.noteLeftOut(len(names), others, why)
	if said := foreignFiles(others); said != "" {
		s.Notes.Add("", note.New(note.LeftOut, "%s.", said))
	}
	s.noteLeftOut(len(names), unlabelled, "their label is none of label.classes")
	slices.SortFunc(s.Files, func(a, b File) int {
		return cmp.Or(natural.Compare(a.Subject, b.Subject), natural.Compare(a.Session, b.Session), cmp.Compare(a.Trial, b.Trial), natural.Compare(a.Part, b.Part), natural.Compare(a.Name, b.Name))
	})
	if s.prints != nil {
		s.dropCopies()
	}
	return s.checkFiles()
}

func (s *Source) noteLeftOut(total int, names []string, why string) {
	if len(names) > 0 {
		kind := note.About
		if slices.ContainsFunc(names, s.mayBeRecording) {
			kind = note.LeftOut
		}
		s.Notes.Add("", note.New(kind, "%d of %d files are left out, as %s: %s.", len(names), total, why, note.Some(names, 3)))
	}
}

// mayBeRecording reports whether a file that is left out might be a recording, by its
// ending: that of a format, or of the recordings here.
func (s *Source) mayBeRecording(name string) bool {
	ending := strings.ToLower(path.Ext(name))
	for _, f := range formats() {
		if slices.Contains(f.suffixes, ending) {
			return true
		}
	}
	if _, _, is := foreignOf(name); is {
		return true
	}
	return slices.ContainsFunc(s.Files, func(f File) bool { return strings.EqualFold(path.Ext(f.Name), ending) })
}

// checkFiles finds two files that claim one trial, and a set of one class.
func (s *Source) checkFiles() error {
	for i := 1; i < len(s.Files); i++ {
		a, b := s.Files[i-1], s.Files[i]
		if a.Trial > 0 && a.Subject == b.Subject && a.Session == b.Session && a.Trial == b.Trial && a.Part == b.Part {
			return fmt.Errorf("%s and %s are both trial %d of subject %s: give files in %s a group session, another trial, or a group part", a.Path, b.Name, a.Trial, a.Subject, s.Origin)
		}
	}
	if s.Manifest.Label.Group == "" && s.Manifest.Label.Participant == "" || s.Classes == nil { // or classes don't matter
		return nil
	}
	have := map[int]bool{}
	for _, f := range s.Files {
		have[f.class] = true
	}
	if len(have) == 1 {
		return fmt.Errorf("all %d recordings in %s have the class %q: a classifier needs two; add files of another class or correct label.classes in %s", len(s.Files), s.Dir, s.Classes[s.Files[0].class], s.Origin)
	}
	return s.noteMissingClasses()
}

func (s *Source) noteMissingClasses() error {
	have := map[string][]bool{}
	var subjects []string
	for _, f := range s.Files {
		if have[f.Subject] == nil {
			have[f.Subject] = make([]bool, len(s.Classes))
			subjects = append(subjects, f.Subject)
		}
		have[f.Subject][f.class] = true
	}
	for c, name := range s.Classes {
		var without []string
		for _, subject := range subjects {
			if !have[subject][c] {
				without = append(without, subject)
			}
		}
		if len(without) > 0 {
			s.Notes.Add("", note.New(note.About, "Class %q has no file for subject %s.", name, note.Some(without, 5)))
		}
	}
	return nil
}

// parts returns the files that hold the rest of the recording whose file this is.
func (f File) parts() []string {
	if format, ok := formatOfFile(f.Name); ok && format.parts != nil {
		return format.parts(f.Path)
	}
	return nil
}
