package simulate

import (
	"io"
	"strings"

	"github.com/eegprune/eegprune/data/pickle"
)

// facedFormat is Processed_data, whose last two channels, no EEG, are zero.
func facedFormat() fileFormat {
	const clips, channels = 28, 32
	name := numbered("%03d", 0)
	return fileFormat{name: "faced", gap: 2, subject: name, rate: 250, subjects: 123, trials: clips,
		classes:    []string{"anger", "disgust", "fear", "sadness", "neutral", "amusement", "inspiration", "joy", "tenderness"},
		electrodes: strings.Fields("Fp1 Fp2 Fz F3 F4 F7 F8 FC1 FC2 FC5 FC6 Cz C3 C4 T7 T8 CP1 CP2 CP5 CP6 Pz P3 P4 P7 P8 PO3 PO4 Oz O1 O2"),
		class:      func(_, trial int) int { return digit("0001112223334444555666777888", trial) },
		files: func(_ Config, s int, made *session) []file {
			return []file{{"sub" + name(s) + ".pkl", func(w io.Writer) error {
				n := made.trials[0].length
				return pickle.WriteArray(w, pickle.Named{Shape: []int{clips, channels, n}, Lines: func(yield func([]float64) bool) {
					for _, t := range made.trials {
						rows := made.rows(t, 0)
						for range channels - len(rows) {
							rows = append(rows, make([]float64, n))
						}
						for _, row := range rows {
							if !yield(row) {
								return
							}
						}
					}
				}})
			}}}
		}}
}
