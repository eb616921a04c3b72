// Package simulate makes EEG recordings for which the accuracy of the best classifier is known: a 1/f
// background, sources in frequency bands mixed through a simple head model, blinks, line noise and
// differences between subjects and trials. No recording of a person goes into them.
//
// # The best accuracy
//
// The label of a trial changes nothing but the power of the sources in
// Config.Effects. Time is cut into windows (of one second). In each window the
// natural logarithm of the power of source b is drawn anew,
//
//	g = level + Spread * (Distance_b * (class - (classes-1)/2) + z),   z ~ N(0, 1),
//
// and the source's signal in that window is scaled to have just that power.
// The label reaches the recording through the numbers g alone, so nobody who
// sees one window can name its class more often than one who is told g, and
// who best takes the class with the nearest mean. In units of Spread the means
// of neighbouring classes are apart by
//
//	d = sqrt(sum over sources of Distance_b^2)
//
// on one line, so that with K equally likely classes this ideal observer is
// right with probability
//
//	(2 (K-1) Phi(d/2) - (K-2)) / K,
//
// Phi(d/2) for two classes, Phi the normal distribution function. Where classes are not
// equally frequent, as in sets whose films are always the same, the observer knows how
// frequent they are, and the borders between classes move towards the rarer ones. With n
// windows seen at once d grows by sqrt(n). A classifier that must find g in the
// recording, among background and noise, stays below. One that comes out above
// by more than chance has seen something else than the label: clips of the same
// trial in training, say, since each trial has a noise of its own.
package simulate

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/data/transform"
	"github.com/eegprune/eegprune/internal/spelling"
)

// A Config holds the settings of a simulation.
type Config struct {
	Format     string // of the files, one of [Formats]; empty is "edf"
	Subjects   int
	Trials     int     // of each subject, a multiple of the number of classes, or that of the format's sessions
	Seconds    float64 // of a trial
	Rate       float64 // samples per second
	Electrodes []string
	Classes    []string
	Effects    []Effect
	Spread     float64 // standard deviation of a source's log power within a class
	Window     float64 // seconds in which a source has one power
	LineHz     float64 // 50 or 60; 0 for none
	Seed       uint64
}

// An Effect is a source whose power depends on the class.
type Effect struct {
	Band      transform.Band
	Electrode string  // the source lies below it
	Microvolt float64 // its root mean square there at the mean power
	Distance  float64 // between neighbouring classes, in units of Spread; negative where power falls
}

// Default returns 8 subjects with 6 trials of 30 s, 32 electrodes, two classes
// and a best accuracy of 92 % on clips of one second.
func Default() Config {
	deap := montage.Montages()[0]
	return Config{Subjects: 8, Trials: 6, Seconds: 30, Rate: 128, Electrodes: deap.Electrodes,
		Classes: []string{"negative", "positive"}, Spread: 0.6, Window: 1, LineHz: 50, Seed: 1,
		Effects: []Effect{
			{transform.Band{Name: "alpha", Low: 8, High: 14}, "Pz", 10, -2},
			{transform.Band{Name: "gamma", Low: 31, High: 49}, "F4", 4, 2},
		}}
}

// Distance returns d, how far the means of neighbouring classes are apart.
func (c Config) Distance() float64 {
	sum := 0.0
	for _, e := range c.Effects {
		sum += e.Distance * e.Distance
	}
	return math.Sqrt(sum)
}

// BestAccuracy returns the probability with which the ideal observer of the
// sources' powers names the class of a clip of that many seconds, which begins
// with a window. No classifier of clips can do better, but by chance.
func (c Config) BestAccuracy(seconds float64) float64 {
	windows := max(1, math.Ceil(seconds/c.Window-1e-9))
	d := c.Distance() * math.Sqrt(windows)
	right := 0.0
	edge := math.Inf(-1)
	for k, share := range c.shares() {
		// The class is named between the points where its neighbours get as likely.
		next := math.Inf(1)
		if k+1 < len(c.Classes) {
			next = (float64(k)+0.5)*d + math.Log(share/c.shares()[k+1])/d
		}
		if next > edge {
			mean := float64(k) * d
			right += share * (distuv.UnitNormal.CDF(next-mean) - distuv.UnitNormal.CDF(edge-mean))
		}
		edge = max(edge, next)
	}
	return right
}

// shares are how frequent the classes are.
func (c Config) shares() []float64 {
	shares := make([]float64, len(c.Classes))
	f, err := formatNamed(c.Format)
	if err != nil || f.class == nil || f.check(c) != nil {
		for k := range shares {
			shares[k] = 1 / float64(len(shares))
		}
		return shares
	}
	for t := range c.Trials {
		shares[f.classOf(0, t)] += 1 / float64(c.Trials)
	}
	return shares
}

// check finds settings that can't be simulated.
func (c Config) check() error {
	switch {
	case c.Subjects < 1 || c.Subjects > 999:
		return fmt.Errorf("%d subjects: there must be 1 to 999", c.Subjects)
	case len(c.Classes) < 2:
		return fmt.Errorf("%d class(es): there must be at least 2", len(c.Classes))
	case c.Trials < 1:
		return fmt.Errorf("%d trials a subject: there must be at least 1", c.Trials)
	case !(c.Rate >= 1) || c.Rate != math.Trunc(c.Rate) || c.Rate > 1e5:
		return fmt.Errorf("%g samples a second: there must be a whole number of 1 to 100000", c.Rate)
	case !(c.Seconds >= 1) || c.Seconds != math.Trunc(c.Seconds) || c.Seconds > 1e5:
		return fmt.Errorf("trials of %g s: they must last whole seconds, 1 to 100000", c.Seconds)
	case !(c.Window*c.Rate >= 8):
		return fmt.Errorf("windows of %g s: they must last at least 8 samples", c.Window)
	case !(c.Spread > 0) || c.LineHz < 0:
		return fmt.Errorf("spread %g and line frequency %g: the first must be positive and the second not negative", c.Spread, c.LineHz)
	case len(c.Effects) == 0:
		return fmt.Errorf("no effects: the label would change nothing")
	}
	return c.checkNames()
}

func (c Config) checkNames() error {
	if len(c.Electrodes) == 0 {
		return fmt.Errorf("no electrodes are given")
	}
	seen := map[string]bool{}
	for _, e := range c.Electrodes {
		if _, ok := montage.Position(e); !ok || seen[e] {
			return fmt.Errorf("electrode %q is given twice or is none of the 10-10 system (did you mean %s?)", e, spelling.Nearest(e, montage.Names()))
		}
		seen[e] = true
	}
	for _, e := range c.Effects {
		if _, ok := montage.Position(e.Electrode); !ok {
			return fmt.Errorf("the effect in %s lies at %q, which is none of the 10-10 system (did you mean %s?)", e.Band.Name, e.Electrode, spelling.Nearest(e.Electrode, montage.Names()))
		}
		if e.Band.High >= c.Rate/2 {
			return fmt.Errorf("the effect in %s ends at %g Hz: at %g samples a second it must end below %g Hz", e.Band.Name, e.Band.High, c.Rate, c.Rate/2)
		}
	}
	names := map[string]bool{"": true}
	for _, name := range c.Classes {
		if names[name] {
			return fmt.Errorf("class %q is empty or given twice", name)
		}
		names[name] = true
	}
	return nil
}
