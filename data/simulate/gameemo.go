package simulate

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// gameemoFormat is the tables of the preprocessed EEG, which end in an empty column.
func gameemoFormat() fileFormat {
	name := numbered("%02d", 1)
	return fileFormat{name: "gameemo", gap: 2, subject: name, rate: 128, subjects: 28, trials: 4, classes: []string{"boring", "calm", "horror", "funny"},
		electrodes: strings.Fields("AF3 AF4 F3 F4 F7 F8 FC5 FC6 O1 O2 P7 P8 T7 T8"),
		class:      func(_, _, trial int) int { return trial },
		files: func(c Config, s int, made *session) (list []file) {
			for g := range c.Trials {
				path := fmt.Sprintf("(S%s)/Preprocessed EEG Data/.csv format/S%sG%dAllChannels.csv", name(s), name(s), g+1)
				list = append(list, file{path, func(w io.Writer) error { return writeTable(w, c.Electrodes, made.rows(made.trials[g], 0)) }})
			}
			return list
		}}
}

func writeTable(w io.Writer, names []string, rows [][]float64) error {
	b := bufio.NewWriter(w) // it keeps the first error for Flush to return
	_, _ = b.WriteString(strings.Join(names, ",") + ",\n")
	for i := range rows[0] {
		for _, row := range rows {
			_, _ = b.WriteString(strconv.FormatFloat(row[i], 'f', 2, 64) + ",")
		}
		_, _ = b.WriteString("\n")
	}
	return b.Flush()
}
