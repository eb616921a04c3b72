package source

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/data/bids"
)

// An Origin is where a manifest comes from: a file, the program, or, as the zero value, nothing
// but the names of the files that it is of.
type Origin struct {
	File    string // empty where there is none
	BuiltIn bool   // whether it is that of a known data set
}

// Implied reports whether there is no manifest, only the names of the files.
func (o Origin) Implied() bool { return o == Origin{} }

// String is the origin in messages.
func (o Origin) String() string {
	switch {
	case o.File != "":
		return o.File
	case o.BuiltIn:
		return "the built-in manifest"
	}
	return "the names of the files"
}

// chooseManifest returns how to read a directory: as the given manifest says, a path or one of
// [Names], or where there is none, as one that lies there, or else as its files are called.
func chooseManifest(dir, manifestPath string, names []string) (*Manifest, Origin, error) {
	list, err := Builtin()
	if err != nil {
		return nil, Origin{}, err
	}
	for _, m := range list {
		if manifestPath == m.Name {
			return m, Origin{BuiltIn: true}, nil
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
	if m := accessioned(dir, list, names); m != nil {
		return m, Origin{BuiltIn: true}, nil
	}
	if m := markedManifest(names); m != nil {
		return m, Origin{}, nil
	}
	if err := errFeatures(dir, list, names); err != nil {
		return nil, Origin{}, err
	}
	if m := mostMatched(dir, list, names); m != nil {
		return m, Origin{BuiltIn: true}, nil
	}
	if m := impliedManifest("", names); m != nil {
		return m, Origin{}, nil
	}
	return nil, Origin{}, errUnknown(dir, list, names)
}

// errFeatures says of a directory that holds nothing but the features of a known data set where
// its recordings are; nil where it holds something else.
func errFeatures(dir string, list []*Manifest, names []string) error {
	for i, d := range datasets() {
		if d.features != nil && !slices.ContainsFunc(names, func(n string) bool { return !d.features.MatchString(n) }) {
			return fmt.Errorf("the files in %s (%s, ...) are features of %s that were made of its recordings, and features are made here: give the directory of the recordings, %s", dir, names[0], list[i].Name, d.raw)
		}
	}
	return nil
}

// accessioned returns the manifest of the BIDS data set that a directory says it is, nil where it
// says none of those that are known.
func accessioned(dir string, list []*Manifest, names []string) *Manifest {
	if !slices.Contains(names, bids.Description) {
		return nil
	}
	doi := bids.DOI(dir)
	for i, d := range datasets() {
		if d.accession != "" && strings.Contains(doi, "openneuro."+d.accession+".") {
			return list[i]
		}
	}
	return nil
}

// looked is how many files of a directory are looked into, until one is of the set.
const looked = 3

// mostMatched returns the manifest whose pattern matches most files, nil where none does. Where
// several data sets share names, the contents of the files decide; where none of these can be
// read, the names alone, so that reading reports the error.
func mostMatched(dir string, list []*Manifest, names []string) *Manifest {
	type match struct {
		m     *Manifest
		d     dataset
		files []string
	}
	var all []match
	for i, d := range datasets() {
		x := match{m: list[i], d: d}
		for _, name := range names {
			if _, ok := x.m.groups(name); ok && d.accession == "" && d.leaves(name) == "" {
				x.files = append(x.files, name)
			}
		}
		if len(x.files) > 0 {
			all = append(all, x)
		}
	}
	slices.SortStableFunc(all, func(a, b match) int { return len(b.files) - len(a.files) })
	var unread *Manifest
	for _, x := range all {
		is, readable := x.d.looks(dir, x.files)
		if is {
			return x.m
		}
		if !readable && unread == nil {
			unread = x.m
		}
	}
	return unread
}

// looks reports whether one of the first files is of the data set, and whether any of them can be
// read.
func (d dataset) looks(dir string, names []string) (is, readable bool) {
	if d.is == nil {
		return true, true
	}
	for _, name := range names[:min(looked, len(names))] {
		is, err := d.is(filepath.Join(dir, filepath.FromSlash(name)))
		if err == nil && is {
			return true, true
		}
		readable = readable || err == nil
	}
	return false, readable
}

// errUnknown is the error for a directory whose files can't be read without a manifest. It says
// what they may be.
func errUnknown(dir string, list []*Manifest, names []string) error {
	if said := foreignFiles(names); said != "" {
		return fmt.Errorf("%s: %s", dir, said)
	}
	var known []string
	for _, m := range list {
		known = append(known, m.Name)
	}
	for _, f := range formats() {
		if f.unsaid == nil {
			continue
		}
		if holds, example := f.unsaid(dir, names); holds != "" {
			return fmt.Errorf("the files in %s are those of no known data set (%s); %s: say how to read it in %s, such as %s",
				dir, strings.Join(known, ", "), holds, filepath.Join(dir, ManifestName), example)
		}
	}
	return fmt.Errorf("the files in %s (%s, ...) are those of no known data set (%s): say how to read them in %s",
		dir, names[0], strings.Join(known, ", "), filepath.Join(dir, ManifestName))
}

func readManifest(path string) (*Manifest, Origin, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, Origin{}, fmt.Errorf("reading the manifest: %w", err)
	}
	m, err := ParseManifest(b, path)
	return m, Origin{File: path}, err
}
