package source

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	"github.com/eegprune/eegprune/data/mat"
	"github.com/eegprune/eegprune/internal/cite"
)

// dreamer is DREAMER.mat (Katsigiannis & Ramzan, IEEE J Biomedical and Health Informatics 2018,
// 22:98): one structure with a cell for each subject.
func dreamer() dataset {
	return dataset{
		cite: cite.Paper{
			Key:     "katsigiannis2018",
			Authors: []string{"Katsigiannis, Stamos", "Ramzan, Naeem"},
			Title:   "DREAMER: A Database for Emotion Recognition Through EEG and ECG Signals From Wireless Low-cost Off-the-Shelf Devices",
			Journal: "IEEE Journal of Biomedical and Health Informatics", Year: 2018, Volume: "22", Number: "1", Pages: "98--107", DOI: "10.1109/JBHI.2017.2688239",
		},
		manifest: `
name: dreamer
format: dreamer
files: '(^|/)DREAMER(?<subject>)\.mat$'
signal: {rate: 128, electrodes: [` + emotiv + `]}
`,
		format: format{name: "dreamer", about: "DREAMER (DREAMER.mat)", labels: ratings(1, 5, 3, "valence", "arousal", "dominance"), read: trialReader(readDREAMER).read},
		whole:  census{counted("%d", 1, dreamerSubjects), 0, 18},
		differs: "ratings of 3 are high here and in torcheeg, and low in EEGain (--tie '>'); LibEER takes the last 60 s of a film and the last 4 s of its baseline, " +
			"here and in torcheeg all of both are taken; subjects and trials count from 1, and from 0 in torcheeg",
	}
}

// emotiv are the electrodes of Emotiv's EPOC in its own order.
const emotiv = "AF3, F7, F3, FC5, T7, P7, O1, O2, P8, T8, FC6, F4, F8, AF4"

const (
	dreamerSubjects = 23
	// dreamerAtOnce is how many subjects are in memory at once: each has some 60 MB.
	dreamerAtOnce = 6
	// mostCells bounds the subjects of a file.
	mostCells = 1000
)

// readDREAMER goes through the file several times, for some subjects each, as all of its 1.5 GB
// is one compressed variable.
func readDREAMER(ctx context.Context, m *Manifest, f File, yield func(trial) error) error {
	all := mostCells
	for first := 0; first < all; first += dreamerAtOnce {
		seen := -1 // the path is asked for once for the list and then for each cell
		want := func(path string) bool {
			if path == "DREAMER.Data{}" {
				seen++
				return seen == 0 || seen > first && seen <= first+dreamerAtOnce
			}
			return path != "DREAMER.Data{}.ECG" && mat.Only("DREAMER.Data")(path)
		}
		err := eachArray(ctx, f.Path, want, func(a *mat.Array) error {
			cells := a.Field(0, "Data").Cells()
			if len(cells) == 0 || len(cells) > mostCells {
				return fmt.Errorf("its DREAMER.Data holds no cells of subjects: it is not DREAMER's file")
			}
			all = len(cells)
			for s := first; s < min(first+dreamerAtOnce, all); s++ {
				if err := dreamerSubject(ctx, cells[s], s+1, yield); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if all == mostCells {
			return fmt.Errorf("it has no structure DREAMER")
		}
	}
	return nil
}

// dreamerSubject gives the trials of one subject.
func dreamerSubject(ctx context.Context, a *mat.Array, subject int, yield func(trial) error) error {
	eeg := a.Field(0, "EEG")
	stimuli, baseline := eeg.Field(0, "stimuli"), eeg.Field(0, "baseline")
	if stimuli == nil || baseline == nil || len(stimuli.Cells()) != len(baseline.Cells()) {
		return fmt.Errorf("subject %d has no EEG.stimuli and EEG.baseline with a cell for each film", subject)
	}
	scales := ratings(1, 5, 3, "valence", "arousal", "dominance")
	scores := make([][]float64, len(scales))
	for i, field := range []string{"ScoreValence", "ScoreArousal", "ScoreDominance"} {
		x := a.Field(0, field)
		if x == nil || x.Len() != len(stimuli.Cells()) {
			return fmt.Errorf("subject %d has no %s with a number for each of its %d films", subject, field, len(stimuli.Cells()))
		}
		var err error
		if scores[i], err = x.Vector(ctx); err != nil {
			return err
		}
	}
	for i, cell := range stimuli.Cells() {
		t := trial{subject: strconv.Itoa(subject), number: i + 1, stimulus: strconv.Itoa(i + 1)}
		t.labels = named(scales, []float64{scores[0][i], scores[1][i], scores[2][i]})
		var err error
		if t.samples, err = matBlock(cell, true); err != nil {
			return fmt.Errorf("subject %d, film %d: %w", subject, i+1, err)
		}
		before, err := matBlock(baseline.Cells()[i], true)
		if err != nil {
			return fmt.Errorf("subject %d, baseline of film %d: %w", subject, i+1, err)
		}
		t.before = &before
		if err := yield(t); err != nil {
			return err
		}
	}
	return nil
}

// variable reports whether a MAT file has all of some variables.
func variable(names ...string) func(path string) (bool, error) {
	top := regexp.MustCompile(`^\w+$`)
	return func(path string) (bool, error) {
		found := map[string]bool{}
		err := eachArray(context.Background(), path, top.MatchString, func(a *mat.Array) error { found[a.Name] = true; return nil })
		for _, n := range names {
			if !found[n] {
				return false, err
			}
		}
		return true, err
	}
}
