//go:build mips || mips64 || ppc64 || s390x

package data

// Feature files are the memory of machines whose numbers are little-endian.
var _ = featuresNeedALittleEndianMachine
