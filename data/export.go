package data

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"golang.org/x/text/unicode/norm"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/data/npy"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/internal/atomicfile"
	"github.com/eegprune/eegprune/internal/natural"
	"github.com/eegprune/eegprune/internal/note"
)

// SaveNPZ writes a set for use from Python: x [clips, ...], y, classes, and the
// subject, session, trial, stimulus, start and end of each clip, as numpy.load gives them.
func (s *Set) SaveNPZ(path string) error {
	n := s.Len()
	subject, session, stimulus := make([]string, n), make([]string, n), make([]string, n)
	trial, start, end := make([]int64, n), make([]int64, n), make([]int64, n)
	for i, c := range s.Clips {
		subject[i], session[i], stimulus[i] = c.Subject, c.Session, c.Stimulus
		trial[i], start[i], end[i] = int64(c.Trial), int64(c.Start), int64(c.End)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		return cmp.Or(npy.WriteArchive(w, []npy.Named{
			{Name: "x", Shape: append([]int{n}, s.Shape...), Values: s.X}, {Name: "y", Values: s.Y}, {Name: "classes", Values: s.Classes},
			{Name: "subject", Values: subject}, {Name: "session", Values: session}, {Name: "trial", Values: trial}, {Name: "stimulus", Values: stimulus},
			{Name: "start", Values: start}, {Name: "end", Values: end}, {Name: "channels", Values: s.Channels}, {Name: "rate", Values: []float64{s.Rate}},
		}), s.Err())
	})
}

// Convert writes every recording as an .npz file and a manifest by which [source.Open]
// reads them: the array x [channels, samples], which begins with the baseline where there
// is one, in a file named by subject, session, trial and class. dir must be new or empty,
// and is whole or not there. Of the options only Preprocess, SkipBad, Strict, Workers and
// Progress matter. Convert returns notes for the user.
func Convert(ctx context.Context, s *source.Source, dir string, o Options) (notes note.List, err error) {
	if len(s.Manifest.Signal.Bands) > 0 {
		return nil, fmt.Errorf("converting recordings: the files in %s hold features and no samples: eegprune data features %s --features FILE --out FILE.npz writes them for other programs", s.Dir, s.Dir)
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("directory %s holds %s already: give a new directory for the converted recordings, or empty it", dir, entries[0].Name())
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, fmt.Errorf("making the directory for the converted recordings: %w", err)
	}
	made, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+"-*")
	if err != nil {
		return nil, fmt.Errorf("making the directory for the converted recordings: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(made)) }()
	if notes, err = convertInto(ctx, s, made, o); err != nil {
		return nil, err
	}
	if o.Strict {
		if err := notes.Strict(); err != nil {
			return nil, err
		}
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("replacing the empty directory: %w", err)
	}
	return notes, errors.Join(os.Chmod(made, 0o755), atomicfile.Rename(made, dir))
}

func convertInto(ctx context.Context, s *source.Source, dir string, o Options) (note.List, error) {
	if step := o.Preprocess.CutsClips(); step != nil {
		return nil, fmt.Errorf("preprocessing step %s looks at clips, and recordings are converted whole: leave it to the making of features", step.Name())
	}
	s.Also(o.Preprocess.Also())
	c := &converter{dir: dir, classes: s.Classes, parts: map[groupKey]int{}, options: o, positions: s.Positions, pipelines: pipelines{}}
	if !s.Manifest.Unlabelled() {
		var err error
		if c.labels, err = s.PrepareLabels(nil); err != nil {
			return nil, err
		}
	}
	var n, repeated note.List
	w := o.walk(&n)
	w.Notes = &repeated
	if err := s.Each(ctx, w, func(r *source.Recording) error {
		r, err := c.preprocess(ctx, r)
		if err != nil {
			return err
		}
		if err := c.add(r); err != nil {
			return err
		}
		n.Add(r.File, r.Notes...)
		return nil
	}); err != nil {
		return nil, err
	}
	if err := o.knowSubjects(slices.Sorted(maps.Keys(c.subjects.given))); err != nil {
		return nil, err
	}
	n.Add("", repeated...)
	n.Add("", c.pipelines.notes()...)
	if c.tied > 0 {
		n.Add("", note.New(note.LeftOut, "%d trial(s) have no class and are left out, as a rating equals the threshold.", c.tied))
	}
	n.Add("", slices.Concat(c.subjects.notes("subjects"), c.sessions.notes("sessions"), c.stimuli.notes("stimuli"))...)
	said := slices.Concat(s.Notes, n)
	if c.first == nil {
		return nil, fmt.Errorf("no recording in %s could be converted: %s", s.Dir, note.Some(said.Sentences(), 3))
	}
	return said, writeConverted(dir, s, c.first)
}

// A converter writes recordings that have one layout.
type converter struct {
	dir                         string
	labels                      *label.Prepared // nil where recordings have none
	classes                     []string
	first                       *source.Recording
	subjects, sessions, stimuli fileNames
	parts                       map[groupKey]int // files of each trial: an interrupted one is several recordings
	tied                        int              // trials without a class, as a rating equals the threshold

	options   Options
	positions *montage.Positions
	pipelines pipelines
}

// preprocess puts a recording through the steps of the options.
func (c *converter) preprocess(ctx context.Context, r *source.Recording) (*source.Recording, error) {
	through, err := c.pipelines.of(c.options.Preprocess, c.positions, c.options.workers(), r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.File, err)
	}
	return through.apply(ctx, r)
}

func (c *converter) add(r *source.Recording) error {
	if err := r.CheckRate(); err != nil {
		return fmt.Errorf("%s: %w", r.File, err)
	}
	if c.first == nil {
		c.first = r
	}
	l := &layout{channels: c.first.Channels, rate: c.first.Rate}
	order, err := l.fits(r)
	if err != nil {
		return fmt.Errorf("%s: %w", r.File, err)
	}
	l.inOrder(r, order)
	if (r.Baseline == nil) != (c.first.Baseline == nil) {
		return fmt.Errorf("%s: it differs from the recordings before it in whether it has a baseline", r.File)
	}
	key := groupKey{subject: r.Subject, session: r.Session, trial: r.Trial}
	c.parts[key]++
	name := fmt.Sprintf("subject-%s_session-%s_trial-%d", c.subjects.of(r.Subject), c.sessions.of(r.Session), r.Trial)
	if r.Stimulus != "" {
		name += "_stimulus-" + c.stimuli.of(r.Stimulus)
	}
	name += fmt.Sprintf("_part-%d", c.parts[key])
	var class []npy.Named
	if c.labels != nil {
		k, err := c.labels.Class(r.Labels)
		if errors.Is(err, label.ErrTie) {
			c.tied++
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: trial %d: %w", r.File, r.Trial, err)
		}
		name += fmt.Sprintf("_class-%d", k)
		class = []npy.Named{{Name: "y", Values: []int64{int64(k)}}, {Name: "classes", Values: c.classes}}
	}
	return saveRecording(r, filepath.Join(c.dir, name+".npz"), class)
}

// fileNames gives names a form that can stand in the name of a file, no two the same, also
// where the system of files knows no case.
type fileNames struct {
	given map[string]string // by name
	taken map[string]bool   // in lower case
}

// longestName is how many bytes of a name are kept.
const longestName = 80

func (n *fileNames) of(name string) string {
	if plain, ok := n.given[name]; ok {
		return plain
	}
	if n.given == nil {
		n.given, n.taken = map[string]string{}, map[string]bool{}
	}
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' || r == utf8.RuneError {
			return '-'
		}
		return r
	}, norm.NFC.String(name))
	for _, mark := range []string{"_session-", "_trial-"} { // the file's own
		plain = strings.ReplaceAll(plain, mark, strings.Replace(mark, "_", "-", 1))
	}
	if len(plain) > longestName {
		plain = strings.ToValidUTF8(plain[:longestName], "")
	}
	first := plain
	for i := 2; n.taken[strings.ToLower(plain)]; i++ {
		plain = fmt.Sprintf("%s~%d", first, i)
	}
	n.taken[strings.ToLower(plain)] = true
	n.given[name] = plain
	return plain
}

// notes says which names were changed.
func (n *fileNames) notes(what string) []note.Note {
	var changed []string
	for name, plain := range n.given {
		if plain != name {
			changed = append(changed, fmt.Sprintf("%q is %q", name, plain))
		}
	}
	if len(changed) == 0 {
		return nil
	}
	slices.SortFunc(changed, natural.Compare)
	return []note.Note{note.New(note.About, "%d %s have other names in the converted files: %s.", len(changed), what, note.Some(changed, 6))}
}

// saveRecording writes a file that [source.Open] also reads without a manifest.
func saveRecording(r *source.Recording, path string, class []npy.Named) error {
	var x []float64
	for c, row := range r.Samples {
		if r.Baseline != nil {
			x = append(x, r.Baseline[c]...)
		}
		x = append(x, row...)
	}
	shape := []int{len(r.Samples), len(x) / max(1, len(r.Samples))}
	baseline := 0.0
	if r.Baseline != nil {
		baseline = float64(len(r.Baseline[0])) / r.Rate
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		return npy.WriteArchive(w, append([]npy.Named{{Name: "x", Shape: shape, Values: x}, {Name: "rate", Values: []float64{r.Rate}},
			{Name: "channels", Values: r.Channels}, {Name: "baseline", Values: []float64{baseline}},
			{Name: "subject", Values: []string{r.Subject}}, {Name: "session", Values: []string{r.Session}}, {Name: "trial", Values: []int64{int64(r.Trial)}}, {Name: "stimulus", Values: []string{r.Stimulus}}}, class...))
	})
}

func writeConverted(dir string, s *source.Source, r *source.Recording) error {
	m := source.Manifest{Name: s.Manifest.Name, About: s.Manifest.About, Format: "npy"}
	class := ""
	if !s.Manifest.Unlabelled() {
		class = `_class-(?<class>\d+)`
		m.Label.Group = "class"
		for i, c := range s.Classes {
			m.Label.Classes = append(m.Label.Classes, source.ClassRule{Label: fmt.Sprint(i), Class: c})
		}
	}
	m.Files = `(^|/)subject-(?<subject>.+)_session-(?<session>.*)_trial-(?<trial>\d+)(_stimulus-(?<stimulus>.+))?_part-(?<part>\d+)` + class + `\.npz$`
	m.Signal = source.SignalRule{Rate: r.Rate, Electrodes: r.Channels, Array: "x"}
	// Channels that were asked for by name would be left out again.
	if !source.TakesAll(r.Channels) {
		m.Channels.Pick = r.Channels
	}
	if r.Baseline != nil {
		m.Signal.Baseline = float64(len(r.Baseline[0])) / r.Rate
	}
	b, err := yaml.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	return atomicfile.WriteFile(filepath.Join(dir, source.ManifestName), b)
}
