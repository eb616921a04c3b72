package source

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/internal/cite"
)

// gameemo is GAMEEMO's preprocessed EEG (Alakus et al., Biomedical Signal Processing and Control
// 2020, 60:101951): a table for each of four games, whose header names the electrodes.
func gameemo() dataset {
	return dataset{
		cite: cite.Paper{
			Key:     "alakus2020",
			Authors: []string{"Alakus, Talha Burak", "Gonen, Murat", "Turkoglu, Ibrahim"},
			Title:   "Database for an emotion recognition system based on EEG signals and various computer games - GAMEEMO",
			Journal: "Biomedical Signal Processing and Control", Year: 2020, Volume: "60", Pages: "101951",
		},
		manifest: `
name: gameemo
format: gameemo
files: '(^|/)S(?<subject>\d{2})G(?<trial>[1-4])AllChannels\.csv$'
signal: {rate: 128, electrodes: [AF3, AF4, F3, F4, F7, F8, FC5, FC6, O1, O2, P7, P8, T7, T8]}
`,
		format: format{name: "gameemo", about: "GAMEEMO's preprocessed EEG (tables of each game)", read: trialReader(readGAMEEMO).read,
			labels: []label.Scale{{Key: "game", Classes: []label.ClassOf{{Value: 1, Class: "boring"}, {Value: 2, Class: "calm"}, {Value: 3, Class: "horror"}, {Value: 4, Class: "funny"}}}}},
		is: func(path string) (bool, error) {
			file, err := os.Open(path)
			if err != nil {
				return false, err
			}
			defer file.Close()
			head, err := table(file).Read()
			return err == nil && indexOf(head, "AF3") >= 0 && indexOf(head, "T8") >= 0, err
		},
		whole:   census{counted("%02d", 1, 28), 0, 4},
		differs: "torcheeg (b6039b1) has no reader of GAMEEMO; the class is the game, and the players' own ratings, which are in a document, are not read",
	}
}

// table reads comma-separated values whose lines may differ in length.
func table(r io.Reader) *csv.Reader {
	c := csv.NewReader(bufio.NewReader(r))
	c.FieldsPerRecord, c.ReuseRecord, c.TrimLeadingSpace = -1, true, true
	return c
}

// mostRowsOfTable bounds the samples of a table: a day at 128 a second.
const mostRowsOfTable = 86400 * 128

func readGAMEEMO(ctx context.Context, m *Manifest, f File, yield func(trial) error) error {
	file, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	names, err := m.Signal.electrodes()
	if err != nil {
		return err
	}
	lines := table(file)
	head, err := lines.Read()
	if errors.Is(err, io.EOF) {
		return errEmpty
	}
	if err != nil {
		return fmt.Errorf("reading its header: %w", err)
	}
	at := make([]int, len(names))
	for i, n := range names {
		if at[i] = indexOf(head, n); at[i] < 0 {
			return fmt.Errorf("its first line names no channel %s", n)
		}
	}
	x := make([][]float64, len(names))
	for row := 2; ; row++ {
		line, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if row%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if row > mostRowsOfTable {
			return fmt.Errorf("it has more than %d lines, which no game does", mostRowsOfTable)
		}
		for i, c := range at {
			if c >= len(line) {
				return fmt.Errorf("line %d has %d values and the header more: the file is cut off or damaged", row, len(line))
			}
			v, err := strconv.ParseFloat(line[c], 64)
			if err != nil {
				return fmt.Errorf("line %d, channel %s: %q is no number", row, names[i], line[c])
			}
			x[i] = append(x[i], v)
		}
	}
	if len(x[0]) == 0 {
		return errors.New("it has no samples")
	}
	return yield(trial{number: f.Trial, stimulus: strconv.Itoa(f.Trial), labels: map[string]float64{"game": float64(f.Trial)},
		samples: block{len(names), len(x[0]), func(_ context.Context, rows []int) ([][]float64, error) { return picked(x, rows), nil }}})
}

// picked are some rows of all.
func picked(x [][]float64, rows []int) [][]float64 {
	list := make([][]float64, len(rows))
	for i, r := range rows {
		list[i] = x[r]
	}
	return list
}
