package simulate

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/eegprune/eegprune/data/cnt"
	"github.com/eegprune/eegprune/data/mat"
)

// seedFormat is Preprocessed_EEG.
func seedFormat() fileFormat {
	return fileFormat{name: "seed", gap: 2, subject: numbered("%d", 1), electrodes: electrodesOf("seed"), rate: 200, classes: []string{"negative", "neutral", "positive"}, sameOrder: true,
		files: func(_ Config, s int, made *session) []file {
			return []file{{fmt.Sprintf("%d_20000101.mat", s+1), func(w io.Writer) error { return writeVariables(w, "sim_eeg%d", made, made.trials) }}}
		},
		together: func(_ Config, made []*session) []file {
			return []file{{"label.mat", func(w io.Writer) error { return writeSEEDLabels(w, made[0].trials) }}}
		}}
}

// seedIVFormat is eeg_raw_data.
func seedIVFormat() fileFormat {
	f := fileFormat{name: "seed-iv", gap: 2, subject: numbered("%d", 1), electrodes: electrodesOf("seed"), rate: 200, classes: []string{"neutral", "sad", "fear", "happy"}, subjects: 15, trials: 24, sessions: 3,
		class: func(_, session, trial int) int {
			return digit([]string{"123020010121112322330303", "213002023323201121030131", "122133311210233023002010"}[session], trial)
		}}
	f.files = func(c Config, s int, made *session) (list []file) {
		for i, trials := range f.eachSession(c, made) {
			list = append(list, file{fmt.Sprintf("%d/%d_20000101.mat", i, s+1), func(w io.Writer) error { return writeVariables(w, "sim_eeg%d", made, trials) }})
		}
		return list
	}
	return f
}

// seedVIIFormat is EEG_preprocessed, whose files have all sessions.
func seedVIIFormat() fileFormat {
	return fileFormat{name: "seed-vii", gap: 2, subject: numbered("%d", 1), electrodes: electrodesOf("seed"), rate: 200, classes: []string{"disgust", "fear", "sad", "neutral", "happy", "anger", "surprise"}, subjects: 20, trials: 20, sessions: 4, all: true,
		class: func(_, session, trial int) int {
			return digit([]string{"43025520344302552034", "52136631255213663125", "46015510644601551064", "02164461200216446120"}[session], trial)
		},
		files: func(_ Config, s int, made *session) []file {
			return []file{{fmt.Sprintf("%d.mat", s+1), func(w io.Writer) error { return writeVariables(w, "%d", made, made.trials) }}}
		}}
}

// seedVFormat is EEG_raw, with the times of its trials, which are shorter than the set's own.
func seedVFormat() fileFormat {
	f := fileFormat{name: "seed-v", gap: 3, subject: numbered("%d", 1), electrodes: electrodesOf("seed"), rate: 1000, classes: []string{"disgust", "fear", "sad", "neutral", "happy"}, subjects: 16, trials: 15, sessions: 3,
		class: func(_, session, trial int) int {
			return digit([]string{"413204132041320", "213044032134120", "213044032134120"}[session], trial)
		}}
	f.files = func(c Config, s int, made *session) (list []file) {
		for i, trials := range f.eachSession(c, made) {
			list = append(list, file{fmt.Sprintf("%d_%d_20000101.cnt", s+1, i), func(w io.Writer) error { return writeCNT(w, c, made, trials) }})
		}
		return list
	}
	f.together = func(c Config, made []*session) []file {
		return []file{{"trial_start_end_timestamp.txt", func(w io.Writer) error {
			for i, trials := range f.eachSession(c, made[0]) {
				var begin, end []string
				for _, t := range trials {
					at := t.start - trials[0].start + int(f.gap*c.Rate)
					begin, end = append(begin, fmt.Sprint(at/int(c.Rate))), append(end, fmt.Sprint((at+t.length)/int(c.Rate)))
				}
				if _, err := fmt.Fprintf(w, "Session %d:\nstart_second: [%s]\nend_second: [%s]\n", i, strings.Join(begin, ", "), strings.Join(end, ", ")); err != nil {
					return err
				}
			}
			return nil
		}}}
	}
	return f
}

// writeCNT writes the part of a recording with some trials, and the rest before and after them.
func writeCNT(w io.Writer, c Config, made *session, trials []trial) error {
	gap := int(3 * c.Rate)
	from, to := trials[0].start-gap, trials[len(trials)-1].start+trials[len(trials)-1].length+gap
	var names []string
	var signals [][]float64
	for i, x := range made.signals {
		names, signals = append(names, strings.ToUpper(c.Electrodes[i])), append(signals, x[from:to])
		if i == 31 { // others lie between the electrodes
			for _, n := range []string{"M1", "M2"} {
				names, signals = append(names, n), append(signals, make([]float64, to-from))
			}
		}
	}
	for _, n := range []string{"VEO", "HEO"} {
		names, signals = append(names, n), append(signals, make([]float64, to-from))
	}
	b := bufio.NewWriter(w)
	return errors.Join(cnt.Write(b, names, c.Rate, digitalStep, signals), b.Flush())
}

// digit is one of a list of classes.
func digit(list string, i int) int { return int(list[i] - '0') }

// writeVariables writes a matrix for each trial, named by its number from 1.
func writeVariables(w io.Writer, name string, made *session, trials []trial) error {
	if err := mat.WriteHeader(w); err != nil {
		return err
	}
	for i, t := range trials {
		if err := mat.WriteMatrix(w, fmt.Sprintf(name, i+1), made.rows(t, 0)); err != nil {
			return err
		}
	}
	return nil
}

// writeSEEDLabels writes -1, 0 and 1 for the three classes.
func writeSEEDLabels(w io.Writer, trials []trial) error {
	if err := mat.WriteHeader(w); err != nil {
		return err
	}
	labels := make([]float64, len(trials))
	for i, t := range trials {
		labels[i] = float64(t.class - 1)
	}
	return mat.WriteMatrix(w, "label", [][]float64{labels})
}
