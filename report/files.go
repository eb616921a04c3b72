package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"eegprune/internal/atomicfile"
)

// The files that a report is written to.
const (
	TextFile = "result.txt"
	CSVFile  = "result.csv"
	JSONFile = "result.json"
)

// Write makes result.txt, result.csv and result.json in a directory, each whole or not
// at all.
func Write(dir string, s *Study) error {
	for name, write := range map[string]func(io.Writer, *Study) error{
		TextFile: Text, CSVFile: CSV, JSONFile: writeJSON,
	} {
		var b bytes.Buffer
		if err := write(&b, s); err != nil {
			return fmt.Errorf("making %s: %w", name, err)
		}
		if err := atomicfile.WriteFile(filepath.Join(dir, name), b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

func writeJSON(w io.Writer, s *Study) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(s)
}

// Read reads the result.json of a directory.
func Read(dir string) (*Study, error) {
	path := filepath.Join(dir, JSONFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var s Study
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w; make it anew by running the study again", path, err)
	}
	if s.Schema != Schema {
		return nil, fmt.Errorf("%s has schema %d, this version of eegprune reads %d: use the version that wrote it", path, s.Schema, Schema)
	}
	return &s, nil
}
