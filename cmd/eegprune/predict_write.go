package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"eegprune/data/npy"
	"eegprune/internal/atomicfile"
	"eegprune/internal/note"
)

// predictionWriter returns what writes a prediction to a file of that name, or to
// standard output where it is empty or "-".
func (a *app) predictionWriter(out string) (func(*prediction) error, error) {
	write := (*prediction).csv
	switch strings.ToLower(filepath.Ext(out)) {
	case ".npz":
		write = (*prediction).npz
	case ".json":
		write = (*prediction).json
	case ".csv":
	default:
		if out != "" && out != "-" {
			return nil, usageError{fmt.Errorf("--out: %s: predictions are written to .npz, .csv and .json files", out)}
		}
		if a.json {
			write = (*prediction).json
		}
		return func(p *prediction) error { return write(p, a.stdout) }, nil
	}
	return func(p *prediction) error {
		if err := atomicfile.Write(out, func(w io.Writer) error { return write(p, w) }); err != nil {
			return err
		}
		counts := make([]int, p.classes)
		for clip := range p.clips() {
			counts[p.class(clip)]++
		}
		if a.json {
			return json.NewEncoder(a.stdout).Encode(struct {
				Out    string    `json:"out"`
				Clips  int       `json:"clips"`
				Counts []int     `json:"counts"`
				Notes  note.List `json:"notes,omitempty"`
			}{out, p.clips(), counts, p.notes})
		}
		var parts []string
		for c, n := range counts {
			parts = append(parts, fmt.Sprintf("%d of class %s", n, p.name(c)))
		}
		_, err := fmt.Fprintf(a.stdout, "%s: %d clips, %s\n", out, p.clips(), strings.Join(parts, ", "))
		return err
	}, nil
}

func (p *prediction) npz(w io.Writer) error {
	class := make([]int64, p.clips())
	for i := range class {
		class[i] = int64(p.class(i))
	}
	shape := []int{p.clips(), p.classes}
	arrays := []npy.Named{{Name: "logits", Shape: shape, Values: p.logits}, {Name: "probability", Shape: shape, Values: p.probability}, {Name: "class", Values: class}}
	if p.names != nil {
		arrays = append(arrays, npy.Named{Name: "classes", Values: p.names})
	}
	if p.origin != nil {
		files, trials, starts := make([]string, p.clips()), make([]int64, p.clips()), make([]float64, p.clips())
		for i, o := range p.origin {
			files[i], trials[i], starts[i] = o.File, int64(o.Trial), o.Start
		}
		arrays = append(arrays, npy.Named{Name: "file", Values: files}, npy.Named{Name: "trial", Values: trials}, npy.Named{Name: "start", Values: starts})
	}
	return npy.WriteArchive(w, arrays)
}

func (p *prediction) csv(w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.Write(p.heading()); err != nil {
		return err
	}
	for clip := range p.clips() {
		if err := c.Write(p.line(clip, clip)); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// heading is the first line of a CSV file.
func (p *prediction) heading() []string {
	row := []string{"clip"}
	if p.origin != nil {
		row = append(row, "file", "trial", "start")
	}
	row = append(row, "class")
	for k := range p.classes {
		row = append(row, "p("+p.name(k)+")")
	}
	return row
}

// line is that of clip at, which is called number.
func (p *prediction) line(at, number int) []string {
	row := []string{strconv.Itoa(number)}
	if p.origin != nil {
		o := p.origin[at]
		row = append(row, o.File, strconv.Itoa(o.Trial), strconv.FormatFloat(o.Start, 'g', -1, 64))
	}
	row = append(row, p.name(p.class(at)))
	for _, v := range p.probability[at*p.classes : (at+1)*p.classes] {
		row = append(row, strconv.FormatFloat(float64(v), 'g', -1, 32))
	}
	return row
}

// A predictedClip is a clip in JSON.
type predictedClip struct {
	Clip int `json:"clip"`
	*origin
	Class       string    `json:"class"`
	Probability []float32 `json:"probability"` // of the classes in order
	Logits      []float32 `json:"logits"`
}

// row is clip at, which is called number.
func (p *prediction) row(at, number int) predictedClip {
	from, to := at*p.classes, (at+1)*p.classes
	r := predictedClip{Clip: number, Class: p.name(p.class(at)), Probability: p.probability[from:to], Logits: p.logits[from:to]}
	if p.origin != nil {
		r.origin = &p.origin[at]
	}
	return r
}

func (p *prediction) json(w io.Writer) error {
	rows := make([]predictedClip, p.clips())
	for i := range rows {
		rows[i] = p.row(i, i)
	}
	return json.NewEncoder(w).Encode(rows)
}
