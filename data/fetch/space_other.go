//go:build !linux && !darwin

package fetch

// freeSpace is not known.
func freeSpace(string) (bytes int64, ok bool) { return 0, false }
