package meter

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// rapl is the energy of all processor packages and of the memory that has a counter of its
// own, below dir. Other zones are parts of these (core, uncore), or hold them (psys).
func rapl(dir string) *gauge {
	// The zones of intel-rapl-mmio are counted by intel-rapl too.
	zones, err := filepath.Glob(filepath.Join(dir, "intel-rapl:*"))
	if err != nil {
		return nil
	}
	var counters []*counter
	for _, zone := range zones {
		name, err := os.ReadFile(filepath.Join(zone, "name"))
		if err != nil {
			return nil
		}
		if n := strings.TrimSpace(string(name)); !strings.HasPrefix(n, "package") && n != "dram" {
			continue
		}
		top, err := readCount(filepath.Join(zone, "max_energy_range_uj"))
		if err != nil {
			return nil
		}
		path := filepath.Join(zone, "energy_uj")
		counters = append(counters, &counter{read: func() (uint64, error) { return readCount(path) }, unit: 1e-6, top: top})
	}
	return newGauge(counters)
}

func readCount(path string) (uint64, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
}
