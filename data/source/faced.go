package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/mat"
	"github.com/eegprune/eegprune/data/pickle"
	"github.com/eegprune/eegprune/internal/cite"
	"github.com/eegprune/eegprune/internal/note"
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
signal: {rate: 250, electrodes: [` + facedElectrodes + `]}
`,
		format: format{name: "faced", about: "FACED's Processed_data (pickled arrays)", streams: true, read: trialReader(readFACED).read, labels: facedLabels(), beside: []string{facedRemarks}, aside: facedRatings},
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
			"a third (EmT) has A1 and A2 as channels 17 and 18, by which 14 channels would have other names; " + facedDiffers,
	}
}

const facedDiffers = "the label valence is that of a clip, as in torcheeg, which reads no ratings; what a subject felt is felt-valence, and ratings above 3.5, the middle, are high"

// facedLabels are the emotion that a clip is meant to evoke, its valence, and the subject's
// ratings, which are in other files.
func facedLabels() []label.Scale {
	felt := ratings(0, 7, 3.5, facedOrder()...)
	for i := range felt {
		felt[i].Tie = label.TieLow
	}
	return append([]label.Scale{
		{Key: "emotion", Classes: label.Numbered("anger", "disgust", "fear", "sadness", "neutral", "amusement", "inspiration", "joy", "tenderness")},
		{Key: "valence", Classes: []label.ClassOf{{Value: -1, Class: "negative"}, {Value: 0, Class: "neutral"}, {Value: 1, Class: "positive"}}},
	}, felt...)
}

// facedOrder are the ratings in the order of After_remarks.mat.
func facedOrder() []string {
	return []string{"joy", "tenderness", "inspiration", "amusement", "anger", "disgust", "fear", "sadness", "arousal", "felt-valence", "familiarity", "liking"}
}

const facedRemarks = "After_remarks.mat"

// facedRatings lists the paths where a subject's ratings may be.
func facedRatings(f File) []string {
	var list []string
	for _, below := range []string{".", "sub%s", "../Rating/sub%s", "../Data/sub%s", "../After_remarks/sub%s"} {
		below = strings.ReplaceAll(below, "%s", f.Subject)
		list = append(list, filepath.Join(filepath.Dir(f.Path), filepath.FromSlash(below), facedRemarks))
	}
	return list
}

// facedFelt reads a subject's ratings, by clip; the file has them in the order in which the clips
// were seen. It is empty where there is no file.
func facedFelt(ctx context.Context, f File) (felt map[int]map[string]float64, notes []note.Note, err error) {
	err = withFirstArrays(ctx, facedRatings(f), mat.Only("After_remark.score", "After_remark.vid"), func(v map[string]*mat.Array) (err error) {
		felt, err = facedTable(ctx, v["After_remark"])
		return err
	})
	if !errors.Is(err, fs.ErrNotExist) {
		return felt, nil, err
	}
	return nil, []note.Note{note.New(note.About, "There is no %s of its subject (in ../Rating/sub%s, for one), and so what was felt is not known.", facedRemarks, f.Subject)}, nil
}

func facedTable(ctx context.Context, a *mat.Array) (map[int]map[string]float64, error) {
	if a == nil || a.Class != "struct" || a.Len() > facedClips {
		return nil, fmt.Errorf("it has no structure After_remark with an element for each of %d clips", facedClips)
	}
	felt := map[int]map[string]float64{}
	for i := range a.Len() {
		score, vid := a.Field(i, "score"), a.Field(i, "vid")
		if score == nil || vid == nil || score.Len() != len(facedOrder()) {
			return nil, fmt.Errorf("element %d of its After_remark has no vid and score with %d ratings", i+1, len(facedOrder()))
		}
		clip, ok := vid.Number()
		if n := int(clip); !ok || float64(n) != clip || n < 1 || n > facedClips || felt[n] != nil {
			return nil, fmt.Errorf("element %d of its After_remark is of clip %g, and clips are 1 to %d, each once", i+1, clip, facedClips)
		}
		values, err := score.Vector(ctx)
		if err != nil {
			return nil, fmt.Errorf("element %d of its After_remark: %w", i+1, err)
		}
		labels := map[string]float64{}
		for k, key := range facedOrder() {
			if !math.IsNaN(values[k]) {
				labels[key] = values[k]
			}
		}
		felt[int(clip)] = labels
	}
	return felt, nil
}

// facedClip is a clip by its number from 1, without its samples.
func facedClip(n int, felt map[string]float64) trial {
	emotion := facedEmotions()[n-1]
	labels := map[string]float64{"emotion": float64(emotion), "valence": float64(cmp.Compare(emotion, 4))}
	maps.Copy(labels, felt)
	return trial{number: n, stimulus: strconv.Itoa(n), labels: labels}
}

// facedElectrodes are the first 30 channels.
const facedElectrodes = "Fp1, Fp2, Fz, F3, F4, F7, F8, FC1, FC2, FC5, FC6, Cz, C3, C4, T7, T8, CP1, CP2, CP5, CP6, Pz, P3, P4, P7, P8, PO3, PO4, Oz, O1, O2"

const (
	facedClips = 28
	facedRows  = 32
)

// facedEmotions are the emotions of the clips. Those after the neutral one are positive.
func facedEmotions() []int {
	var list []int
	for emotion, n := range []int{3, 3, 3, 3, 4, 3, 3, 3, 3} {
		for range n {
			list = append(list, emotion)
		}
	}
	return list
}

func readFACED(ctx context.Context, m *Manifest, f File, yield func(trial) error) error {
	felt, notes, err := facedFelt(ctx, f)
	if err != nil {
		return err
	}
	return withPickle(f.Path, func(v any, intact func() error) error {
		a, err := pickle.AsArray(v)
		if err != nil {
			return fmt.Errorf("%w, and FACED's files are arrays [28, 32, samples]: give the data set's directory Processed_data", err)
		}
		if len(a.Shape) != 3 || a.Shape[0] != facedClips {
			return fmt.Errorf("its array is %v and FACED's are [28, 32, samples]: give the data set's directory Processed_data", a.Shape)
		}
		for i := range facedClips {
			t := facedClip(i+1, felt[i+1])
			t.samples, t.notes = arrayBlock(a, i, intact), notes
			if err := yield(t); err != nil {
				return err
			}
		}
		return nil
	})
}
