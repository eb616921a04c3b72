package simulate

import (
	"io"

	"github.com/eegprune/eegprune/data/pickle"
)

// deapFormat is data_preprocessed_python.
func deapFormat() fileFormat {
	name := numbered("%02d", 1)
	return fileFormat{name: "deap", gap: 3, subject: name, electrodes: electrodesOf("deap"), rate: 128, classes: []string{"negative", "positive"}, subjects: 99,
		files: func(c Config, s int, made *session) []file {
			return []file{{"s" + name(s) + ".dat", func(w io.Writer) error { return writeDEAP(w, c, s, made) }}}
		}}
}

// deapChannels is the number of rows in DEAP's files: 32 of EEG, and eight of
// other recordings, which are zero here.
const deapChannels = 40

// writeDEAP puts each trial after the rest before it as its baseline. The class
// is that of the valence, below 5 or not; the other ratings say nothing.
func writeDEAP(w io.Writer, c Config, s int, made *session) error {
	before := int(3 * c.Rate)
	length := before + made.trials[0].length
	rate := c.rater(s)
	return pickle.WriteDict(w, []pickle.Named{
		{Name: "labels", Shape: []int{len(made.trials), 4}, Lines: func(yield func([]float64) bool) {
			for _, t := range made.trials {
				if !yield([]float64{rate.by(t.class, 1, 9, 5), rate.between(1, 9), rate.between(1, 9), rate.between(1, 9)}) {
					return
				}
			}
		}},
		{Name: "data", Shape: []int{len(made.trials), deapChannels, length}, Lines: func(yield func([]float64) bool) {
			zero := make([]float64, length)
			for _, t := range made.trials {
				for row := range deapChannels {
					line := zero
					if row < len(made.signals) {
						line = made.signals[row][t.start-before : t.start+t.length]
					}
					if !yield(line) {
						return
					}
				}
			}
		}},
	})
}
