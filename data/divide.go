package data

import (
	"fmt"
	"math"

	"eegprune/internal/note"
)

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
		flat := true
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
