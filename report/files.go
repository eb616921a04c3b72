// Package report makes statistics, tables, figures and a page of results. It reads results only and
// needs no libtorch.
//
// A [Judgement] says by which test networks are compared and which loss counts as none. [Compare]
// writes the table of all networks of a study, [Text] result.txt, [Page] the page of HTML, and
// [Figures] draws the figures. The tests are paired over folds: the corrected resampled t test of
// Nadeau and Bengio (Machine Learning 2003, 52:239), with several seeds that of Bouckaert and Frank
// (PAKDD 2004), or the signed-rank test, corrected by [Holm].
package report

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/eegprune/eegprune/internal/atomicfile"
	"github.com/eegprune/eegprune/result"
)

// The files that a report is written to.
const (
	TextFile        = "result.txt"
	CSVFile         = "result.csv"
	SensitivityFile = "sensitivity.json" // beside it .txt and .csv
	SavingsFile     = "savings.json"     // likewise
)

// Write makes result.txt, result.csv and result.json in a directory, each whole or not
// at all.
func Write(dir string, s *result.Study) error {
	return writeFiles(dir, map[string]func(io.Writer) error{
		TextFile:    func(w io.Writer) error { return Text(w, s) },
		CSVFile:     func(w io.Writer) error { return CSV(w, s) },
		result.File: func(w io.Writer) error { return encode(w, s) },
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

func analysisFiles(jsonFile string, settings []result.Setting, write func(io.Writer, string) error) map[string]func(io.Writer) error {
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

// WriteFiles writes the page of a document to a file, and its plots beside it, whose paths it
// returns.
func (d *Document) WriteFiles(page string) (plots []string, err error) {
	all, err := d.draw()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := all.write(&b); err != nil {
		return nil, err
	}
	if err := atomicfile.WriteFile(page, b.Bytes()); err != nil {
		return nil, err
	}
	return WriteFigures(filepath.Dir(page), all.all())
}

// WritePlots draws all that a directory of results holds.
func WritePlots(dir string) error {
	d, err := ReadDocument(dir)
	if err != nil {
		return err
	}
	figures, err := d.Figures()
	if err != nil {
		return err
	}
	_, err = WriteFigures(dir, figures)
	return err
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

// ReadSensitivity reads the sensitivity.json of a directory; where there is none the
// error is os.ErrNotExist.
func ReadSensitivity(dir string) (*Sensitivity, error) {
	v, err := result.ReadFile[Sensitivity](filepath.Join(dir, SensitivityFile), "measuring the sensitivity")
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
	v, err := result.ReadFile[Savings](path, "looking for the savings")
	if err != nil {
		return nil, err
	}
	if v.Schema < result.Schema {
		return nil, fmt.Errorf("%s: %w", path, errOldSavings)
	}
	if err := v.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}
