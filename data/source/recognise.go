package source

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// An Origin is where a manifest comes from: a file, the program, or, as the zero value, nothing
// but the names of the files that it is of.
type Origin struct {
	File    string // empty where there is none
	BuiltIn bool   // whether it is that of a known data set
}

// Implied reports whether there is no manifest but what the names of the files say.
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
	if m := markedManifest(names); m != nil {
		return m, Origin{}, nil
	}
	if m := mostMatched(list, names); m != nil {
		return m, Origin{BuiltIn: true}, nil
	}
	if m := impliedManifest("", names); m != nil {
		return m, Origin{}, nil
	}
	return nil, Origin{}, errUnknown(dir, list, names)
}

// mostMatched returns the manifest that most files are named as, nil where none is.
func mostMatched(list []*Manifest, names []string) *Manifest {
	var best *Manifest
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
	}
	return best
}

// errUnknown says of a directory whose files nothing says how to read what they may be.
func errUnknown(dir string, list []*Manifest, names []string) error {
	for _, d := range datasets() {
		if d.mistaken == nil {
			continue
		}
		if said := d.mistaken(names); said != "" {
			return fmt.Errorf("%s: %s", dir, said)
		}
	}
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
