package source

import (
	"regexp"
	"strings"
)

// A quantity is the kind of a signal's physical dimension.
type quantity int

const (
	voltage    quantity = iota
	noVoltage           // another quantity, such as a percentage
	unreadable          // none, or one that isn't known
)

// microSigns are the ways in which files have the sign for a millionth: in UTF-8 (two
// letters look like it), Latin-1, the code pages of DOS, GBK, Shift-JIS, and in UTF-8 that
// was taken for Latin-1.
var microSigns = []string{"\u00c2\u00b5", "\u00ce\u00bc", "\u00b5", "\u03bc", "\xa6\xcc", "\x83\xca", "\xb5", "\xe6"}

var (
	voltName = regexp.MustCompile(`(?i)^(|[munkp]|milli|micro|nano|kilo|pico) ?v(olts?)?$`)
	// otherUnit matches quantities that a recording has beside voltages.
	otherUnit = regexp.MustCompile(`(?i)^(%|bpm|/min|1/min|rpm|b/min|mm ?hg|k?pa|hpa|mbar|cm ?h2o|°?[cf]|deg ?[cf]?|°|celsius|[km]?ohms?|[km]?Ω|[mu]?s(ec)?|k?hz|m?g|m/s\^?2|[cm]?m|l/min|l/s|m?l|lux|lx|bool(ean)?|code|db|[munpf]t|[mu]?siemens|[mu]a|rad(/s)?|deg/s|dps|mmol/l)$`)
)

// microvolts returns the factor from a unit to microvolts, 1 where the unit is no voltage.
func microvolts(name string) (factor float64, kind quantity) {
	t := strings.TrimSpace(name)
	for _, sign := range microSigns {
		if rest, ok := strings.CutPrefix(t, sign); ok {
			t = "u" + rest
			break
		}
	}
	m := voltName.FindStringSubmatch(t)
	if m == nil {
		if otherUnit.MatchString(t) {
			return 1, noVoltage
		}
		return 1, unreadable
	}
	switch prefix := strings.ToLower(m[1]); prefix {
	case "":
		return 1e6, voltage
	case "m", "milli":
		return 1e3, voltage
	case "n", "nano":
		return 1e-3, voltage
	case "k", "kilo":
		return 1e9, voltage
	case "p", "pico":
		return 1e-6, voltage
	default:
		return 1, voltage
	}
}
