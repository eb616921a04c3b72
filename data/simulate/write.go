package simulate

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/goccy/go-yaml"
	"golang.org/x/sync/errgroup"

	"eegprune/data"
	"eegprune/data/atomicfile"
	"eegprune/data/edf"
)

// A Truth is what is known of simulated recordings and can't be read from them.
type Truth struct {
	Dir string
	// Best is the accuracy that no classifier of clips of one window exceeds but
	// by chance. See the package's documentation.
	Best float64
	// Realised is how often the ideal observer was right on the windows that
	// were drawn, Windows in number.
	Realised float64
	Windows  int
	Trials   []Trial
}

// A Trial is the label of one trial.
type Trial struct {
	Subject string
	Trial   int
	Class   int
}

// Write simulates recordings and writes one EDF+ file for each subject, in
// which each trial is an annotation with the name of its class, and the
// manifest by which [data.Open] reads them. Files are written whole: an
// interrupted Write leaves none half-written. It refuses a directory with
// anything else in it, so that recordings of two simulations don't mix.
// progress, where it isn't nil, is called after each subject.
func Write(ctx context.Context, dir string, c Config, progress func(data.Progress)) (*Truth, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("simulating: %w", err)
	}
	if err := c.prepareDir(dir); err != nil {
		return nil, err
	}
	trials := make([][]trial, c.Subjects)
	g, working := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	finished := make(chan int, c.Subjects)
	for s := range c.Subjects {
		g.Go(func() error {
			if err := working.Err(); err != nil {
				return err
			}
			made, err := c.generate(s)
			if err != nil {
				return fmt.Errorf("simulating subject %d: %w", s+1, err)
			}
			trials[s] = made.trials
			err = atomicfile.Write(filepath.Join(dir, fileName(s)), func(w io.Writer) error { return c.writeEDF(w, s, made) })
			finished <- s
			return err
		})
	}
	for done := range c.Subjects {
		select {
		case s := <-finished:
			if progress != nil {
				progress(data.Progress{Done: done + 1, Total: c.Subjects, File: fileName(s)})
			}
		case <-working.Done():
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	t := c.truth(dir, trials)
	return t, c.writeManifest(t)
}

func fileName(s int) string { return subjectName(s) + ".edf" }

func subjectName(s int) string { return fmt.Sprintf("s%02d", s+1) }

// prepareDir makes the directory or checks that what is in it will be
// overwritten.
func (c Config) prepareDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the directory for simulated recordings: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("looking into the directory for simulated recordings: %w", err)
	}
	own := []string{data.ManifestName}
	for s := range c.Subjects {
		own = append(own, fileName(s))
	}
	for _, e := range entries {
		if !slices.Contains(own, e.Name()) {
			return fmt.Errorf("directory %s holds %s, which is none of the files to be simulated: give a new directory, or empty it", dir, e.Name())
		}
	}
	return nil
}

// digitalStep is the resolution of the files in microvolts.
const digitalStep = 0.05

func (c Config) writeEDF(w io.Writer, s int, made *session) error {
	h := &edf.Header{Patient: subjectName(s) + " X X X", Recording: "Startdate 01-JAN-2000 X X eegprune_simulation",
		StartDate: "01.01.00", StartTime: "00.00.00", RecordSeconds: 1, Plus: true}
	h.Records = len(made.signals[0]) / int(c.Rate)
	for _, e := range c.Electrodes {
		h.Signals = append(h.Signals, edf.Signal{Label: "EEG " + e, Transducer: "simulated", Dimension: "uV",
			PhysicalMin: -32768 * digitalStep, PhysicalMax: 32767 * digitalStep, DigitalMin: -32768, DigitalMax: 32767, SamplesPerRecord: int(c.Rate)})
	}
	var notes []edf.Annotation
	for _, t := range made.trials {
		notes = append(notes, edf.Annotation{Onset: float64(t.start) / c.Rate, Duration: float64(t.length) / c.Rate, Text: c.Classes[t.class]})
	}
	return edf.Write(w, h, made.signals, notes)
}

func (c Config) truth(dir string, trials [][]trial) *Truth {
	t := &Truth{Dir: dir, Best: c.BestAccuracy(c.Window)}
	hits := 0
	for s, list := range trials {
		for i, tr := range list {
			hits += tr.hits
			t.Windows += tr.windows
			t.Trials = append(t.Trials, Trial{subjectName(s), i + 1, tr.class})
		}
	}
	t.Realised = float64(hits) / float64(t.Windows)
	return t
}

func (c Config) writeManifest(t *Truth) error {
	m := data.Manifest{Name: "simulated", Format: "edf", Files: `(^|/)(?<subject>s\d+)\.edf$`}
	m.About = fmt.Sprintf("no recordings of people; no classifier of clips of %g s can be right in more than %.1f %% of them but by chance (%.1f %% of those drawn, chance %.1f %%), as the label changes only the power of %d sources by known amounts (seed %d)",
		c.Window, 100*t.Best, 100*t.Realised, 100/float64(len(c.Classes)), len(c.Effects), c.Seed)
	m.Label.Annotations = true
	for _, name := range c.Classes {
		m.Label.Classes = append(m.Label.Classes, data.ClassRule{Label: name, Class: name})
	}
	b, err := yaml.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	return atomicfile.Write(filepath.Join(t.Dir, data.ManifestName), func(w io.Writer) error { _, err := w.Write(b); return err })
}
