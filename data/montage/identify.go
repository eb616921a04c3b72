package montage

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/eegprune/eegprune/internal/note"
)

// A Channel holds the name and kind of one of a file's channels.
type Channel struct {
	Label string // as the file has it
	Name  string // by which it is known; no two of a file have one name
	Kind  Kind
	// Against is the reference that was taken off the name.
	Against string

	bare string // the label without EEG in front and dots behind
	site string // the electrode that the label names, if it is one
	own  string // the same as the label has it, be the name old or new
	twin string // the name that it shares with another of the file, before the two are told apart
}

// BioSemi is the system whose caps have letters and numbers for names: A1 to A32, B1 to
// B32 and so on. C3 of such a cap is not where the 10-20 system has it.
const BioSemi = "BioSemi"

// Identify finds the name and kind of each of a file's channels, by its label and the
// others:
//
//   - names of the 10-20, 10-10 and 10-5 systems are brought to one spelling, the old T3,
//     T4, T5, T6 to T7, T8, P7, P8, and references are taken off, unless two channels would
//     be called alike: these keep their own names, or get numbers where those are equal too;
//   - where all differences have one second name, that is a reference ("F3-Pz", "F4-Pz");
//   - where all names are those of a BioSemi cap, A1 and A2 are no references.
func Identify(labels []string) []Channel {
	all := make([]Channel, len(labels))
	parsed := make([]label, len(labels))
	for i, l := range labels {
		parsed[i] = parse(l)
	}
	common := commonReference(parsed)
	series := hasSeries(parsed)
	eyes := hasEyes(parsed)
	for i, p := range parsed {
		c := Channel{Label: labels[i], Name: strings.TrimSpace(labels[i]), Kind: p.kind, bare: p.bare, site: p.site, own: p.own, Against: p.against}
		base, second, _ := cutPair(p.bare)
		switch {
		case p.kind == Electrode:
			c.Name = p.site
		case p.kind == Bipolar && common != "" && strings.EqualFold(second, common):
			c.site, c.own, _ = lookup(base)
			c.Name, c.Kind, c.Against = c.site, Electrode, common
		case p.kind == Bipolar:
			c.Name = p.bare
		case p.kind == Reference && series && seriesName.MatchString(p.bare):
			c.Name, c.Kind = strings.ToUpper(p.bare), Named
		case eyes && eyeName.MatchString(p.bare):
			c.Kind = Other
		case p.kind == Named && strings.ContainsFunc(p.bare, unicode.IsLetter):
			c.Name = p.bare
		}
		all[i] = c
	}
	capNames(all)
	tellApart(all)
	return all
}

// commonReference returns the second name that all differences of a file share.
func commonReference(all []label) string {
	common, pairs := "", 0
	for _, l := range all {
		if l.kind != Bipolar {
			continue
		}
		_, second, _ := cutPair(l.bare)
		if pairs > 0 && !strings.EqualFold(second, common) {
			return ""
		}
		common = second
		pairs++
	}
	if pairs < 2 {
		return ""
	}
	return common
}

var (
	seriesName = regexp.MustCompile(`(?i)^[A-H]([1-9]|[12]\d|3[0-2])$`)
	// eyeName is how the AASM's manual of sleep calls the electrodes beside the eyes.
	eyeName = regexp.MustCompile(`(?i)^E[12]([-_ ]?[AM][12])?$`)
)

// hasSeries reports whether the names of a file go on from A1 and A2 as no reference does.
func hasSeries(all []label) bool {
	return slices.ContainsFunc(all, func(l label) bool {
		return l.kind == Named && seriesName.MatchString(l.bare) && !strings.HasPrefix(strings.ToUpper(l.bare), "E")
	})
}

// hasEyes reports whether E1 and E2 are eyes: beside electrodes of the scalp, and without
// an E3, as the first of EGI's net would have.
func hasEyes(all []label) bool {
	electrodes := false
	for _, l := range all {
		switch {
		case l.kind == Electrode:
			electrodes = true
		case l.kind == Named && seriesName.MatchString(l.bare) && strings.HasPrefix(strings.ToUpper(l.bare), "E") && !eyeName.MatchString(l.bare):
			return false
		}
	}
	return electrodes
}

// CapOf returns the system whose caps have such names, where that is none of those in
// which a name is a place: [BioSemi], or nothing.
func CapOf(names []string) string {
	foreign := false
	for _, n := range names {
		if !seriesName.MatchString(n) {
			return ""
		}
		if _, kind := Canonical(n); kind == Named && !strings.HasPrefix(strings.ToUpper(n), "E") {
			foreign = true
		}
	}
	if foreign {
		return BioSemi
	}
	return ""
}

// capNames gives the channels of a cap its names.
func capNames(all []Channel) {
	var names []string
	for _, c := range all {
		if c.Kind.EEG() {
			names = append(names, c.bare)
		}
	}
	if CapOf(names) == "" {
		return
	}
	for i, c := range all {
		if c.Kind.EEG() {
			all[i].Name, all[i].Kind, all[i].site = strings.ToUpper(c.bare), Named, ""
		}
	}
}

// tellApart gives every channel a name of its own.
func tellApart(all []Channel) {
	alike := func(key func(Channel) string) map[string][]int {
		groups := map[string][]int{}
		for i, c := range all {
			if c.Kind.EEG() {
				k := strings.ToUpper(key(c))
				groups[k] = append(groups[k], i)
			}
		}
		return groups
	}
	for _, group := range alike(func(c Channel) string { return c.Name }) {
		if len(group) < 2 {
			continue
		}
		own := map[string]bool{} // T3 beside T7 keeps its name, C3-A1 beside C3-A2 its reference
		for _, i := range group {
			own[strings.ToUpper(all[i].own)] = true
		}
		for _, i := range group {
			all[i].twin = all[i].Name
			if len(own) == len(group) && !own[""] {
				all[i].Name = all[i].own
			} else {
				all[i].Name, all[i].Against = all[i].bare, ""
			}
		}
	}
	taken := map[string]bool{}
	for _, c := range all {
		taken[strings.ToUpper(c.Name)] = true
	}
	groups := alike(func(c Channel) string { return c.Name })
	for i := range all { // in order, so that the numbers are
		group := groups[strings.ToUpper(all[i].Name)]
		if len(group) < 2 || group[0] != i {
			continue
		}
		for n, k := range group {
			name := all[k].Name + "-" + strconv.Itoa(n)
			for taken[strings.ToUpper(name)] {
				name += "'"
			}
			taken[strings.ToUpper(name)] = true
			all[k].twin, all[k].Name = all[i].bare, name
		}
	}
}

// Bare is the label without EEG in front and dots behind: "M1" of "EEG M1".
func (c Channel) Bare() string { return c.bare }

// Is reports how well a user's name fits a channel: 2 where it is the channel's name or
// label, 1 where it names the same electrode, 0 where it doesn't fit.
func (c Channel) Is(name string) int {
	name = strings.TrimSpace(name)
	for _, own := range []string{c.Name, strings.TrimSpace(c.Label), c.bare} {
		if own != "" && strings.EqualFold(own, name) {
			return 2
		}
	}
	if site, kind := Canonical(name); kind == Electrode && c.site == site {
		return 1
	}
	return 0
}

// Notes tells how channels were named, where that isn't plain.
func Notes(channels []Channel) []note.Note {
	var notes []note.Note
	say := func(kind note.Kind, format string, list []string) {
		if len(list) > 0 {
			notes = append(notes, note.New(kind, format, strings.Join(list, ", ")))
		}
	}
	var old, references []string
	of := map[string][]string{} // channels by reference
	twins := map[string][]string{}
	var order []string
	names := make([]string, len(channels))
	for i, c := range channels {
		names[i] = c.Name
		switch {
		case c.twin != "":
			if twins[c.twin] == nil {
				order = append(order, c.twin)
			}
			twins[c.twin] = append(twins[c.twin], c.Name)
		case c.own != c.site && c.Kind == Electrode:
			old = append(old, fmt.Sprintf("%s as %s", c.own, c.Name))
		}
		if c.Against != "" {
			if of[c.Against] == nil {
				references = append(references, c.Against)
			}
			of[c.Against] = append(of[c.Against], c.Name)
		}
	}
	say(note.About, "Old names are read as today's: %s.", old)
	for _, r := range references {
		if len(of) == 1 {
			notes = append(notes, note.New(note.About, "The reference %s is taken off the names of the channels.", r))
			break
		}
		say(note.About, "The reference "+strings.ReplaceAll(r, "%", "%%")+" is taken off the names of %s.", of[r])
	}
	for _, t := range order {
		if len(twins[t]) > 1 {
			notes = append(notes, note.New(note.Repeated, "%d channels are %s by their names, and are told apart as %s: leave out by channels.exclude what is not meant.", len(twins[t]), t, strings.Join(twins[t], ", ")))
		}
	}
	if CapOf(names) == BioSemi {
		notes = append(notes, note.New(note.About, "The names (%s, ...) are those of a %s cap, and no places of the 10-20 system: --montage says where they lie.", strings.Join(names[:min(3, len(names))], ", "), BioSemi))
	}
	return notes
}
