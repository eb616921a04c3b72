package simulate

import (
	"fmt"
	"io"

	"github.com/eegprune/eegprune/data/edf"
)

// A mark is a code of the channel Status: value for a short time from a sample on.
type mark struct{ sample, value int }

// markSeconds is how long a code lasts.
const markSeconds = 0.02

// bioSemiState is the state that BioSemi's amplifiers write above the codes.
const bioSemiState = 0x18ff00

// writeBDF writes the samples [from, to) of a recording, and codes.
func writeBDF(w io.Writer, c Config, made *session, from, to int, marks []mark) error {
	rate := int(c.Rate)
	to -= (to - from) % rate
	h := &edf.Header{Patient: "X", Recording: "X", StartDate: "01.01.00", StartTime: "00.00.00", RecordSeconds: 1, Records: (to - from) / rate, BDF: true}
	var signals [][]float64
	for i, e := range c.Electrodes {
		h.Signals = append(h.Signals, edf.Signal{Label: e, Transducer: "simulated", Dimension: "uV",
			PhysicalMin: -262144, PhysicalMax: 262143, DigitalMin: -8388608, DigitalMax: 8388607, SamplesPerRecord: rate})
		signals = append(signals, made.signals[i][from:to])
	}
	status := make([]float64, to-from)
	for i := range status {
		status[i] = bioSemiState
	}
	for _, m := range marks {
		for i := range int(markSeconds * c.Rate) {
			if at := m.sample - from + i; at >= 0 && at < len(status) {
				status[at] = float64(bioSemiState + m.value)
			}
		}
	}
	h.Signals = append(h.Signals, edf.Signal{Label: "Status", Transducer: "simulated", Dimension: "Boolean",
		PhysicalMin: -8388608, PhysicalMax: 8388607, DigitalMin: -8388608, DigitalMax: 8388607, SamplesPerRecord: rate})
	return edf.Write(w, h, append(signals, status), nil)
}

// mahnobFormat is Sessions: a directory for each trial.
func mahnobFormat() fileFormat {
	const baseline = 30
	name := numbered("%d", 1)
	number := func(s, i int) int { return 130*s + 2*(i+1) }
	return fileFormat{name: "mahnob-hci", gap: baseline + 1, subject: name, electrodes: electrodesOf("deap"), rate: 256, classes: lowHigh(), subjects: 30, most: 20, sameOrder: true,
		number: number,
		files: func(c Config, s int, made *session) (list []file) {
			rate := c.rater(s)
			for i := range c.Trials {
				dir := fmt.Sprintf("Sessions/%d/", number(s, i))
				var t trial
				if made != nil {
					t = made.trials[i]
				}
				felt := fmt.Sprintf(`feltArsl="%d" feltCtrl="%d" feltEmo="%d" feltPred="%d" feltVlnc="%d"`, 1+rate.IntN(9), 1+rate.IntN(9), rate.IntN(7), 1+rate.IntN(9), 1+4*t.class+rate.IntN(4))
				list = append(list, file{dir + fmt.Sprintf("Part_%d_S_Trial%d_emotion.bdf", s+1, i+1), func(w io.Writer) error {
					// One sample lies between the code and the film.
					return writeBDF(w, c, made, t.start-baseline*int(c.Rate)-int(c.Rate)/2, t.start+t.length+int(c.Rate), []mark{{t.start - 1, 35}, {t.start + t.length, 35}})
				}}, file{dir + "session.xml", func(w io.Writer) error {
					_, err := fmt.Fprintf(w, "<?xml version=\"1.0\"?>\n<session sessionId=\"%d\" cutLenSec=\"%g\" isStim=\"1\" mediaFile=\"%d.avi\" %s>\n<subject id=\"%d\" gender=\"f\"/>\n</session>\n",
						number(s, i), c.Seconds, i+1, felt, s+1)
					return err
				}})
			}
			return list
		}}
}

// deapBDFFormat is data_original and participant_ratings.csv, whose videos each subject sees in an
// order of its own.
func deapBDFFormat() fileFormat {
	const baseline = 3
	name := numbered("%02d", 1)
	return fileFormat{name: "deap-bdf", gap: baseline + 1, subject: name, electrodes: electrodesOf("deap"), rate: 512, classes: []string{"negative", "positive"}, subjects: 99,
		files: func(c Config, s int, made *session) []file {
			return []file{{"data_original/s" + name(s) + ".bdf", func(w io.Writer) error {
				var marks []mark
				for _, t := range made.trials {
					marks = append(marks, mark{t.start - baseline*int(c.Rate), 3}, mark{t.start, 4}, mark{t.start + t.length, 5})
				}
				return writeBDF(w, c, made, 0, len(made.signals[0]), marks)
			}}}
		},
		together: func(c Config, made []*session) []file {
			return []file{{"metadata_csv/participant_ratings.csv", func(w io.Writer) error {
				if _, err := fmt.Fprintln(w, "Participant_id,Trial,Experiment_id,Start_time,Valence,Arousal,Dominance,Liking,Familiarity"); err != nil {
					return err
				}
				for s, m := range made {
					rate := c.rater(s)
					for i, t := range m.trials {
						if _, err := fmt.Fprintf(w, "%d,%d,%d,0,%g,%g,%g,%g,\n", s+1, i+1, (i+s)%len(m.trials)+1, rate.by(t.class, 1, 9, 5), rate.between(1, 9), rate.between(1, 9), rate.between(1, 9)); err != nil {
							return err
						}
					}
				}
				return nil
			}}}
		}}
}
