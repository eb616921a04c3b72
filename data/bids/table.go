package bids

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/data/charset"
)

// maxText bounds a table or a note in bytes.
const maxText = 64 << 20

// A Table is the contents of a .tsv file.
type Table struct {
	Path    string
	Columns []string
	Rows    [][]string // as long as Columns; NA where a cell is blank or not there
	// Torn are the numbers of lines that have more or fewer cells than there are columns.
	Torn []int
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(b) > maxText {
		return nil, fmt.Errorf("%s: it has more than %d bytes, which no table of BIDS has", path, maxText)
	}
	return bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), nil
}

// ReadTable reads a table: columns parted by tabs, whose first line names them.
func ReadTable(path string) (*Table, error) {
	b, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	t := &Table{Path: path}
	if err := t.parse(string(b)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

func (t *Table) parse(text string) error {
	n := 0
	for line := range strings.Lines(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")) {
		n++
		line = strings.TrimRight(line, "\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		cells := strings.Split(line, "\t")
		for i, c := range cells {
			c, _ = charset.Decoder{}.Text(c)
			if cells[i] = strings.TrimSpace(c); slices.Contains([]string{"", "N/A", "nan", "NaN", "NA"}, cells[i]) {
				cells[i] = NA
			}
		}
		if t.Columns == nil {
			if len(cells) == 1 && strings.ContainsAny(line, ",;") {
				return errors.New("its columns are not parted by tabs, as those of a .tsv file are: write them so")
			}
			t.Columns = cells
			for i, c := range cells {
				if slices.Contains(cells[:i], c) && c != NA {
					return fmt.Errorf("it has two columns %s: rename one of them", c)
				}
			}
			continue
		}
		if len(cells) != len(t.Columns) {
			t.Torn = append(t.Torn, n)
		}
		for len(cells) < len(t.Columns) {
			cells = append(cells, NA)
		}
		t.Rows = append(t.Rows, cells[:len(t.Columns)])
	}
	if t.Columns == nil {
		return errors.New("it is empty: its first line must name its columns")
	}
	return nil
}

// Has reports whether there is a column of that name.
func (t *Table) Has(column string) bool { return slices.Contains(t.Columns, column) }

// Cell returns the value of a row, counted from 0, in a column: NA where there is none.
func (t *Table) Cell(row int, column string) string {
	if i := slices.Index(t.Columns, column); i >= 0 {
		return t.Rows[row][i]
	}
	return NA
}

// Values returns the values of a column and their counts, in order of first mention,
// without NA.
func (t *Table) Values(column string) (values []string, counts map[string]int) {
	counts = map[string]int{}
	for r := range t.Rows {
		v := t.Cell(r, column)
		if v == NA {
			continue
		}
		if counts[v]++; counts[v] == 1 {
			values = append(values, v)
		}
	}
	return values, counts
}
