package source

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"maps"
	"math"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/data/charset"
	"github.com/eegprune/eegprune/internal/natural"
	"github.com/eegprune/eegprune/internal/note"
)

// dropCopies leaves out files that are there twice: those with the contents of another,
// and those in a directory of copies whose recordings are outside of it too. Files that
// can't be read are left for the reader to complain about.
func (s *Source) dropCopies() {
	dropped := map[string]bool{}
	var copies, repeats, torn []string
	for _, group := range sameContents(s.Files) {
		slices.SortStableFunc(group, betterPlace)
		for _, f := range group[1:] {
			if f.Label != group[0].Label {
				torn = append(torn, fmt.Sprintf("%s (%s) and %s (%s)", group[0].Name, group[0].Label, f.Name, f.Label))
				continue
			}
			dropped[f.Name] = true
			copies = append(copies, fmt.Sprintf("%s (of %s)", f.Name, group[0].Name))
		}
	}
	for _, f := range s.Files {
		if dropped[f.Name] || !inCopies(f.Name) {
			continue
		}
		if i := slices.IndexFunc(s.Files, func(o File) bool {
			return !inCopies(o.Name) && (o.sameTrial(f) || path.Base(o.Name) == path.Base(f.Name))
		}); i >= 0 {
			dropped[f.Name] = true
			repeats = append(repeats, fmt.Sprintf("%s (of %s)", f.Name, s.Files[i].Name))
		}
	}
	s.Files = slices.DeleteFunc(s.Files, func(f File) bool { return dropped[f.Name] })
	say := func(list []string, format string) {
		if len(list) > 0 {
			s.Notes.Add("", note.New(note.Repeated, format, len(list), note.Some(list, 6)))
		}
	}
	say(copies, "%d file(s) are copies of another, with the same contents, and are left out: %s.")
	say(repeats, "%d file(s) lie in a directory of copies and have the same names as files outside of it, and are left out: %s.")
	say(torn, "%d file(s) have the same contents as another and another label, so that one of the names must be wrong: %s.")
	s.noteNamesakes()
}

// sameTrial reports whether two names stand for the same trial.
func (f File) sameTrial(o File) bool {
	return f.Subject == o.Subject && f.Session == o.Session && f.Trial == o.Trial && f.Part == o.Part && f.Label == o.Label
}

// copyNames are usual names of directories of copies.
var copyNames = []string{"backup", "backups", "bak", "old", "copy", "copies", "copy of", "derivatives", "derivative", "trash", "duplicate", "duplicates", "__macosx"}

// inCopies reports whether a file lies in a directory of copies.
func inCopies(name string) bool {
	dirs := strings.Split(name, "/")
	return slices.ContainsFunc(dirs[:len(dirs)-1], func(d string) bool {
		d = strings.ToLower(strings.Trim(d, "._- "))
		return slices.Contains(copyNames, d) || strings.HasPrefix(d, "backup") || strings.HasPrefix(d, "copy of ") || strings.HasSuffix(d, " copy")
	})
}

// betterPlace orders copies so that the one to keep is first.
func betterPlace(a, b File) int {
	in := func(f File) int {
		if inCopies(f.Name) {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(in(a), in(b)), cmp.Compare(strings.Count(a.Name, "/"), strings.Count(b.Name, "/")), natural.Compare(a.Name, b.Name))
}

// sameContents returns the files whose contents are equal, in groups of two and more.
// Only those of equal size, and of those the ones that are equal in places, are read whole.
func sameContents(files []File) [][]File {
	parts := map[string][]string{} // found once: a format may have to open a file for them
	for _, f := range files {
		parts[f.Path] = append([]string{f.Path}, f.parts()...)
	}
	each := func(sum func(path string) string) func(File) string {
		return func(f File) string {
			key := ""
			for _, p := range parts[f.Path] {
				one := sum(p)
				if one == "" {
					return ""
				}
				key += one + "\x00"
			}
			return key
		}
	}
	bySize := groups(files, each(func(path string) string {
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
			return ""
		}
		return fmt.Sprint(info.Size())
	}))
	var all [][]File
	for _, size := range bySize {
		for _, alike := range groups(size, each(func(path string) string { return sumOfFile(path, false) })) {
			all = append(all, groups(alike, each(func(path string) string { return sumOfFile(path, true) }))...)
		}
	}
	return all
}

// groups returns the files that share a key, in groups of two and more in the order of
// their first. An empty key is none.
func groups(files []File, key func(File) string) [][]File {
	at := map[string]int{}
	var all [][]File
	for _, f := range files {
		k := key(f)
		if k == "" {
			continue
		}
		i, ok := at[k]
		if !ok {
			i = len(all)
			at[k] = i
			all = append(all, nil)
		}
		all[i] = append(all[i], f)
	}
	return slices.DeleteFunc(all, func(g []File) bool { return len(g) < 2 })
}

// sampledBytes is how much is read at each of three places of a file to see whether it may
// equal another.
const sampledBytes = 1 << 16

// sumOfFile is a hash of a file, or of three places of it; empty where it can't be read.
func sumOfFile(name string, whole bool) string {
	f, err := os.Open(name)
	if err != nil {
		return ""
	}
	h := sha256.New()
	if whole {
		_, err = io.Copy(h, f)
	} else {
		var info os.FileInfo
		if info, err = f.Stat(); err == nil {
			for _, at := range []int64{0, info.Size() / 2, info.Size() - sampledBytes} {
				if _, e := io.Copy(h, io.NewSectionReader(f, max(0, at), sampledBytes)); e != nil {
					err = e
				}
			}
		}
	}
	if errors.Join(err, f.Close()) != nil {
		return ""
	}
	return string(h.Sum(nil))
}

// noteNamesakes says which subjects may be one, and which files have one name in several
// directories that the manifest doesn't tell apart.
func (s *Source) noteNamesakes() {
	spelled := map[string]string{}
	places := map[string]File{}
	var subjects, files []string
	for _, f := range s.Files {
		plain := charset.Folded(f.Subject)
		if other, ok := spelled[plain]; ok && other != f.Subject {
			said := fmt.Sprintf("%q and %q", other, f.Subject)
			if !slices.Contains(subjects, said) {
				subjects = append(subjects, said)
			}
		} else {
			spelled[plain] = f.Subject
		}
		key := strings.Join([]string{f.Subject, f.Session, fmt.Sprint(f.Trial), f.Part, f.Label, path.Base(f.Name)}, "\x00")
		if other, ok := places[key]; ok && other.Name != f.Name {
			files = append(files, fmt.Sprintf("%s and %s", other.Name, f.Name))
		} else {
			places[key] = f
		}
	}
	if len(subjects) > 0 {
		s.Notes.Add("", note.New(note.Assumed, "Subjects whose names differ only in the case of letters or in blanks are taken for different ones: %s.", note.Some(subjects, 6)))
	}
	if len(files) > 0 {
		s.Notes.Add("", note.New(note.Assumed, "Files have the same name in different directories and are taken for different recordings of one subject: %s.", note.Some(files, 6)))
	}
}

// A fingerprint stands for the samples of a recording.
type fingerprint [2]uint64

// fingerprints makes fingerprints of recordings, which can be compared with each other.
type fingerprints [2]maphash.Seed

func newFingerprints() fingerprints { return fingerprints{maphash.MakeSeed(), maphash.MakeSeed()} }

// leastRepeated is how many samples must be the same for recordings to be.
const leastRepeated = 16

// of returns the fingerprint of a recording, or false for one that is too short or doesn't
// move, which says nothing.
func (s fingerprints) of(r *Recording) (f fingerprint, ok bool) {
	if r.Len() < leastRepeated || r.stillAtEnd() == r.Len() {
		return f, false
	}
	var first, second maphash.Hash
	first.SetSeed(s[0])
	second.SetSeed(s[1])
	var buf [4096]byte
	for _, x := range r.Samples {
		for len(x) > 0 {
			n := min(len(x), len(buf)/8)
			for i, v := range x[:n] {
				binary.LittleEndian.PutUint64(buf[8*i:], math.Float64bits(v))
			}
			_, _ = first.Write(buf[:8*n]) // neither ever fails
			_, _ = second.Write(buf[:8*n])
			x = x[n:]
		}
	}
	return fingerprint{first.Sum64(), second.Sum64()}, true
}

// A repeats finds recordings that are there twice.
type repeats struct {
	seen map[fingerprint]*Recording // without samples
}

// of returns a note where the samples of a recording were there before, and whether the
// recording is to be left out: one with the same label is, or it would be on both sides of a
// split. Of two with different labels only the user can tell which is wrong.
func (p *repeats) of(r *Recording) (said note.Note, leave bool) {
	if !r.printed {
		return said, false
	}
	first := p.seen[r.print]
	if first == nil {
		if p.seen == nil {
			p.seen = map[fingerprint]*Recording{}
		}
		p.seen[r.print] = &Recording{File: r.File, Subject: r.Subject, Session: r.Session, Trial: r.Trial, Labels: r.Labels, Channels: r.Channels}
		return said, false
	}
	switch same := maps.Equal(first.Labels, r.Labels); {
	case !slices.Equal(first.Channels, r.Channels):
		return said, false
	case first.File != r.File && same:
		return note.New(note.Repeated, "Trial %d has the same samples as trial %d of subject %s in %s and is left out.", r.Trial, first.Trial, first.Subject, path.Base(first.File)), true
	case first.File != r.File:
		return note.New(note.Repeated, "Its samples are those of %s, under another label: one of them must be wrong.", path.Base(first.File)), false
	case same:
		return note.New(note.Repeated, "Trial %d has the same samples as trial %d and is left out.", r.Trial, first.Trial), true
	default:
		return note.New(note.Repeated, "Trial %d has the same samples as trial %d and another label: one of the two must be wrong.", r.Trial, first.Trial), false
	}
}
