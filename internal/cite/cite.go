// Package cite holds references to papers and writes them as BibTeX.
package cite

import (
	"fmt"
	"strings"
)

// A Paper is where something comes from. The zero Paper is none.
type Paper struct {
	Key     string   `json:"key"` // as BibTeX cites it: the first author's name and the year
	Authors []string `json:"authors"`
	Title   string   `json:"title"`
	Journal string   `json:"journal,omitempty"`   // of an article
	Book    string   `json:"booktitle,omitempty"` // of a paper in proceedings
	Year    int      `json:"year,omitempty"`
	Volume  string   `json:"volume,omitempty"`
	Number  string   `json:"number,omitempty"`
	Pages   string   `json:"pages,omitempty"`
	DOI     string   `json:"doi,omitempty"`
	ArXiv   string   `json:"arxiv,omitempty"` // such as "1608.08710"
	Note    string   `json:"note,omitempty"`
}

// BibTeX is the paper's entry, a line for each field.
func (p Paper) BibTeX() string {
	kind := "misc"
	switch {
	case p.Journal != "":
		kind = "article"
	case p.Book != "":
		kind = "inproceedings"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "@%s{%s,\n", kind, p.Key)
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-9s = {%s},\n", name, value)
		}
	}
	field("author", strings.Join(p.Authors, " and "))
	// Double braces keep the capitals of names such as EEG.
	field("title", "{"+p.Title+"}")
	field("journal", p.Journal)
	field("booktitle", p.Book)
	if p.Year != 0 {
		field("year", fmt.Sprint(p.Year))
	}
	field("volume", p.Volume)
	field("number", p.Number)
	field("pages", p.Pages)
	field("doi", p.DOI)
	if p.ArXiv != "" {
		field("eprint", p.ArXiv)
		field("eprinttype", "arXiv")
	}
	field("note", p.Note)
	b.WriteString("}\n")
	return b.String()
}
