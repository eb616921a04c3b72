package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/mat"
	"github.com/eegprune/eegprune/internal/cite"
)

// thuEP is THU-EP (Hu et al., Computers in Biology and Medicine 2022): a variable data [6 bands, 28
// clips, 32 channels, samples] for each subject, of whose bands the last is the whole, and
// ratings.mat [subjects, clips, 12]. Its layout is that which EmT's reader knows.
func thuEP() dataset {
	return dataset{
		cite: cite.Paper{
			Key:     "hu2022",
			Authors: []string{"Hu, Xin", "Wang, Fei", "Zhang, Dan"},
			Title:   "Similar brains blend emotion in similar ways: Neural representations of individual difference in emotion profiles",
			Journal: "NeuroImage", Year: 2022, Volume: "247", Pages: "118819",
		},
		manifest: `
name: thu-ep
format: thu-ep
files: '(^|/)sub_(?<subject>\d+)\.mat$'
signal: {rate: 250, electrodes: [Fp1, Fp2, Fz, F3, F4, F7, F8, FC1, FC2, FC5, FC6, Cz, C3, C4, T7, T8, A1, A2, CP1, CP2, CP5, CP6, Pz, P3, P4, P7, P8, PO3, PO4, Oz, O1, O2]}
`,
		format:  format{name: "thu-ep", about: "THU-EP (sub_N.mat and ratings.mat)", labels: thuEPLabels(), beside: thuEPRatings(), read: trialReader(readTHUEP).read},
		is:      variable("data"),
		whole:   census{counted("%d", 1, 80), 0, 28},
		differs: "torcheeg (b6039b1) has no reader of THU-EP; ratings above 3 are high, as in EmT, and of the bands in the files only the last, the whole, is read",
	}
}

// thuEPRatings are where the file of ratings may lie, from that of a recording.
func thuEPRatings() []string {
	return []string{"../Ratings/ratings.mat", "ratings.mat", "../ratings.mat"}
}

// thuEPLabels are in the order of the file, but for those that are offered first.
func thuEPLabels() []label.Scale {
	list := ratings(0, 10, 3, "valence", "arousal", "anger", "disgust", "fear", "sadness", "amusement", "joy", "inspiration", "tenderness", "familiarity", "liking")
	for i := range list {
		list[i].Tie = label.TieLow
	}
	return list
}

func readTHUEP(ctx context.Context, m *Manifest, f File, yield func(trial) error) error {
	rated, err := thuEPRated(ctx, f)
	if err != nil {
		return err
	}
	return withArrays(ctx, f.Path, mat.Only("data"), func(v map[string]*mat.Array) error {
		data := v["data"]
		if data == nil || len(data.Dims) != 4 {
			return errors.New("it has no variable data [bands, clips, channels, samples], as THU-EP's files have")
		}
		blocks, err := matBlocks(ctx, data, matAxes{trials: 1, channels: 2, samples: 3}, map[int]int{0: data.Dims[0] - 1})
		if err != nil {
			return err
		}
		if len(blocks) > len(rated) {
			return fmt.Errorf("it has %d clips and there are ratings of %d", len(blocks), len(rated))
		}
		for i, b := range blocks {
			if err := yield(trial{number: i + 1, stimulus: strconv.Itoa(i + 1), labels: rated[i], samples: b}); err != nil {
				return err
			}
		}
		return nil
	})
}

// thuEPOrder are the ratings in the order of the file.
func thuEPOrder() []string {
	return []string{"anger", "disgust", "fear", "sadness", "amusement", "joy", "inspiration", "tenderness", "arousal", "valence", "familiarity", "liking"}
}

// subjectNumber finds the number in a subject's name.
var subjectNumber = regexp.MustCompile(`\d+`)

// thuEPRated reads the ratings of a subject, for each clip.
func thuEPRated(ctx context.Context, f File) (list []map[string]float64, err error) {
	subject, err := strconv.Atoi(subjectNumber.FindString(f.Subject))
	if err != nil {
		return nil, fmt.Errorf("its subject %q has no number, by which ratings.mat counts", f.Subject)
	}
	for _, below := range thuEPRatings() {
		path := filepath.Join(filepath.Dir(f.Path), filepath.FromSlash(below))
		err = withArrays(ctx, path, mat.Only("ratings"), func(v map[string]*mat.Array) error {
			a := v["ratings"]
			if a == nil || len(a.Dims) != 3 || a.Dims[2] != len(thuEPOrder()) || a.Len() > mostRatings {
				return errors.New("it has no variable ratings [subjects, clips, 12]")
			}
			subjects, clips := a.Dims[0], a.Dims[1]
			if subject < 1 || subject > subjects {
				return fmt.Errorf("it has ratings of %d subjects, and none of subject %d", subjects, subject)
			}
			all := make([]float64, a.Len())
			if err := a.Floats(ctx, all, 0); err != nil {
				return err
			}
			for c := range clips {
				labels := map[string]float64{}
				for k, key := range thuEPOrder() {
					labels[key] = all[(k*clips+c)*subjects+subject-1]
				}
				list = append(list, labels)
			}
			return nil
		})
		if !errors.Is(err, fs.ErrNotExist) {
			return list, err
		}
	}
	return nil, fmt.Errorf("the ratings of its clips are missing: put THU-EP's Ratings/ratings.mat beside the directory of its recordings (one of %s from there)", strings.Join(thuEPRatings(), ", "))
}

// mostRatings bounds a file of ratings.
const mostRatings = 1 << 20
