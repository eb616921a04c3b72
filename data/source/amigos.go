package source

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/mat"
	"github.com/eegprune/eegprune/internal/cite"
)

// amigos is AMIGOS's Data_Preprocessed (Miranda-Correa et al., IEEE Trans Affective Computing
// 2021, 12:479): the 16 short videos of each subject.
func amigos() dataset {
	return dataset{
		cite: cite.Paper{
			Key:     "mirandacorrea2021",
			Authors: []string{"Miranda-Correa, Juan Abdon", "Abadi, Mojtaba Khomami", "Sebe, Nicu", "Patras, Ioannis"},
			Title:   "AMIGOS: A Dataset for Affect, Personality and Mood Research on Individuals and Groups",
			Journal: "IEEE Transactions on Affective Computing", Year: 2021, Volume: "12", Number: "2", Pages: "479--493", DOI: "10.1109/TAFFC.2018.2884461",
		},
		manifest: `
name: amigos
format: amigos
files: '(^|/)Data_Preprocessed_P(?<subject>\d{2})\.mat$'
signal: {rate: 128, electrodes: [` + emotiv + `], baseline: 5}
`,
		format: format{name: "amigos", about: "AMIGOS's Data_Preprocessed (MAT files)", labels: amigosLabels(), read: trialReader(readAMIGOS).read},
		is:     variable("joined_data", "labels_selfassessment"),
		apart: []apart{{regexp.MustCompile(`_P(09|12|21|22|23|24|33)\.mat$`),
			"as torcheeg leaves out the subjects who lack videos (an eegprune.yaml with format: amigos reads them)"}},
		whole: census{slices.DeleteFunc(counted("%02d", 1, 40), func(s string) bool {
			return slices.Contains([]string{"09", "12", "21", "22", "23", "24", "33"}, s)
		}), 0, 16},
		differs: "the 4 long videos are left out, as in torcheeg; ratings of 5 and more are high here and in torcheeg, those above 4.5 in EEGain (--threshold 4.5 --tie '>')",
	}
}

// amigosShort is the number of short videos, which come first.
const amigosShort = 16

// amigosLabels are the ratings, in the order in which they are offered, and seven emotions that
// were felt or not.
func amigosLabels() []label.Scale {
	list := ratings(1, 9, 5, "valence", "arousal", "dominance", "liking", "familiarity")
	for _, e := range []string{"neutral", "disgust", "happiness", "surprise", "anger", "fear", "sadness"} {
		list = append(list, label.Scale{Key: e, Classes: label.Numbered("no "+e, e)})
	}
	return list
}

func readAMIGOS(ctx context.Context, m *Manifest, f File, yield func(trial) error) error {
	return withArrays(ctx, f.Path, mat.Only("joined_data", "labels_selfassessment"), func(v map[string]*mat.Array) error {
		if v["joined_data"] == nil || v["labels_selfassessment"] == nil {
			return errors.New("it has no variables joined_data and labels_selfassessment: give the data set's directory Data_Preprocessed")
		}
		data, labels := v["joined_data"].Cells(), v["labels_selfassessment"].Cells()
		if len(data) != len(labels) {
			return fmt.Errorf("it has %d videos and self-assessments of %d: the file is damaged", len(data), len(labels))
		}
		for i := range data[:min(amigosShort, len(data))] {
			if data[i].Len() == 0 || labels[i].Len() == 0 {
				continue // a video that the subject did not see; what is missing is said
			}
			x, err := labels[i].Vector(ctx)
			if err != nil {
				return fmt.Errorf("self-assessment of video %d: %w", i+1, err)
			}
			if len(x) < len(amigosLabels()) {
				return fmt.Errorf("its self-assessment of video %d has %d numbers and %d are needed", i+1, len(x), len(amigosLabels()))
			}
			x[0], x[1] = x[1], x[0] // arousal comes first in the file
			t := trial{number: i + 1, stimulus: strconv.Itoa(i + 1), labels: named(amigosLabels(), x)}
			if t.samples, err = matBlock(data[i], true); err != nil {
				return fmt.Errorf("video %d: %w", i+1, err)
			}
			if err := yield(t); err != nil {
				return err
			}
		}
		return nil
	})
}
