// Package mat reads MAT files: those of version 5 (MATLAB 5 to 7.2, and save -v6 or -v7
// of later ones) by the MathWorks document "MAT-File Format", those of version 7.3, which
// are HDF5, and those of version 4.
//
// Numbers, text, structures and cells are read. Sparse and complex matrices, functions and
// objects of MATLAB's classes (string, table, ...) are named and say that they aren't.
package mat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/data/hdf5"
)

// An Array is a variable of a MAT file, or a part of one. It is read from the file where it
// is asked for numbers, so that the file must be open for as long.
type Array struct {
	Name string // of the variable, or of the field; empty in a cell
	// Class is MATLAB's: "double", "single", "int8" to "uint64", "logical", "char",
	// "cell", "struct", or another that isn't read.
	Class  string
	Dims   []int    // two at least
	Fields []string // of a structure, in the file's order

	numbers numbers
	text    []string            // the rows of a char array
	cells   []*Array            // the first index runs fastest
	fields  map[string][]*Array // one array an element; nil where a field wasn't wanted
	refused string              // why it has none of these
}

// numbers is where the elements of a numeric array are, the first index fastest.
type numbers interface {
	Floats(ctx context.Context, dst []float64, first int64) error
}

// Bounds of a file's contents.
const (
	maxArrays = 1 << 19 // with those in cells and structures
	maxDepth  = 24      // of cells and structures in each other
	maxText   = 16 << 20
)

// Arrays gives the variables of the file of the given size behind r, one at a time so that
// a file of many need not fit into memory. want, where it isn't nil, chooses variables,
// fields and cells by their paths ("EEG.chanlocs.labels", "x{}"); paths below one that
// isn't wanted aren't asked for. Errors say where in the file they are.
func Arrays(ctx context.Context, r io.ReaderAt, size int64, want func(path string) bool) iter.Seq2[*Array, error] {
	if want == nil {
		want = func(string) bool { return true }
	}
	return func(yield func(*Array, error) bool) {
		first := make([]byte, min(size, 520))
		if _, err := r.ReadAt(first, 0); err != nil && !errors.Is(err, io.EOF) {
			yield(nil, fmt.Errorf("reading the MAT header: %w", err))
			return
		}
		switch {
		case isHDF5(first):
			arrays73(ctx, r, size, want, yield)
		case isVersion4(first):
			arrays4(ctx, r, size, want, yield)
		default:
			arrays5(ctx, r, size, want, yield)
		}
	}
}

// isHDF5 reports whether a file that begins so is of version 7.3.
func isHDF5(first []byte) bool {
	signature := []byte(hdf5.Signature)
	return bytes.HasPrefix(first, signature) || bytes.HasPrefix(first, []byte("MATLAB 7.3")) || len(first) >= 520 && bytes.HasPrefix(first[512:], signature)
}

// Only wants the given paths, those that lead to them and those below them.
func Only(paths ...string) func(string) bool {
	return func(path string) bool {
		return slices.ContainsFunc(paths, func(p string) bool {
			return p == path || within(path, p) || within(p, path)
		})
	}
}

// within reports whether the path of an array is below another.
func within(path, above string) bool {
	rest, ok := strings.CutPrefix(path, above)
	return ok && rest != "" && (rest[0] == '.' || rest[0] == '{')
}

// Len returns the number of elements.
func (a *Array) Len() int {
	n := 1
	for _, d := range a.Dims {
		n *= d
	}
	return n
}

// Readable returns an error where the array is of a kind that isn't read.
func (a *Array) Readable() error {
	if a.refused == "" {
		return nil
	}
	return fmt.Errorf("%s %s", a.called(), a.refused)
}

// called is the array in messages.
func (a *Array) called() string {
	if a.Name == "" {
		return "an element of class " + a.Class
	}
	return fmt.Sprintf("matrix %q", a.Name)
}

// Numeric reports whether the elements are real numbers.
func (a *Array) Numeric() bool { return a.numbers != nil }

// Floats reads numbers from the given element on; the first index runs fastest.
func (a *Array) Floats(ctx context.Context, dst []float64, first int) error {
	if err := a.Readable(); err != nil {
		return err
	}
	if a.numbers == nil {
		return fmt.Errorf("%s is of class %s and numbers are needed", a.called(), a.Class)
	}
	if first < 0 || first > a.Len()-len(dst) {
		return fmt.Errorf("%d numbers from number %d on of %s, which has %d", len(dst), first, a.called(), a.Len())
	}
	if len(dst) == 0 {
		return nil
	}
	if err := a.numbers.Floats(ctx, dst, int64(first)); err != nil {
		return fmt.Errorf("%s: %w", a.called(), err)
	}
	return nil
}

// blockNumbers is how many numbers are read at once.
const blockNumbers = 1 << 16

// Rows reads some rows of a matrix, from the given column on and as many as the
// destinations are long. Axes after the second continue the columns.
func (a *Array) Rows(ctx context.Context, dst [][]float64, rows []int, first int) error {
	height := a.Dims[0]
	if len(dst) != len(rows) || len(rows) == 0 {
		return fmt.Errorf("%d rows for %d", len(dst), len(rows))
	}
	for k, r := range rows {
		if r < 0 || r >= height || len(dst[k]) != len(dst[0]) {
			return fmt.Errorf("row %d of %s, which has %d", r, a.called(), height)
		}
	}
	block := make([]float64, height*max(1, min(len(dst[0]), blockNumbers/height)))
	for at := 0; at < len(dst[0]); at += len(block) / height {
		n := min(len(block)/height, len(dst[0])-at)
		part := block[:n*height]
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := a.Floats(ctx, part, (first+at)*height); err != nil {
			return err
		}
		for k, r := range rows {
			for i := range n {
				dst[k][at+i] = part[i*height+r]
			}
		}
	}
	return nil
}

// Number returns the array's only number.
func (a *Array) Number() (float64, bool) {
	var one [1]float64
	if a == nil || !a.Numeric() || a.Len() != 1 || a.Floats(context.Background(), one[:], 0) != nil {
		return 0, false
	}
	return one[0], true
}

// Text returns a text of one row, or a cell's only text.
func (a *Array) Text() (string, bool) {
	switch {
	case a == nil || a.refused != "":
		return "", false
	case a.Class == "char" && len(a.text) <= 1:
		return strings.Join(a.text, ""), true
	case a.Class == "cell" && len(a.cells) == 1:
		return a.cells[0].Text()
	}
	return "", false
}

// Texts returns the rows of a char array, or the texts of a cell array, without blanks at
// their ends.
func (a *Array) Texts() ([]string, bool) {
	var list []string
	if a.refused != "" {
		return nil, false
	}
	switch a.Class {
	case "char":
		list = slices.Clone(a.text)
	case "cell":
		for _, c := range a.cells {
			t, ok := c.Text()
			if !ok {
				return nil, false
			}
			list = append(list, t)
		}
	default:
		return nil, false
	}
	for i, t := range list {
		list[i] = strings.TrimRight(t, " \x00")
	}
	return list, true
}

// maxVector bounds the numbers of a list.
const maxVector = 1 << 24

// Vector reads a row or a column of numbers, or a cell array of one number each.
func (a *Array) Vector(ctx context.Context) ([]float64, error) {
	if err := a.Readable(); err != nil {
		return nil, err
	}
	n := a.Len()
	if n > maxVector {
		return nil, fmt.Errorf("%s has %d elements and a list is needed", a.called(), n)
	}
	if longest := slices.Max(a.Dims); n != longest && n > 0 {
		return nil, fmt.Errorf("%s is %s and needs one row or column", a.called(), a.Shape())
	}
	list := make([]float64, n)
	if a.Class != "cell" {
		return list, a.Floats(ctx, list, 0)
	}
	for i, c := range a.cells {
		var ok bool
		if list[i], ok = c.Number(); !ok {
			return nil, fmt.Errorf("%s has an element that is no number (of class %s, %s)", a.called(), c.Class, c.Shape())
		}
	}
	return list, nil
}

// Shape is the sizes of the axes as MATLAB shows them.
func (a *Array) Shape() string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(a.Dims), " ", " x "), "[]")
}

// Cells returns the elements of a cell array; the first index runs fastest.
func (a *Array) Cells() []*Array { return a.cells }

// Field returns a field of an element of an array of structures, nil where there is none.
func (a *Array) Field(i int, name string) *Array {
	if a == nil {
		return nil
	}
	list := a.fields[name]
	if i < 0 || i >= len(list) {
		return nil
	}
	return list[i]
}

// notRead says why a class isn't read, and how to get around it.
func notRead(class string) string {
	switch class {
	case "sparse":
		return "is sparse, which isn't read: save it as full(x)"
	case "string":
		return "is of MATLAB's class string, which only MATLAB can read: save it as cellstr(x), or char(x)"
	case "categorical":
		return "is of MATLAB's class categorical, which only MATLAB can read: save it as cellstr(x), or double(x)"
	case "table", "timetable":
		return fmt.Sprintf("is of MATLAB's class %s, which only MATLAB can read: save its columns as variables of their own, or table2struct(x)", class)
	case "function_handle":
		return "is a function and has no values: leave it out"
	}
	return fmt.Sprintf("is an object of class %.40q, which only MATLAB can read: save its numbers as a variable of their own", class)
}

const complexRefused = "is complex and real numbers are needed"

// tooLong says that a text is too long to be read.
func tooLong(n int64, what string) string {
	return fmt.Sprintf("is a text of %d %s, which is too long", n, what)
}

// A walk counts the arrays read of a file, and knows which are wanted.
type walk struct {
	want   func(string) bool
	arrays int
	most   int // how many there may be
}

// enter is called for each array, at a path and so deep in others.
func (w *walk) enter(depth int) error {
	if w.arrays++; w.arrays > w.most {
		return fmt.Errorf("it holds more than %d arrays, which no recording does: refused", w.most)
	}
	if depth > maxDepth {
		return fmt.Errorf("its cells and structures lie more than %d deep in each other: refused", maxDepth)
	}
	return nil
}

// below is the path of a field, or, without a name, of a cell's contents.
func below(path, field string) string {
	if field == "" {
		return path + "{}"
	}
	return path + "." + field
}

// textRows cuts the characters of a char array, the first index fastest, into its rows.
func textRows(characters []rune, dims []int) []string {
	rows := dims[0]
	if rows == 1 {
		return []string{string(characters)}
	}
	if len(characters) == 0 || rows < 1 {
		return nil
	}
	list := make([]string, min(rows, len(characters)))
	line := make([]rune, 0, len(characters)/rows+1)
	for r := range list {
		line = line[:0]
		for i := r; i < len(characters); i += rows {
			line = append(line, characters[i])
		}
		list[r] = string(line)
	}
	return list
}
