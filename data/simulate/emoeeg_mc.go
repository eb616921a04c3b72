package simulate

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/data/edf"
)

// emoSubjects are the first subjects of EmoEEG-MC that have recordings, with the codes of film,
// imagery, fade and rating, the emotions in the order of the classes in which the stimuli of each
// context come, and the contexts of the blocks of three trials.
var emoSubjects = []struct {
	name             string
	codes            [4]int
	emotions, blocks string
}{
	{"02", [4]int{33, 32, 30, 31}, "221646333012554100456", "vivivivivivivi"},
	{"03", [4]int{33, 32, 30, 31}, "544333122556211646000", "iviviviviviviv"},
	{"04", [4]int{51, 50, 48, 49}, "211456333020664201545", "vivivivivivivi"},
}

// emoEEGMCFormat is EmoEEG-MC as OpenNeuro gives it out: EDF+ files with codes for annotations, of
// which the second subject's is cut into two runs, and ratings.
func emoEEGMCFormat() fileFormat {
	const block, blocks = 3, 14
	context := func(s, i int) string { // of a trial
		return map[byte]string{'v': "vid", 'i': "ima"}[emoSubjects[s].blocks[i/block]]
	}
	number := func(s, i int) int { // within its context
		n := 1
		for k := range i {
			if context(s, k) == context(s, i) {
				n++
			}
		}
		return n
	}
	f := fileFormat{name: "emoeeg-mc", gap: 2, subject: func(s int) string { return emoSubjects[min(s, len(emoSubjects)-1)].name }, subjects: len(emoSubjects), trials: block * blocks, rate: 600, number: number,
		classes: []string{"sadness", "disgust", "fear", "neutral", "joy", "tenderness", "inspiration"},
		electrodes: strings.Fields("Fp1 Fpz Fp2 AF7 AF3 AF4 AF8 F7 F5 F3 F1 Fz F2 F4 F6 F8 FT7 FC5 FC3 FC1 FCz FC2 FC4 FC6 FT8 T7 C5 C3 C1 Cz C2 C4 C6 T8 " +
			"TP7 CP5 CP3 CP1 CPz CP2 CP4 CP6 TP8 P7 P5 P3 P1 Pz P2 P4 P6 P8 PO7 PO3 POz PO4 PO8 O1 Oz O2"),
		class: func(s, _, i int) int { return digit(emoSubjects[s].emotions, number(s, i)-1) },
	}
	f.files = func(c Config, s int, made *session) []file {
		name := f.subject(s)
		stem := fmt.Sprintf("sub-%s/eeg/sub-%s_task-emotion_", name, name)
		list := []file{{fmt.Sprintf("sub-%s/beh/sub-%s_task-emotion_beh.tsv", name, name), func(w io.Writer) error { return writeEmoRatings(w, c.rater(s), block*blocks) }}}
		run := func(called string, from, to int) file { // trials
			return file{stem + called, func(w io.Writer) error {
				first := made.trials[from].start - int(f.gap*c.Rate)
				end := made.trials[to-1].start + made.trials[to-1].length + int(f.gap*c.Rate)
				part := &session{}
				for _, x := range made.signals {
					part.signals = append(part.signals, x[first:end])
				}
				below := []string{"F9", "F10", "TP9", "TP10"} // the grid, which are not read
				part.signals = slices.Concat(part.signals, part.signals[:len(below)])
				all := c
				all.Electrodes = slices.Concat(c.Electrodes, below)
				h := edfHeader(all, part)
				h.Patient, h.Recording = "X X X X", "Startdate X X X X"
				codes := emoSubjects[s].codes
				at := func(sample, code int) edf.Annotation {
					return edf.Annotation{Onset: float64(sample-first) / c.Rate, Text: fmt.Sprintf("TypeID: %d", code)}
				}
				notes := []edf.Annotation{at(first, codes[2]), at(first+int(c.Rate)/2, codes[3])} // of the rest before
				for i := from; i < to; i++ {
					t := made.trials[i]
					end := t.start + t.length
					if context(s, i) == "ima" {
						notes = append(notes, at(t.start, codes[1]), at(end, codes[2]), at(end+int(c.Rate)/2, codes[3]))
						continue
					}
					if i == from { // one that is begun anew
						notes = append(notes, at(t.start-int(c.Rate)/2, codes[0]))
					}
					notes = append(notes, at(t.start, codes[0]), at(end, codes[3]))
				}
				return edf.Write(w, h, part.signals, notes)
			}}
		}
		if s != 1 {
			return append(list, run("eeg.edf", 0, block*blocks))
		}
		return append(list, run("run-01_eeg.edf", 0, block*blocks/2), run("run-02_eeg.edf", block*blocks/2, block*blocks))
	}
	f.together = func(_ Config, made []*session) []file {
		return bidsTables(f, made, `, "DatasetDOI": "doi:10.18112/openneuro.ds005540.v1.0.7"`)
	}
	return f
}

// writeEmoRatings writes ten ratings of each trial, one of which is missing.
func writeEmoRatings(w io.Writer, rate rater, trials int) error {
	columns := []string{"trial_number", "video_name"}
	for k := range 10 {
		columns = append(columns, fmt.Sprintf("score_%d", k+1))
	}
	lines := []string{strings.Join(columns, "\t")}
	for i := range trials {
		cells := []string{fmt.Sprint(i + 1), fmt.Sprint(i%42 + 1)}
		for range 10 {
			cells = append(cells, fmt.Sprint(rate.between(0, 7)))
		}
		if i == 0 {
			cells = slices.Concat(cells[:len(cells)-1], []string{"n/a"})
		}
		lines = append(lines, strings.Join(cells, "\t"))
	}
	return writeLines(w, lines)
}
