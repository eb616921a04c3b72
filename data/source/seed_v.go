package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/data/cnt"
	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/internal/cite"
)

// seedV is SEED-V's EEG_raw (Liu et al., IEEE Trans Cognitive and Developmental Systems 2022,
// 14:715): a Neuroscan file for each session. The trials lie at seconds that all subjects share.
func seedV() dataset {
	return dataset{
		cite: cite.Paper{
			Key:     "liu2022",
			Authors: []string{"Liu, Wei", "Qiu, Jie-Lin", "Zheng, Wei-Long", "Lu, Bao-Liang"},
			Title:   "Comparing Recognition Performance and Robustness of Multimodal Deep Learning Models for Multimodal Emotion Recognition",
			Journal: "IEEE Transactions on Cognitive and Developmental Systems", Year: 2022, Volume: "14", Number: "2", Pages: "715--729",
		},
		manifest: `
name: seed-v
format: seed-v
files: '(^|/)(?<subject>\d+)_(?<session>[123])_\d{8}\.cnt$'
signal: {rate: 1000, electrodes: [seed]}
`,
		format: format{name: "seed-v", about: "SEED-V's EEG_raw (Neuroscan .cnt)", streams: true, read: trialReader(readSEEDV).read, beside: seedVTimesFiles(),
			labels: []label.Scale{{Key: "emotion", Classes: label.Numbered("disgust", "fear", "sad", "neutral", "happy")}}},
		is: func(path string) (bool, error) {
			f, err := cnt.Open(path)
			if err != nil {
				return false, err
			}
			return true, f.Close()
		},
		apart: []apart{{regexp.MustCompile(`(^|/)\d+_123\.npz$`), "which hold features that the recordings were made into (--format seed-v-features reads those)"}},
		whole: census{counted("%d", 1, 16), 3, 15},
		differs: "samples are as recorded, 1000 a second; torcheeg takes every fifth of them without a low-pass filter, so that what is above 100 Hz is folded into the bands, " +
			"and filters them after that",
	}
}

// seedVTimes are the seconds at which the trials of a session begin and end, from the file's
// first sample, by the set's trial_start_end_timestamp.txt.
func seedVTimes() map[string][2][]float64 {
	return map[string][2][]float64{
		"1": {{30, 132, 287, 555, 773, 982, 1271, 1628, 1730, 2025, 2227, 2435, 2667, 2932, 3204},
			{102, 228, 524, 742, 920, 1240, 1568, 1697, 1994, 2166, 2401, 2607, 2901, 3172, 3359}},
		"2": {{30, 299, 548, 646, 836, 1000, 1091, 1392, 1657, 1809, 1966, 2186, 2333, 2490, 2741},
			{267, 488, 614, 773, 967, 1059, 1331, 1622, 1777, 1908, 2153, 2302, 2428, 2709, 2817}},
		"3": {{30, 353, 478, 674, 825, 908, 1200, 1346, 1451, 1711, 2055, 2307, 2457, 2726, 2888},
			{321, 418, 643, 764, 877, 1147, 1284, 1418, 1679, 1996, 2275, 2425, 2664, 2857, 3066}},
	}
}

// seedVTrials are the trials of a session. No film is shown in two.
func seedVTrials(session string) []trial {
	if session == "1" {
		return emotions("", 1, 4, 1, 3, 2, 0, 4, 1, 3, 2, 0, 4, 1, 3, 2, 0)
	}
	first := 16
	if session == "3" {
		first = 31
	}
	return emotions("", first, 2, 1, 3, 0, 4, 4, 0, 3, 2, 1, 3, 4, 1, 2, 0)
}

func readSEEDV(ctx context.Context, m *Manifest, f File, yield func(trial) error) error {
	begin, end, err := timesOfSEEDV(f)
	if err != nil {
		return err
	}
	file, err := cnt.Open(f.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	if file.Rate != m.Signal.Rate {
		return fmt.Errorf("it has %g samples a second, and SEED-V's recordings %g", file.Rate, m.Signal.Rate)
	}
	names, err := m.Signal.electrodes()
	if err != nil {
		return err
	}
	at := make([]int, len(names))
	for i, n := range names {
		if at[i] = indexOf(file.Channels, n); at[i] < 0 {
			return fmt.Errorf("it has no channel %s: it has %s", n, strings.Join(file.Channels, " "))
		}
	}
	trials := seedVTrials(f.Session)
	if len(begin) != len(trials) {
		return fmt.Errorf("%s has the times of %d trials of session %s, and there are %d", seedVTimesFile, len(begin), f.Session, len(trials))
	}
	for i, t := range trials {
		from, to := samples(begin[i], file.Rate), samples(end[i], file.Rate)
		if from >= to || to > file.Samples {
			return fmt.Errorf("trial %d lasts from %g to %g s, and the file has %.6g s: it is cut off, or %s is another's", i+1, begin[i], end[i], float64(file.Samples)/file.Rate, seedVTimesFile)
		}
		t.samples = block{len(names), to - from, func(ctx context.Context, rows []int) ([][]float64, error) {
			channels := make([]int, len(rows))
			for k, r := range rows {
				channels[k] = at[r]
			}
			return file.Read(ctx, channels, from, to)
		}}
		if err := yield(t); err != nil {
			return err
		}
	}
	return nil
}

// indexOf is where a name is among those of channels, or of the columns of a table that may begin
// with a byte-order mark, whatever the case of its letters; -1 where it isn't.
func indexOf(channels []string, name string) int {
	for i, c := range channels {
		if strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(c, "\ufeff")), name) {
			return i
		}
	}
	return -1
}

const seedVTimesFile = "trial_start_end_timestamp.txt"

func seedVTimesFiles() []string { return []string{seedVTimesFile, "../" + seedVTimesFile} }

// seedVSession finds a session in the file of times, with its two lists.
var seedVSession = regexp.MustCompile(`(?is)session\s*(\d)[^\[]*\[([^\]]*)\][^\[]*\[([^\]]*)\]`)

// timesOfSEEDV are the times of a session's trials: those of a file beside the recording, where
// there is one.
func timesOfSEEDV(f File) (begin, end []float64, err error) {
	for _, below := range seedVTimesFiles() {
		path := filepath.Join(filepath.Dir(f.Path), filepath.FromSlash(below))
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		for _, found := range seedVSession.FindAllStringSubmatch(string(b), -1) {
			if found[1] != f.Session {
				continue
			}
			if begin, err = numbersOf(found[2]); err == nil {
				end, err = numbersOf(found[3])
			}
			if err == nil && len(begin) != len(end) {
				err = fmt.Errorf("session %s has %d trials that begin and %d that end", f.Session, len(begin), len(end))
			}
			if err != nil {
				return nil, nil, inFile(path, err)
			}
			return begin, end, nil
		}
		return nil, nil, fmt.Errorf("%s: it has no times of session %s", path, f.Session)
	}
	times := seedVTimes()[f.Session]
	return times[0], times[1], nil
}

// numbersOf reads a list of times with commas between them.
func numbersOf(list string) ([]float64, error) {
	var numbers []float64
	for _, part := range strings.Split(list, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || !(v >= 0) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%q is no time in seconds", strings.TrimSpace(part))
		}
		numbers = append(numbers, v)
	}
	return numbers, nil
}
