package source

import "eegprune/internal/cite"

// A dataset is a known data set: how a directory of it is told and read.
type dataset struct {
	// cite is the paper that its users are asked to cite.
	cite cite.Paper
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

// Papers returns the paper of each known data set, by the data set's name.
func Papers() (map[string]cite.Paper, error) {
	manifests, err := Builtin()
	if err != nil {
		return nil, err
	}
	papers := map[string]cite.Paper{}
	for i, d := range datasets() {
		papers[manifests[i].Name] = d.cite
	}
	return papers, nil
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
