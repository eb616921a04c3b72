package simulate

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/data/dsp"
	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/data/transform"
	"github.com/eegprune/eegprune/internal/note"
)

// small is quick to make.
func small() Config {
	c := Default()
	c.Subjects, c.Trials, c.Seconds = 2, 4, 5
	c.Electrodes = []string{"Fp1", "Fz", "F4", "C3", "Pz", "Oz"}
	return c
}

func write(t *testing.T, c Config) (string, *Truth) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "made")
	truth, err := Write(t.Context(), dir, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return dir, truth
}

func TestLabelsComeBackExactly(t *testing.T) {
	for _, classes := range [][]string{{"calm", "tense"}, {"sad", "neutral", "glad"}} {
		c := small()
		c.Classes, c.Trials = classes, 2*len(classes)
		dir, truth := write(t, c)
		s, err := source.Open(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		var got []Trial
		err = s.Each(t.Context(), source.Walk{Notes: &note.List{}}, func(r *source.Recording) error {
			got = append(got, Trial{r.Subject, r.Trial, int(r.Labels["label"])})
			if len(r.Samples[0]) != int(c.Seconds*c.Rate) {
				t.Errorf("trial of %d samples", len(r.Samples[0]))
			}
			if d := cmp.Diff(c.Electrodes, r.Channels); d != "" {
				t.Error(d)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(truth.Trials, got); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(classes, s.Classes); d != "" {
			t.Error(d)
		}
	}
}

// TestBestAccuracyIsTheIdealObservers draws the numbers of the model anew and
// lets an observer who knows the means take the likeliest class, by the
// densities themselves and not by the formula.
func TestBestAccuracyIsTheIdealObservers(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for _, classes := range []int{2, 3, 5} {
		c := Default()
		c.Classes = make([]string, classes)
		c.Effects[0].Distance, c.Effects[1].Distance = -1.2, 0.8
		for _, windows := range []int{1, 4} {
			hits, n := 0, 40000
			for range n {
				class := rng.IntN(classes)
				loglik := make([]float64, classes)
				for range windows {
					for _, e := range c.Effects {
						g := e.Distance*float64(class) + rng.NormFloat64()
						for k := range loglik {
							d := g - e.Distance*float64(k)
							loglik[k] -= d * d / 2
						}
					}
				}
				best := 0
				for k := range loglik {
					if loglik[k] > loglik[best] {
						best = k
					}
				}
				if best == class {
					hits++
				}
			}
			want := c.BestAccuracy(float64(windows))
			got := float64(hits) / float64(n)
			if sd := math.Sqrt(want * (1 - want) / float64(n)); math.Abs(got-want) > 4*sd {
				t.Errorf("%d classes, %d windows: the observer is right in %.4f, BestAccuracy says %.4f (sd %.4f)", classes, windows, got, want, sd)
			}
		}
	}
}

// TestRealisedAccuracyIsNearTheBest: the observer of the drawn windows comes
// out at the best accuracy within sampling error.
func TestRealisedAccuracyIsNearTheBest(t *testing.T) {
	c := small()
	c.Subjects, c.Trials, c.Seconds = 6, 8, 20
	_, truth := write(t, c)
	if truth.Windows != 6*8*20 {
		t.Fatalf("%d windows", truth.Windows)
	}
	if sd := math.Sqrt(truth.Best * (1 - truth.Best) / float64(truth.Windows)); math.Abs(truth.Realised-truth.Best) > 4*sd {
		t.Errorf("realised %.4f, best %.4f (sd %.4f)", truth.Realised, truth.Best, sd)
	}
}

// TestPowerFollowsTheLabel measures band power in the files: above each source it differs
// between classes by the effect, as far as background and filter leave it.
func TestPowerFollowsTheLabel(t *testing.T) {
	c := small()
	c.Subjects, c.Trials, c.Seconds = 4, 8, 20
	dir, _ := write(t, c)
	s, err := source.Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	set, err := data.Features(t.Context(), s, data.Options{Seconds: 1, Standardize: "none",
		Transforms: transform.Pipeline{transform.NewBandDifferentialEntropy(transform.DefaultBands())}})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range c.Effects {
		band := map[string]int{"alpha": 1, "gamma": 3}[e.Band.Name]
		var sum, n [2]float64
		for i, y := range set.Y {
			for k, name := range set.Channels {
				if name == e.Electrode {
					sum[y] += float64(set.X[i*len(set.Channels)*4+k*4+band])
					n[y]++
				}
			}
		}
		got := 2 * (sum[1]/n[1] - sum[0]/n[0]) * math.Ln2 // in natural logarithms of power
		want := e.Distance * c.Spread
		if got/want < 0.5 || got/want > 1.1 {
			t.Errorf("%s at %s: log power differs by %.2f, the source's by %.2f", e.Band.Name, e.Electrode, got, want)
		}
	}
}

// TestBackgroundFallsWithFrequency: an octave up, a 1/f background has half the
// power per hertz, so that octave bands are about equal; white noise would
// double.
func TestBackgroundFallsWithFrequency(t *testing.T) {
	g := &generator{Config: Default(), rng: rand.New(rand.NewPCG(1, 1)), n: 1 << 16}
	x := g.pink()
	var power []float64
	for low := 2.0; low <= 16; low *= 2 {
		f, err := dsp.NewBandpass(4, low, 2*low, 128)
		if err != nil {
			t.Fatal(err)
		}
		y := make([]float64, len(x))
		f.Filter(y, x)
		power = append(power, dsp.Variance(y))
	}
	for i := 1; i < len(power); i++ {
		if r := power[i] / power[i-1]; r < 0.7 || r > 1.4 {
			t.Errorf("octave %d has %.2f times the power of the one below", i, r)
		}
	}
}

func TestSameSeedSameFiles(t *testing.T) {
	c := small()
	a, _ := write(t, c)
	b, _ := write(t, c)
	c.Seed++
	other, _ := write(t, c)
	for _, name := range []string{"s01.edf", "s02.edf", source.ManifestName} {
		x, y, z := readFile(t, a, name), readFile(t, b, name), readFile(t, other, name)
		if x != y {
			t.Errorf("%s differs between two runs of one seed", name)
		}
		if x == z {
			t.Errorf("%s is the same for two seeds", name)
		}
	}
	if readFile(t, a, "s01.edf") == readFile(t, a, "s02.edf") {
		t.Error("two subjects have the same recording")
	}
}

func readFile(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestNothingElseIsLeftBehind(t *testing.T) {
	c := small()
	dir, _ := write(t, c)
	if _, err := Write(t.Context(), dir, c, nil); err != nil {
		t.Errorf("writing the same again: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != c.Subjects+1 {
		t.Errorf("%d files, want %d recordings and a manifest", len(entries), c.Subjects)
	}
	if err := os.WriteFile(filepath.Join(dir, "mine.edf"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(t.Context(), dir, c, nil); err == nil || !strings.Contains(err.Error(), "mine.edf") {
		t.Errorf("a directory with another file: %v", err)
	}
}

func TestWriteStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := filepath.Join(t.TempDir(), "made")
	if _, err := Write(ctx, dir, small(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestConfigRefuses(t *testing.T) {
	for name, change := range map[string]func(c *Config){
		"unknown format":      func(c *Config) { c.Format = "wav" },
		"deap's electrodes":   func(c *Config) { c.Format = "deap" },
		"seed's classes":      func(c *Config) { c.Format = "seed" },
		"no subject":          func(c *Config) { c.Subjects = 0 },
		"uneven trials":       func(c *Config) { c.Trials = 3 },
		"one class":           func(c *Config) { c.Classes = c.Classes[:1] },
		"class twice":         func(c *Config) { c.Classes = []string{"a", "a"} },
		"broken rate":         func(c *Config) { c.Rate = 128.5 },
		"no rate":             func(c *Config) { c.Rate = math.NaN() },
		"broken seconds":      func(c *Config) { c.Seconds = 1.5 },
		"tiny window":         func(c *Config) { c.Window = 0.01 },
		"no spread":           func(c *Config) { c.Spread = 0 },
		"no effect":           func(c *Config) { c.Effects = nil },
		"no electrode":        func(c *Config) { c.Electrodes = nil },
		"unknown electrode":   func(c *Config) { c.Electrodes = []string{"Q1"} },
		"electrode twice":     func(c *Config) { c.Electrodes = []string{"Cz", "Cz"} },
		"effect elsewhere":    func(c *Config) { c.Effects = []Effect{{transform.DefaultBands()[0], "Q1", 1, 1}} },
		"effect above rate":   func(c *Config) { c.Rate = 64 },
		"directory is a file": nil,
	} {
		c := small()
		dir := t.TempDir()
		if change != nil {
			change(&c)
		} else {
			dir = filepath.Join(dir, "f")
			if err := os.WriteFile(dir, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Write(t.Context(), dir, c, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAnyMontageCanBeSimulated(t *testing.T) {
	c := small()
	c.Subjects, c.Trials, c.Seconds = 1, 2, 1
	for _, m := range montage.Montages() {
		c.Electrodes = m.Electrodes
		write(t, c)
	}
}
