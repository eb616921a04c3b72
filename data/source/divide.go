package source

import (
	"math"
	"slices"

	"github.com/eegprune/eegprune/internal/note"
)

// scale makes microvolts of numbers of another unit.
func (m *Manifest) scale(r *Recording) {
	factor := m.Signal.Scale
	if factor == 0 || factor == 1 {
		return
	}
	for _, rows := range [][][]float64{r.Samples, r.Baseline} {
		for c, x := range rows {
			// Other recordings may have the same samples.
			rows[c] = make([]float64, len(x))
			for i, v := range x {
				rows[c][i] = factor * v
			}
		}
	}
	r.Notes = append(slices.Clip(r.Notes), note.New(note.About, "Its numbers are multiplied by %g, as signal.scale says.", factor))
}

// divide trims a recording and cuts it into trials as the manifest says.
func (m *Manifest) divide(r *Recording) []*Recording {
	r.trim(samples(m.Trim.Start, r.Rate), samples(m.Trim.End, r.Rate))
	n := samples(m.Trials.Seconds, r.Rate)
	if n == 0 {
		return []*Recording{r}
	}
	whole := r.Len() / n
	if whole == 0 {
		return []*Recording{r}
	}
	parts := make([]*Recording, whole)
	for i := range parts {
		p := *r
		p.Samples = make([][]float64, len(r.Samples))
		for c := range p.Samples {
			p.Samples[c] = r.Samples[c][i*n : (i+1)*n]
		}
		p.Offset += i * n
		parts[i] = &p
	}
	if rest := r.Len() - whole*n; rest > 0 {
		last := parts[whole-1]
		last.Notes = append(last.Notes[:len(last.Notes):len(last.Notes)], note.New(note.LeftOut, "The last %.3g s, too short for a trial of %g s, are left out.", float64(rest)/r.Rate, m.Trials.Seconds))
	}
	return parts
}

// Standard deviations that EEG in microvolts doesn't have: below the first it looks like
// volts or millivolts, above the second like nanovolts or raw numbers.
const (
	leastSpread = 0.05
	mostSpread  = 1e5
)

// unlikely is a note on values that look like those of another unit, in the middle of the
// channels; nil where they don't.
func (r *Recording) unlikely(f format) *note.Note {
	if f.features {
		return nil
	}
	var spreads []float64
	for _, x := range r.Samples {
		if s := spread(x); s > 0 {
			spreads = append(spreads, s)
		}
	}
	if len(spreads) == 0 {
		return nil
	}
	slices.Sort(spreads)
	switch s := spreads[len(spreads)/2]; {
	case s < leastSpread/1e3:
		n := note.New(note.Assumed, "Its values are far smaller than those of any EEG in microvolts, for which they are taken: they look like volts, and would have to be multiplied by 1e6%s.", f.mendScale("1e6"))
		return &n
	case s < leastSpread:
		n := note.New(note.Assumed, "Its values are far smaller than those of any EEG in microvolts, for which they are taken: they look like millivolts (or volts), and would have to be multiplied by 1e3%s.", f.mendScale("1e3"))
		return &n
	case s > mostSpread:
		n := note.New(note.Assumed, "Its values are far larger than those of any EEG in microvolts, for which they are taken: their unit may be another, or they are no physical values.")
		return &n
	}
	return nil
}

// spread is the standard deviation of values.
func spread(x []float64) float64 {
	n := float64(max(1, len(x)))
	mean, sum := 0.0, 0.0
	for _, v := range x {
		mean += v
	}
	mean /= n
	for _, v := range x {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / n)
}
