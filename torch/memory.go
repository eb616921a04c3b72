package torch

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// A Shortage is the memory that a device lacked where an [Error] is of [OutOfMemory]; bytes, 0 where
// libtorch did not say.
type Shortage struct {
	Device Device
	Asked  int64
	Free   int64
	Total  int64
}

func (s Shortage) String() string {
	text := "out of memory"
	if s.Device.IsCUDA() {
		text = s.Device.String() + " is out of memory"
	}
	var parts []string
	if s.Asked > 0 {
		parts = append(parts, Bytes(s.Asked)+" were asked for")
	}
	if s.Total > 0 {
		parts = append(parts, fmt.Sprintf("%s of %s are free", Bytes(s.Free), Bytes(s.Total)))
	}
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, " and ")
	}
	return text
}

// Bytes writes a number of bytes with a unit: 1.5 GiB.
func Bytes(n int64) string {
	const units = "KMGTPE"
	if n < 1<<10 {
		return fmt.Sprintf("%d bytes", n)
	}
	f, unit := float64(n), -1
	for f >= 1<<10 && unit < len(units)-1 {
		f /= 1 << 10
		unit++
	}
	return fmt.Sprintf("%.1f %ciB", f, units[unit])
}

// libtorch's sentences, on a GPU and on the host.
var (
	saysAsked = regexp.MustCompile(`[Tt]ried to allocate ([\d.]+) (bytes|[KMGT]iB)`)
	saysGPU   = regexp.MustCompile(`GPU (\d+) has a total capacity of ([\d.]+) (bytes|[KMGT]iB) of which ([\d.]+) (bytes|[KMGT]iB) is free`)
)

// shortage parses libtorch's message when memory is short.
func shortage(message string) Shortage {
	var s Shortage
	if m := saysAsked.FindStringSubmatch(message); m != nil {
		s.Asked = bytesOf(m[1], m[2])
	}
	if m := saysGPU.FindStringSubmatch(message); m != nil {
		index, _ := strconv.Atoi(m[1])
		s.Device, s.Total, s.Free = CUDA(index), bytesOf(m[2], m[3]), bytesOf(m[4], m[5])
		return s
	}
	s.Free, s.Total = hostMemory("/proc/meminfo")
	return s
}

func bytesOf(number, unit string) int64 {
	f, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0
	}
	return int64(f * float64(map[string]int64{"bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}[unit]))
}

// hostMemory returns the memory that the kernel could give to programs, and all of it, in bytes; 0
// where it does not say.
func hostMemory(meminfo string) (free, total int64) {
	text, err := os.ReadFile(meminfo)
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(text)) {
		var name string
		var kib int64
		if n, _ := fmt.Sscanf(line, "%s %d kB", &name, &kib); n == 2 {
			switch name {
			case "MemAvailable:":
				free = kib << 10
			case "MemTotal:":
				total = kib << 10
			}
		}
	}
	return free, total
}
