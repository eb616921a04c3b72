package source

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/eegprune/eegprune/internal/note"
)

// Open finds the recordings of a directory. They are read by the given manifest, a path or one
// of [Names] ("deap"), or where that is empty by the eegprune.yaml in the directory, or else
// by the built-in manifest whose file names are found there. No recording is read yet.
//
// Files of EDF, BDF, BrainVision and NumPy need no manifest to be looked at and converted, nor
// does a BIDS data set, a directory with dataset_description.json. Each file is then a subject
// of its own, unless names begin with sub- as those of BIDS do, and has no label. An .npz file
// can replace the manifest by arrays beside its array x [channels, samples] or [trials,
// channels, samples]: rate, channels (names) and baseline (seconds), and for each trial y (the
// number of a class), subject, trial (from 1), session and stimulus; classes names the
// classes. Recordings whose files all have y are labelled.
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
	if err := s.open(names, true); err != nil {
		return nil, err
	}
	return s, nil
}

// OpenUnlabelled is [Open] where labels don't matter, as a trained network is to say them.
// The path may also be that of one file, which is then taken whole, whatever labels a
// manifest has for parts of it, and need not be named as the manifest in its directory
// asks. Of a directory whose labels are known, the recordings are those that have one.
func OpenUnlabelled(path, manifest string) (*Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("looking for recordings: %w", err)
	}
	dir, names := path, []string(nil)
	if info.IsDir() {
		if names, err = listFiles(dir); err != nil {
			return nil, err
		}
	} else {
		dir, names = filepath.Dir(path), []string{filepath.Base(path)}
		if _, err := os.Stat(filepath.Join(dir, ManifestName)); err == nil {
			names = append(names, ManifestName)
		}
	}
	m, origin, err := chooseManifest(dir, manifest, names)
	if err != nil {
		return nil, err
	}
	if _, ok := m.groups(names[0]); !ok && !info.IsDir() && manifest == "" {
		if implied := impliedManifest("", names[:1]); implied != nil {
			m, origin = implied, Origin{}
		}
	}
	if !info.IsDir() {
		blind := *m
		blind.Label = LabelRule{}
		m = &blind
	}
	s := &Source{Dir: dir, Manifest: m, Origin: origin}
	if err := s.open(names, false); err != nil {
		return nil, err
	}
	return s, nil
}

// open finds the recordings among the files of the directory. Where their labels don't matter,
// nor do copies.
func (s *Source) open(names []string, labels bool) error {
	if err := s.useManifestMontage(); err != nil {
		return err
	}
	if labels && s.Manifest.About != "" {
		s.Notes.Add("", note.New(note.About, "%s: %s.", cmp.Or(s.Manifest.Name, s.Origin.String()), s.Manifest.About))
	}
	if d := s.dataset(); labels && d != nil && d.differs != "" {
		s.Notes.Add("", note.New(note.About, "%s: %s.", s.Manifest.Name, d.differs))
	}
	f, err := formatNamed(s.Manifest.Format)
	if err != nil {
		return err
	}
	if f.open != nil {
		if s.structure, err = f.open(s, names); err != nil {
			return err
		}
	}
	if labels {
		prints := newFingerprints()
		s.prints = &prints
		if !s.Manifest.Unlabelled() {
			prepared, err := s.PrepareLabels(nil)
			if err != nil {
				return err
			}
			s.Classes = prepared.Classes
		}
	}
	if err := s.choose(names); err != nil {
		return err
	}
	s.useOwnPlaces()
	if !s.Origin.Implied() {
		return nil
	}
	if f.describe != nil {
		f.describe(s)
	}
	if labels {
		s.Classes = s.Manifest.Label.Classes.Names()
		s.nameSubjects()
	}
	return nil
}

// useManifestMontage reads the montage file that a manifest names.
func (s *Source) useManifestMontage() error {
	path := s.Manifest.Montage
	if path == "" {
		return nil
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(s.Origin.File), path)
	}
	return s.usePositions(path)
}

// useOwnPlaces takes where channels lie from the first of the recordings, unless a montage
// file says it. Whether that can be read is for its reader to say.
func (s *Source) useOwnPlaces() {
	f := s.Manifest.format()
	if f.places == nil || s.Positions != nil || len(s.Files) == 0 {
		return
	}
	if p, err := f.places(s.Files[0].Path); err == nil && p != nil {
		s.Positions = p
		s.Notes.Add("", note.New(note.About, "Where channels lie, for features that need it, is as %s says.", s.Files[0].Name))
	}
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
