// Package natural orders names as a person does.
package natural

import (
	"cmp"
	"strings"
)

// Compare orders names with the numbers within them by value, so that "2" comes before "10" and "s9" before "s10".
func Compare(a, b string) int {
	whole := cmp.Compare(a, b)
	for a != "" && b != "" {
		na, ra := leadingDigits(a)
		nb, rb := leadingDigits(b)
		if na != "" && nb != "" {
			na, nb = strings.TrimLeft(na, "0"), strings.TrimLeft(nb, "0")
			if c := cmp.Or(cmp.Compare(len(na), len(nb)), cmp.Compare(na, nb)); c != 0 {
				return c
			}
			a, b = ra, rb
			continue
		}
		if c := cmp.Compare(a[0], b[0]); c != 0 {
			return c
		}
		a, b = a[1:], b[1:]
	}
	// "01" and "1" are different names and must not be equal.
	return cmp.Or(cmp.Compare(len(a), len(b)), whole)
}

func leadingDigits(s string) (digits, rest string) {
	rest = strings.TrimLeft(s, "0123456789")
	return s[:len(s)-len(rest)], rest
}
