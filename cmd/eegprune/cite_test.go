package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/internal/cite"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
)

// Every method, network and data set has a paper that can be found, and CITATION.cff names it.
func TestEverythingHasAPaper(t *testing.T) {
	datasets, err := source.Papers()
	if err != nil {
		t.Fatal(err)
	}
	papers, err := papersOf(prune.MethodNames(), models.Names(), slices.Sorted(maps.Keys(datasets)))
	if err != nil {
		t.Fatal(err)
	}
	if len(papers) < 20 {
		t.Errorf("only %d papers", len(papers))
	}
	cff, err := os.ReadFile(filepath.Join("..", "..", "CITATION.cff"))
	if err != nil {
		t.Fatal(err)
	}
	doi := regexp.MustCompile(`^10\.\d{4,}/\S+$`)
	arxiv := regexp.MustCompile(`^\d{4}\.\d{4,5}$`)
	titles := map[string]string{} // by key
	for _, p := range append(papers, study()) {
		if p.Key == "" || len(p.Authors) == 0 || p.Title == "" {
			t.Errorf("incomplete: %+v", p)
		}
		if p.Journal == "" && p.Book == "" && p.ArXiv == "" {
			t.Errorf("%s: nothing says where it appeared", p.Key)
		}
		if p.DOI != "" && !doi.MatchString(p.DOI) || p.ArXiv != "" && !arxiv.MatchString(p.ArXiv) {
			t.Errorf("%s: DOI %q, arXiv %q", p.Key, p.DOI, p.ArXiv)
		}
		for _, a := range p.Authors {
			if !strings.Contains(a, ", ") {
				t.Errorf("%s: author %q is not Family, Given", p.Key, a)
			}
		}
		if !strings.Contains(string(cff), p.Title) {
			t.Errorf("CITATION.cff lacks %q (%s)", p.Title, p.Key)
		}
		titles[p.Key] = p.Title
	}
	// Two papers under one key would be told as one.
	for _, m := range prune.Methods() {
		sameTitle(t, titles, m.Cite)
	}
	for _, m := range models.All() {
		sameTitle(t, titles, m.Cite)
	}
	for _, p := range datasets {
		sameTitle(t, titles, p)
	}
}

func sameTitle(t *testing.T, titles map[string]string, p cite.Paper) {
	t.Helper()
	if titles[p.Key] != p.Title {
		t.Errorf("the key %q is that of %q and of %q", p.Key, p.Title, titles[p.Key])
	}
}

// A release has the same version everywhere.
func TestVersionIsTheSameEverywhere(t *testing.T) {
	for file, line := range map[string]string{"CITATION.cff": "\nversion: " + number + "\n", "CHANGELOG.md": "\n## " + number + "\n"} {
		text, err := os.ReadFile(filepath.Join("..", "..", file))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), line) {
			t.Errorf("%s does not say %q", file, strings.TrimSpace(line))
		}
	}
}
