package source

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// A foreign format is one of recordings that isn't read here.
type foreign struct {
	name     string
	suffixes []string
	// convert is the line that makes a file of it that is read, with the file's name for
	// %[1]s and the name without the ending for %[2]s.
	convert string
}

// byMNE makes a BrainVision file with MNE-Python, by its function that reads the format. Its
// numbers are float32, where those of EDF would be rounded to 16 bits.
func byMNE(read string) string {
	return `python -c "import mne; mne.io.` + read + `('%[1]s', preload=True).export('%[2]s.vhdr')" (after pip install mne pybv)`
}

// foreigns lists them. Most of them can be read by MNE-Python.
func foreigns() []foreign {
	const any = "read_raw" // knows the format by the ending
	return []foreign{
		{"GDF", []string{".gdf"}, byMNE(any)},
		{"FIF", []string{".fif", ".fif.gz"}, byMNE(any)},
		{"CNT of NeuroScan or ANT", []string{".cnt"}, byMNE(any)},
		{"EGI's MFF", []string{".mff"}, byMNE(any)},
		{"EGI's simple binary", []string{".egi"}, byMNE("read_raw_egi")},
		{"Nihon Kohden's", []string{".eeg"}, byMNE(any)},
		{"Nexstim's", []string{".nxe"}, byMNE(any)},
		{"Curry's", []string{".cdt"}, byMNE(any)},
		{"Neuroelectrics'", []string{".nedf"}, byMNE(any)},
		{"Persyst's", []string{".lay"}, byMNE(any)},
		{"CTF's", []string{".ds"}, byMNE(any)},
		{"XDF", []string{".xdf", ".xdfz", ".xdf.gz"}, `python -c "from mnelab.io import read_raw; read_raw('%[1]s', stream_ids=[1]).export('%[2]s.vhdr')" (after pip install mnelab pybv; MNE-Python has no reader of its own for XDF)`},
		{"BrainVision's of an actiCHamp", []string{".ahdr"}, byMNE(any)},
	}
}

// foreignOf returns the format that isn't read of a file with that name.
func foreignOf(name string) (f foreign, ending string, ok bool) {
	lower := strings.ToLower(name)
	for _, f := range foreigns() {
		for _, s := range f.suffixes {
			if strings.HasSuffix(lower, s) || strings.Contains(lower, s+"/") {
				return f, s, !slices.ContainsFunc(formats(), func(own format) bool { return slices.Contains(own.suffixes, s) })
			}
		}
	}
	return foreign{}, "", false
}

// foreignFiles names the files of formats that aren't read, with their formats and how to
// convert them; nothing where there are none.
func foreignFiles(names []string) string {
	var said []string
	seen := map[string]bool{}
	for _, name := range names {
		f, ending, ok := foreignOf(name)
		if !ok || seen[f.name] {
			continue
		}
		seen[f.name] = true
		if i := strings.Index(strings.ToLower(name), ending+"/"); i >= 0 { // a format of directories
			name = name[:i+len(ending)]
		}
		name = path.Base(name)
		said = append(said, fmt.Sprintf("%s is of the format %s, which is not read: convert it by %s", name, f.name, fmt.Sprintf(f.convert, name, name[:len(name)-len(ending)])))
	}
	return strings.Join(said, "; ")
}
