package main

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
)

// A document is a parsed Markdown file.
type document struct {
	file   string // below the root, with slashes
	source []byte
	node   ast.Node
}

// A headline is a heading with its anchor.
type headline struct {
	Level    int
	ID, Text string
}

// reader returns the parser and renderer of all files. Comments in them are for programs.
func reader() goldmark.Markdown {
	return goldmark.New(
		goldmark.WithExtensions(extension.Table),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()),
		goldmark.WithRendererOptions(html.WithUnsafe()),
	)
}

// read parses a file below root.
func read(root, file string) (*document, error) {
	source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
	if err != nil {
		return nil, fmt.Errorf("reading a page: %w", err)
	}
	return &document{file, source, reader().Parser().Parse(text.NewReader(source))}, nil
}

// headlines returns the headings of a document in order.
func (d *document) headlines() []headline {
	var all []headline
	d.visit(func(n ast.Node) error {
		if h, ok := n.(*ast.Heading); ok {
			id, _ := h.AttributeString("id")
			b, _ := id.([]byte)
			all = append(all, headline{h.Level, string(b), d.textOf(h)})
		}
		return nil
	})
	return all
}

// textOf returns the words of a node without their marks.
func (d *document) textOf(n ast.Node) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			b.Write(t.Segment.Value(d.source))
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// visit calls f for every node until it fails.
func (d *document) visit(f func(ast.Node) error) error {
	return ast.Walk(d.node, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		if err := f(n); err != nil {
			return ast.WalkStop, err
		}
		return ast.WalkContinue, nil
	})
}

// links calls f with the destination of each link and picture that leads to a file or an anchor
// of the repository, and replaces it by the result of f.
func (d *document) links(f func(to string) (string, error)) error {
	return d.visit(func(n ast.Node) error {
		var at *[]byte
		switch n := n.(type) {
		case *ast.Link:
			at = &n.Destination
		case *ast.Image:
			at = &n.Destination
		default:
			return nil
		}
		to := string(*at)
		if strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
			return nil
		}
		changed, err := f(to)
		*at = []byte(changed)
		return err
	})
}

// target splits a link in the file from into the file below the root that it leads to and the
// anchor there.
func target(from, to string) (file, anchor string) {
	file, anchor, _ = strings.Cut(to, "#")
	if file == "" {
		return from, anchor
	}
	return path.Join(path.Dir(from), file), anchor
}

// check returns an error where a link in the file from leads nowhere: to no file, or to no
// heading of a Markdown file.
func check(root, from, to string) error {
	file, anchor := target(from, to)
	if strings.HasPrefix(file, "../") {
		return fmt.Errorf("%s links to %s, which is outside of the repository", from, to)
	}
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(file))); err != nil {
		return fmt.Errorf("%s links to %s, which is not there", from, to)
	}
	if anchor == "" {
		return nil
	}
	d, err := read(root, file)
	if err != nil {
		return err
	}
	for _, h := range d.headlines() {
		if h.ID == anchor {
			return nil
		}
	}
	return fmt.Errorf("%s links to %s, and %s has no heading of that name", from, to, file)
}

// render returns the HTML of a document. Wide tables scroll by themselves.
func (d *document) render() (string, error) {
	var b bytes.Buffer
	if err := reader().Renderer().Render(&b, d.source, d.node); err != nil {
		return "", fmt.Errorf("rendering %s: %w", d.file, err)
	}
	return strings.NewReplacer(
		"<table>", `<div class="wide" tabindex="0"><table>`,
		"</table>", "</table></div>",
		"<pre>", `<pre tabindex="0">`,
	).Replace(b.String()), nil
}
