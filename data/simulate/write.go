package simulate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"golang.org/x/sync/errgroup"

	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/internal/atomicfile"
)

// A Truth holds the facts about simulated recordings that can't be read from them.
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
	Trial   int // within its session
	Class   int
}

// Write simulates recordings and writes them in the layout of their format, with a
// manifest by which [source.Open] reads them. In EDF+ each trial is an annotation
// with the name of its class; in DEAP's format the class is that of the valence;
// in SEED's the labels are in a file of their own. Files are written whole: an
// interrupted Write leaves none half-written. It refuses a directory with
// anything else in it, so that recordings of two simulations don't mix.
// progress, where it isn't nil, is called after each subject.
func Write(ctx context.Context, dir string, c Config, progress func(source.Progress)) (*Truth, error) {
	f, err := formatNamed(c.Format)
	if err == nil {
		err = errors.Join(c.check(), f.check(c))
	}
	if err != nil {
		return nil, fmt.Errorf("simulating: %w", err)
	}
	if err := f.prepareDir(dir, c); err != nil {
		return nil, err
	}
	trials, all := make([][]trial, c.Subjects), make([]*session, c.Subjects)
	g, working := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	finished := make(chan int, c.Subjects)
	for s := range c.Subjects {
		g.Go(func() error {
			if err := working.Err(); err != nil {
				return err
			}
			made, err := c.generate(s, f)
			if err != nil {
				return fmt.Errorf("simulating subject %d: %w", s+1, err)
			}
			trials[s] = made.trials
			if f.files != nil {
				err = writeFiles(dir, f.files(c, s, made))
			}
			if f.files != nil {
				made.signals = nil // files of all have no signals then
			}
			all[s] = made
			finished <- s
			return err
		})
	}
	for done := range c.Subjects {
		select {
		case s := <-finished:
			if progress != nil {
				progress(source.Progress{Done: done + 1, Total: c.Subjects, File: f.subject(s)})
			}
		case <-working.Done():
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if f.together != nil {
		if err := writeFiles(dir, f.together(c, all)); err != nil {
			return nil, err
		}
	}
	t := c.truth(dir, f, trials)
	return t, c.writeManifest(t, f)
}

// writeFiles writes files below a directory, each whole.
func writeFiles(dir string, files []file) error {
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("making the directory for simulated recordings: %w", err)
		}
		if err := atomicfile.Write(path, f.write); err != nil {
			return err
		}
	}
	return nil
}

// prepareDir makes the directory or checks that its files will be overwritten.
func (f fileFormat) prepareDir(dir string, c Config) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the directory for simulated recordings: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("looking into the directory for simulated recordings: %w", err)
	}
	own := []string{source.ManifestName}
	var files []file
	for s := range c.Subjects {
		if f.files != nil {
			files = append(files, f.files(c, s, nil)...)
		}
	}
	if f.together != nil {
		files = append(files, f.together(c, nil)...)
	}
	for _, file := range files {
		first, _, _ := strings.Cut(file.name, "/")
		own = append(own, first)
	}
	for _, e := range entries {
		if !slices.Contains(own, e.Name()) {
			return fmt.Errorf("directory %s holds %s, which is none of the files to be simulated: give a new directory, or empty it", dir, e.Name())
		}
	}
	return nil
}

func (c Config) truth(dir string, f fileFormat, trials [][]trial) *Truth {
	t := &Truth{Dir: dir, Best: c.BestAccuracy(c.Window)}
	hits := 0
	for s, list := range trials {
		for i, tr := range list {
			hits += tr.hits
			t.Windows += tr.windows
			number := i + 1
			switch {
			case f.number != nil:
				number = f.number(s, i)
			case f.sessions > 0:
				number = i%f.trials + 1
			}
			t.Trials = append(t.Trials, Trial{f.subject(s), number, tr.class})
		}
	}
	t.Realised = float64(hits) / float64(t.Windows)
	return t
}

func (c Config) writeManifest(t *Truth, f fileFormat) error {
	m, err := f.manifest(c)
	if err != nil {
		return err
	}
	m.Name = "simulated"
	m.About = fmt.Sprintf("no recordings of people; no classifier of clips of %g s can be right in more than %.1f %% of them but by chance (%.1f %% of those drawn, chance %.1f %%), as the label changes only the power of %d sources by known amounts (seed %d)",
		c.Window, 100*t.Best, 100*t.Realised, 100/float64(len(c.Classes)), len(c.Effects), c.Seed)
	b, err := yaml.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	return atomicfile.WriteFile(filepath.Join(t.Dir, source.ManifestName), b)
}
