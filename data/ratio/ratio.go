// Package ratio bounds how much larger than their packed bytes data may be, so that a small
// file can't fill memory.
package ratio

const (
	deflateRatio  = 1032    // the best ratio of deflate, that of zeros
	constantBytes = 1 << 30 // of constant data that may still be meant
	mostRatio     = 256     // beyond that; recordings shrink to a half or a tenth
)

// Possible reports whether n bytes can have been packed into packed bytes, but for slack
// bytes that aren't packed. packed is no more than a file has.
func Possible(n, packed, slack uint64) bool { return n <= slack || n-slack <= deflateRatio*packed }

// Plausible reports whether n bytes packed into packed bytes can be a recording's, and don't just
// fill memory.
func Plausible(n, packed uint64) bool { return n <= constantBytes || n/mostRatio <= packed }
