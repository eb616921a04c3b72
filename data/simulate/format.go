package simulate

import (
	"fmt"
	"io"
	"iter"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/internal/spelling"
)

// A fileFormat writes the files of one format, or of one data set in its layout.
type fileFormat struct {
	name string
	// subject is the reader's name for subject number s, counted from 0.
	subject func(s int) string
	// files are those of one subject, and together those of all; either is nil where there are
	// none. Without recordings they have only names.
	files    func(c Config, s int, made *session) []file
	together func(c Config, made []*session) []file

	// Limits of the format; zero for any.
	electrodes []string
	rate       float64
	classes    []string
	subjects   int  // at most
	trials     int  // of a session
	sessions   int  // at most; there are as many as trials ask for
	most       int  // trials of a subject where sessions don't say it
	all        bool // whether there must be all sessions, as they are in one file

	gap     float64 // seconds of rest before each trial
	seconds float64 // of a trial; 0 for any
	// window is how many seconds one window of features is of; 0 where files hold samples.
	window float64
	// class says which class each trial of a session of a subject has, counted from 0, where the
	// set's films are always the same; nil where classes are drawn.
	class func(s, session, trial int) int
	// mute says that the files don't name the stimuli of trials.
	mute bool
	// own is the manifest of a format that is no data set's.
	own func(c Config) *source.Manifest
	// number is the number of a subject's trial, where that isn't counted in its session.
	number func(s, trial int) int
	// sameOrder says that all subjects have the trials in one order.
	sameOrder bool
}

// A file is one to be written.
type file struct {
	name  string // below the directory, with slashes
	write func(w io.Writer) error
}

// formats lists the formats that recordings are written in.
func formats() []fileFormat {
	return []fileFormat{edfFormat(), bidsFormat(), deapFormat(), deapMATLABFormat(), deapBDFFormat(), seedFormat(), seedIVFormat(), seedVFormat(), seedVFeaturesFormat(), seedVIIFormat(),
		dreamerFormat(), amigosFormat(), mahnobFormat(), facedFormat(), facedBDFFormat(), thuEPFormat(), daspsFormat(), daspsRawFormat(), gameemoFormat(),
		emoEEGMCFormat(), ds002723Format(), ds002724Format(), eegmatFormat(), eegmmidbFormat()}
}

// Formats returns the names that Config.Format can have.
func Formats() []string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.name)
	}
	return names
}

func formatNamed(name string) (fileFormat, error) {
	for _, f := range formats() {
		if f.name == name || (name == "" && f.name == "edf") {
			return f, nil
		}
	}
	return fileFormat{}, spelling.Unknown("format to simulate", name, Formats())
}

// DefaultFor is [Default] in another of [Formats], with that data set's electrodes, rate, classes
// and trials of one session.
func DefaultFor(format string) (Config, error) {
	f, err := formatNamed(format)
	if err != nil {
		return Config{}, err
	}
	c := Default()
	c.Format = f.name
	if f.rate > 0 {
		c.Rate = f.rate
	}
	if f.classes != nil {
		c.Classes = f.classes
	}
	if f.electrodes != nil {
		c.Electrodes = f.electrodes
	}
	if f.trials > 0 {
		c.Trials = f.trials
	}
	if f.all {
		c.Trials *= f.sessions
	}
	if n := len(c.Classes); f.class == nil && c.Trials%n != 0 {
		c.Trials = 2 * n
	}
	if f.subjects > 0 {
		c.Subjects = min(c.Subjects, f.subjects)
	}
	if f.seconds > 0 {
		c.Seconds = f.seconds
	}
	if f.window > 0 { // whole windows, and one at least
		c.Window, c.Seconds = f.window, max(1, math.Floor(c.Seconds/f.window))*f.window
	}
	return c, nil
}

// check finds settings that the format can't hold.
func (f fileFormat) check(c Config) error {
	switch {
	case f.classes != nil && len(c.Classes) != len(f.classes):
		return fmt.Errorf("%d classes: format %s has %d", len(c.Classes), f.name, len(f.classes))
	case f.rate > 0 && c.Rate != f.rate:
		return fmt.Errorf("%g samples a second: format %s has %g", c.Rate, f.name, f.rate)
	case f.subjects > 0 && c.Subjects > f.subjects:
		return fmt.Errorf("%d subjects: format %s has names for %d", c.Subjects, f.name, f.subjects)
	case f.electrodes != nil && !slices.Equal(c.Electrodes, f.electrodes):
		return fmt.Errorf("%d electrodes: format %s has %d of its own in their order", len(c.Electrodes), f.name, len(f.electrodes))
	case f.trials > 0 && (c.Trials%f.trials != 0 || c.Trials > f.trials*max(1, f.sessions)):
		return fmt.Errorf("%d trials a subject: format %s has %d in each session, of which there can be %d", c.Trials, f.name, f.trials, max(1, f.sessions))
	case f.seconds > 0 && c.Seconds != f.seconds:
		return fmt.Errorf("trials of %g s: format %s has trials of %g s", c.Seconds, f.name, f.seconds)
	case f.window > 0 && math.Mod(c.Seconds, f.window) != 0:
		return fmt.Errorf("trials of %g s: format %s has windows of %g s, of which there must be whole ones", c.Seconds, f.name, f.window)
	case f.all && c.Trials != f.trials*f.sessions:
		return fmt.Errorf("%d trials a subject: files of format %s have %d", c.Trials, f.name, f.trials*f.sessions)
	case f.most > 0 && c.Trials > f.most:
		return fmt.Errorf("%d trials a subject: format %s has %d at most", c.Trials, f.name, f.most)
	case f.class == nil && c.Trials%len(c.Classes) != 0:
		return fmt.Errorf("%d trials a subject: there must be a multiple of the %d classes, so that each is as frequent", c.Trials, len(c.Classes))
	}
	return nil
}

// classOf is the class of a subject's trial where the format says it.
func (f fileFormat) classOf(s, trial int) int {
	if f.trials == 0 {
		return f.class(s, 0, trial)
	}
	return f.class(s, trial/f.trials, trial%f.trials)
}

// eachSession gives the trials of one session, and its number from 1, for each that there is. Without
// recordings there are only numbers.
func (f fileFormat) eachSession(c Config, made *session) iter.Seq2[int, []trial] {
	return func(yield func(int, []trial) bool) {
		for i := range max(1, c.Trials/max(1, f.trials)) {
			var trials []trial
			if made != nil {
				trials = made.trials[i*f.trials : (i+1)*f.trials]
			}
			if !yield(i+1, trials) {
				return
			}
		}
	}
}

// electrodesOf are those of a montage that the program knows.
func electrodesOf(name string) []string {
	m, err := montage.Find(name)
	if err != nil {
		return nil // it is compiled in and tested
	}
	return m.Electrodes
}

// numbered names subjects by their numbers from first on.
func numbered(format string, first int) func(int) string {
	return func(s int) string { return fmt.Sprintf(format, s+first) }
}

// manifest is the manifest by which the reader reads the format.
func (f fileFormat) manifest(c Config) (*source.Manifest, error) {
	if f.own != nil {
		return f.own(c), nil
	}
	list, err := source.Builtin()
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		if m.Name == f.name {
			return m, nil
		}
	}
	return nil, fmt.Errorf("no built-in manifest for format %s", f.name)
}

// rounded is a trial's part of a signal in steps of the files' resolution, without which it
// wouldn't compress.
func rounded(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = math.Round(v/digitalStep) * digitalStep
	}
	return out
}

// rows are the signals of a trial, and of the samples before it.
func (s *session) rows(t trial, before int) [][]float64 {
	list := make([][]float64, len(s.signals))
	for r, x := range s.signals {
		list[r] = rounded(x[t.start-before : t.start+t.length])
	}
	return list
}

// rater draws ratings that have nothing to do with the label.
type rater struct{ *rand.Rand }

func (c Config) rater(s int) rater { return rater{rand.New(rand.NewPCG(c.Seed, 1<<32+uint64(s)))} }

// between is a rating of two decimals.
func (r rater) between(low, high float64) float64 {
	return math.Round((low+(high-low)*r.Float64())*100) / 100
}

// by is a rating on a scale, at or above the threshold for class 1 and below it for class 0.
func (r rater) by(class int, low, high, threshold float64) float64 {
	if class == 1 {
		return r.between(threshold, high)
	}
	return r.between(low, threshold-0.01)
}
