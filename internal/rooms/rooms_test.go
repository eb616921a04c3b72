// Package rooms holds the packages to the direction in which they may import each other.
package rooms

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/eegprune/eegprune/"

// floors are the packages from the top of the house to its foot: each may import those below
// its own line, never its own or one above. A package in a folder below one of them that is not
// named here is part of it: its leaves, which it may import and which import each other. Where
// a folder has a floor for its leaves ("data/..."), they stand there.
func floors() [][]string {
	return [][]string{
		{"cmd/eegprune", "internal/reftest"},
		{"predict", "experiment/slurm", "experiment/watch", "internal/doctor"},
		{"experiment"},
		{"report", "prune"},
		{"train"},
		{"models/export"},
		{"models"},
		{"result", "data/simulate"},
		{"data"},
		{"data/source"},
		{"data/..."},
		{"torch"},
		{"internal"},
	}
}

// floor returns where a package stands, and by which name.
func floor(path string) (at int, name string) {
	at, name = -1, ""
	for i, names := range floors() {
		for _, n := range names {
			folder, leaves := strings.CutSuffix(n, "/...")
			if (path == n || strings.HasPrefix(path, folder+"/")) && (len(folder) > len(name) || leaves && folder == name) {
				at, name = i, n
			}
		}
	}
	return at, name
}

// imports returns the module's packages that each package of the module imports, its tests left
// out.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{range .Imports}}{{.}} {{end}}", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		var own []string
		for _, w := range words[1:] {
			if p, ok := strings.CutPrefix(w, module); ok {
				own = append(own, p)
			}
		}
		all[strings.TrimPrefix(words[0], module)] = own
	}
	return all
}

func TestImportsGoDown(t *testing.T) {
	all := imports(t)
	for _, names := range floors() {
		for _, n := range names {
			if _, ok := all[n]; !ok && n != "internal" && !strings.HasSuffix(n, "/...") {
				t.Errorf("there is no package %s: take it out of the list", n)
			}
		}
	}
	for p, own := range all {
		at, name := floor(p)
		if at < 0 {
			t.Errorf("%s has no place in the list", p)
			continue
		}
		for _, i := range own {
			to, of := floor(i)
			switch {
			case of == name && i == name && name != "internal":
				t.Errorf("%s is a leaf of %s and imports it", p, name)
			case of != name && to <= at:
				t.Errorf("%s imports %s, which is not below it", p, i)
			}
		}
	}
}

// Packages that need no libtorch must start without it: those of results and their reports.
func TestReportsNeedNoLibtorch(t *testing.T) {
	all := imports(t)
	var needs func(p string, seen map[string]bool) bool
	needs = func(p string, seen map[string]bool) bool {
		if p == "torch" {
			return true
		}
		if seen[p] {
			return false
		}
		seen[p] = true
		return slices.ContainsFunc(all[p], func(i string) bool { return needs(i, seen) })
	}
	for _, p := range []string{"report", "result", "data"} {
		if needs(p, map[string]bool{}) {
			t.Errorf("%s imports torch by some way", p)
		}
	}
	if !needs("train", map[string]bool{}) {
		t.Error("train does not import torch: the walk finds nothing")
	}
}
