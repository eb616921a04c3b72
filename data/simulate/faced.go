package simulate

import (
	"fmt"
	"io"
	"strings"

	"github.com/eegprune/eegprune/data/edf"
	"github.com/eegprune/eegprune/data/mat"
	"github.com/eegprune/eegprune/data/pickle"
)

const facedClips = 28

// facedClass is the class of a clip, counted from 0.
func facedClass(clip int) int { return digit("0001112223334444555666777888", clip) }

// facedFormat is Processed_data, whose last two channels, no EEG, are zero, and Rating.
func facedFormat() fileFormat {
	const channels = 32
	name := numbered("%03d", 0)
	f := facedSet("faced", 250)
	f.class = func(_, _, trial int) int { return facedClass(trial) }
	f.files = func(c Config, s int, made *session) []file {
		return []file{{"Processed_data/sub" + name(s) + ".pkl", func(w io.Writer) error {
			n := made.trials[0].length
			return pickle.WriteArray(w, pickle.Named{Shape: []int{facedClips, channels, n}, Lines: func(yield func([]float64) bool) {
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
		}}, {"Rating/sub" + name(s) + "/After_remarks.mat", func(w io.Writer) error { return writeRemarks(w, c.rater(s), c.rater(s).Perm(facedClips)) }}}
	}
	return f
}

// facedSet is the format that both forms of the set share.
func facedSet(name string, rate float64) fileFormat {
	return fileFormat{name: name, gap: 2, subject: numbered("%03d", 0), rate: rate, subjects: 123, trials: facedClips,
		classes:    []string{"anger", "disgust", "fear", "sadness", "neutral", "amusement", "inspiration", "joy", "tenderness"},
		electrodes: strings.Fields("Fp1 Fp2 Fz F3 F4 F7 F8 FC1 FC2 FC5 FC6 Cz C3 C4 T7 T8 CP1 CP2 CP5 CP6 Pz P3 P4 P7 P8 PO3 PO4 Oz O1 O2")}
}

// facedSeen is the clip, counted from 0, that a subject sees as the trial-th one.
func facedSeen(s, trial int) int { return (5*trial + 3*s) % facedClips }

// facedBDFFormat is Data, whose clips each subject sees in an order of its own.
func facedBDFFormat() fileFormat {
	name := numbered("%03d", 0)
	f := facedSet("faced-bdf", 250)
	f.class = func(s, _, trial int) int { return facedClass(facedSeen(s, trial)) }
	f.number = func(s, i int) int { return facedSeen(s, i) + 1 }
	f.files = func(c Config, s int, made *session) []file {
		dir := "Data/sub" + name(s) + "/"
		return []file{
			{dir + "data.bdf", func(w io.Writer) error { return writeBDF(w, c, made, 0, len(made.signals[0]), nil) }},
			{dir + "evt.bdf", func(w io.Writer) error {
				h := &edf.Header{Patient: "X", Recording: "X", StartDate: "01.01.00", StartTime: "00.00.00", RecordSeconds: 1, Records: len(made.signals[0]) / int(c.Rate), BDF: true, Plus: true}
				notes := []edf.Annotation{{Onset: 0, Text: "100"}}
				for i, t := range made.trials {
					begin, end := float64(t.start)/c.Rate, float64(t.start+t.length)/c.Rate
					notes = append(notes, edf.Annotation{Onset: begin - 0.5, Text: fmt.Sprint(facedSeen(s, i) + 1)}, edf.Annotation{Onset: begin, Text: "101"}, edf.Annotation{Onset: end, Text: "102"})
				}
				return edf.Write(w, h, nil, notes)
			}},
			{dir + "After_remarks.mat", func(w io.Writer) error {
				var order []int
				for i := range facedClips {
					order = append(order, facedSeen(s, i))
				}
				return writeRemarks(w, c.rater(s), order)
			}},
		}
	}
	return f
}

// writeRemarks writes ratings of clips, counted from 0, in the order in which they were seen.
func writeRemarks(w io.Writer, rate rater, order []int) error {
	var remarks mat.Structs
	for i, clip := range order {
		scores := mat.Numbers{Dims: []int{1, 12}}
		for range 12 {
			scores.Values = append(scores.Values, rate.between(0, 7))
		}
		remarks = append(remarks, mat.Struct{{Name: "score", Value: scores}, {Name: "trial", Value: mat.Column(float64(i + 1))}, {Name: "vid", Value: mat.Column(float64(clip + 1))}})
	}
	return writeMAT(w, mat.Field{Name: "After_remark", Value: remarks})
}
