package simulate

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/internal/note"
)

// TestEveryLayoutIsRecognised: each data set is recognised without a manifest, by the contents
// of the directory, and its files hold the labels and signals that were made.
func TestEveryLayoutIsRecognised(t *testing.T) {
	for _, format := range Formats() {
		if format == "edf" {
			continue
		}
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			c, err := DefaultFor(format)
			if err != nil {
				t.Fatal(err)
			}
			f, err := formatNamed(format)
			if err != nil {
				t.Fatal(err)
			}
			c.Subjects = 2
			if f.seconds == 0 {
				c.Seconds = max(1, f.window)
			}
			dir, truth := write(t, c)
			if f.own == nil {
				if err := os.Remove(filepath.Join(dir, source.ManifestName)); err != nil {
					t.Fatal(err)
				}
			}
			s, err := source.Open(dir, "")
			if err != nil {
				t.Fatal(err)
			}
			if f.own == nil && (s.Manifest.Name != format || !s.Origin.BuiltIn) {
				t.Fatalf("it is taken for %s by %s", s.Manifest.Name, s.Origin)
			}
			labels, err := s.PrepareLabels(nil)
			if err != nil {
				t.Fatal(err)
			}
			var made []*session
			for s := range c.Subjects {
				m, err := c.generate(s, f)
				if err != nil {
					t.Fatal(err)
				}
				made = append(made, m)
			}
			var got []Trial
			stimuli := map[string]string{}
			err = eachTrial(t, s, func(r *source.Recording) error {
				class, err := labels.Class(r.Labels)
				got = append(got, Trial{r.Subject, r.Trial, class})
				if n := r.Len(); n != int(c.Seconds*r.Rate) {
					t.Errorf("trial %d has %d samples", r.Trial, n)
				}
				if r.Rate != c.Rate && f.window == 0 {
					t.Errorf("trial %d has the rate %g", r.Trial, r.Rate)
				}
				if d := cmp.Diff(c.Electrodes, r.Channels); d != "" {
					t.Error(d)
				}
				if (r.Stimulus == "") != f.mute {
					t.Errorf("nothing says of what trial %d of subject %s was", r.Trial, r.Subject)
				}
				session, trial := made[(len(got)-1)/c.Trials], (len(got)-1)%c.Trials
				if f.window > 0 {
					checkWindows(t, c, session, trial, r)
				} else {
					checkSamples(t, c, session, trial, r)
				}
				if f.class != nil && !f.mute { // the film says the class
					if was, ok := stimuli[r.Stimulus]; ok && was != labels.Classes[class] {
						t.Errorf("stimulus %s is %s and %s", r.Stimulus, was, labels.Classes[class])
					}
					stimuli[r.Stimulus] = labels.Classes[class]
				}
				if faults := r.Faults(); len(faults) > 0 {
					t.Errorf("trial %d: %v", r.Trial, faults)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(truth.Trials, got); d != "" {
				t.Errorf("(-made +read):\n%s", d)
			}
			if f.own == nil {
				checkHalf(t, dir)
			}
		})
	}
}

// eachTrial reads trials whole, also those that are in several recordings.
func eachTrial(t *testing.T, s *source.Source, do func(*source.Recording) error) error {
	var whole []*source.Recording
	err := s.Each(t.Context(), source.Walk{Notes: &note.List{}}, func(r *source.Recording) error {
		if n := len(whole) - 1; n >= 0 && whole[n].Subject == r.Subject && whole[n].Session == r.Session && whole[n].Trial == r.Trial {
			for k := range r.Samples {
				whole[n].Samples[k] = slices.Concat(whole[n].Samples[k], r.Samples[k])
			}
			return nil
		}
		whole = append(whole, r)
		return nil
	})
	for _, r := range whole {
		if err == nil {
			err = do(r)
		}
	}
	return err
}

// checkWindows compares features that were read with those of the signals that were made.
func checkWindows(t *testing.T, c Config, made *session, trial int, r *source.Recording) {
	all, err := windows(c, made.rows(made.trials[trial], 0))
	if err != nil {
		t.Fatal(err)
	}
	const bands = 5
	for k, row := range r.Samples {
		for i, v := range row {
			if want := all[i/bands][k*bands+i%bands]; v != want {
				t.Fatalf("trial %d of subject %s, channel %s, window %d: %g was made and %g is read", r.Trial, r.Subject, c.Electrodes[k], i/bands, want, v)
			}
		}
	}
}

// checkSamples compares the samples read with those made, channel by channel.
func checkSamples(t *testing.T, c Config, made *session, trial int, r *source.Recording) {
	x := made.trials[trial]
	for k, row := range r.Samples {
		for i, v := range row {
			if want := made.signals[k][x.start+i]; math.Abs(v-want) > digitalStep {
				t.Fatalf("trial %d of subject %s, channel %s, sample %d: %g was made and %g is read", r.Trial, r.Subject, c.Electrodes[k], i, want, v)
			}
		}
	}
	for k, row := range r.Baseline { // the samples right before
		for i, v := range row {
			if want := made.signals[k][x.start-len(row)+i]; math.Abs(v-want) > digitalStep {
				t.Fatalf("baseline of trial %d, channel %s, sample %d: %g was made and %g is read", r.Trial, c.Electrodes[k], i, want, v)
			}
		}
	}
}

// checkHalf removes a file from a directory. The rest must be read, with a note that names the
// gap.
func checkHalf(t *testing.T, dir string) {
	s, err := source.Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Files) > 1 {
		if err := os.Remove(s.Files[len(s.Files)-1].Path); err != nil {
			t.Fatal(err)
		}
		if s, err = source.Open(dir, ""); err != nil {
			t.Fatal(err)
		}
	}
	sum, err := source.Inspect(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(sum.Bad) > 0 || !slices.ContainsFunc(sum.Notes, func(n note.Note) bool {
		return strings.Contains(n.String(), "not here") || strings.Contains(n.String(), "no recording is read")
	}) {
		t.Errorf("of half a set is said: %q, bad: %q", sum.Notes.Sentences(), sum.Bad)
	}
}

// Classes that are not equally frequent: an observer who knows how frequent they are, by the
// densities themselves.
func TestBestAccuracyOfUnequalClasses(t *testing.T) {
	c, err := DefaultFor("seed-vii")
	if err != nil {
		t.Fatal(err)
	}
	c.Effects[0].Distance, c.Effects[1].Distance = 0.9, 0.6
	shares := c.shares()
	if math.Abs(shares[3]-0.1) > 1e-12 || math.Abs(shares[0]-0.15) > 1e-12 {
		t.Fatalf("the shares are %v", shares)
	}
	rng := rand.New(rand.NewPCG(3, 3))
	hits, n := 0, 60000
	f, err := formatNamed("seed-vii")
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		class := f.classOf(0, i%80)
		x := c.Distance()*float64(class) + rng.NormFloat64()
		best, most := 0, math.Inf(-1)
		for k, share := range shares {
			off := x - c.Distance()*float64(k)
			if l := share * math.Exp(-off*off/2); l > most {
				best, most = k, l
			}
		}
		if best == class {
			hits++
		}
	}
	want := c.BestAccuracy(1)
	if got := float64(hits) / float64(n); math.Abs(got-want) > 4*math.Sqrt(want*(1-want)/float64(n)) {
		t.Errorf("the observer is right in %.4f, BestAccuracy says %.4f", got, want)
	}
}
