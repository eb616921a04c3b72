// Package ratio bounds how much larger than their packed bytes data may be, so that a small
// file can't fill memory.
package ratio

const (
	deflateRatio  = 1032    // what deflate shrinks to at the best, as it does zeros
	constantBytes = 1 << 30 // of what holds nothing but is meant all the same
	mostRatio     = 256     // beyond that; recordings shrink to a half or a tenth
)

// Possible reports whether n bytes can have been packed into some, with slack bytes for what
// isn't packed. packed is no more than a file has.
func Possible(n, packed, slack uint64) bool { return n <= slack || n-slack <= deflateRatio*packed }

// Plausible reports whether n bytes can be a recording's that is packed into some, and don't
// just fill memory.
func Plausible(n, packed uint64) bool { return n <= constantBytes || n/mostRatio <= packed }
