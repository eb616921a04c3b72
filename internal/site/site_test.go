package main

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// files calls visit for each file of the repository, with its path below the root.
func files(t *testing.T, visit func(file string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, at)
		if err != nil {
			return err
		}
		if d.IsDir() {
			hidden := strings.HasPrefix(name, ".") && name != "."
			if hidden || slices.Contains([]string{"bin", "build", "eegprune-demo", "eegprune-comparison"}, name) || d.Name() == "testdata" {
				return fs.SkipDir
			}
			return nil
		}
		visit(filepath.ToSlash(name))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryLinkOfTheRepositorysMarkdown(t *testing.T) {
	n := 0
	files(t, func(file string) {
		if path.Ext(file) != ".md" {
			return
		}
		d, err := read(root, file)
		if err != nil {
			t.Fatal(err)
		}
		_ = d.links(func(to string) (string, error) {
			n++
			if err := check(root, file, to); err != nil {
				t.Error(err)
			}
			return to, nil
		})
	})
	if n < 50 {
		t.Errorf("only %d links were seen", n)
	}
}

// Programs, scripts and pages name files of docs/ in their words, too.
func TestDocumentsThatAreNamedAreThere(t *testing.T) {
	named := regexp.MustCompile(`\bdocs/[a-z0-9/_-]+\.[a-z]+\b`)
	n := 0
	files(t, func(file string) {
		if !slices.Contains([]string{".go", ".py", ".sh", ".md", ".yaml", ".cff", ""}, path.Ext(file)) || strings.HasPrefix(file, "internal/site/") {
			return
		}
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range named.FindAllString(string(text), -1) {
			n++
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Errorf("%s names %s, which is not there", file, name)
			}
		}
	})
	if n < 10 {
		t.Errorf("only %d names were seen", n)
	}
}

func TestEveryDocumentIsAPage(t *testing.T) {
	var pages []string
	for _, p := range menu() {
		for _, g := range p.pages {
			pages = append(pages, g.file)
		}
	}
	files(t, func(file string) {
		if strings.HasPrefix(file, "docs/") && path.Ext(file) == ".md" && !slices.Contains(pages, file) {
			t.Errorf("%s is on no page: add it to menu", file)
		}
	})
}

var (
	linkOf   = regexp.MustCompile(`(?:href|src)="([^"]*)"`)
	idOf     = regexp.MustCompile(` id="([^"]*)"`)
	asksFor  = regexp.MustCompile(`<(?:link|img|script|iframe|object|source)[^>]*(?:href|src|srcset)="([^"]*)"`)
	firstOf  = regexp.MustCompile(`<h1`)
	outsideP = regexp.MustCompile(`^[a-z]+:`)
)

// built returns the HTML of each page of a fresh site, and the site's directory.
func built(t *testing.T) (map[string]string, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "site")
	if err := Build(root, dir); err != nil {
		t.Fatal(err)
	}
	pages := map[string]string{}
	for _, p := range menu() {
		for _, g := range p.pages {
			text, err := os.ReadFile(filepath.Join(dir, g.html))
			if err != nil {
				t.Fatal(err)
			}
			pages[g.html] = string(text)
		}
	}
	return pages, dir
}

func TestEveryLinkAndAnchorOfTheSite(t *testing.T) {
	pages, dir := built(t)
	n := 0
	for name, text := range pages {
		for _, m := range linkOf.FindAllStringSubmatch(text, -1) {
			if outsideP.MatchString(m[1]) {
				continue
			}
			n++
			to, anchor, _ := strings.Cut(m[1], "#")
			at := name
			if to != "" {
				at = path.Join(path.Dir(name), to)
			}
			if _, err := os.Stat(filepath.Join(dir, at)); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
				continue
			}
			if anchor != "" && !slices.ContainsFunc(idOf.FindAllStringSubmatch(pages[at], -1), func(id []string) bool { return id[1] == anchor }) {
				t.Errorf("%s links to %s, and %s has no such anchor", name, m[1], at)
			}
		}
	}
	if n < 200 {
		t.Errorf("only %d links were seen", n)
	}
}

func TestPagesAskNothingOfAnotherHost(t *testing.T) {
	pages, _ := built(t)
	for name, text := range pages {
		if asks := asksFor.FindAllStringSubmatch(text, -1); len(asks) == 0 {
			t.Errorf("%s has no style sheet", name)
		} else {
			for _, m := range asks {
				if outsideP.MatchString(m[1]) || strings.HasPrefix(m[1], "//") {
					t.Errorf("%s asks for %s", name, m[1])
				}
			}
		}
		if strings.Contains(text, "<script") {
			t.Errorf("%s has a script", name)
		}
		if n := len(firstOf.FindAllString(text, -1)); n != 1 {
			t.Errorf("%s has %d titles", name, n)
		}
	}
	if strings.Contains(string(styleCSS), "url(") || strings.Contains(string(styleCSS), "@import") {
		t.Error("the style sheet asks for another file")
	}
}

// write makes a file of a repository of a test.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	at := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestCheckSeesWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "docs/a.md", "# A\n\n## The first part\n\n## A `code` & more\n")
	write(t, dir, "docs/b.md", "# B\n")
	for to, fine := range map[string]bool{
		"a.md": true, "a.md#the-first-part": true, "a.md#a-code--more": true, "#b": true, "b.md": true,
		"c.md": false, "a.md#the-second-part": false, "#a": false, "../../x.md": false, "docs/a.md": false,
	} {
		if err := check(dir, "docs/b.md", to); (err == nil) != fine {
			t.Errorf("%s: %v", to, err)
		}
	}
}

func TestOnlyASiteIsReplaced(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "notes.txt", "not a site")
	if err := Build(root, dir); err == nil || !strings.Contains(err.Error(), "no site") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "notes.txt")); err != nil {
		t.Error(err)
	}
	site := filepath.Join(dir, "site")
	for range 2 {
		if err := Build(root, site); err != nil {
			t.Fatal(err)
		}
	}
}

// A site that can't be built leaves the one that was there.
func TestAFailedBuildLeavesTheSite(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "docs/start.md", "# Start\n\n[nothing](nothing.md)\n")
	write(t, dir, "site/index.html", "the old one")
	write(t, dir, "site/style.css", "")
	if err := Build(dir, filepath.Join(dir, "site")); err == nil || !strings.Contains(err.Error(), "nothing.md") {
		t.Fatalf("error %v", err)
	}
	if old, err := os.ReadFile(filepath.Join(dir, "site", "index.html")); err != nil || string(old) != "the old one" {
		t.Errorf("%s, %v", old, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "site-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
