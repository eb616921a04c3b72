package source

import "eegprune/data/label"

// A dataset is a known data set: how a directory of it is told and read.
type dataset struct {
	// manifest is YAML. A directory whose files are named as it says is one of the data set.
	manifest string
	// format is its own, and has no name where files are of another that is read here.
	format format
	// mistaken says, of a directory that can't be read, how it is one of the data set all the
	// same, and what is read of that; nothing where it isn't.
	mistaken func(names []string) string
}

// datasets lists them. A new one is a file and a line here.
func datasets() []dataset { return []dataset{deap(), eegmat(), eegmmidb(), seed()} }

// ratings are scales of one range, divided at the same threshold.
func ratings(low, high, threshold float64, keys ...string) []label.Scale {
	var list []label.Scale
	for _, k := range keys {
		list = append(list, label.Scale{Key: k, Low: low, High: high, Threshold: threshold})
	}
	return list
}

// Builtin returns the manifests of known data sets, by which a directory is
// recognised that has none of its own.
func Builtin() ([]*Manifest, error) {
	var list []*Manifest
	for _, d := range datasets() {
		m, err := ParseManifest([]byte(d.manifest), Origin{BuiltIn: true}.String())
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}
