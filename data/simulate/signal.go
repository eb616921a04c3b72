package simulate

import (
	"math"
	"math/rand/v2"

	"github.com/eegprune/eegprune/data/dsp"
	"github.com/eegprune/eegprune/data/montage"
)

// Components of the signals, in microvolts unless the name or the comment says otherwise.
const (
	backgroundSources = 12
	backgroundRMS     = 4.0 // of each source at its electrode
	sensorRMS         = 1.0
	lineAmplitude     = 1.5
	blinkHeight       = 120.0
	blinkSeconds      = 0.3
	secondsPerBlink   = 5.0
	sourceDepth       = 0.4 // below the scalp, in radii of the head

	subjectGainSD    = 0.2 // of the logarithm of all amplitudes
	subjectLevelSD   = 0.4 // of the logarithm of a source's power
	electrodeSD      = 0.1 // of an electrode's share in a source
	trialNoiseSD     = 1.0 // of the logarithm of a trial's own noise power
	trialNoiseRMS    = 3.0
	windowTaperShare = 0.1 // of a window, at each end
)

// A trial is a stretch of a subject's recording under one label.
type trial struct {
	start, length int // samples
	class         int
	hits, windows int // of the ideal observer
}

// A session is one subject's recording.
type session struct {
	signals [][]float64 // one row an electrode, in microvolts
	trials  []trial
}

// generator makes the recording of one subject from that subject's own stream
// of random numbers, so that subjects can be made in any order.
type generator struct {
	Config
	rng    *rand.Rand
	places []montage.Point
	out    [][]float64
	n      int
}

// generate makes subject number s, counted from 0.
func (c Config) generate(s int, f fileFormat) (*session, error) {
	g := &generator{Config: c, rng: rand.New(rand.NewPCG(c.Seed, uint64(s)))}
	for _, e := range c.Electrodes {
		p, _ := montage.Position(e)
		g.places = append(g.places, p)
	}
	trials := g.schedule(f, s)
	gain := math.Exp(subjectGainSD * g.rng.NormFloat64())
	g.background()
	if err := g.trialNoise(trials); err != nil {
		return nil, err
	}
	if err := g.effects(trials); err != nil {
		return nil, err
	}
	g.blinks()
	for _, row := range g.out {
		for i := range row {
			row[i] *= gain
		}
	}
	g.sensors()
	return &session{g.out, trials}, nil
}

// schedule lays out the trials in an order drawn at random, each class equally
// often.
func (g *generator) schedule(f fileFormat, s int) []trial {
	rate := int(g.Rate)
	length, gap := int(g.Seconds)*rate, int(f.gap)*rate
	trials := make([]trial, g.Trials)
	for i := range trials {
		trials[i] = trial{start: gap + i*(length+gap), length: length, class: i % len(g.Classes)}
		if f.class != nil {
			trials[i].class = f.classOf(s, i)
		}
	}
	rng := g.rng
	if f.sameOrder {
		rng = rand.New(rand.NewPCG(g.Seed, math.MaxUint64))
	}
	if f.class == nil {
		rng.Shuffle(len(trials), func(i, j int) { trials[i].class, trials[j].class = trials[j].class, trials[i].class })
	}
	g.n = gap + len(trials)*(length+gap)
	g.out = make([][]float64, len(g.Electrodes))
	for c := range g.out {
		g.out[c] = make([]float64, g.n)
	}
	return trials
}

// mix adds a source's signal to all electrodes. An electrode's share falls with
// the square of its distance from the source, which lies at some depth below
// its place on the scalp; it is 1 right above it.
func (g *generator) mix(source []float64, at montage.Point) {
	for c, p := range g.places {
		d := p.Distance(at)
		share := sourceDepth * sourceDepth / (sourceDepth*sourceDepth + d*d)
		share *= 1 + electrodeSD*g.rng.NormFloat64()
		row := g.out[c][:len(source)]
		for i, v := range source {
			row[i] += share * v
		}
	}
}

// background mixes sources of 1/f noise at random places.
func (g *generator) background() {
	for range backgroundSources {
		at := montage.Point{X: g.rng.NormFloat64(), Y: g.rng.NormFloat64(), Z: math.Abs(g.rng.NormFloat64())}
		r := at.Distance(montage.Point{})
		x := g.pink()
		scaleTo(x, backgroundRMS)
		g.mix(x, montage.Point{X: at.X / r, Y: at.Y / r, Z: at.Z / r})
	}
}

// pink is white noise through Kellet's three first-order filters, whose power
// falls with 1/f.
func (g *generator) pink() []float64 {
	x := make([]float64, g.n)
	var a, b, c float64
	for i := range x {
		w := g.rng.NormFloat64()
		a = 0.99765*a + 0.0990460*w
		b = 0.96300*b + 0.2965164*w
		c = 0.57000*c + 1.0526913*w
		x[i] = a + b + c + 0.1848*w
	}
	return x
}

// narrow is noise in a band.
func (g *generator) narrow(low, high float64) ([]float64, error) {
	f, err := dsp.NewBandpass(4, low, high, g.Rate)
	if err != nil {
		return nil, err
	}
	x := make([]float64, g.n)
	for i := range x {
		x[i] = g.rng.NormFloat64()
	}
	f.Filter(x, x)
	return x, nil
}

// trialNoise gives each trial a noise of its own that has nothing to do with
// its label: the state of the muscles and the vigilance of those minutes.
func (g *generator) trialNoise(trials []trial) error {
	for _, s := range []struct {
		electrode string
		low, high float64
	}{{"T7", 0.16, 0.38}, {"T8", 0.16, 0.38}, {"Fz", 0.03, 0.06}} { // parts of the rate
		x, err := g.narrow(s.low*g.Rate, s.high*g.Rate)
		if err != nil {
			return err
		}
		scaleTo(x, trialNoiseRMS)
		for _, t := range trials {
			level := math.Exp(trialNoiseSD * g.rng.NormFloat64() / 2)
			for i := t.start; i < t.start+t.length; i++ {
				x[i] *= level
			}
		}
		at, _ := montage.Position(s.electrode)
		g.mix(x, at)
	}
	return nil
}

// effects adds the sources that depend on the label and lets the ideal observer
// guess each window.
func (g *generator) effects(trials []trial) error {
	window := int(math.Round(g.Window * g.Rate))
	// How far each window lies along the line through the class means, in
	// units of Spread from the line's middle.
	along := make([][]float64, len(trials))
	for _, e := range g.Effects {
		width := e.Band.High - e.Band.Low
		x, err := g.narrow(e.Band.Low+0.15*width, e.Band.High-0.15*width)
		if err != nil {
			return err
		}
		level := math.Log(e.Microvolt*e.Microvolt) + subjectLevelSD*g.rng.NormFloat64()
		rest := 0
		for t := range trials {
			clear(x[rest:trials[t].start])
			rest = trials[t].start + trials[t].length
			mean := e.Distance * (float64(trials[t].class) - float64(len(g.Classes)-1)/2)
			for w, start := 0, 0; start < trials[t].length; w, start = w+1, start+window {
				score := mean + g.rng.NormFloat64()
				if w == len(along[t]) {
					along[t] = append(along[t], 0)
				}
				along[t][w] += score * e.Distance / g.Distance()
				at := trials[t].start + start
				shape(x[at:min(at+window, rest)], math.Exp((level+g.Spread*score)/2))
			}
		}
		clear(x[rest:])
		at, _ := montage.Position(e.Electrode)
		g.mix(x, at)
	}
	for t := range trials {
		trials[t].judge(along[t], g.Distance(), g.shares())
	}
	return nil
}

// judge takes, for each window, the class that is likeliest: that with the nearest mean, where
// all are equally frequent.
func (t *trial) judge(along []float64, d float64, shares []float64) {
	for _, v := range along {
		guess, best := 0, math.Inf(-1)
		for k, share := range shares {
			off := v - d*(float64(k)-float64(len(shares)-1)/2)
			if l := math.Log(share) - off*off/2; l > best {
				guess, best = k, l
			}
		}
		if guess == t.class {
			t.hits++
		}
		t.windows++
	}
}

// shape lets a window begin and end at rest and gives it the root mean square
// asked for.
func shape(x []float64, rms float64) {
	taper := int(windowTaperShare * float64(len(x)))
	for i := range taper {
		w := (1 - math.Cos(math.Pi*(float64(i)+0.5)/float64(taper))) / 2
		x[i] *= w
		x[len(x)-1-i] *= w
	}
	scaleTo(x, rms)
}

// scaleTo gives a signal a root mean square.
func scaleTo(x []float64, rms float64) {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	if sum == 0 {
		return
	}
	k := rms / math.Sqrt(sum/float64(len(x)))
	for i := range x {
		x[i] *= k
	}
}

// blinks adds bumps over the forehead at random times.
func (g *generator) blinks() {
	x := make([]float64, g.n)
	long := int(blinkSeconds * g.Rate)
	for at := g.rng.ExpFloat64() * secondsPerBlink * g.Rate; int(at)+long < g.n; at += float64(long) + g.rng.ExpFloat64()*secondsPerBlink*g.Rate {
		height := blinkHeight * (0.8 + 0.4*g.rng.Float64())
		for i := range long {
			s := math.Sin(math.Pi * float64(i) / float64(long))
			x[int(at)+i] += height * s * s
		}
	}
	fpz, _ := montage.Position("Fpz")
	g.mix(x, fpz)
}

// sensors adds to each electrode its own white noise and the mains.
func (g *generator) sensors() {
	phase := 2 * math.Pi * g.rng.Float64()
	for _, row := range g.out {
		line := 0.0
		if g.LineHz > 0 && g.LineHz < g.Rate/2 {
			line = lineAmplitude * math.Exp(0.3*g.rng.NormFloat64())
		}
		step := 2 * math.Pi * g.LineHz / g.Rate
		for i := range row {
			row[i] += sensorRMS * g.rng.NormFloat64()
			if line > 0 {
				row[i] += line * math.Sin(phase+step*float64(i))
			}
		}
	}
}
