package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"eegprune/internal/atomicfile"
)

// The files that a report is written to.
const (
	TextFile        = "result.txt"
	CSVFile         = "result.csv"
	JSONFile        = "result.json"
	SensitivityFile = "sensitivity.json" // beside it .txt and .csv
	SavingsFile     = "savings.json"     // likewise
)

// Write makes result.txt, result.csv and result.json in a directory, each whole or not
// at all.
func Write(dir string, s *Study) error {
	return writeFiles(dir, map[string]func(io.Writer) error{
		TextFile: func(w io.Writer) error { return Text(w, s) },
		CSVFile:  func(w io.Writer) error { return CSV(w, s) },
		JSONFile: func(w io.Writer) error { return encode(w, s) },
	})
}

// WriteSensitivity makes sensitivity.txt, .csv and .json in a directory.
func WriteSensitivity(dir string, v *Sensitivity) error {
	return writeFiles(dir, analysisFiles(SensitivityFile, v.Settings, v.Write))
}

// WriteSavings makes savings.txt, .csv and .json in a directory.
func WriteSavings(dir string, v *Savings) error {
	return writeFiles(dir, analysisFiles(SavingsFile, v.Settings, v.Write))
}

func analysisFiles(jsonFile string, settings []Setting, write func(io.Writer, string) error) map[string]func(io.Writer) error {
	stem := strings.TrimSuffix(jsonFile, ".json")
	return map[string]func(io.Writer) error{
		stem + ".csv": func(w io.Writer) error { return write(w, FormatCSV) },
		jsonFile:      func(w io.Writer) error { return write(w, FormatJSON) },
		stem + ".txt": func(w io.Writer) error {
			if err := writeSettings(w, settings); err != nil {
				return err
			}
			fmt.Fprintln(w)
			return write(w, FormatText)
		},
	}
}

func writeFiles(dir string, files map[string]func(io.Writer) error) error {
	for name, write := range files {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return fmt.Errorf("making %s: %w", name, err)
		}
		if err := atomicfile.WriteFile(filepath.Join(dir, name), b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// Read reads the result.json of a directory.
func Read(dir string) (*Study, error) {
	s, err := read[Study](filepath.Join(dir, JSONFile), "running the study")
	if err == nil {
		s.SayLacks()
	}
	return s, err
}

// SayLacks fills in what results of an earlier version do not hold.
func (s *Study) SayLacks() {
	if s.Schema >= Schema {
		return
	}
	s.Lacks = []string{
		"there is no unpruned network that was trained on for as long as fine-tuning lasted: a loss is judged against one of half the training",
		"the epochs were chosen by accuracy, on validation parts that may lack a class",
		"how many clips each fold was fitted and validated on was not kept",
		"scores of each subject were not kept: there is no spread over subjects",
		"the split that was called KFoldCrossTrial is KFoldByTrial today",
		"to have all that, run the study again",
	}
}

// ReadSensitivity reads the sensitivity.json of a directory; where there is none the
// error is os.ErrNotExist.
func ReadSensitivity(dir string) (*Sensitivity, error) {
	v, err := read[Sensitivity](filepath.Join(dir, SensitivityFile), "measuring the sensitivity")
	if err != nil {
		return nil, err
	}
	if err := v.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, SensitivityFile), err)
	}
	return v, nil
}

// ReadSavings reads the savings.json of a directory; where there is none the error is
// os.ErrNotExist. Those of an earlier version, which meant something else by no loss, are
// refused.
func ReadSavings(dir string) (*Savings, error) {
	path := filepath.Join(dir, SavingsFile)
	v, err := read[Savings](path, "looking for the savings")
	if err != nil {
		return nil, err
	}
	if v.Schema < Schema {
		return nil, fmt.Errorf("%s: %w", path, errOldSavings)
	}
	if err := v.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

// read reads a file of one of the types that have a schema; by is how it was made.
func read[T any](path, by string) (*T, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	damaged := func(err error) error {
		return fmt.Errorf("%s is damaged: %w; make it anew by %s again", path, err, by)
	}
	// Of another schema nothing else needs to fit.
	var of struct {
		Schema int `json:"schema"`
	}
	if err := json.Unmarshal(b, &of); err != nil {
		return nil, damaged(err)
	}
	if of.Schema < OldSchema || of.Schema > Schema {
		return nil, fmt.Errorf("%s has schema %d, this version of eegprune reads %d to %d: use the version that wrote it", path, of.Schema, OldSchema, Schema)
	}
	v := new(T)
	if err := json.Unmarshal(b, v); err != nil {
		return nil, damaged(err)
	}
	return v, nil
}
