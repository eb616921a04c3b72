package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/mat"
	"github.com/eegprune/eegprune/internal/cite"
)

// dasps is DASPS's "Preprocessed data .mat" (Baghdadi et al., J Ambient Intelligence and Humanized
// Computing 2021, 12:8519): a variable data [14, 1920, 12] for each subject, two recordings of 15 s
// of each of six situations, told and then imagined. The ratings are in "Raw data.mat".
func dasps() dataset {
	return dataset{
		cite: cite.Paper{
			Key:     "baghdadi2021",
			Authors: []string{"Baghdadi, Asma", "Aribi, Yassine", "Fourati, Rahma", "Halouani, Najla", "Siarry, Patrick", "Alimi, Adel"},
			Title:   "Psychological stimulation for anxious states detection based on EEG-related features",
			Journal: "Journal of Ambient Intelligence and Humanized Computing", Year: 2021, Volume: "12", Pages: "8519--8533", DOI: "10.1007/s12652-020-02586-8",
		},
		manifest: `
name: dasps
format: dasps
files: '(^|/)S(?<subject>\d{2})preprocessed\.mat$'
signal: {rate: 128, electrodes: [` + emotiv + `]}
`,
		format: format{name: "dasps", about: "DASPS's Preprocessed data .mat", labels: daspsLabels(), read: trialReader(readDASPS).read, aside: daspsRatings},
		is:     daspsShaped,
		apart: []apart{
			{regexp.MustCompile(`(^|/)S\d{2}\.mat$`), "which hold the ratings, and the recordings before they were filtered (--format dasps-raw reads those)"},
			daspsEDF(),
		},
		whole:   census{counted("%02d", 1, 23), 0, daspsSituations},
		differs: daspsDiffers,
	}
}

// daspsRaw is its "Raw data.mat", whose files have data and labels [12, 2], valence and arousal.
func daspsRaw() dataset {
	d := dasps()
	d.manifest = `
name: dasps-raw
format: dasps-raw
files: '(^|/)S(?<subject>\d{2})\.mat$'
signal: {rate: 128, electrodes: [` + emotiv + `]}
`
	d.format.name, d.format.about = "dasps-raw", "DASPS's Raw data.mat"
	d.apart = []apart{daspsEDF()}
	return d
}

func daspsEDF() apart {
	return apart{regexp.MustCompile(`(^|/)S\d{2}\.edf$`), "as nothing in them says when each situation was told"}
}

const (
	daspsDiffers = "torcheeg (b6039b1) has no reader of DASPS; a trial is a situation, with two recordings, as it was told and as it was imagined, which one rating is of. " +
		"Rows are taken to be in the order of Emotiv's own files, AF3 F7 F3, as most readers have them; one lists AF3 AF4 F3 F4, by which 10 rows would have other names"
	daspsSituations = 6
	daspsPhases     = 2 // of a situation
)

// daspsLabels are the ratings of a situation, and the Hamilton anxiety scores of a subject before
// and after, whose 20 parts light from moderate anxiety.
func daspsLabels() []label.Scale {
	return append(ratings(1, 9, 5, "valence", "arousal"), ratings(0, 56, 20, "hamilton-before", "hamilton-after")...)
}

// daspsShaped reports whether a file has twelve recordings of 14 electrodes.
func daspsShaped(path string) (is bool, err error) {
	err = eachArray(context.Background(), path, mat.Only("data"), func(a *mat.Array) error {
		is = daspsData(a) == nil
		return nil
	})
	return is, err
}

// daspsData is an error where an array is none of the set's recordings.
func daspsData(a *mat.Array) error {
	if a == nil {
		return errors.New("it has no variable data [14, samples, 12], as DASPS's files have")
	}
	if len(a.Dims) != 3 || a.Dims[0] != 14 || a.Dims[2] != daspsSituations*daspsPhases {
		return fmt.Errorf("its variable data is %s, and DASPS's are 14 x samples x 12: the file is damaged or another's", a.Shape())
	}
	return nil
}

// daspsRatings are where the ratings of a subject may lie.
func daspsRatings(f File) []string {
	var list []string
	for _, below := range []string{".", "../Raw data.mat", "../Raw data mat", "../Raw data .mat"} {
		list = append(list, filepath.Join(filepath.Dir(f.Path), filepath.FromSlash(below), "S"+f.Subject+".mat"))
	}
	return list
}

func readDASPS(ctx context.Context, _ *Manifest, f File, yield func(trial) error) error {
	rated, err := daspsRated(ctx, f)
	if err != nil {
		return err
	}
	return withArrays(ctx, f.Path, mat.Only("data"), func(v map[string]*mat.Array) error {
		if err := daspsData(v["data"]); err != nil {
			return err
		}
		blocks, err := matBlocks(ctx, v["data"], matAxes{channels: 0, samples: 1, trials: 2}, nil)
		if err != nil {
			return err
		}
		for i, b := range blocks {
			n := i/daspsPhases + 1
			t := trial{number: n, part: i%daspsPhases + 1, stimulus: strconv.Itoa(n), labels: rated[n-1], samples: b}
			if err := yield(t); err != nil {
				return err
			}
		}
		return nil
	})
}

// daspsRated reads the ratings of a subject's situations, of the first file that there is.
func daspsRated(ctx context.Context, f File) (list []map[string]float64, err error) {
	err = withFirstArrays(ctx, daspsRatings(f), func(p string) bool { return p != "data" && !strings.ContainsAny(p, ".{") }, func(v map[string]*mat.Array) (err error) {
		list, err = daspsTable(ctx, v)
		return err
	})
	if !errors.Is(err, fs.ErrNotExist) {
		return list, err
	}
	return nil, fmt.Errorf("the ratings of its situations are missing: put DASPS's directory \"Raw data.mat\" with S%s.mat beside the directory of its recordings", f.Subject)
}

// daspsTable reads the ratings that variables have.
func daspsTable(ctx context.Context, v map[string]*mat.Array) ([]map[string]float64, error) {
	a := v["labels"]
	const n = daspsSituations * daspsPhases
	if a == nil || !slices.Equal(a.Dims, []int{n, 2}) {
		return nil, fmt.Errorf("it has no variable labels [%d, 2], the valence and arousal of each recording", n)
	}
	all := make([]float64, a.Len())
	if err := a.Floats(ctx, all, 0); err != nil {
		return nil, err
	}
	var list []map[string]float64
	for i := 0; i < n; i += daspsPhases {
		labels := map[string]float64{"valence": all[i], "arousal": all[n+i]}
		one, other := []float64{all[i], all[n+i]}, []float64{all[i+1], all[n+i+1]}
		if !slices.ContainsFunc(one, math.IsNaN) && !slices.Equal(one, other) {
			return nil, fmt.Errorf("its recordings %d and %d are of one situation and have different ratings: the file is damaged", i+1, i+2)
		}
		list = append(list, labels)
	}
	for name, a := range v {
		if !strings.HasPrefix(strings.ToLower(name), "ham") || !a.Numeric() || a.Len() != 2 {
			continue
		}
		scores, err := a.Vector(ctx)
		if err != nil {
			return nil, err
		}
		for _, labels := range list {
			labels["hamilton-before"], labels["hamilton-after"] = scores[0], scores[1]
		}
	}
	return list, nil
}
