package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rowsOf takes the tables of a format apart: the text of each cell.
func rowsOf(format, text string) [][]string {
	var rows [][]string
	switch format {
	case "html":
		cell := regexp.MustCompile(`(?s)<t[hd][^>]*>(.*?)</t[hd]>`)
		tag := regexp.MustCompile(`<[^>]*>`)
		for _, row := range regexp.MustCompile(`(?s)<tr[^>]*>(.*?)</tr>`).FindAllStringSubmatch(text, -1) {
			var cells []string
			for _, c := range cell.FindAllStringSubmatch(row[1], -1) {
				cells = append(cells, html.UnescapeString(tag.ReplaceAllString(c[1], "")))
			}
			rows = append(rows, cells)
		}
	default:
		separator := map[string]string{FormatText: "│", FormatMarkdown: "|", FormatLaTeX: "&"}[format]
		plain := strings.NewReplacer(`\[`, "[", `\]`, "]", `\%`, "%", `\\`, "", `$\pm$`, "±", `\_`, "_", "$<$", "<", "&lt;", "<", "**", "", `\textbf{`, "", "}", "", `$\downarrow$`, "↓", "$-$", "-")
		for line := range strings.Lines(text) {
			if strings.Contains(line, separator) {
				rows = append(rows, strings.Split(strings.Trim(strings.TrimSpace(plain.Replace(line)), separator), separator))
			}
		}
	}
	for _, cells := range rows {
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
	}
	return rows
}

// has says whether a row has all these cells, in whatever column.
func has(row, cells []string) bool {
	for _, c := range cells {
		if !slices.ContainsFunc(row, func(s string) bool { return s == c || strings.TrimRight(s, " ↓*") == c }) {
			return false
		}
	}
	return true
}

// Each number of the JSON, intervals and p values first, stands in all formats: worked out
// here from the JSON alone, as a reader would round it.
func TestFormatsSayTheSameNumbers(t *testing.T) {
	s := grid()
	for i := range s.Results {
		s.Results[i].Method = strings.NewReplacer("<", "", ">", "", "&", "").Replace(s.Results[i].Method)
	}
	var c Comparison
	if err := json.Unmarshal([]byte(compared(t, s, Usual(), FormatJSON)), &c); err != nil {
		t.Fatal(err)
	}
	// Tables write a p as it is or as below 0.001, and points to a tenth.
	p := func(v *float64) string {
		if *v < 0.001 {
			return "<0.001"
		}
		return strconv.FormatFloat(*v, 'f', 3, 64)
	}
	points := func(v float64) string {
		return strings.Replace(strconv.FormatFloat(100*v, 'f', 1, 64), "-0.0", "0.0", 1)
	}
	var want [][]string
	for _, r := range c.Rows {
		if r.P == nil {
			continue
		}
		row := []string{r.Model, r.Stage, fmt.Sprintf("%s [%s, %s]", points(*r.Loss), points(*r.LossLow), points(*r.LossHigh)), p(r.P), points(*r.Detectable)}
		if r.PHolm != nil {
			row = append(row, p(r.PHolm))
		}
		want = append(want, row)
	}
	for _, r := range c.Pairs {
		want = append(want, []string{r.Model, fmt.Sprintf("%s [%s, %s]", points(*r.Gain), points(*r.Low), points(*r.High)), p(r.P), p(r.PHolm)})
	}
	for _, l := range c.Largest {
		if l.Reason == "" {
			want = append(want, []string{l.Model, l.Stage, points(*l.Test.Loss), points(*l.Test.Bound), p(&l.PHolm)})
		}
	}
	if len(want) < 20 || len(c.Pairs) == 0 {
		t.Fatalf("only %d rows to look for", len(want))
	}
	page := written(t, func(b *bytes.Buffer) error { return Page(b, &Document{Study: s, Judgement: Usual()}) })
	for _, format := range []string{FormatText, FormatMarkdown, FormatLaTeX, "html"} {
		text := page
		if format != "html" {
			text = compared(t, s, Usual(), format)
		}
		rows := rowsOf(format, text)
		for _, cells := range want {
			if !slices.ContainsFunc(rows, func(row []string) bool { return has(row, cells) }) {
				t.Errorf("%s has no row with %q", format, cells)
			}
		}
	}
	// CSV has them in full.
	lines, err := csv.NewReader(strings.NewReader(compared(t, s, Usual(), FormatCSV))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range c.Rows {
		for name, v := range map[string]*float64{"loss": r.Loss, "loss_low": r.LossLow, "loss_high": r.LossHigh, "p": r.P, "p_holm": r.PHolm} {
			at := slices.Index(lines[0], name)
			if at < 0 {
				t.Fatalf("CSV has no column %s: %q", name, lines[0])
			}
			full := ""
			if v != nil {
				full = strconv.FormatFloat(*v, 'g', -1, 64)
			}
			if got := lines[1+i][at]; got != full {
				t.Errorf("line %d of CSV: %s is %q, want %q", 1+i, name, got, full)
			}
		}
	}
}
