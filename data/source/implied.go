package source

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/eegprune/eegprune/data/charset"
	"github.com/eegprune/eegprune/internal/natural"
	"github.com/eegprune/eegprune/internal/note"
)

// Names returns the names that [Open] takes in place of a manifest's path: the known data
// sets, and the formats of files that can be read without a manifest.
func Names() ([]string, error) {
	known, err := datasetNames()
	if err != nil {
		return nil, err
	}
	names := slices.Clone(known)
	for _, f := range formats() {
		if f.implied() {
			names = append(names, f.name)
		}
	}
	return names, nil
}

// bidsName is how the Brain Imaging Data Structure names files (bids.neuroimaging.io).
const bidsName = `(^|/)sub-(?<subject>[^_/]+)(_ses-(?<session>[^_/]+))?(_[^/]*)?`

// impliedManifest describes the files of a format that has no manifest: without
// labels, and each file a subject unless all names say whose they are. An empty
// format is that of most files. It returns nil if there are none.
func impliedManifest(format string, names []string) *Manifest {
	var best *Manifest
	most := 0
	for _, f := range formats() {
		if len(f.suffixes) == 0 || format != "" && format != f.name {
			continue
		}
		ending := `(?i:` + strings.ReplaceAll(strings.Join(f.suffixes, "|"), ".", `\.`) + `)$`
		for _, pattern := range []string{`^(?<subject>.+)` + ending, bidsName + ending} {
			m := &Manifest{Format: f.name, Files: pattern, files: regexp.MustCompile(pattern)}
			n := 0
			for _, name := range names {
				if m.files.MatchString(name) {
					n++
				}
			}
			// The names of the BIDS are chosen where all are such.
			if n > most || n == most && best != nil && best.Format == f.name {
				best, most = m, n
			}
		}
	}
	return best
}

// implied reports whether files of the format can be read without a manifest.
func (f format) implied() bool { return len(f.suffixes) > 0 || f.mark != "" }

// markedManifest describes a directory that a file in it marks as of a format, nil where none
// does.
func markedManifest(names []string) *Manifest {
	for _, f := range formats() {
		if f.mark != "" && slices.Contains(names, f.mark) {
			return f.marked()
		}
	}
	return nil
}

func (f format) marked() *Manifest {
	return &Manifest{Format: f.name, Files: f.pattern, files: regexp.MustCompile(f.pattern)}
}

// manifestOfFormat returns how to read the files of a format in a directory, where the
// manifest in it is of that format by that.
func manifestOfFormat(dir string, f format, names []string) (*Manifest, Origin, error) {
	if slices.Contains(names, ManifestName) {
		m, origin, err := readManifest(filepath.Join(dir, ManifestName))
		if err == nil && m.Format != f.name {
			err = fmt.Errorf("%s says that the recordings are of format %s, and %s is asked for: ask for that, or name another manifest", origin, m.Format, f.name)
		}
		return m, origin, err
	}
	if f.mark != "" {
		return f.marked(), Origin{}, nil
	}
	if m := impliedManifest(f.name, names); m != nil {
		return m, Origin{}, nil
	}
	return nil, Origin{}, fmt.Errorf("none of the %d files in %s (%s, ...) ends in %s, as those of format %s do: choose another format", len(names), dir, names[0], strings.Join(f.suffixes, " or "), f.name)
}

// nameSubjects says whom the files of a source without a manifest are taken to be of.
func (s *Source) nameSubjects() {
	has := "no label"
	if !s.Manifest.Unlabelled() {
		has = "the label of its array y"
	}
	whose := "each of the files is taken for a subject of its own"
	if s.structure != nil || strings.HasPrefix(s.Manifest.Files, bidsName) {
		whose = "the names of the files say the subjects (sub-)"
	}
	if !slices.ContainsFunc(s.Files, func(f File) bool { return f.described == nil || len(f.described.subject) == 0 }) {
		whose = "their arrays subject say the subjects"
	}
	s.Notes.Add("", note.New(note.About, "There is no %s: %s, and a recording has %s.", ManifestName, whose, has))
}

// NeedLabels returns an error where recordings have no labels; it gives an example of a
// manifest that labels them.
func (s *Source) NeedLabels(ctx context.Context) error {
	if !s.Manifest.Unlabelled() {
		return nil
	}
	if !s.Origin.Implied() {
		return fmt.Errorf("%s says of no recording which label it has, and features need one: add where it is found, such as label: {group: task, classes: {rest: rest, happy: positive}} with a group (?<task>...) in files", s.Origin)
	}
	example, err := s.example(ctx)
	if err != nil {
		return fmt.Errorf("writing an example of a manifest: %w", err)
	}
	return fmt.Errorf("the recordings in %s (%s, ...) have no labels, and features need them: write %s, such as %s",
		s.Dir, s.Files[0].Name, filepath.Join(s.Dir, ManifestName), example)
}

// few is how many files are looked at for an example, and how many classes it has.
const few = 8

// example is the smallest manifest that might label the recordings: by the
// annotations, where there are several, or by the names of the files.
func (s *Source) example(ctx context.Context) (string, error) {
	if s.structure != nil {
		b, err := yaml.MarshalWithOptions(s.structure.start(s), yaml.Flow(true))
		return strings.TrimSpace(string(b)), err
	}
	first := s.Files[0]
	var rule LabelRule
	for _, f := range s.Files[:min(few, len(s.Files))] {
		if rule = s.annotationRule(ctx, f); rule.Annotations {
			break
		}
	}
	named := strings.HasPrefix(s.Manifest.Files, bidsName)
	var files, how, signal string
	switch {
	case rule.Annotations && named:
		files = `sub-(?<subject>[^/_]+).*`
	case rule.Annotations:
		files = `(?<subject>[^/]+)`
	case named:
		files = `sub-(?<subject>[^/_]+).*_task-(?<task>[^/_]+).*`
	default:
		files = `(?<subject>[^/_]+)_(?<task>[^/_]+)`
	}
	if how = "annotations: true"; !rule.Annotations {
		how, rule = "group: task", LabelRule{Classes: Classes{{"rest", "rest"}, {"happy", "positive"}}}
	}
	if rule.Seconds > 0 {
		how += fmt.Sprintf(", seconds: %g", rule.Seconds)
	}
	if d := first.described; d != nil && (d.rate == 0 || len(d.channels) == 0) {
		signal = ", signal: {rate: 128, electrodes: [Fp1, Fp2]}"
	}
	classes, err := yaml.MarshalWithOptions(rule.Classes, yaml.Flow(true))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("{format: %s, files: '%s%s$', label: {%s, classes: %s}%s}", s.Manifest.Format,
		files, regexp.QuoteMeta(path.Ext(first.Name)), how, strings.TrimSpace(string(classes)), signal), nil
}

// tasks are the tasks of the recordings, in order.
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

// Start returns a manifest to begin with where the directory has none and its files could give
// labels, else nothing.
func (s *Source) Start() (string, error) {
	if s.structure == nil || !s.Origin.Implied() {
		return "", nil
	}
	m := s.structure.start(s)
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

// annotationRule makes labels of all annotations of a file, if it has several.
func (s *Source) annotationRule(ctx context.Context, f File) LabelRule {
	var l LabelRule
	format := s.Manifest.format()
	if format.events == nil {
		return l
	}
	events, err := format.events(ctx, f.Path)
	if err != nil {
		return l
	}
	for _, e := range events {
		text := charset.Plain(e.text)
		if _, ok := l.Classes.index(text); !ok && text != "" && len(l.Classes) < few {
			l.Classes = append(l.Classes, ClassRule{text, text})
		}
		if e.duration == 0 {
			l.Seconds = 4
		}
	}
	l.Annotations = len(l.Classes) > 1
	return l
}
