package data

import (
	"fmt"
	"slices"
	"strings"

	"eegprune/data/montage"
	"eegprune/internal/note"
	"eegprune/internal/spelling"
)

// pickChannels chooses rows from the channels of a file by the manifest's
// rule: indices into names, the electrodes' names, and what was left out.
func (m *Manifest) pickChannels(names []string) (rows []int, electrodes []string, notes []note.Note, err error) {
	c := m.Channels
	excluded := canonicalAll(c.Exclude)
	left := map[montage.Kind][]string{}
	for i, name := range names {
		e, kind := montage.Canonical(name)
		if slices.Contains(excluded, e) || slices.Contains(c.Exclude, name) {
			continue
		}
		if kind != montage.Electrode {
			left[kind] = append(left[kind], name)
			continue
		}
		if j := slices.Index(electrodes, e); j >= 0 {
			return nil, nil, nil, fmt.Errorf("channels %q and %q are both electrode %s: exclude one by channels.exclude", names[rows[j]], name, e)
		}
		rows, electrodes = append(rows, i), append(electrodes, e)
	}
	if len(electrodes) == 0 {
		return nil, nil, nil, fmt.Errorf("none of its channels (%s) has the name of a 10-20 or 10-10 electrode", some(names, 4))
	}
	for kind, list := range left {
		notes = append(notes, note.New(note.LeftOut, "Channels are left out (%s): %s.", kind, some(list, 6)))
	}
	slices.SortFunc(notes, func(a, b note.Note) int { return strings.Compare(a.What, b.What) })
	if len(c.Pick) > 0 {
		rows, electrodes, err = pickNamed(canonicalAll(c.Pick), rows, electrodes)
	}
	return rows, electrodes, notes, err
}

func pickNamed(wanted []string, rows []int, electrodes []string) ([]int, []string, error) {
	picked := make([]int, len(wanted))
	for i, w := range wanted {
		j := slices.Index(electrodes, w)
		if j < 0 {
			return nil, nil, fmt.Errorf("it has no channel %s, which channels.pick asks for (the nearest that it has is %s)", w, spelling.Nearest(w, electrodes))
		}
		picked[i] = rows[j]
	}
	return picked, wanted, nil
}

func canonicalAll(names []string) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i], _ = montage.Canonical(n)
	}
	return all
}
