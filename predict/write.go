package predict

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/data/npy"
	"github.com/eegprune/eegprune/internal/atomicfile"
)

// The formats that predictions are written in.
const (
	CSV  = ".csv"  // a heading, and a row for each clip
	JSON = ".json" // a list with an object for each clip; in a stream one object a line
	NPZ  = ".npz"  // arrays of logits, probability, class, names and so on
)

// FormatOf is the format of a file by its extension.
func FormatOf(path string) (string, error) {
	switch extension := strings.ToLower(filepath.Ext(path)); extension {
	case CSV, JSON, NPZ:
		return extension, nil
	}
	return "", nameError{fmt.Sprintf("%s: predictions are written to .npz, .csv and .json files", path)}
}

// WriteFile writes the prediction in the format that the name says. The file appears whole or
// not at all.
func (p *Prediction) WriteFile(path string) error {
	format, err := FormatOf(path)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error { return p.Write(w, format) })
}

// Write writes the prediction in a format.
func (p *Prediction) Write(w io.Writer, format string) error {
	switch format {
	case NPZ:
		return p.npz(w)
	case JSON:
		rows := make([]row, p.Clips())
		for clip := range rows {
			rows[clip] = p.row(clip)
		}
		return json.NewEncoder(w).Encode(rows)
	}
	c := csv.NewWriter(w)
	if err := c.Write(p.heading()); err != nil {
		return err
	}
	return p.lines(c)
}

// Lines returns a function that writes the predictions of a stream as they come, as CSV, whose heading it
// writes at once, or with JSON as an object a line.
func (p *Predictor) Lines(w io.Writer, format string) (func(*Prediction) error, error) {
	if format == JSON {
		e := json.NewEncoder(w)
		return func(p *Prediction) error {
			for clip := range p.Clips() {
				if err := e.Encode(p.row(clip)); err != nil {
					return err
				}
			}
			return nil
		}, nil
	}
	c := csv.NewWriter(w)
	if err := c.Write(p.nothing().heading()); err != nil {
		return nil, err
	}
	c.Flush()
	return func(p *Prediction) error { return p.lines(c) }, c.Error()
}

func (p *Prediction) npz(w io.Writer) error {
	class := make([]int64, p.Clips())
	for i := range class {
		class[i] = int64(p.Class(i))
	}
	shape := []int{p.Clips(), p.Classes}
	arrays := []npy.Named{{Name: "logits", Shape: shape, Values: p.Logits}, {Name: "probability", Shape: shape, Values: p.Probability}, {Name: "class", Values: class}}
	if p.Names != nil {
		arrays = append(arrays, npy.Named{Name: "classes", Values: p.Names})
	}
	if p.Origin != nil {
		files, trials, starts := make([]string, p.Clips()), make([]int64, p.Clips()), make([]float64, p.Clips())
		for i, o := range p.Origin {
			files[i], trials[i], starts[i] = o.File, int64(o.Trial), o.Start
		}
		arrays = append(arrays, npy.Named{Name: "file", Values: files}, npy.Named{Name: "trial", Values: trials}, npy.Named{Name: "start", Values: starts})
	}
	return npy.WriteArchive(w, arrays)
}

// heading is the first line of a CSV file.
func (p *Prediction) heading() []string {
	row := []string{"clip"}
	if p.Origin != nil {
		row = append(row, "file", "trial", "start")
	}
	row = append(row, "class")
	for k := range p.Classes {
		row = append(row, "p("+p.Name(k)+")")
	}
	return row
}

// lines writes the lines that follow a heading.
func (p *Prediction) lines(c *csv.Writer) error {
	for clip := range p.Clips() {
		line := []string{strconv.Itoa(p.First + clip)}
		if p.Origin != nil {
			o := p.Origin[clip]
			line = append(line, o.File, strconv.Itoa(o.Trial), strconv.FormatFloat(o.Start, 'g', -1, 64))
		}
		line = append(line, p.Name(p.Class(clip)))
		for _, v := range p.Probability[clip*p.Classes : (clip+1)*p.Classes] {
			line = append(line, strconv.FormatFloat(float64(v), 'g', -1, 32))
		}
		if err := c.Write(line); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// A row is a clip in JSON.
type row struct {
	Clip int `json:"clip"`
	*Origin
	Class       string    `json:"class"`
	Probability []float32 `json:"probability"` // of the classes in order
	Logits      []float32 `json:"logits"`
}

func (p *Prediction) row(clip int) row {
	from, to := clip*p.Classes, (clip+1)*p.Classes
	r := row{Clip: p.First + clip, Class: p.Name(p.Class(clip)), Probability: p.Probability[from:to], Logits: p.Logits[from:to]}
	if p.Origin != nil {
		r.Origin = &p.Origin[clip]
	}
	return r
}
