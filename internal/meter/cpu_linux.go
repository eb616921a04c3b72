package meter

import (
	"bufio"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func cpuTime(s Scope) time.Duration {
	who := syscall.RUSAGE_SELF
	if s == Thread {
		who = syscall.RUSAGE_THREAD
	}
	return rusage(who)
}

// peakMemory is VmHWM of /proc/self/status, which the kernel gives in KiB.
func peakMemory() int64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if value, ok := strings.CutPrefix(s.Text(), "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 10, 64)
			if err != nil {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}
