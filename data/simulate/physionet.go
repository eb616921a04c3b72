package simulate

import (
	"fmt"
	"io"

	"github.com/eegprune/eegprune/data/edf"
)

// eegmatFormat is PhysioNet's eegmat, in which a file is a trial.
func eegmatFormat() fileFormat {
	name := numbered("%02d", 0)
	return physioNet(fileFormat{name: "eegmat", subject: name, classes: []string{"rest", "arithmetic"}, subjects: 36}, 500,
		func(s, i int) string { return fmt.Sprintf("Subject%s_%d.edf", name(s), i+1) })
}

// eegmmidbFormat is the runs 1 and 2 of PhysioNet's eegmmidb, each of one trial
// of 10 s, into which the set's are cut.
func eegmmidbFormat() fileFormat {
	name := numbered("%03d", 1)
	return physioNet(fileFormat{name: "eegmmidb", subject: name, classes: []string{"eyes open", "eyes closed"}, subjects: 109, seconds: 10}, 160,
		func(s, i int) string { return fmt.Sprintf("S%s/S%sR0%d.edf", name(s), name(s), i+1) })
}

func physioNet(f fileFormat, rate float64, called func(s, i int) string) fileFormat {
	f.gap, f.rate, f.trials, f.mute = 2, rate, 2, true
	f.class = func(_, _, trial int) int { return trial }
	f.files = func(c Config, s int, made *session) (list []file) {
		for i := range c.Trials {
			list = append(list, file{called(s, i), func(w io.Writer) error {
				t := made.trials[i]
				part := &session{}
				for _, x := range made.signals {
					part.signals = append(part.signals, x[t.start:t.start+t.length])
				}
				h := edfHeader(c, part)
				h.Plus = false
				return edf.Write(w, h, part.signals, nil)
			}})
		}
		return list
	}
	return f
}
