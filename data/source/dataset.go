package source

import (
	"regexp"
	"sync"

	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/internal/cite"
)

// A dataset is a known data set: how a directory of it is told and read.
type dataset struct {
	// cite is the paper that its users are asked to cite.
	cite cite.Paper
	// manifest is YAML. A directory whose files are named as it says is one of the data set.
	manifest string
	// accession is its number in OpenNeuro, which the DOI in dataset_description.json has: by that
	// it is told, and by no names of files.
	accession string
	// format is its own, and has no name where files are of another that is read here.
	format format
	// apart are files that are named as the manifest says and are not read.
	apart []apart
	// features are names of the features that the set brings along, which are not read, and raw
	// is the directory of the recordings, which a directory of features alone is no part of.
	features *regexp.Regexp
	raw      string
	// is reports whether a file whose name matches the manifest belongs to the set, by its
	// contents; nil where names are enough.
	is func(path string) (bool, error)
	// whole is the complete set; empty where it is unknown.
	whole census
	// differs says where other programs make other classes, or read something else: a sentence
	// without its point.
	differs string
}

// An apart is files of a data set that are left out, and why, after "are left out, ".
type apart struct {
	names *regexp.Regexp
	why   string
}

// leaves returns why a file is left out; nothing where it isn't.
func (d *dataset) leaves(name string) string {
	if d == nil {
		return ""
	}
	if d.features != nil && d.features.MatchString(name) {
		return "which hold features that the recordings were made into"
	}
	for _, a := range d.apart {
		if a.names.MatchString(name) {
			return a.why
		}
	}
	return ""
}

// datasets lists them. A new one is a file and a line here. Where the names of one set's files
// are also those of another's, the one whose files are looked into stands first.
func datasets() []dataset {
	tables.sets.Do(func() {
		tables.datasets = []dataset{deap(), deapMATLAB(), eegmat(), eegmmidb(), seedIV(), seed(), seedVII(), seedV(), seedVFeatures(), dreamer(), amigos(), faced(), facedBDF(), thuEP(), dasps(), daspsRaw(), gameemo(), mahnob(), deapBDF(), emoEEGMC(), ds002721(), ds002723(), ds002724()}
	})
	return tables.datasets
}

// tables holds the known data sets and formats, made at first use: a command line often asks for
// the names alone. They are not changed.
var tables struct {
	sets, kinds, named sync.Once
	datasets           []dataset
	formats            []format
	names              []string // of the data sets
	err                error
}

// datasetNames are those that the manifests give the data sets, in their order.
func datasetNames() ([]string, error) {
	tables.named.Do(func() {
		var list []*Manifest
		list, tables.err = Builtin()
		for _, m := range list {
			tables.names = append(tables.names, m.Name)
		}
	})
	return tables.names, tables.err
}

// ratings are scales of one range, divided at the same threshold.
func ratings(low, high, threshold float64, keys ...string) []label.Scale {
	var list []label.Scale
	for _, k := range keys {
		list = append(list, label.Scale{Key: k, Low: low, High: high, Threshold: threshold})
	}
	return list
}

// Papers returns the paper of each known data set, by the data set's name.
func Papers() (map[string]cite.Paper, error) {
	names, err := datasetNames()
	if err != nil {
		return nil, err
	}
	papers := map[string]cite.Paper{}
	for i, d := range datasets() {
		papers[names[i]] = d.cite
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
