package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/eegprune/eegprune/internal/spelling"
)

// The formats of tables.
const (
	FormatText     = "text"
	FormatCSV      = "csv"
	FormatJSON     = "json"
	FormatMarkdown = "markdown"
	FormatLaTeX    = "latex"
)

// Formats returns the names of the formats of tables.
func Formats() []string {
	return []string{FormatText, FormatCSV, FormatJSON, FormatMarkdown, FormatLaTeX}
}

// CheckFormat returns an error that names the formats where there is none of that name.
func CheckFormat(format string) error {
	if !slices.Contains(Formats(), format) {
		return spelling.Unknown("format", format, Formats())
	}
	return nil
}

// A table is the source of text, Markdown, LaTeX and HTML. Text in it is plain;
// each format escapes it.
type table struct {
	caption string
	header  []string
	words   int // the first columns, which hold words; the others hold numbers
	rows    []tableRow
	best    string // the meaning of cells marked as best; empty where none is
	worse   string // the same for cells marked as worse
	notes   []string
}

type tableRow struct {
	cells []cell
	apart bool // begins a group of rows
}

type cell struct {
	text        string
	best, worse bool
}

func (t *table) add(texts ...string) {
	cells := make([]cell, len(texts))
	for i, s := range texts {
		cells[i].text = s
	}
	t.rows = append(t.rows, tableRow{cells: cells})
}

// note adds a line under the table, if there is one.
func (t *table) note(text string) {
	if text != "" {
		t.notes = append(t.notes, text)
	}
}

const down = "↓"

// legend returns the lines under a table; bold says how its format shows the best.
func (t *table) legend(bold string) []string {
	var lines []string
	if t.best != "" {
		lines = append(lines, bold+" "+t.best)
	}
	if t.worse != "" {
		lines = append(lines, down+" "+t.worse)
	}
	return append(lines, t.notes...)
}

func (t *table) write(w io.Writer, format string) error {
	switch format {
	case FormatText:
		return t.text(w)
	case FormatMarkdown:
		return t.markdown(w)
	case FormatLaTeX:
		return t.latex(w)
	}
	return fmt.Errorf("no table in the format %q", format)
}

func (t *table) text(w io.Writer) error {
	out := NewTable(w, slices.Repeat([]tw.Align{tw.AlignLeft}, t.words)...)
	out.Header(t.header)
	for _, r := range t.rows {
		line := make([]string, len(r.cells))
		for i, c := range r.cells {
			line[i] = c.text
			// Before the number, so that the digits of a column stay in line.
			if c.best {
				line[i] = "* " + line[i]
			}
			if c.worse {
				line[i] = down + " " + line[i]
			}
		}
		if err := out.Append(line); err != nil {
			return err
		}
	}
	if err := out.Render(); err != nil {
		return err
	}
	for _, n := range t.legend("*") {
		if _, err := fmt.Fprintln(w, n); err != nil {
			return err
		}
	}
	return nil
}

// NewTable is an empty table in the style that all of the program's have. Columns
// without an alignment hold numbers.
func NewTable(w io.Writer, columns ...tw.Align) *tablewriter.Table {
	return tablewriter.NewTable(w,
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithHeaderAlignment(tw.AlignLeft),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithRowAlignmentConfig(tw.CellAlignment{Global: tw.AlignRight, PerColumn: columns}),
	)
}

func (t *table) markdown(w io.Writer) error {
	escape := strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "<", "&lt;", ">", "&gt;", "&", "&amp;",
		"[", `\[`, "]", `\]`, "#", `\#`, "~", `\~`, "\n", " ").Replace
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	header, rule := make([]string, len(t.header)), make([]string, len(t.header))
	for i, h := range t.header {
		header[i], rule[i] = escape(h), "---:"
		if i < t.words {
			rule[i] = "---"
		}
	}
	line(header)
	line(rule)
	for _, r := range t.rows {
		cells := make([]string, len(r.cells))
		for i, c := range r.cells {
			cells[i] = escape(c.text)
			if c.best {
				cells[i] = "**" + cells[i] + "**"
			}
			if c.worse {
				cells[i] += " " + down
			}
		}
		line(cells)
	}
	for _, n := range t.legend("Bold:") {
		fmt.Fprintf(&b, "\n%s\n", escape(n))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// latexEscape makes plain text of LaTeX's own characters, and of the few others that
// tables use and older LaTeX lacks.
func latexEscape(s string) string {
	return strings.NewReplacer(`\`, `\textbackslash{}`, "{", `\{`, "}", `\}`, "$", `\$`, "&", `\&`, "#", `\#`, "^", `\textasciicircum{}`,
		"_", `\_`, "~", `\textasciitilde{}`, "%", `\%`, "<", `$<$`, ">", `$>$`, "±", `$\pm$`, down, `$\downarrow$`, "→", `$\rightarrow$`,
		"×", `$\times$`, "≤", `$\leq$`, "≥", `$\geq$`, "−", `$-$`, "–", "--", "\n", " ").Replace(s)
}

func (t *table) latex(w io.Writer) error {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "%s \\\\\n", strings.Join(cells, " & ")) }
	// Of more columns than a page is wide.
	wide := len(t.header) > 8
	needs, open, end := "", "", ""
	if wide {
		needs, open, end = " and \\usepackage{graphicx}", "\\resizebox{\\linewidth}{!}{%\n", "}"
	}
	fmt.Fprintf(&b, "%% needs \\usepackage{booktabs}"+needs+"\n\\begin{table}\n\\centering\\small\\setlength{\\tabcolsep}{4pt}\n\\caption{%s}\n", latexEscape(t.caption))
	b.WriteString(open)
	fmt.Fprintf(&b, "\\begin{tabular}{%s%s}\n\\toprule\n", strings.Repeat("l", t.words), strings.Repeat("r", len(t.header)-t.words))
	header := make([]string, len(t.header))
	for i, h := range t.header {
		header[i] = latexEscape(h)
	}
	line(header)
	b.WriteString("\\midrule\n")
	for i, r := range t.rows {
		if r.apart && i > 0 {
			b.WriteString("\\midrule\n")
		}
		cells := make([]string, len(r.cells))
		for j, c := range r.cells {
			cells[j] = latexEscape(c.text)
			if c.best {
				cells[j] = `\textbf{` + cells[j] + `}`
			}
			if c.worse {
				cells[j] += ` $\downarrow$`
			}
		}
		line(cells)
	}
	b.WriteString("\\bottomrule\n\\end{tabular}" + end + "\n\n\\smallskip\n\\begin{minipage}{\\linewidth}\\footnotesize\\raggedright\n")
	for _, n := range t.legend("Bold:") {
		fmt.Fprintf(&b, "%s\\par\n", latexEscape(n))
	}
	b.WriteString("\\end{minipage}\n\\end{table}\n")
	_, err := io.WriteString(w, b.String())
	return err
}
