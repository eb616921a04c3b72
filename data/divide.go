package data

import (
	"fmt"
	"math"
	"slices"

	"eegprune/internal/note"
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
	whole := r.length() / n
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
	if rest := r.length() - whole*n; rest > 0 {
		last := parts[whole-1]
		last.Notes = append(last.Notes[:len(last.Notes):len(last.Notes)], note.New(note.LeftOut, "The last %.3g s, too short for a trial of %g s, are left out.", float64(rest)/r.Rate, m.Trials.Seconds))
	}
	return parts
}

// samples returns how many samples are nearest to a time, which is not
// negative, and more than any recording has if there is no such number.
func samples(seconds, rate float64) int {
	return int(math.Round(min(seconds*rate, 1e15)))
}

// length returns the number of samples.
func (r *Recording) length() int {
	if len(r.Samples) == 0 {
		return 0
	}
	return len(r.Samples[0])
}

// trim takes samples off both ends, all of them if there are fewer.
func (r *Recording) trim(start, end int) {
	n := r.length()
	start = min(start, n)
	end = min(end, n-start)
	for c, x := range r.Samples {
		r.Samples[c] = x[start : n-end]
	}
	r.Offset += start
}

// minPadding is how long, in seconds, all channels must stand still together
// for the stretch to be padding and not EEG.
const minPadding = 0.1

// minPaddingSamples is the same in samples: at low rates a few are often alike.
const minPaddingSamples = 10

// cutPadding takes constant stretches off the end of a recording: writers of
// formats in whole records fill the last ones with them, at one level or two.
func (r *Recording) cutPadding() {
	total := 0
	for {
		still := r.stillAtEnd()
		if still == r.length() || float64(still) < max(minPaddingSamples, minPadding*r.Rate) {
			break
		}
		r.trim(0, still)
		total += still
	}
	if total > 0 {
		r.Notes = append(r.Notes, note.New(note.LeftOut, "Constant padding at the end (about %.2g s, on all channels) is cut off.", float64(total)/r.Rate))
	}
}

// stillAtEnd returns for how many samples before the end no channel moves.
func (r *Recording) stillAtEnd() int {
	n := r.length()
	still := n
	for _, x := range r.Samples {
		run := min(1, n)
		for run < n && x[n-1-run] == x[n-1] {
			run++
		}
		still = min(still, run)
	}
	return still
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

// A channelFault is why a channel can't be used.
type channelFault struct {
	channel, why string
}

// faults looks for channels that never move or hold what is no number.
func (r *Recording) faults() []channelFault {
	var list []channelFault
	for c, x := range r.Samples {
		if len(x) == 0 {
			continue
		}
		flat := len(x) > 1 // one sample can't move
		for i, v := range x {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				list = append(list, channelFault{r.Channels[c], fmt.Sprintf("has the value %g at sample %d", v, r.Offset+i)})
				flat = false
				break
			}
			flat = flat && v == x[0]
		}
		if flat {
			list = append(list, channelFault{r.Channels[c], fmt.Sprintf("is flat (always %g)", x[0])})
		}
	}
	return list
}
