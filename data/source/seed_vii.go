package source

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/internal/cite"
)

// seedVII is SEED-VII's EEG_preprocessed (Jiang et al., IEEE Trans Affective Computing 2025): a
// file for each subject, whose matrices "1" to "80" are four sessions of 20 clips, no clip in
// two. The labels are those of emotion_label_and_stimuli_order.xlsx.
func seedVII() dataset {
	v := variables{name: regexp.MustCompile(`^(\d+)$`), example: "%d", none: "give the data set's directory EEG_preprocessed",
		known: func(context.Context, *Manifest, File) ([]trial, error) { return seedVIITrials(), nil }}
	return dataset{
		cite: cite.Paper{
			Key:     "jiang2024",
			Authors: []string{"Jiang, Wei-Bang", "Liu, Xuan-Hao", "Zheng, Wei-Long", "Lu, Bao-Liang"},
			Title:   "SEED-VII: A Multimodal Dataset of Six Basic Emotions with Continuous Labels for Emotion Recognition",
			Journal: "IEEE Transactions on Affective Computing", Year: 2024,
		},
		manifest: `
name: seed-vii
format: seed-vii
files: '(^|/)(?<subject>\d{1,2})\.mat$'
signal: {rate: 200, electrodes: [seed]}
`,
		format: format{name: "seed-vii", about: "SEED-VII's EEG_preprocessed (MAT files)", streams: true, read: trialReader(v.read).read,
			labels: []label.Scale{{Key: "emotion", Classes: label.Numbered("disgust", "fear", "sad", "neutral", "happy", "anger", "surprise")}}},
		features: regexp.MustCompile(`(^|/)(EEG_features|EYE_[^/]*|continuous_labels)/`), raw: "EEG_preprocessed",
		is:      v.has(80),
		whole:   census{counted("%d", 1, 20), 4, 20},
		differs: "torcheeg (b6039b1) has no reader of SEED-VII; classes are numbered here as in SEED-V, anger and surprise after those",
	}
}

func seedVIITrials() []trial {
	const disgust, fear, sad, neutral, happy, anger, surprise = 0, 1, 2, 3, 4, 5, 6
	var list []trial
	for i, half := range [][]int{
		{happy, neutral, disgust, sad, anger}, {anger, sad, fear, neutral, surprise}, {happy, surprise, disgust, fear, anger}, {disgust, sad, fear, surprise, happy},
	} {
		back := slices.Clone(half)
		slices.Reverse(back)
		list = append(list, emotions(fmt.Sprint(i+1), len(list)+1, slices.Concat(half, back, half, back)...)...)
	}
	return list
}
