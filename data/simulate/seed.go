package simulate

import (
	"fmt"
	"io"

	"eegprune/data/mat"
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
		class: func(session, trial int) int {
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
		class: func(session, trial int) int {
			return digit([]string{"43025520344302552034", "52136631255213663125", "46015510644601551064", "02164461200216446120"}[session], trial)
		},
		files: func(_ Config, s int, made *session) []file {
			return []file{{fmt.Sprintf("%d.mat", s+1), func(w io.Writer) error { return writeVariables(w, "%d", made, made.trials) }}}
		}}
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
