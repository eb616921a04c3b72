package data

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// companionFiles finds the files that belong to recordings: .eeg and .vmrk to a .vhdr, .fdt
// to a .set.
type companionFiles struct {
	endings []string
	dirs    map[string][]string // paths of such files, by directory
}

func newCompanions(s *Source) *companionFiles {
	return &companionFiles{s.companions(), map[string][]string{}}
}

// around returns the paths of all such files in the directory of a recording, which may name
// any of them.
func (c *companionFiles) around(f File) []string {
	if len(c.endings) == 0 {
		return nil
	}
	dir := filepath.Dir(f.Path)
	paths, ok := c.dirs[dir]
	if !ok {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil // the recording's reader will say what is wrong
		}
		for _, e := range entries {
			if slices.Contains(c.endings, strings.ToLower(filepath.Ext(e.Name()))) {
				paths = append(paths, filepath.Join(dir, e.Name()))
			}
		}
		c.dirs[dir] = paths
	}
	return paths
}

// of returns those that have a recording's name, or all around it where there are none.
func (c *companionFiles) of(f File) []string {
	stem := func(path string) string { return strings.TrimSuffix(path, filepath.Ext(path)) }
	var own []string
	for _, p := range c.around(f) {
		if strings.EqualFold(stem(p), stem(f.Path)) {
			own = append(own, p)
		}
	}
	if own == nil {
		return c.around(f)
	}
	return own
}
