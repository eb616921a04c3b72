package source

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/mat"
	"github.com/eegprune/eegprune/internal/cite"
	"github.com/eegprune/eegprune/internal/note"
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
		differs: "the 4 long videos are left out, as in torcheeg; ratings of 5 and more are high here and in torcheeg, those above 4.5 in EEGain (--threshold 4.5 --tie '>'); " +
			"videos with samples that are no numbers are left out here, torcheeg gives them on as they are, and EEGain makes zeros of them",
	}
}

const (
	amigosShort      = 16 // videos, which come first
	amigosElectrodes = 14 // channels, which come first
)

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
		var trials []trial
		var blank []string
		for i := range data[:min(amigosShort, len(data))] {
			if data[i].Len() == 0 || labels[i].Len() == 0 {
				continue // a video that the subject did not see; noteMissing counts it
			}
			t, whole, err := amigosTrial(ctx, data[i], labels[i])
			if err != nil {
				return fmt.Errorf("video %d: %w", i+1, err)
			}
			if !whole {
				blank = append(blank, strconv.Itoa(i+1))
				continue
			}
			t.number, t.stimulus = i+1, strconv.Itoa(i+1)
			trials = append(trials, t)
		}
		if len(blank) > 0 && len(trials) == 0 {
			return errors.New("all of its videos have samples or self-assessments that are no numbers (NaN)")
		}
		if len(blank) > 0 {
			trials[0].notes = []note.Note{note.New(note.LeftOut, "Videos are left out whose samples or self-assessment are no numbers (NaN): %s.", strings.Join(blank, ", "))}
		}
		for _, t := range trials {
			if err := yield(t); err != nil {
				return err
			}
		}
		return nil
	})
}

// amigosTrial is a video's trial. It is not whole where some of its numbers are none, as the set has
// them.
func amigosTrial(ctx context.Context, data, assessed *mat.Array) (t trial, whole bool, err error) {
	x, err := assessed.Vector(ctx)
	if err != nil {
		return t, false, fmt.Errorf("its self-assessment: %w", err)
	}
	if len(x) < len(amigosLabels()) {
		return t, false, fmt.Errorf("its self-assessment has %d numbers and %d are needed", len(x), len(amigosLabels()))
	}
	x[0], x[1] = x[1], x[0] // arousal comes first in the file
	t.labels = named(amigosLabels(), x)
	if t.samples, err = matBlock(data, true); err != nil {
		return t, false, err
	}
	if slices.ContainsFunc(x[:len(amigosLabels())], math.IsNaN) {
		return t, false, nil
	}
	for r := range min(amigosElectrodes, t.samples.channels) {
		row, err := t.samples.read(ctx, []int{r})
		if err != nil {
			return t, false, err
		}
		if slices.ContainsFunc(row[0], math.IsNaN) {
			return t, false, nil
		}
	}
	return t, true, nil
}
