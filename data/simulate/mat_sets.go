package simulate

import (
	"io"
	"strings"

	"github.com/eegprune/eegprune/data/mat"
)

// emotiv are the electrodes of Emotiv's EPOC in its own order.
func emotiv() []string { return strings.Fields("AF3 F7 F3 FC5 T7 P7 O1 O2 P8 T8 FC6 F4 F8 AF4") }

// low and high are the classes of sets whose label is a rating.
func lowHigh() []string { return []string{"low valence", "high valence"} }

// deapMATLABFormat is data_preprocessed_matlab.
func deapMATLABFormat() fileFormat {
	name := numbered("%02d", 1)
	return fileFormat{name: "deap-matlab", gap: 3, subject: name, electrodes: electrodesOf("deap"), rate: 128, classes: []string{"negative", "positive"}, subjects: 99,
		files: func(c Config, s int, made *session) []file {
			return []file{{"s" + name(s) + ".mat", func(w io.Writer) error {
				before := int(3 * c.Rate)
				data := cube(made, made.trials, before, deapChannels, 0)
				labels := mat.Numbers{Dims: []int{len(made.trials), 4}, Values: make([]float64, 4*len(made.trials))}
				rate := c.rater(s)
				for i, t := range made.trials {
					labels.Values[i] = rate.by(t.class, 1, 9, 5)
					for k := 1; k < 4; k++ {
						labels.Values[k*len(made.trials)+i] = rate.between(1, 9)
					}
				}
				return writeMAT(w, mat.Field{Name: "data", Value: data}, mat.Field{Name: "labels", Value: labels})
			}}}
		}}
}

// cube is an array [trials, channels, samples] whose channels after the electrodes are zero; skip
// leaves as many rows free from the 17th on.
func cube(made *session, trials []trial, before, channels, skip int) mat.Numbers {
	n := trials[0].length + before
	x := mat.Numbers{Dims: []int{len(trials), channels, n}, Values: make([]float64, len(trials)*channels*n)}
	for i, t := range trials {
		for r, row := range made.rows(t, before) {
			if skip > 0 && r >= 16 {
				r += skip
			}
			for k, v := range row {
				x.Values[(k*channels+r)*len(trials)+i] = v
			}
		}
	}
	return x
}

// columns is a matrix [samples, channels], whose channels after the electrodes are zero.
func columns(rows [][]float64, channels int) mat.Numbers {
	n := len(rows[0])
	x := mat.Numbers{Dims: []int{n, channels}, Values: make([]float64, n*channels)}
	for r, row := range rows {
		copy(x.Values[r*n:], row)
	}
	return x
}

// writeMAT writes a file of variables.
func writeMAT(w io.Writer, variables ...mat.Field) error {
	if err := mat.WriteHeader(w); err != nil {
		return err
	}
	for _, v := range variables {
		if err := mat.Write(w, v.Name, v.Value); err != nil {
			return err
		}
	}
	return nil
}

// dreamerFormat is DREAMER.mat, whose baselines last as long as the rest before a trial.
func dreamerFormat() fileFormat {
	return fileFormat{name: "dreamer", gap: 4, subject: numbered("%d", 1), electrodes: emotiv(), rate: 128, classes: lowHigh(), subjects: 99,
		together: func(c Config, made []*session) []file {
			return []file{{"DREAMER.mat", func(w io.Writer) error { return writeDREAMER(w, c, made) }}}
		}}
}

func writeDREAMER(w io.Writer, c Config, made []*session) error {
	var subjects mat.Cell
	for s, m := range made {
		rate := c.rater(s)
		var stimuli, baseline mat.CellColumn
		scores := make([][]float64, 3)
		before := int(4 * c.Rate)
		for _, t := range m.trials {
			rows := m.rows(t, before)
			rest := make([][]float64, len(rows))
			for i := range rows {
				rest[i], rows[i] = rows[i][:before], rows[i][before:]
			}
			stimuli, baseline = append(stimuli, columns(rows, len(rows))), append(baseline, columns(rest, len(rows)))
			for k, v := range []float64{float64(3*t.class) + 1 + float64(rate.IntN(2)), float64(1 + rate.IntN(5)), float64(1 + rate.IntN(5))} {
				scores[k] = append(scores[k], v)
			}
		}
		subjects = append(subjects, mat.Struct{
			{Name: "Age", Value: mat.Text("25")}, {Name: "Gender", Value: mat.Text("male")},
			{Name: "EEG", Value: mat.Struct{{Name: "baseline", Value: baseline}, {Name: "stimuli", Value: stimuli}}},
			{Name: "ScoreValence", Value: mat.Column(scores[0]...)}, {Name: "ScoreArousal", Value: mat.Column(scores[1]...)}, {Name: "ScoreDominance", Value: mat.Column(scores[2]...)},
		})
	}
	var electrodes mat.Cell
	for _, e := range c.Electrodes {
		electrodes = append(electrodes, mat.Text(e))
	}
	return writeMAT(w, mat.Field{Name: "DREAMER", Value: mat.Struct{
		{Name: "Data", Value: subjects}, {Name: "EEG_SamplingRate", Value: mat.Column(c.Rate)}, {Name: "EEG_Electrodes", Value: electrodes},
		{Name: "noOfSubjects", Value: mat.Column(float64(len(made)))}, {Name: "noOfVideoSequences", Value: mat.Column(float64(c.Trials))}}})
}

// amigosFormat is Data_Preprocessed, with empty cells for the videos that were not seen.
func amigosFormat() fileFormat {
	const cells, channels = 20, 17
	name := numbered("%02d", 1)
	return fileFormat{name: "amigos", gap: 5, subject: name, electrodes: emotiv(), rate: 128, classes: lowHigh(), subjects: 8, most: 16,
		files: func(c Config, s int, made *session) []file {
			return []file{{"Data_Preprocessed_P" + name(s) + ".mat", func(w io.Writer) error {
				rate := c.rater(s)
				data, labels := make(mat.Cell, cells), make(mat.Cell, cells)
				for i := range data {
					data[i], labels[i] = mat.Numbers{}, mat.Numbers{Dims: []int{1, 0}}
					if i >= len(made.trials) {
						continue
					}
					t := made.trials[i]
					data[i] = columns(made.rows(t, int(5*c.Rate)), channels)
					x := []float64{rate.between(1, 9), rate.by(t.class, 1, 9, 5), rate.between(1, 9), rate.between(1, 9), rate.between(1, 9)}
					for range 7 {
						x = append(x, float64(rate.IntN(2)))
					}
					labels[i] = mat.Numbers{Dims: []int{1, len(x)}, Values: x}
				}
				return writeMAT(w, mat.Field{Name: "joined_data", Value: data}, mat.Field{Name: "labels_selfassessment", Value: labels})
			}}}
		}}
}

// thuEPFormat is EEG data and Ratings, as MAT of version 5, where the set's own are 7.3. All bands
// but the last are zero.
func thuEPFormat() fileFormat {
	const clips, bands, channels = 28, 6, 32
	name := numbered("%d", 1)
	return fileFormat{name: "thu-ep", gap: 2, subject: name, rate: 250, classes: lowHigh(), subjects: 80, trials: clips,
		electrodes: strings.Fields("Fp1 Fp2 Fz F3 F4 F7 F8 FC1 FC2 FC5 FC6 Cz C3 C4 T7 T8 CP1 CP2 CP5 CP6 Pz P3 P4 P7 P8 PO3 PO4 Oz O1 O2"),
		files: func(c Config, s int, made *session) []file {
			return []file{{"EEG data/sub_" + name(s) + ".mat", func(w io.Writer) error {
				one := cube(made, made.trials, 0, channels, 2) // A1 and A2 are the 17th and 18th
				x := mat.Numbers{Dims: append([]int{bands}, one.Dims...), Values: make([]float64, bands*len(one.Values))}
				for i, v := range one.Values {
					x.Values[bands*i+bands-1] = v
				}
				return writeMAT(w, mat.Field{Name: "data", Value: x})
			}}}
		},
		together: func(c Config, made []*session) []file {
			return []file{{"Ratings/ratings.mat", func(w io.Writer) error {
				x := mat.Numbers{Dims: []int{len(made), clips, 12}, Values: make([]float64, len(made)*clips*12)}
				for s, m := range made {
					rate := c.rater(s)
					for i, t := range m.trials {
						for k := range 12 {
							v := rate.between(0, 7)
							if k == 9 {
								v = rate.by(t.class, 0, 7, 3.01)
							}
							x.Values[(k*clips+i)*len(made)+s] = v
						}
					}
				}
				return writeMAT(w, mat.Field{Name: "ratings", Value: x})
			}}}
		}}
}
