package source

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strconv"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/pickle"
	"github.com/eegprune/eegprune/internal/cite"
)

// faced is FACED's Processed_data (Chen et al., Scientific Data 2023, 10:740): a pickled array
// [28, 32, 7500] for each subject, the last 30 s of each clip, in the order of clips. The order of
// channels is that of the set's Electrode_Location.xlsx.
func faced() dataset {
	return dataset{
		cite: cite.Paper{
			Key:     "chen2023",
			Authors: []string{"Chen, Jingjing", "Wang, Xiaobin", "Huang, Chen", "Hu, Xin", "Shen, Xinke", "Zhang, Dan"},
			Title:   "A Large Finer-grained Affective Computing EEG Dataset",
			Journal: "Scientific Data", Year: 2023, Volume: "10", Pages: "740",
		},
		manifest: `
name: faced
format: faced
files: '(^|/)sub(?<subject>\d{3})\.pkl$'
signal: {rate: 250, electrodes: [Fp1, Fp2, Fz, F3, F4, F7, F8, FC1, FC2, FC5, FC6, Cz, C3, C4, T7, T8, CP1, CP2, CP5, CP6, Pz, P3, P4, P7, P8, PO3, PO4, Oz, O1, O2]}
`,
		format: format{name: "faced", about: "FACED's Processed_data (pickled arrays)", streams: true, read: trialReader(readFACED).read,
			labels: []label.Scale{
				{Key: "emotion", Classes: label.Numbered("anger", "disgust", "fear", "sadness", "neutral", "amusement", "inspiration", "joy", "tenderness")},
				{Key: "valence", Classes: []label.ClassOf{{Value: -1, Class: "negative"}, {Value: 0, Class: "neutral"}, {Value: 1, Class: "positive"}}},
			}},
		is: func(path string) (is bool, err error) {
			err = withPickle(path, func(v any, _ func() error) error {
				a, err := pickle.AsArray(v)
				is = err == nil && len(a.Shape) == 3 && a.Shape[0] == facedClips && a.Shape[1] == facedRows
				return nil
			})
			return is, err
		},
		features: regexp.MustCompile(`(^|/)(EEG_Features/|sub\d{3}\.pkl\.pkl$)`), raw: "Processed_data",
		whole: census{counted("%03d", 0, 122), 0, facedClips},
		differs: "channels 31 and 32 are no EEG by two of three readers (torcheeg calls them A2 and A1, the set's table HEOR and HEOL) and are left out; " +
			"a third (EmT) has A1 and A2 as channels 17 and 18, by which 14 channels would have other names",
	}
}

const (
	facedClips = 28
	facedRows  = 32
)

// facedEmotions are those of the clips, and facedValences of the emotions.
func facedEmotions() []int {
	var list []int
	for emotion, n := range []int{3, 3, 3, 3, 4, 3, 3, 3, 3} {
		for range n {
			list = append(list, emotion)
		}
	}
	return list
}

func readFACED(_ context.Context, m *Manifest, f File, yield func(trial) error) error {
	return withPickle(f.Path, func(v any, intact func() error) error {
		a, err := pickle.AsArray(v)
		if err != nil {
			return err
		}
		if len(a.Shape) != 3 || a.Shape[0] != facedClips {
			return fmt.Errorf("its array is %v and FACED's are [28, 32, samples]: give the data set's directory Processed_data", a.Shape)
		}
		for i, emotion := range facedEmotions() {
			labels := map[string]float64{"emotion": float64(emotion), "valence": float64(cmp.Compare(emotion, 4))}
			if err := yield(trial{number: i + 1, stimulus: strconv.Itoa(i + 1), labels: labels, samples: arrayBlock(a, i, intact)}); err != nil {
				return err
			}
		}
		return nil
	})
}
