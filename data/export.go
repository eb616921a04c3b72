package data

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"

	"eegprune/data/atomicfile"
	"eegprune/data/npy"
)

// SaveNPZ writes a set for use from Python: x [clips, ...], y, classes, and the
// subject, session, trial, start and end of each clip, as numpy.load gives them.
func (s *Set) SaveNPZ(path string) error {
	n := s.Len()
	subject, session := make([]string, n), make([]string, n)
	trial, start, end := make([]int64, n), make([]int64, n), make([]int64, n)
	for i, c := range s.Clips {
		subject[i], session[i] = c.Subject, c.Session
		trial[i], start[i], end[i] = int64(c.Trial), int64(c.Start), int64(c.End)
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		return npy.WriteArchive(w, []npy.Named{
			{Name: "x", Shape: append([]int{n}, s.Shape...), Values: s.X}, {Name: "y", Values: s.Y}, {Name: "classes", Values: s.Classes},
			{Name: "subject", Values: subject}, {Name: "session", Values: session}, {Name: "trial", Values: trial},
			{Name: "start", Values: start}, {Name: "end", Values: end}, {Name: "channels", Values: s.Channels}, {Name: "rate", Values: []float64{s.Rate}},
		})
	})
}

// Convert writes every recording as an .npz file and a manifest by which [Open]
// reads them: the array x [channels, samples], which begins with the baseline
// where there is one, in a file named by subject, session, trial and class.
func Convert(ctx context.Context, s *Source, dir string, progress func(Progress)) error {
	labels, err := s.labels(nil)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the directory for the converted recordings: %w", err)
	}
	b := &builder{source: s, options: Options{Progress: progress}}
	var first *Recording
	parts := map[groupKey]int{}
	err = b.eachRecording(ctx, func(r *Recording) error {
		class, err := labels.Class(r.Labels)
		if err != nil {
			return fmt.Errorf("%s: trial %d: %w", r.File, r.Trial, err)
		}
		if first == nil {
			first = r
		}
		l := &layout{channels: first.Channels, rate: first.Rate}
		if err := l.fits(r); err != nil {
			return fmt.Errorf("%s: %w", r.File, err)
		}
		if (r.Baseline == nil) != (first.Baseline == nil) {
			return fmt.Errorf("%s: it differs from the recordings before it in whether it has a baseline", r.File)
		}
		// An interrupted trial is several recordings.
		key := groupKey{subject: r.Subject, session: r.Session, trial: r.Trial}
		parts[key]++
		return r.saveNPZ(filepath.Join(dir, fmt.Sprintf("subject-%s_session-%s_trial-%d_part-%d_class-%d.npz", plainName(r.Subject), plainName(r.Session), r.Trial, parts[key], class)))
	}, nil)
	if err != nil {
		return err
	}
	if first == nil {
		return fmt.Errorf("%s has no recordings to convert", s.Dir)
	}
	return writeConverted(dir, s, first, labels.Classes)
}

// plainName keeps of a name what can stand between the marks of a file's name.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`_/\:*?"<>|`, r) || r < ' ' {
			return '-'
		}
		return r
	}, name)
}

func (r *Recording) saveNPZ(path string) error {
	var x []float64
	for c, row := range r.Samples {
		if r.Baseline != nil {
			x = append(x, r.Baseline[c]...)
		}
		x = append(x, row...)
	}
	shape := []int{len(r.Samples), len(x) / max(1, len(r.Samples))}
	return atomicfile.Write(path, func(w io.Writer) error {
		return npy.WriteArchive(w, []npy.Named{{Name: "x", Shape: shape, Values: x}})
	})
}

func writeConverted(dir string, s *Source, r *Recording, classes []string) error {
	m := Manifest{Name: s.Manifest.Name, About: s.Manifest.About, Format: "npy",
		Files: `(^|/)subject-(?<subject>[^_]+)_session-(?<session>[^_]*)_trial-(?<trial>\d+)_part-(?<part>\d+)_class-(?<class>\d+)\.npz$`}
	m.Label.Group = "class"
	for i, c := range classes {
		m.Label.Classes = append(m.Label.Classes, ClassRule{fmt.Sprint(i), c})
	}
	m.Signal = SignalRule{Rate: r.Rate, Electrodes: r.Channels, Array: "x"}
	if r.Baseline != nil {
		m.Signal.Baseline = float64(len(r.Baseline[0])) / r.Rate
	}
	b, err := yaml.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	return atomicfile.Write(filepath.Join(dir, ManifestName), func(w io.Writer) error { _, err := w.Write(b); return err })
}
