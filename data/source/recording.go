package source

import (
	"fmt"
	"math"

	"github.com/eegprune/eegprune/internal/note"
)

// A Recording is one continuous stretch of EEG with one set of labels: a trial,
// or the part of a file that lies under one annotation.
type Recording struct {
	File    string // the file it was read from
	Subject string // as the file, its name or the manifest gives it
	Session string // empty where the data set has no sessions
	Trial   int    // number of the trial within the session, from 1
	// Stimulus is the film, the song, ... of the trial, by one name for all subjects and sessions that
	// had it. It is empty where nothing says it.
	Stimulus string

	Channels []string    // electrode names of the rows of Samples, in the 10-10 system's spelling: "Fp1", "T7"
	Rate     float64     // samples per second; 0 where nothing says it, and channels have numbers for names
	Samples  [][]float64 // one row a channel, in microvolts where the file gives a unit
	Baseline [][]float64 // recorded before the stimulus, same channels and rate; nil where there is none
	Offset   int         // sample of the file, or of the trial in a file of trials, at which Samples begins

	// Bad are the channels that a table beside the file says are bad.
	Bad []string

	// Labels is nil where nothing says them.
	Labels map[string]float64 // DEAP: "valence", "arousal", …; a manifest's class: "label", its index in Classes

	// Events are the annotations, markers or triggers of the file, where they don't make its
	// recordings; the first recording of a file has them.
	Events []Event

	// Notes tell the user what the reader left out, corrected or assumed.
	Notes []note.Note

	print   fingerprint // of Samples as they were read
	printed bool        // whether it has one

	// pending counts the samples that a reader has yet to read, from Offset on. Recordings that it
	// returns have none.
	pending int

	ownTrial bool // Trial is the file's own number, not one counted while reading
}

// An Event is an annotation of a file.
type Event struct {
	Onset    float64 `json:"onset"`              // seconds from the file's first sample
	Duration float64 `json:"duration,omitempty"` // seconds; 0 where the file says none
	Text     string  `json:"text"`
}

// samples returns how many samples are nearest to a time, which is not
// negative, and more than any recording has if there is no such number.
func samples(seconds, rate float64) int {
	return int(math.Round(min(seconds*rate, 1e15)))
}

// SamplesIn returns how many samples are nearest to a time, in seconds.
func (r *Recording) SamplesIn(seconds float64) int { return samples(seconds, r.Rate) }

// Len returns the number of samples.
func (r *Recording) Len() int {
	if len(r.Samples) == 0 {
		return 0
	}
	return len(r.Samples[0])
}

// extent is the number of samples, those yet to be read with them.
func (r *Recording) extent() int { return r.Len() + r.pending }

// trim takes samples off both ends, all of them if there are fewer.
func (r *Recording) trim(start, end int) {
	n := r.Len()
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
		if still == r.Len() || float64(still) < max(minPaddingSamples, minPadding*r.Rate) {
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
	n := r.Len()
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

// CheckRate is an error where the rate is unknown, and says how to give it.
func (r *Recording) CheckRate() error {
	if r.Rate != 0 {
		return nil
	}
	return fmt.Errorf("its rate and the names of its electrodes aren't known: give both by signal in %s, such as signal: {rate: 128, electrodes: [Fp1, Fp2]}, or save them in an .npz as the arrays rate and channels", ManifestName)
}

// A Fault is why a channel can't be used.
type Fault struct {
	Channel, Why string
}

// Faults finds channels that are flat or hold NaN or infinite samples.
func (r *Recording) Faults() []Fault {
	var list []Fault
	for c, x := range r.Samples {
		if len(x) == 0 {
			continue
		}
		flat := len(x) > 1 // one sample can't move
		for i, v := range x {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				list = append(list, Fault{r.Channels[c], fmt.Sprintf("has the value %g at sample %d", v, r.Offset+i)})
				flat = false
				break
			}
			flat = flat && v == x[0]
		}
		if flat {
			list = append(list, Fault{r.Channels[c], fmt.Sprintf("is flat (always %g)", x[0])})
		}
	}
	return list
}

// Bytes is the memory that a recording takes.
func (r *Recording) Bytes() int64 {
	if r == nil {
		return 0
	}
	n := 0
	for _, rows := range [][][]float64{r.Samples, r.Baseline} {
		for _, x := range rows {
			n += 8 * len(x)
		}
	}
	return int64(n)
}

// note adds a note.
func (r *Recording) note(n note.Note) { r.Notes = append(r.Notes, n) }
