//go:build !unix

package meter

import "time"

func cpuTime(Scope) time.Duration { return 0 }

func peakMemory() int64 { return 0 }
