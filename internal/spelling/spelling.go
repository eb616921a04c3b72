// Package spelling finds the name that was meant.
package spelling

import (
	"fmt"
	"strings"
)

// Nearest returns the name among candidates that takes the fewest changed
// letters to reach, for the error message about one that isn't known.
func Nearest(name string, candidates []string) string {
	best, least := "", -1
	for _, c := range candidates {
		if d := editDistance(strings.ToUpper(name), strings.ToUpper(c)); least < 0 || d < least {
			best, least = c, d
		}
	}
	return best
}

// Unknown is the error about a name of a kind that is none of those known.
func Unknown(kind, name string, known []string) error {
	return fmt.Errorf("unknown %s %q (did you mean %s?): use one of %s", kind, name, Nearest(name, known), strings.Join(known, ", "))
}

// editDistance is Levenshtein's distance.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
