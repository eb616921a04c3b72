package source

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/data/montage"
	"github.com/eegprune/eegprune/internal/note"
	"github.com/eegprune/eegprune/internal/spelling"
)

// A candidate is a channel of a file that may be read.
type candidate struct {
	label string
	rate  float64 // samples per second, where channels may have different ones
	// unfit is why it has no samples that can be used, foreign why they are no voltages;
	// empty where neither is so.
	unfit, foreign string
	// kind is the channel's type in a table beside the file, in upper case: "EEG", "EOG"; empty
	// without one.
	kind string
	// unit is the file's own; choosing may put another in its place where it says none.
	unit string
}

// pickChannels chooses channels of a file by the manifest's rule. It returns their indices into
// names, their names, and notes of the channels left out.
func (m *Manifest) pickChannels(names []string) (rows []int, channels []string, notes []note.Note, err error) {
	all := make([]candidate, len(names))
	for i, n := range names {
		all[i].label = n
	}
	return m.choose(all)
}

// TakesAll reports whether all channels of these names are read where no manifest picks them.
func TakesAll(names []string) bool {
	rows, _, _, err := (&Manifest{}).pickChannels(names)
	return err == nil && len(rows) == len(names)
}

// choose is [Manifest.pickChannels] for files that say more of their channels.
func (m *Manifest) choose(all []candidate) (rows []int, names []string, notes []note.Note, err error) {
	var said []note.Note
	if m.beside != nil {
		said = m.beside.ofChannels(all)
	}
	labels := make([]string, len(all))
	for i, c := range all {
		labels[i] = c.label
	}
	channels := montage.Identify(labels)
	excluded := make([]bool, len(all))
	for _, name := range m.Channels.Exclude {
		for _, i := range matches(channels, name) {
			excluded[i] = true
		}
	}
	also := make([]bool, len(all))
	for _, name := range m.also {
		for _, i := range matches(channels, name) {
			also[i] = !excluded[i]
		}
	}
	if len(m.Channels.Pick) > 0 {
		rows, err = pickNamed(m.Channels.Pick, all, channels, excluded)
		for i := range also {
			if also[i] && !slices.Contains(rows, i) {
				rows = append(rows, i)
			}
		}
	} else {
		rows, notes = chooseEEG(all, channels, excluded, also)
		if len(rows) == 0 {
			err = fmt.Errorf("none of its channels (%s) is one of EEG: name those to read by channels.pick in the manifest", note.Some(labels, 4))
		}
	}
	if err != nil {
		return nil, nil, nil, err
	}
	read := make([]montage.Channel, len(rows))
	for k, i := range rows {
		read[k] = channels[i]
		names = append(names, nameOf(channels[i], also[i]))
	}
	notes = slices.Concat(said, notes, montage.Notes(read))
	if m.beside != nil {
		notes = append(notes, m.beside.bad(rows, names)...)
	}
	if montage.CapOf(eegNames(channels)) != "" && montage.CapOf(names) == "" {
		return rows, prefixed(names), notes, nil
	}
	return rows, names, notes, nil
}

// nameOf is the name of a channel. A channel that is asked for and isn't EEG keeps the name by
// which it is asked for.
func nameOf(c montage.Channel, also bool) string {
	if also && !c.Kind.EEG() {
		return c.Bare()
	}
	return c.Name
}

// matches returns the channels that a user means by a name: those that are called so, or
// else those of the same electrode.
func matches(channels []montage.Channel, name string) []int {
	var found []int
	best := 1
	for i, c := range channels {
		fit := c.Is(name)
		if fit > best {
			found, best = nil, fit
		}
		if fit == best {
			found = append(found, i)
		}
	}
	return found
}

// chooseEEG returns the channels that hold EEG of one rate, and says which others there
// are. Those of also are read whatever they are.
func chooseEEG(all []candidate, channels []montage.Channel, excluded, also []bool) (rows []int, notes []note.Note) {
	left := map[string][]string{}
	var order []string
	leave := func(i int, why string) {
		if left[why] == nil {
			order = append(order, why)
		}
		left[why] = append(left[why], quoteOdd(all[i].label))
	}
	for i, c := range channels {
		switch {
		case excluded[i]:
		case also[i] && all[i].unfit == "":
			rows = append(rows, i)
		case all[i].kind != "" && all[i].kind != eegType:
			leave(i, all[i].kind+" by channels.tsv")
		case !c.Kind.EEG() && all[i].kind == "":
			leave(i, c.Kind.String())
		case all[i].unfit != "":
			leave(i, all[i].unfit)
		case all[i].foreign != "" && c.Kind == montage.Named && all[i].kind == "":
			leave(i, all[i].foreign)
		default:
			rows = append(rows, i)
		}
	}
	rate := commonRate(all, channels, rows)
	kept := rows[:0]
	for _, i := range rows {
		if all[i].rate != rate && channels[i].Kind != montage.Electrode {
			leave(i, fmt.Sprintf("%g samples a second where EEG has %g", all[i].rate, rate))
			continue
		}
		kept = append(kept, i)
	}
	slices.Sort(order)
	for _, why := range order {
		notes = append(notes, note.New(note.LeftOut, "Channels are left out (%s): %s.", why, strings.Join(left[why], ", ")))
	}
	return kept, notes
}

// commonRate is the rate of the electrodes of the scalp, or else of most channels.
func commonRate(all []candidate, channels []montage.Channel, rows []int) float64 {
	counts := map[float64]int{}
	for _, i := range rows {
		counts[all[i].rate]++
		if channels[i].Kind == montage.Electrode {
			counts[all[i].rate] += len(all)
		}
	}
	most := 0.0
	for rate, n := range counts {
		if n > counts[most] || n == counts[most] && rate > most {
			most = rate
		}
	}
	return most
}

// pickNamed returns the channels that a user names, in that order.
func pickNamed(wanted []string, all []candidate, channels []montage.Channel, excluded []bool) ([]int, error) {
	picked := make([]int, len(wanted))
	for k, w := range wanted {
		found := slices.DeleteFunc(matches(channels, w), func(i int) bool { return excluded[i] })
		switch {
		case len(found) == 0:
			return nil, fmt.Errorf("it has no channel %s, which channels.pick asks for (the nearest that it has is %s)", w, spelling.Nearest(w, eegNames(channels)))
		case len(found) > 1:
			var names []string
			for _, i := range found {
				names = append(names, channels[i].Name)
			}
			return nil, fmt.Errorf("channels.pick asks for %s, and it has several of that name: name one of them as %s", w, strings.Join(names, " or "))
		case all[found[0]].unfit != "":
			return nil, fmt.Errorf("channels.pick asks for %s, and that can't be read: %s", w, all[found[0]].unfit)
		case slices.Contains(picked[:k], found[0]):
			return nil, fmt.Errorf("channels.pick asks for %s twice", w)
		}
		picked[k] = found[0]
	}
	return picked, nil
}

func eegNames(channels []montage.Channel) []string {
	var names []string
	for _, c := range channels {
		if c.Kind.EEG() {
			names = append(names, c.Name)
		}
	}
	return names
}

// prefixed gives the names of a cap's channels the cap's name, where they would be taken
// for places of the 10-20 system once the others aren't beside them.
func prefixed(names []string) []string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = montage.BioSemi + " " + n
	}
	return all
}

// quoteOdd quotes a name that would be unreadable in a list of names.
func quoteOdd(name string) string {
	if name == "" || strings.ContainsAny(name, ",;") || strings.TrimSpace(name) != name {
		return fmt.Sprintf("%q", name)
	}
	return name
}
