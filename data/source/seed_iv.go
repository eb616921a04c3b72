package source

import (
	"context"
	"fmt"
	"regexp"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/internal/cite"
)

// seedIV is SEED-IV's eeg_raw_data (Zheng et al., IEEE Trans Cybernetics 2019, 49:1110): three
// sessions of 24 films, a folder each. The labels are those of the set's ReadMe.txt.
func seedIV() dataset {
	v := variables{name: seedTrial, example: "_eeg%d", none: "give the data set's directory eeg_raw_data, whose folders 1, 2 and 3 are its sessions",
		known: func(_ context.Context, _ *Manifest, f File) ([]trial, error) {
			list, ok := seedIVTrials()[f.Session]
			if !ok {
				return nil, fmt.Errorf("its session is %q, and SEED-IV's are 1, 2 and 3", f.Session)
			}
			return list, nil
		}}
	return dataset{
		cite: cite.Paper{
			Key:     "zheng2019",
			Authors: []string{"Zheng, Wei-Long", "Liu, Wei", "Lu, Yifei", "Lu, Bao-Liang", "Cichocki, Andrzej"},
			Title:   "EmotionMeter: A Multimodal Framework for Recognizing Human Emotions",
			Journal: "IEEE Transactions on Cybernetics", Year: 2019, Volume: "49", Number: "3", Pages: "1110--1122", DOI: "10.1109/TCYB.2018.2797176",
		},
		manifest: `
name: seed-iv
format: seed-iv
files: '(^|/)(?<session>[123])/(?<subject>\d+)_\d{8}\.mat$'
signal: {rate: 200, electrodes: [seed]}
`,
		format: format{name: "seed-iv", about: "SEED-IV's eeg_raw_data (MAT files)", streams: true, read: trialReader(v.read).read,
			labels: []label.Scale{{Key: "emotion", Classes: label.Numbered("neutral", "sad", "fear", "happy")}}},
		features: regexp.MustCompile(`(^|/)eeg_feature_smooth/`), raw: "eeg_raw_data",
		is:    v.has(24),
		whole: census{counted("%d", 1, 15), 3, 24},
	}
}

// seedIVTrials are the trials of each session. No film is shown in two.
func seedIVTrials() map[string][]trial {
	return map[string][]trial{
		"1": emotions("", 1, 1, 2, 3, 0, 2, 0, 0, 1, 0, 1, 2, 1, 1, 1, 2, 3, 2, 2, 3, 3, 0, 3, 0, 3),
		"2": emotions("", 25, 2, 1, 3, 0, 0, 2, 0, 2, 3, 3, 2, 3, 2, 0, 1, 1, 2, 1, 0, 3, 0, 1, 3, 1),
		"3": emotions("", 49, 1, 2, 2, 1, 3, 3, 3, 1, 1, 2, 1, 0, 2, 3, 3, 0, 2, 3, 0, 0, 2, 0, 1, 0),
	}
}
