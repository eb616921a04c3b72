package main

import (
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

//go:embed page.html
var pageHTML string

//go:embed style.css
var styleCSS []byte

// A view holds the data of page.html.
type view struct {
	Title string
	Style string // the style sheet, seen from the page
	Home  string // the first page
	Parts []menuPart
	Body  template.HTML
}

type menuPart struct {
	Title   string
	Entries []entry
}

type entry struct {
	Title, To string
	Here      bool
	Sections  []headline // of the page that is shown
}

// Build writes the site of the repository at root into out: whole, or not at all. It replaces a site
// that is there, and refuses a directory of anything else.
func Build(root, out string) error {
	if err := isFree(out); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return fmt.Errorf("making the site's directory: %w", err)
	}
	work, err := os.MkdirTemp(filepath.Dir(out), "site-")
	if err != nil {
		return fmt.Errorf("making the site's directory: %w", err)
	}
	defer os.RemoveAll(work)
	s := site{root: root, out: work, html: map[string]string{}}
	for _, p := range menu() {
		for _, g := range p.pages {
			s.html[g.file] = g.html
		}
	}
	for _, p := range menu() {
		for _, g := range p.pages {
			if err := s.write(g); err != nil {
				return err
			}
		}
	}
	if err := os.WriteFile(filepath.Join(work, "style.css"), styleCSS, 0o644); err != nil {
		return err
	}
	if err := os.Chmod(work, 0o755); err != nil {
		return err
	}
	if err := os.RemoveAll(out); err != nil {
		return fmt.Errorf("removing the site that was there: %w", err)
	}
	return os.Rename(work, out)
}

// isFree returns an error where out holds something that is no site.
func isFree(out string) error {
	entries, err := os.ReadDir(out)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking at the site's directory: %w", err)
	}
	if _, err := os.Stat(filepath.Join(out, "style.css")); err != nil {
		return fmt.Errorf("%s holds something that is no site: name another directory by -out", out)
	}
	return nil
}

// site is a site that is being written.
type site struct {
	root, out string
	html      map[string]string // the page of each Markdown file
}

// write writes a page and copies the files that it links to.
func (s *site) write(g page) error {
	d, err := read(s.root, g.file)
	if err != nil {
		return err
	}
	heads := d.headlines() // before links change
	err = d.links(func(to string) (string, error) {
		if err := check(s.root, g.file, to); err != nil {
			return to, err
		}
		return s.place(g, to)
	})
	if err != nil {
		return err
	}
	body, err := d.render()
	if err != nil {
		return err
	}
	v := view{Title: g.title, Style: relative(g.html, "style.css"), Home: relative(g.html, "index.html"), Body: template.HTML(body)}
	if len(heads) > 0 && heads[0].Level == 1 {
		v.Title = heads[0].Text
	} else {
		v.Body = template.HTML("<h1>"+template.HTMLEscapeString(g.title)+"</h1>\n") + v.Body
	}
	for _, p := range menu() {
		m := menuPart{Title: p.title}
		for _, other := range p.pages {
			e := entry{Title: other.title, To: relative(g.html, other.html), Here: other.file == g.file}
			for _, h := range heads {
				if e.Here && h.Level == 2 {
					e.Sections = append(e.Sections, h)
				}
			}
			m.Entries = append(m.Entries, e)
		}
		v.Parts = append(v.Parts, m)
	}
	t, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return err
	}
	file, err := s.create(g.html)
	if err != nil {
		return err
	}
	if err := t.Execute(file, v); err != nil {
		file.Close()
		return fmt.Errorf("writing %s: %w", g.html, err)
	}
	return file.Close()
}

// place returns the link of a page to the target of a link in its Markdown file; a target that is no
// page is copied into the site.
func (s *site) place(g page, to string) (string, error) {
	file, anchor := target(g.file, to)
	html, ok := s.html[file]
	if !ok {
		html = strings.TrimPrefix(file, "docs/")
		if html == file {
			html = path.Join("repository", file)
		}
		if err := s.copy(file, html); err != nil {
			return "", err
		}
	}
	link := relative(g.html, html)
	if anchor != "" {
		link += "#" + anchor
	}
	return link, nil
}

func (s *site) copy(from, to string) error {
	in, err := os.Open(filepath.Join(s.root, filepath.FromSlash(from)))
	if err != nil {
		return fmt.Errorf("copying a file into the site: %w", err)
	}
	defer in.Close()
	out, err := s.create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return fmt.Errorf("copying %s into the site: %w", from, err)
	}
	return out.Close()
}

func (s *site) create(name string) (*os.File, error) {
	at := filepath.Join(s.out, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return nil, err
	}
	return os.Create(at)
}

// relative returns the path of a file of the site as a page of it links to it.
func relative(from, to string) string {
	return strings.Repeat("../", strings.Count(from, "/")) + to
}
