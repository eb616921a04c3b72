// Package montage holds the names and places of channels: the electrodes of the 10-20, 10-10 and 10-5
// systems, their places on the head and on the grid that convolutional networks take, and the names
// of other caps.
package montage

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A Kind is a channel's kind by its name.
type Kind int

const (
	Electrode Kind = iota // of the scalp, in the 10-20, 10-10 or 10-5 system
	Named                 // a name that these systems don't have: "E17", "B12", "EEG 003"
	Bipolar               // the difference of two scalp electrodes: "EEG Fp1-F7"
	Reference             // an ear lobe or mastoid: "A1", "EEG A2-A1"
	Trigger               // codes of events instead of a voltage: "Status", "STI 014"
	Other                 // another measurement than EEG: "ECG", "SpO2", "EXG1"
	Nameless              // nothing, or marks only: "-"
)

// String names the kind as it reads in a message.
func (k Kind) String() string {
	return [...]string{"electrode", "name of no system", "bipolar", "reference", "triggers", "not EEG", "no name"}[k]
}

// EEG reports whether channels of the kind are read unless a user says otherwise.
func (k Kind) EEG() bool { return k <= Bipolar }

// rows are the electrodes of the 10-10 system (American Clinical
// Neurophysiology Society guideline 2, 2006) from nose to inion, and SEED's two
// cerebellar ones.
var rows = []string{
	"Nz",
	"Fp1 Fpz Fp2",
	"AF9 AF7 AF5 AF3 AF1 AFz AF2 AF4 AF6 AF8 AF10",
	"F9 F7 F5 F3 F1 Fz F2 F4 F6 F8 F10",
	"FT9 FT7 FC5 FC3 FC1 FCz FC2 FC4 FC6 FT8 FT10",
	"T9 T7 C5 C3 C1 Cz C2 C4 C6 T8 T10",
	"TP9 TP7 CP5 CP3 CP1 CPz CP2 CP4 CP6 TP8 TP10",
	"P9 P7 P5 P3 P1 Pz P2 P4 P6 P8 P10",
	"PO9 PO7 PO5 PO3 PO1 POz PO2 PO4 PO6 PO8 PO10",
	"CB1 O1 Oz O2 CB2",
	"O9 Iz O10",
}

// olds are the names that the 10-20 system had before 1991 and other
// spellings of the same place.
var olds = map[string]string{"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8", "I1": "O9", "I2": "O10"}

// fine are the rows of the 10-5 system (Oostenveld & Praamstra, Clin Neurophysiol 2001,
// 112:713) that the 10-10 system doesn't have, and which electrodes they begin with:
// outside the letters T, inside C.
var fine = []string{"NFp", "AFp", "AFF", "FFT", "FFC", "FTT", "FCC", "TTP", "CCP", "TPP", "CPP", "PPO", "POO", "OI"}

var fineName = regexp.MustCompile(`(?i)^([a-z]{1,3})(\d{1,2})?(z|h)?$`)

// Names returns the electrodes of the 10-10 system from the nose to the back
// of the head, each row from left to right.
func Names() []string {
	var all []string
	for _, r := range rows {
		all = append(all, strings.Fields(r)...)
	}
	return all
}

// Canonical returns the 10-10 system's spelling of a channel's name, and the channel's kind:
// "EEG T3-REF" gives "T7" and [Electrode]. For anything but an electrode it returns the name as it
// was. [Identify] also looks at the other names of a file.
//
// It takes off a leading "EEG", dots that pad a name ("Fc5."), and the reference ("-REF", "-LE",
// "-A1"), reads either case, and changes the old names T3, T4, T5, T6 to T7, T8, P7, P8.
func Canonical(name string) (string, Kind) {
	l := parse(name)
	if l.kind == Electrode {
		return l.site, Electrode
	}
	return name, l.kind
}

// A label is the result of parsing a channel's name on its own.
type label struct {
	bare    string // without EEG in front and dots behind
	kind    Kind
	site    string // the electrode, under today's name
	own     string // the electrode's name as it stands, with the system's case
	against string // its reference, where the name tells one
}

func parse(name string) label {
	t := strings.TrimSpace(name)
	if len(t) >= 4 && strings.EqualFold(t[:3], "EEG") && strings.ContainsRune(" -_:", rune(t[3])) {
		t = strings.TrimSpace(t[4:])
	}
	l := label{bare: strings.TrimRightFunc(t, func(r rune) bool { return r == '.' || unicode.IsSpace(r) })}
	if !strings.ContainsFunc(l.bare, isNamed) {
		l.kind = Nameless
		return l
	}
	if l.electrode(l.bare) {
		return l
	}
	first, second, pair := cutPair(l.bare)
	switch {
	case isReference(first):
		l.kind = Reference
		return l
	case pair && isElectrode(first) && isElectrode(second):
		l.kind = Bipolar
		return l
	}
	base, against := cutReference(l.bare)
	if l.electrode(base) {
		l.against = against
		return l
	}
	l.kind = Named
	switch {
	case triggers.MatchString(base):
		l.kind = Trigger
	case others.MatchString(base) || others.MatchString(strings.TrimSpace(name)):
		l.kind = Other
	}
	return l
}

// electrode takes t for the name of one, if it is.
func (l *label) electrode(t string) bool {
	site, own, ok := lookup(t)
	if ok {
		l.kind, l.site, l.own = Electrode, site, own
	}
	return ok
}

func isNamed(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 0x7f
}

// cutPair takes apart the name of a difference.
func cutPair(t string) (first, second string, ok bool) {
	first, second, ok = strings.Cut(t, "-")
	return strings.TrimSpace(first), strings.TrimSpace(second), ok && strings.TrimSpace(second) != ""
}

var references = []string{"A1", "A2", "M1", "M2", "LE", "LM", "RM", "RE"}

func isReference(t string) bool {
	return slices.ContainsFunc(references, func(r string) bool { return strings.EqualFold(strings.TrimSpace(t), r) })
}

// againstReference finds an electrode's reference: after a mark, or, where that leaves an electrode,
// at once ("C3A2").
var againstReference = regexp.MustCompile(`(?i)(?:[-_/ ]+(?:REF\d?|LER?|RE|LM|RM|AVG?|AR|CAR|CLE|[AM][12]|[AM]1\+?[AM]2|[AM]12|` +
	`\(*[AM]1\+[AM]2\)*(?:/2)?\)*|Linked[ _]?(?:Ears|Mastoids)|Avg[ _]?Ref|Average)|(?:REF|LER?|AVG?|[AM][12]|A1A2|M1M2))$`)

// cutReference parts a name from a reference at its end. Without one, base is all.
func cutReference(t string) (base, against string) {
	m := againstReference.FindStringIndex(t)
	if m == nil || m[0] == 0 {
		return t, ""
	}
	return strings.TrimSpace(t[:m[0]]), strings.TrimLeft(t[m[0]:], "-_/ ")
}

// triggers and others match names of channels that hold no EEG, as systems and laboratories write
// them.
var (
	triggers = regexp.MustCompile(`(?i)^(stat(us)?|trig(ger)?s?|trg|sti ?\d*|stim(ulus)?|(event[ _])?markers?|events?|digital|ttl|dig trig)[ _]?\d*$`)
	others   = regexp.MustCompile(`(?i)^(` +
		`[lrhvx]?eog[lrhv]?|[lr]oc|[hv]eo|e[ck]g[lr]?|emg|chin|erg|meg|mcg|exg|` +
		`gsr|eda|scr|scl|ppg|bvp|plet\w*|pulse\w*|hr|bpm|heart ?rate|ibi|bp|` +
		`resp\w*|thor\w*|chest|abd\w*|(air|nasal)? ?flow|nasal\w*|therm\w*|snore|cannula|etco2|(tc)?co2|s[ap]o2|o2 ?sat|osat|` +
		`temp\w*|(body)?pos(ition)?|acc(el\w*)?([ _]?[xyz])?|gyro\w*([ _]?[xyz])?|mag([ _]?[xyz])|[lr]?leg\w*|[lr]tib\w*|` +
		`photic|light|sound|audio|mic|dc|aux|bursts|suppr|bat(tery)?|counter|sample ?counter|sync|packet\w*|interpolated|raw_?cq|cq_\w+|cms|drl|gnd|ground` +
		`)([ _+-]?([lr]|left|right|upper|lower|\d+))?([ -].*)?$`)
)

// lookup returns the name of an electrode as it is today and as t has it.
func lookup(t string) (site, own string, ok bool) {
	t = strings.TrimSpace(t)
	for old, today := range olds {
		if strings.EqualFold(t, old) {
			return today, old, true
		}
	}
	for _, r := range rows {
		for _, e := range strings.Fields(r) {
			if strings.EqualFold(t, e) {
				return e, e, true
			}
		}
	}
	if e, ok := lookupFine(t); ok {
		return e, e, true
	}
	return "", "", false
}

// lookupFine finds the names of the 10-5 system: rows between those of the 10-10 system
// ("AFF1", "CPPz"), and electrodes between those of a row ("FFC3h", "C1h").
func lookupFine(t string) (string, bool) {
	m := fineName.FindStringSubmatch(t)
	if m == nil {
		return "", false
	}
	letters, between := "", false
	for _, f := range fine {
		if strings.EqualFold(f, m[1]) {
			letters, between = f, true
		}
	}
	for _, f := range []string{"N", "Fp", "AF", "F", "FT", "FC", "T", "C", "TP", "CP", "P", "PO", "O", "I"} {
		if strings.EqualFold(f, m[1]) {
			letters = f
		}
	}
	number, _ := strconv.Atoi(m[2])
	half := strings.EqualFold(m[3], "h")
	switch {
	case letters == "" || number > 10:
		return "", false
	case strings.EqualFold(m[3], "z") && number == 0 && m[2] == "":
		return letters + "z", between || letters == "N" || letters == "I"
	case number == 0 || strings.EqualFold(m[3], "z") || !between && !half:
		return "", false
	}
	name := letters + strconv.Itoa(number)
	if half {
		name += "h"
	}
	return name, true
}

func isElectrode(t string) bool {
	_, _, ok := lookup(t)
	return ok
}
