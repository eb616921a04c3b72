package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// deapBDF is DEAP's data_original: a BDF file for each subject, in which code 4 is the beginning
// of a video of 60 s, and participant_ratings.csv, which says which video each trial was.
func deapBDF() dataset {
	return dataset{
		cite: deap().cite,
		manifest: `
name: deap-bdf
format: deap-bdf
files: '(^|/)s(?<subject>\d{2})\.bdf$'
signal: {rate: 512, electrodes: [deap], baseline: 3}
`,
		format: format{name: "deap-bdf", about: "DEAP's data_original (BDF and participant_ratings.csv)", labels: deapLabels(), units: true, beside: deapRatings(), read: trialReader(readDEAPBDF).read},
		whole:  census{counted("%02d", 1, 32), 0, 40},
		differs: deapDiffers + ". Trials are in the order in which they were seen, samples as recorded, not filtered and without DEAP's removal of eye movements; " +
			"LibEER takes the 60 s before the code after the video, here the 60 s after its beginning are taken",
	}
}

// deapRatings are where the file of ratings may lie, from that of a recording.
func deapRatings() []string {
	const name = "participant_ratings.csv"
	return []string{name, "../metadata_csv/" + name, "../" + name}
}

const (
	deapBegins  = 4  // the code
	deapSeconds = 60 // of a video
)

func readDEAPBDF(ctx context.Context, m *Manifest, f File, yield func(trial) error) error {
	rated, err := deapRated(f)
	if err != nil {
		return err
	}
	b, err := openBioSemi(ctx, m, f.Path)
	if err != nil {
		return err
	}
	length, before := samples(deapSeconds, b.rate), samples(m.Signal.Baseline, b.rate)
	n := 0
	for i, c := range b.codes {
		if c.value != deapBegins {
			continue
		}
		n++
		t, ok := rated[n]
		if !ok {
			return fmt.Errorf("it has a trial %d (code %d at %.6g s), and participant_ratings.csv has none of that number of subject %s", n, deapBegins, float64(c.sample)/b.rate, f.Subject)
		}
		end := c.sample + length
		if i+1 < len(b.codes) && b.codes[i+1].sample < end && b.codes[i+1].sample > c.sample {
			end = b.codes[i+1].sample // a video that was stopped, or a shorter one
		}
		t.rate, t.notes = b.rate, b.notes
		if t.samples, err = b.part(c.sample-before, min(end, len(b.x[0]))); err != nil {
			return fmt.Errorf("trial %d: %w", n, err)
		}
		if err := yield(t); err != nil {
			return err
		}
	}
	return nil
}

// deapRated reads the ratings of a subject, by the number of the trial.
func deapRated(f File) (map[int]trial, error) {
	subject, err := strconv.Atoi(f.Subject)
	if err != nil {
		return nil, fmt.Errorf("its subject %q is no number", f.Subject)
	}
	for _, below := range deapRatings() {
		path := filepath.Join(filepath.Dir(f.Path), filepath.FromSlash(below))
		file, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list, err := deapTable(file, subject)
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, inFile(path, err)
		}
		return list, nil
	}
	return nil, fmt.Errorf("the ratings of its trials are missing: put DEAP's participant_ratings.csv beside it (one of %s from there)", strings.Join(deapRatings(), ", "))
}

// deapTable reads participant_ratings.csv.
func deapTable(r io.Reader, subject int) (map[int]trial, error) {
	lines := table(r)
	head, err := lines.Read()
	if errors.Is(err, io.EOF) {
		return nil, errEmpty
	}
	if err != nil {
		return nil, err
	}
	columns := []string{"Participant_id", "Trial", "Experiment_id", "Valence", "Arousal", "Dominance", "Liking"}
	at := make([]int, len(columns))
	for i, c := range columns {
		if at[i] = indexOf(head, c); at[i] < 0 {
			return nil, fmt.Errorf("it has no column %s", c)
		}
	}
	list := map[int]trial{}
	for row := 2; ; row++ {
		line, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		values := make([]float64, len(at))
		for i, c := range at {
			if c >= len(line) {
				return nil, fmt.Errorf("line %d is too short", row)
			}
			if values[i], err = strconv.ParseFloat(line[c], 64); err != nil {
				return nil, fmt.Errorf("line %d: %q in the column %s is no number", row, line[c], columns[i])
			}
		}
		if int(values[0]) != subject {
			continue
		}
		n := int(values[1])
		if _, twice := list[n]; twice {
			return nil, fmt.Errorf("line %d: trial %d of subject %d is there twice", row, n, subject)
		}
		list[n] = trial{number: n, stimulus: strconv.Itoa(int(values[2])), labels: named(deapLabels(), values[3:])}
	}
}
