//go:build linux || darwin

package fetch

import "syscall"

// freeSpace is how many bytes a user may still write to where a directory lies.
func freeSpace(dir string) (bytes int64, ok bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
