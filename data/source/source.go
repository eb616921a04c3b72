// Package source finds out what the recordings in a directory are and reads them.
//
// A data set that many have, and a format of files, are a file and a line in a registry each:
// see datasets and formats. What parses a file is a package of its own and knows nothing of
// subjects, trials and labels.
package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"eegprune/data/bids"
	"eegprune/data/charset"
	"eegprune/data/label"
	"eegprune/data/montage"
	"eegprune/internal/magic"
	"eegprune/internal/natural"
	"eegprune/internal/note"
)

// A Source is a directory of recordings and how to read them.
type Source struct {
	Dir      string
	Manifest *Manifest
	// Origin is the path of the manifest, or says that it is a built-in one.
	Origin  string
	Files   []File   // in order of subject, session, trial
	Classes []string // by number, as the manifest makes them; nil where recordings have no labels

	// Notes are what the user must see: what was left out or is assumed.
	Notes note.List

	bids      *bidsSet           // nil unless it is a BIDS data set
	Positions *montage.Positions // nil unless a montage file says them
	prints    *fingerprints      // nil where recordings are all wanted, also those that are there twice
}

// A Reading is what a user says of recordings beside their manifest, and over what that
// says.
type Reading struct {
	Encoding string `json:"encoding,omitempty" yaml:"encoding,omitempty"` // of texts that are not UTF-8; see [charset.Named]
	Montage  string `json:"montage,omitempty" yaml:"montage,omitempty"`   // a file of places; see [montage.ReadFile]
}

// Use has recordings read as is said.
func (s *Source) Use(r Reading) error {
	m := *s.Manifest
	m.Encoding, m.Montage = cmp.Or(r.Encoding, m.Encoding), cmp.Or(r.Montage, m.Montage)
	s.Manifest = &m
	if r.Encoding != "" {
		if _, err := charset.Named(r.Encoding); err != nil {
			return err
		}
	}
	if r.Montage != "" {
		return s.usePositions(r.Montage)
	}
	return nil
}

// usePositions reads where channels lie.
func (s *Source) usePositions(path string) error {
	p, err := montage.ReadFile(path)
	if err != nil {
		return err
	}
	s.Positions = p
	if len(p.Without) > 0 {
		s.Notes.Add(path, note.New(note.LeftOut, "Channels are listed without a place: %s.", note.Some(p.Without, 6)))
	}
	return nil
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

// A File is one file of recordings.
type File struct {
	Path    string
	Name    string // below Source.Dir, with slashes
	Subject string
	Session string
	Trial   int    // 0 where the name doesn't give it
	Part    string // of a trial that is in several files; empty where it is in one
	Label   string // as the name gives it; empty where it doesn't

	class     int
	described *description // by itself, where there is no manifest
	bids      *bidsFile    // what is said of it beside it
}

// Open finds the recordings of a directory. How they are read is said by the
// given manifest, a path or one of [Names] ("deap"), or where that is empty by the
// eegprune.yaml in the directory, or else by the built-in manifest whose file names
// are found there. No recording is read yet.
//
// Files of EDF, BDF, BrainVision and NumPy need no manifest to be looked at and converted, nor
// does a BIDS data set, a directory with dataset_description.json. Each file is
// then a subject of its own, unless names begin with sub- as those of BIDS do, and has
// no label. An .npz file can say itself what a manifest would, by arrays beside its
// array x [channels, samples] or [trials, channels, samples]: rate, channels (names)
// and baseline (seconds), and for each trial y (the number of a class), subject, trial
// (from 1) and session; classes names the classes. Recordings whose files all have y
// are labelled.
func Open(dir, manifest string) (*Source, error) {
	names, err := listFiles(dir)
	if err != nil {
		return nil, err
	}
	m, origin, err := chooseManifest(dir, manifest, names)
	if err != nil {
		return nil, err
	}
	s := &Source{Dir: dir, Manifest: m, Origin: origin}
	if err := s.useManifestMontage(); err != nil {
		return nil, err
	}
	if m.About != "" {
		s.Notes.Add("", note.New(note.About, "%s: %s.", cmp.Or(m.Name, origin), m.About))
	}
	if m.Format == bidsFormat {
		if err := s.openBIDS(names); err != nil {
			return nil, err
		}
		m = s.Manifest
	}
	if !m.Unlabelled() {
		labels, err := s.PrepareLabels(nil)
		if err != nil {
			return nil, err
		}
		s.Classes = labels.Classes
	}
	prints := newFingerprints()
	s.prints = &prints
	if err := s.choose(names); err != nil {
		return nil, err
	}
	s.useOwnPlaces()
	if origin == impliedOrigin {
		if m.Format == "npy" {
			s.describe()
		}
		s.Classes = m.Label.Classes.Names()
		s.nameSubjects()
	}
	return s, nil
}

// useManifestMontage reads the montage file that a manifest names.
func (s *Source) useManifestMontage() error {
	path := s.Manifest.Montage
	if path == "" {
		return nil
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(s.Origin), path)
	}
	return s.usePositions(path)
}

// useOwnPlaces takes where channels lie from the first of the recordings, unless a montage
// file says it. Whether that can be read is for its reader to say.
func (s *Source) useOwnPlaces() {
	f, err := formatNamed(s.Manifest.Format)
	if err != nil || f.places == nil || s.Positions != nil || len(s.Files) == 0 {
		return
	}
	if p, err := f.places(s.Files[0].Path); err == nil && p != nil {
		s.Positions = p
		s.Notes.Add("", note.New(note.About, "Where channels lie, for features that need it, is as %s says.", s.Files[0].Name))
	}
}

// PrepareLabels makes a pipeline from the labels of the recordings to a class ready:
// the given one, or where it is empty the manifest's.
func (s *Source) PrepareLabels(p label.Pipeline) (*label.Prepared, error) {
	f, err := formatNamed(s.Manifest.Format)
	if err != nil {
		return nil, err
	}
	if len(p) == 0 {
		p = s.Manifest.Label.Transforms
	}
	return s.Manifest.labelForm(f).prepare(p)
}

// Inputs are all files that recordings depend on: their names below Dir, with slashes, and
// where they lie.
func (s *Source) Inputs() (map[string]string, error) {
	paths := map[string]string{}
	add := func(list ...string) error {
		for _, p := range list {
			below, err := filepath.Rel(s.Dir, p)
			if err != nil {
				return err
			}
			paths[filepath.ToSlash(below)] = p
		}
		return nil
	}
	for _, f := range s.Files {
		paths[f.Name] = f.Path
		if err := add(f.parts()...); err != nil {
			return nil, err
		}
		if f.bids != nil {
			if err := add(f.bids.paths...); err != nil {
				return nil, err
			}
		}
		for _, b := range s.beside() {
			p := filepath.Join(filepath.Dir(f.Path), b)
			if _, err := os.Stat(p); err == nil {
				paths[path.Join(path.Dir(f.Name), b)] = p
			}
		}
	}
	if s.bids != nil && s.Manifest.Label.Participant != "" {
		return paths, add(s.bids.Path(bids.Participants))
	}
	return paths, nil
}

// beside returns the names of files that belong to the recordings.
func (s *Source) beside() []string {
	f, err := formatNamed(s.Manifest.Format)
	if err != nil {
		return nil
	}
	return f.beside
}

// companions returns the endings of files that belong to those of the format.
func (s *Source) companions() []string {
	f, err := formatNamed(s.Manifest.Format)
	if err != nil {
		return nil
	}
	return f.companions
}

// listFiles returns the paths of all files below dir, with slashes.
func listFiles(dir string) ([]string, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("no directory %s: give the directory that holds the recordings", dir)
	case err != nil:
		return nil, fmt.Errorf("looking for recordings: %w", err)
	case !info.IsDir():
		return nil, fmt.Errorf("%s is a file: give the directory that holds it", dir)
	}
	var names []string
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return nil
		}
		rel, err := filepath.Rel(dir, p)
		names = append(names, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for recordings in %s: %w", dir, err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("directory %s is empty: give the directory that holds the recordings", dir)
	}
	return names, nil
}

// builtinOrigin is where a built-in manifest comes from, as messages say it.
const builtinOrigin = "the built-in manifest"

func chooseManifest(dir, manifestPath string, names []string) (*Manifest, string, error) {
	list, err := Builtin()
	if err != nil {
		return nil, "", err
	}
	for _, m := range list {
		if manifestPath == m.Name {
			return m, builtinOrigin, nil
		}
	}
	if f, err := formatNamed(manifestPath); err == nil && f.implied() {
		return manifestOfFormat(dir, f, names)
	}
	if manifestPath == "" && slices.Contains(names, ManifestName) {
		manifestPath = filepath.Join(dir, ManifestName)
	}
	if manifestPath != "" {
		return readManifest(manifestPath)
	}
	if m := markedManifest(names); m != nil {
		return m, impliedOrigin, nil
	}
	var best *Manifest
	var known []string
	most := 0
	for _, m := range list {
		n := 0
		for _, name := range names {
			if _, ok := m.groups(name); ok {
				n++
			}
		}
		if n > most {
			best, most = m, n
		}
		known = append(known, m.Name)
	}
	if best == nil {
		best = impliedManifest("", names)
		if best != nil {
			return best, impliedOrigin, nil
		}
		if !slices.ContainsFunc(names, func(n string) bool { return !deapOfMATLAB.MatchString(n) }) {
			return nil, "", fmt.Errorf("%s: its files (%s, ...) are DEAP's copy for MATLAB, data_preprocessed_matlab: give the one for Python, data_preprocessed_python (s01.dat, ...)", dir, names[0])
		}
		if said := foreignFiles(names); said != "" {
			return nil, "", fmt.Errorf("%s: %s", dir, said)
		}
		if i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(path.Ext(n), ".mat") }); i >= 0 {
			return nil, "", fmt.Errorf("the files in %s are those of no known data set (%s); %s: say how to read it in %s, such as %s",
				dir, strings.Join(known, ", "), matContents(dir, names[i]), filepath.Join(dir, ManifestName), exampleOfMAT)
		}
		return nil, "", fmt.Errorf("the files in %s (%s, ...) are those of no known data set (%s): say how to read them in %s",
			dir, names[0], strings.Join(known, ", "), filepath.Join(dir, ManifestName))
	}
	return best, builtinOrigin, nil
}

func readManifest(path string) (*Manifest, string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, "", fmt.Errorf("reading the manifest: %w", err)
	}
	m, err := ParseManifest(b, path)
	return m, path, err
}

// choose makes Files of the names that the manifest matches.
func (s *Source) choose(names []string) error {
	m := s.Manifest
	var others, unlabelled []string
	companions := s.companions()
	if s.bids != nil {
		names = s.ofBIDS(names)
	}
	for _, name := range names {
		g, ok := m.groups(name)
		if !ok {
			if name != ManifestName && !slices.Contains(s.beside(), path.Base(name)) && !slices.Contains(companions, strings.ToLower(path.Ext(name))) {
				others = append(others, name)
			}
			continue
		}
		f := File{Path: filepath.Join(s.Dir, filepath.FromSlash(name)), Name: name, Subject: g["subject"], Session: g["session"], Part: g["part"]}
		if t := g["trial"]; t != "" {
			n, err := strconv.Atoi(t)
			if err != nil {
				return fmt.Errorf("%s: the group trial of files in %s gives %q, which is not a number", f.Path, s.Origin, t)
			}
			f.Trial = n
		}
		if group, column := m.Label.Group, m.Label.Participant; group != "" || column != "" {
			if f.Label = g[group]; column != "" {
				f.Label = s.bids.participant(f.Subject)[column]
			}
			if f.class, ok = m.Label.Classes.index(f.Label); !ok {
				unlabelled = append(unlabelled, name)
				continue
			}
		}
		s.Files = append(s.Files, f)
	}
	if s.bids != nil && len(s.Files) > 0 {
		if err := s.chooseBIDS(); err != nil {
			return err
		}
	}
	if len(s.Files) == 0 && len(unlabelled) > 0 {
		return fmt.Errorf("%s: none of the %d files that match %s has a label among label.classes (%s): %s, for one, has another", s.Dir, len(unlabelled), s.Origin, m.Label.Classes.labels(), unlabelled[0])
	}
	if len(s.Files) == 0 && s.Origin == builtinOrigin {
		return fmt.Errorf("none of the %d files in %s (%s, ...) is named as those of %s are (%s): choose another format, or say how to read them in %s",
			len(names), s.Dir, names[0], m.Name, m.Files, filepath.Join(s.Dir, ManifestName))
	}
	if len(s.Files) == 0 {
		return fmt.Errorf("none of the %d files in %s (%s, ...) has a name that matches %s, as %s asks: correct files there", len(names), s.Dir, names[0], m.Files, s.Origin)
	}
	why := "their names don't match the manifest"
	if s.Origin == impliedOrigin {
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

// read gives the recordings of one file, trimmed and looked over.
func (s *Source) read(ctx context.Context, f File) iter.Seq2[*Recording, error] {
	format, err := formatNamed(s.Manifest.Format)
	if err != nil {
		return failed(err)
	}
	return func(yield func(*Recording, error) bool) {
		for r, err := range format.read(ctx, s.Manifest, f) {
			if err != nil {
				yield(nil, magic.Explain(f.Path, err))
				return
			}
			s.Manifest.scale(r)
			for _, part := range s.Manifest.divide(r) {
				if s.prints != nil {
					part.print, part.printed = s.prints.of(part)
				}
				if said := part.unlikely(format); said != nil {
					part.Notes = append(slices.Clip(part.Notes), *said)
				}
				if !yield(part, nil) {
					return
				}
			}
		}
	}
}

// HasBaseline reports whether trials begin with a baseline that BaselineRemoval
// can take off, as DEAP's do.
func (s *Source) HasBaseline() bool { return s.Manifest.Signal.Baseline > 0 }
