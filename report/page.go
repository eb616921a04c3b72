package report

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/result"
)

//go:embed page.html
var pageFile embed.FS

// A Document is all that a page shows.
type Document struct {
	Title       string // empty: made of the models' names
	Study       *result.Study
	Judgement   Judgement    // of the comparison
	Sensitivity *Sensitivity // nil where it wasn't measured
	Savings     *Savings     // likewise
}

// ReadDocument reads the results of a directory: the study, and sensitivity and savings
// where there are any, to be judged as is usual.
func ReadDocument(dir string) (*Document, error) {
	s, err := result.Read(dir)
	if err != nil {
		return nil, err
	}
	d := &Document{Study: s, Judgement: Usual()}
	if d.Sensitivity, err = ReadSensitivity(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	switch d.Savings, err = ReadSavings(dir); {
	case errors.Is(err, errOldSavings):
		s.Lacks = append(s.Lacks, SavingsFile+" is left out: "+errOldSavings.Error())
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	return d, nil
}

// A drawn is a document with all that is computed of it: its comparison and its figures.
type drawn struct {
	*Document
	comparison           *Comparison
	figures              []*Figure // of the study
	sensitivity, savings *Figure   // nil where there is none
}

func (d *Document) draw() (*drawn, error) {
	out := &drawn{Document: d}
	var err error
	if out.comparison, err = NewComparison(d.Study, d.Judgement); err != nil {
		return nil, err
	}
	if out.figures, err = figures(d.Study, out.comparison); err != nil {
		return nil, err
	}
	if d.Sensitivity != nil && len(d.Sensitivity.Points) > 0 {
		if out.sensitivity, err = d.Sensitivity.Figure(); err != nil {
			return nil, err
		}
	}
	if d.Savings != nil && len(d.Savings.Rows) > 0 {
		if out.savings, err = d.Savings.Figure(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// all are the figures of the study, its sensitivity and its savings.
func (d *drawn) all() []*Figure {
	return slices.DeleteFunc(append(slices.Clone(d.figures), d.sensitivity, d.savings), func(f *Figure) bool { return f == nil })
}

// Figures returns all figures of a document.
func (d *Document) Figures() ([]*Figure, error) {
	all, err := d.draw()
	if err != nil {
		return nil, err
	}
	return all.all(), nil
}

// Page writes a document as one HTML page that needs no network, no scripts and no
// other file.
func Page(w io.Writer, d *Document) error {
	all, err := d.draw()
	if err != nil {
		return err
	}
	return all.write(w)
}

func (d *drawn) write(w io.Writer) error {
	p, err := d.page()
	if err != nil {
		return err
	}
	t, err := template.ParseFS(pageFile, "page.html")
	if err != nil {
		return fmt.Errorf("reading the page's template: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, p); err != nil {
		return fmt.Errorf("making the page: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// page holds the data of page.html.
type page struct {
	Title, Split         string
	Leaks, Lacks         []string
	Settings, Machine    []result.Setting
	Notes                []string
	Sections             []section
	Version, NothingToDo string
}

type section struct {
	Title  string
	Blocks []block
}

// A block is a table or a figure.
type block struct {
	Caption string
	Table   *pageTable
	SVG     template.HTML
}

type pageTable struct {
	Header []pageCell
	Rows   []pageRow
	Notes  []string
}

type pageRow struct {
	Apart bool
	Cells []pageCell
}

type pageCell struct {
	Text              string
	Word, Best, Worse bool
}

func (d *drawn) page() (*page, error) {
	s := d.Study
	p := &page{Title: d.Title, Leaks: s.Leaks, Lacks: s.Lacks, Notes: s.Notes, Version: s.Environment.Version}
	if len(p.Leaks) == 0 && s.Leak != "" {
		p.Leaks = []string{s.Leak}
	}
	for _, l := range s.Settings {
		switch l.Name {
		case "LEAK":
			// Stands at the top.
		case "split":
			p.Split = l.Value
		case "machine", "versions":
			p.Machine = append(p.Machine, l)
		default:
			p.Settings = append(p.Settings, l)
		}
	}
	if len(p.Machine) == 0 && s.Environment != (result.Environment{}) {
		p.Machine = s.Environment.Settings()
	}
	if p.Title == "" {
		p.Title = title(s)
	}
	if len(s.Results) == 0 {
		p.NothingToDo = noResults
	} else if err := d.study(p); err != nil {
		return nil, err
	}
	return p, d.analyses(p)
}

func title(s *result.Study) string {
	var models []string
	for _, g := range groups(s) {
		if n := len(models); n == 0 || models[n-1] != g.Model {
			models = append(models, g.Model)
		}
	}
	if len(models) == 0 {
		return "Pruning of EEG networks"
	}
	return "Pruning of " + strings.Join(models, ", ")
}

// study adds the sections that every study has: the outcome, then the figures of each
// model, then the tables.
func (d *drawn) study(p *page) error {
	c := d.comparison
	claims := section{Title: "What came of it"}
	for _, t := range []*table{c.largestTable(), c.overallTable()} {
		if t != nil {
			claims.Blocks = append(claims.Blocks, tableBlock(t))
		}
	}
	if len(claims.Blocks) > 0 {
		p.Sections = append(p.Sections, claims)
	}
	for _, f := range d.figures {
		if n := len(p.Sections); n == 0 || p.Sections[n-1].Title != f.model {
			p.Sections = append(p.Sections, section{Title: f.model})
		}
		b, err := figureBlock(f)
		if err != nil {
			return err
		}
		last := &p.Sections[len(p.Sections)-1]
		last.Blocks = append(last.Blocks, b)
	}
	all := section{Title: "All networks"}
	for _, t := range []*table{c.table(), c.pairsTable()} {
		if t != nil {
			all.Blocks = append(all.Blocks, tableBlock(t))
		}
	}
	p.Sections = append(p.Sections, all, section{Title: "Accuracy and cost", Blocks: []block{tableBlock(summary(d.Study))}})
	var ratios []block
	for _, of := range sweeps(d.Study) {
		if len(of.ratios()) > 1 {
			ratios = append(ratios, tableBlock(of.table(d.Study)))
		}
	}
	if len(ratios) > 0 {
		p.Sections = append(p.Sections, section{Title: "Ratios", Blocks: ratios})
	}
	p.Sections = append(p.Sections, section{Title: "Folds", Blocks: []block{tableBlock(folds(d.Study))}})
	return nil
}

// analyses adds sensitivity and savings.
func (d *drawn) analyses(p *page) error {
	add := func(title string, f *Figure, tables ...*table) error {
		b, err := figureBlock(f)
		if err != nil {
			return err
		}
		s := section{Title: title}
		for _, t := range tables {
			s.Blocks = append(s.Blocks, tableBlock(t))
		}
		s.Blocks = append(s.Blocks, b)
		p.Sections = append(p.Sections, s)
		return nil
	}
	if d.savings != nil {
		if err := add("Savings", d.savings, d.Savings.table(), d.Savings.tried()); err != nil {
			return err
		}
	}
	if d.sensitivity != nil {
		return add("Sensitivity of layers", d.sensitivity, d.Sensitivity.table())
	}
	return nil
}

func tableBlock(t *table) block {
	out := &pageTable{Notes: t.legend("Bold:")}
	for i, h := range t.header {
		out.Header = append(out.Header, pageCell{Text: h, Word: i < t.words})
	}
	for _, r := range t.rows {
		row := pageRow{Apart: r.apart}
		for i, c := range r.cells {
			row.Cells = append(row.Cells, pageCell{Text: c.text, Word: i < t.words, Best: c.best, Worse: c.worse})
		}
		out.Rows = append(out.Rows, row)
	}
	return block{Caption: t.caption, Table: out}
}

// figureBlock takes an SVG's element out of its file. Its text is escaped by the plot
// library.
func figureBlock(f *Figure) (block, error) {
	var b bytes.Buffer
	if err := f.Write(&b, FormatSVG); err != nil {
		return block{}, err
	}
	svg := b.String()
	if i := strings.Index(svg, "<svg"); i >= 0 {
		svg = svg[i:]
	}
	return block{Caption: f.Caption, SVG: template.HTML(svg)}, nil
}
