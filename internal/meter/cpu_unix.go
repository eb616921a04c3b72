//go:build unix && !linux

package meter

import (
	"syscall"
	"time"
)

func cpuTime(s Scope) time.Duration {
	if s == Thread {
		return 0
	}
	return rusage(syscall.RUSAGE_SELF)
}

func peakMemory() int64 { return 0 }
