package simulate

import (
	"io"

	"github.com/eegprune/eegprune/data/mat"
)

// daspsFormat is "Preprocessed data .mat", of trials whose halves are the two recordings of a
// situation, and the ratings in "Raw data.mat"; daspsRawFormat is that alone.
func daspsFormat() fileFormat    { return daspsSet("dasps", true) }
func daspsRawFormat() fileFormat { return daspsSet("dasps-raw", false) }

func daspsSet(set string, preprocessed bool) fileFormat {
	name := numbered("%02d", 1)
	const situations = 6
	return fileFormat{name: set, gap: 2, subject: name, electrodes: emotiv(), rate: 128, classes: lowHigh(), subjects: 23, trials: situations, sameOrder: true,
		files: func(c Config, s int, made *session) []file {
			var data, labels mat.Numbers
			if made != nil {
				rate := c.rater(s)
				n := made.trials[0].length / 2
				data = mat.Numbers{Dims: []int{len(c.Electrodes), n, 2 * situations}, Values: make([]float64, len(c.Electrodes)*n*2*situations)}
				labels = mat.Numbers{Dims: []int{2 * situations, 2}, Values: make([]float64, 4*situations)}
				for i, t := range made.trials {
					for r, row := range made.rows(t, 0) {
						for k := range 2 * n {
							data.Values[(2*i*n+k)*len(c.Electrodes)+r] = row[k]
						}
					}
					valence, arousal := float64(1+4*t.class+rate.IntN(4)), float64(1+rate.IntN(9))
					for part := range 2 {
						labels.Values[2*i+part], labels.Values[2*situations+2*i+part] = valence, arousal
					}
				}
			}
			raw := []mat.Field{{Name: "data", Value: data}, {Name: "hamilton", Value: mat.Numbers{Dims: []int{1, 2}, Values: []float64{float64(10 + s), float64(15 + 8*s)}}}, {Name: "labels", Value: labels}}
			list := []file{{"Raw data.mat/S" + name(s) + ".mat", func(w io.Writer) error { return writeMAT(w, raw...) }}}
			if preprocessed {
				list = append(list, file{"Preprocessed data .mat/S" + name(s) + "preprocessed.mat", func(w io.Writer) error { return writeMAT(w, raw[0]) }})
			}
			return list
		}}
}
