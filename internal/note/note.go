// Package note holds the notes of a reader of files: on data that it leaves out, corrects
// or takes for granted. Nothing else may happen to a user's data without a word.
package note

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// A Kind is the kind of a note: how the data that it names were treated.
type Kind string

// All kinds but About are errors where a user asks for strictness.
const (
	About     Kind = "about"     // how something is read; nothing is left out or changed
	LeftOut   Kind = "left out"  // in the file, and not read
	Corrected Kind = "corrected" // read, but not as the file has it
	Repeated  Kind = "repeated"  // there twice or more, and read once or told apart
	Assumed   Kind = "assumed"   // the file does not say it, or not in a way that can be understood
)

// A Note is a sentence that the user must see.
type Note struct {
	Kind  Kind     `json:"kind"`
	Files []string `json:"files,omitempty"` // of which it holds; none where it is of all
	What  string   `json:"what"`            // a sentence
}

// New makes a note of the file, or directory, that is being read.
func New(kind Kind, format string, args ...any) Note {
	return Note{Kind: kind, What: fmt.Sprintf(format, args...)}
}

// String is the note as a line of text.
func (n Note) String() string {
	switch len(n.Files) {
	case 0:
		return n.What
	case 1:
		return fmt.Sprintf("%s: %s", filepath.Base(n.Files[0]), n.What)
	default:
		return fmt.Sprintf("%d files: %s", len(n.Files), n.What)
	}
}

// UnmarshalJSON reads a note, and a bare sentence as one of kind About.
func (n *Note) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*n = Note{Kind: About}
		return json.Unmarshal(b, &n.What)
	}
	type plain Note // has no UnmarshalJSON, which would go on for ever
	return json.Unmarshal(b, (*plain)(n))
}

// Some lists, for a sentence, the first few of many names.
func Some(names []string, few int) string {
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}

// A List is notes in the order in which they came up, each of them once.
type List []Note

// Add keeps notes that a reader made of a file. A note that holds for several files is
// kept once and names them all. Where file is empty, they keep the files that they have.
func (l *List) Add(file string, notes ...Note) {
	for _, n := range notes {
		files := n.Files
		if file != "" {
			files = []string{file}
		}
		i := slices.IndexFunc(*l, func(x Note) bool {
			return x.Kind == n.Kind && x.What == n.What && (len(x.Files) > 0) == (len(files) > 0)
		})
		if i < 0 {
			*l = append(*l, Note{Kind: n.Kind, What: n.What})
			i = len(*l) - 1
		}
		for _, f := range files {
			if !slices.Contains((*l)[i].Files, f) {
				(*l)[i].Files = append((*l)[i].Files, f)
			}
		}
	}
}

// Sentences returns the notes as lines of text.
func (l List) Sentences() []string {
	var all []string
	for _, n := range l {
		all = append(all, n.String())
	}
	return all
}

// Strict returns an error that names the notes of data left out, corrected, repeated or
// assumed, or nil where there are none.
func (l List) Strict() error {
	var all []string
	for _, n := range l {
		if n.Kind != About {
			all = append(all, strings.TrimSuffix(n.String(), "."))
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("%s: an error by --strict", all[0])
	default:
		return fmt.Errorf("%d things are left out, corrected or assumed, each an error by --strict; the first: %s", len(all), all[0])
	}
}
